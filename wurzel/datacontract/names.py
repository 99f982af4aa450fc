"""Names as text: of files, in which equal bytes are equal, whatever the encoding of the locale, and of classes."""

from __future__ import annotations

import os


def to_text(name: str, errors: str = "strict") -> str:
    """A file's name, as Python gives it, as UTF-8 text. Raises `UnicodeDecodeError` when it is not UTF-8."""
    return os.fsencode(name).decode("utf-8", errors)


def from_text(text: str) -> str:
    """The name that Python opens the file of this text by."""
    return os.fsdecode(text.encode("utf-8"))


def class_path(cls: type) -> str:
    """`module:Class`."""
    return f"{cls.__module__}:{cls.__qualname__}"
