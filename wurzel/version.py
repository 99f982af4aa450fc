"""The version of this package: for pip, for `wurzel --version`, and for files that say what they need."""

__version__ = "0.1.0"
