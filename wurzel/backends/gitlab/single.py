"""Writes a job that is alone in its file without the hidden job that it would extend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from wurzel.render.documents import parsed
from wurzel.render.verify import Unreadable

Lines = Sequence[tuple[str, int]]
"""Lines, each with the number of the line that it was."""
ABOVE = "# What all jobs of this pipeline have in common."


def joined(text: str, base: str, job: str) -> tuple[str, list[int]]:
    """The file with the keys of `base` in the `job` that extends it, and for each line its old number (from 0).

    The file stays as it is if the job replaces a value of the base (a warning then names both places), or if something
    else in the file reads the base.
    """
    lines: Lines = [(line, number) for number, line in enumerate(text.split("\n"))]
    found = _joined(lines, base, job)
    written = "\n".join(line for line, _ in found)
    try:
        same = bool(found) and parsed(written) == [_merged(document, base, job) for document in parsed(text)]
    except (Unreadable, KeyError, TypeError):
        same = False
    if not same:
        found, written = lines, text
    return written, [number for _, number in found][: written.count("\n")]


def _joined(lines: Lines, base: str, job: str) -> Lines:
    """The lines with both merged; none if that is impossible."""
    named = re.compile(rf"(?<![\w.-]){re.escape(base)}(?![\w.-])")
    starts = [number for number, (line, _) in enumerate(lines) if line in {f"{base}:", f"{job}:"}]
    if [lines[number][0] for number in starts] != [f"{base}:", f"{job}:"]:
        return ()
    first, second = starts
    middle, end = _end(lines, first), _end(lines, second)
    shared, own = dict(_keys(lines[first + 1 : middle])), dict(_keys(lines[second + 1 : end]))
    own.pop("extends", None)
    read = sum(named.search(line) is not None for line, _ in lines)
    both = shared.keys() & own.keys()
    if read != len(starts) or not all(_is_mapping(shared[key]) and _is_mapping(own[key]) for key in both):
        return ()
    keys = [line for key, part in shared.items() if key not in own for line in part]
    keys += [line for key, part in own.items() for line in (*shared.get(key, part[:1]), *part[1:])]
    above = first - (lines[first - 1][0] == ABOVE)
    between = lines[middle + (not lines[middle][0]) : second + 1]
    return [*lines[:above], *between, *keys, *lines[end:]]


def _end(lines: Lines, start: int) -> int:
    """Where a job ends: at the first line below its key that is not indented, without empty lines before it."""
    end = next((at for at in range(start + 1, len(lines)) if lines[at][0][:1].strip()), len(lines))
    while not lines[end - 1][0]:
        end -= 1
    return end


def _keys(lines: Lines) -> Iterator[tuple[str, Lines]]:
    """Each key of a job with its lines; comments belong to the key below them."""
    starts = [at for at, (line, _) in enumerate(lines) if line[2:3].strip() and line[2] not in "-#"]
    begins = [0] + [_above(lines, at) for at in starts[1:]]
    for at, begin, end in zip(starts, begins, [*begins[1:], len(lines)], strict=True):
        yield lines[at][0].partition(":")[0].strip(), lines[begin:end]


def _above(lines: Lines, at: int) -> int:
    while lines[at - 1][0].startswith("  #"):
        at -= 1
    return at


def _is_mapping(part: Lines) -> bool:
    """Whether a key holds a mapping in block style."""
    return len(part) > 1 and part[0][0].endswith(":") and part[1][0].startswith("    ") and part[1][0][4] not in " -"


def _merged(document: Any, base: str, job: str) -> Any:
    """The document as GitLab merges it: mappings are merged, other values of the job replace those of the base."""
    if not isinstance(document, dict) or base not in document:
        return document
    own = {key: value for key, value in document[job].items() if key != "extends"}
    return {key: value for key, value in document.items() if key not in {base, job}} | {job: _deep(document[base], own)}


def _deep(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _deep(below.get(key), value) for key, value in above.items()}
