"""Drift between rendered files and their sources: which files are out of date, and why."""
