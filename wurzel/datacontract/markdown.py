"""Reads Markdown files with YAML front matter."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from wurzel.exceptions import MarkdownException

_FENCE = "---"
_KEYWORDS, _URL, _METADATA = "keywords", "url", "metadata"


def read_markdown(path: Path, url: str) -> dict[str, Any]:
    """The fields of the document in a Markdown file, with this URL unless its front matter gives one.

    Raises `MarkdownException` when it is not UTF-8 text, or its front matter cannot be used; names file and line.
    """
    body, front = _parts(_text(path), path)
    return {"md": body, _KEYWORDS: path.name.partition(".")[0], _URL: url, **front}


def _parts(text: str, path: Path) -> tuple[str, dict[str, Any]]:
    """Body and front matter (`keywords`, `url`, `metadata`, as far as given)."""
    if text.partition("\n")[0].rstrip() != _FENCE:
        return text, {}
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:  # the first line is a rule, not the start of front matter
        return text, {}
    body = "\n".join(lines[end + 1 :])
    return re.sub(r"\A(?:[ \t]*\n)+", "", body), _front_matter(lines[1:end], path)


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MarkdownException(
            f"is not UTF-8 text: it contains the byte {error.object[error.start]:#04x}",
            where=f"{path}:{line}",
            hint="Save it as UTF-8, or keep it out of the folder.",
        ) from None
    except OSError as error:
        raise MarkdownException(f"cannot be read: {error.strerror}", where=str(path)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise MarkdownException("contains a NUL character, so it is not text", where=f"{path}:{line}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _front_matter(lines: list[str], path: Path) -> dict[str, Any]:
    from wurzel.datacontract.plain_yaml import NotYaml, load_yaml

    try:
        front = load_yaml("\n".join(lines))
    except NotYaml as error:
        raise MarkdownException(
            f"the front matter is not YAML: {error.message}",
            where=f"{path}:{error.line + 1}",
            hint="Fix it, or put text that contains ': ' or '#' in quotes.",
        ) from None
    if front is None:
        return {}
    if not isinstance(front, dict):
        raise MarkdownException(
            f"the front matter is not a mapping but a {type(front).__name__}",
            where=f"{path}:2",
            hint="Write `key: value` lines between the two lines ---, or *** for a rule at the top of the text.",
        )
    return _checked(front, lines, path)


def _checked(front: dict[Any, Any], lines: list[str], path: Path) -> dict[str, Any]:
    if "topics" in front:
        warnings.warn(
            f"{path}:{_line_of('topics', lines)}: the `topics` metadata field is deprecated and ignored;"
            " use `keywords`",
            DeprecationWarning,
            stacklevel=6,
        )
    found = {key: front[key] for key in (_KEYWORDS, _URL, _METADATA) if front.get(key) is not None}
    keywords = found.get(_KEYWORDS)
    if isinstance(keywords, list) and all(isinstance(word, str) for word in keywords):
        found[_KEYWORDS] = ",".join(keywords)
    for key, kind, wanted in ((_KEYWORDS, str, "text"), (_URL, str, "text"), (_METADATA, dict, "a mapping")):
        if key in found and not isinstance(found[key], kind):
            raise MarkdownException(
                f"{key} must be {wanted}, not {found[key]!r}",
                where=f"{path}:{_line_of(key, lines)}",
                hint=f'Write {key}: "…".' if kind is str else "",
            )
    if any(not isinstance(key, str) for key in found.get(_METADATA, {})):
        raise MarkdownException("the keys of metadata must be text", where=f"{path}:{_line_of(_METADATA, lines)}")
    return found


def _line_of(key: str, lines: list[str]) -> int:
    pattern = re.compile(rf"""["']?{key}["']?\s*:""")
    return next((number for number, line in enumerate(lines, 2) if pattern.match(line)), 2)
