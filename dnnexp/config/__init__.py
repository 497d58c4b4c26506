"""Configs: the YAML dialect, overrides, validation with every error at once."""
