"""Helpful messages for text that is not valid YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wurzel.exceptions import ConfigError, Problem
from wurzel.project.nodes import Origin

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

_UNREADABLE = "[^\t\n\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"


def decoded(data: bytes, source: str) -> str:
    """The text of a file without byte order mark. Raises `ConfigError` with the first byte that is not UTF-8."""
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        data = error.object
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        place = str(Origin(source, line, column))
        problem = Problem(f"the byte 0x{data[error.start]:02x} is not UTF-8", place, "Save the file as UTF-8.")
        raise ConfigError([problem]) from None


def first_unreadable(text: str, source: str) -> Origin:
    """Place of the first character that YAML does not allow."""
    match = re.search(_UNREADABLE, text)
    before = text[: match.start()] if match else ""
    return Origin(source, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def explained(error: MarkedYAMLError, text: str, source: str) -> tuple[Origin, str, str]:
    """Where the parser gave up, why, and what to do."""
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or error)
    if mark is None:
        return Origin(source), f"is not valid YAML: {problem}", ""
    place = Origin(source, mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    conflict = next((number for number, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), 0)
    if conflict:
        return Origin(source, conflict, 1), "contains merge conflict markers", "Resolve the conflict first."
    char = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if "cannot start any token" in problem:
        if char == "\t":
            return place, "a tab where YAML requires spaces", "Indent with spaces."
        return place, f"a text cannot start with {char!r}", "Put the text in quotes."
    if "mapping values are not allowed" in problem:
        return place, "a mapping cannot start here", "Check the indentation; put a text that contains ': ' in quotes."
    start = error.context_mark
    context = f" ({error.context} that starts on line {start.line + 1})" if error.context and start else ""
    return place, f"is not valid YAML: {problem}{context}", "Check indentation, quotes and brackets here and above."
