"""Config files: the YAML dialect, overrides, and validation that reports every problem at once."""
