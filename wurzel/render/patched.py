"""Applies edits to a file, tracks where each line comes from, and proves that the result matches the patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wurzel.render.patch import ADD, Edit, without_nulls
from wurzel.render.quoting.yaml_slot import is_part, signature
from wurzel.render.quoting.yaml_value import parts
from wurzel.render.verify import Unreadable, yaml_events
from wurzel.render.yaml_tree import YamlNode, is_picked

Source = int | str
"""A line of the file before the patch, from 0; or the path in the patch that wrote it."""


def apply(text: str, edits: Sequence[Edit]) -> tuple[str, list[Source]]:
    """The text with its edits, and where each of its lines comes from."""
    pieces: list[tuple[str, str]] = []
    position = 0
    for edit in sorted(edits, key=lambda item: item.start):
        pieces += [(text[position : edit.start], ""), (edit.text, edit.path)]
        position = edit.end
    pieces.append((text[position:], ""))
    starts = [0, *(edit.end for edit in sorted(edits, key=lambda item: item.start))]
    return "".join(piece for piece, _ in pieces), list(_sources(text, pieces, starts))


def _sources(text: str, pieces: Sequence[tuple[str, str]], starts: Sequence[int]) -> Iterator[Source]:
    """The source of each line; the patch wins if both wrote a line. `starts` are the offsets of kept pieces."""
    current: Source | None = None
    number = position = 0
    for index, (piece, path) in enumerate(pieces):
        if not path:
            number += text.count("\n", position, starts[index // 2])
            position = starts[index // 2] + len(piece)
        for count, part in enumerate(piece.split("\n")):
            if count:
                yield (path or number) if current is None else current
                current = None
                number += not path
            if part.strip() and (path or current is None):
                current = path or number
    if current is not None:
        yield current


def expected(node: YamlNode, patch: Mapping[str, Any]) -> Iterator[Any]:
    """What a reader must find in place of a node: the events of kept parts, and the parts of new values."""
    yield signature(node.event)
    removed = {name for name, value in patch.items() if value is None}
    for key, value in node.entries:
        name = key.text() if key is not None else next((by for by in patch if is_picked(value, by)), None)
        if name in removed:
            continue
        if key is not None:
            yield from key.events()
        if name is None or name not in patch:
            yield from value.events()
        elif isinstance(new := patch[name], Mapping) and (value.is_mapping or value.is_sequence):
            yield from expected(value, new)
        else:
            yield from parts(without_nulls(new))
    known = set(node.keys())
    for name, value in patch.items():
        if node.is_mapping and name not in known and value is not None:
            yield from parts(name)
            yield from parts(without_nulls(value))
    if node.is_sequence:
        for item in patch.get(ADD, []):
            yield from parts(item)
    yield ("MappingEndEvent",) if node.is_mapping else ("SequenceEndEvent",)


def differs(text: str, wanted: Iterator[Any]) -> str:
    """Where a patched text differs from what is expected; empty if it does not."""
    try:
        found = [event for event in yaml_events(text) if "Stream" not in type(event).__name__]
    except Unreadable as error:
        return str(error)
    program = list(wanted)
    for event, item in zip(found, program, strict=False):
        if signature(event) != item and not (_is_new(item) and is_part(event, item)):
            return f"line {event.start_mark.line + 1} reads differently"
    return "" if len(found) == len(program) else "something is missing or too much"


def _is_new(item: Any) -> bool:
    return isinstance(item, str) or (len(item) == 2 and isinstance(item[1], bool))  # noqa: PLR2004 - a part of a value
