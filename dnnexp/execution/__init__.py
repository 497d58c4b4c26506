"""Carrying out: one run into its folder, many of them in workers that may die."""
