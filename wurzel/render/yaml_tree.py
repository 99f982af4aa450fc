"""YAML text as a tree of nodes with offsets, so that one value can be changed without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from wurzel.render.quoting.yaml_slot import signature
from wurzel.render.verify import yaml_events
from wurzel.yaml_events import events as ev

_KEEPS = re.compile(r"[|>]\d?\+")


class YamlNode:
    """One node: a scalar, an alias, a mapping or a sequence.

    Attributes:
        event: the parser's event at its start.
        start: offset of its first character.
        end: offset after its last character, without the line break of its last line.
        column: column of the keys of a block mapping, or of the dashes of a block sequence.
        entries: entries of a mapping with their keys, or items of a sequence without.
    """

    __slots__ = ("column", "end", "entries", "event", "start")

    def __init__(self, event: Any) -> None:
        self.event = event
        self.start: int = event.start_mark.index
        self.end: int = event.end_mark.index
        self.column: int = event.start_mark.column
        self.entries: list[tuple[YamlNode | None, YamlNode]] = []

    @property
    def is_mapping(self) -> bool:
        """Whether it has entries with keys."""
        return isinstance(self.event, ev.MappingStartEvent)

    @property
    def is_sequence(self) -> bool:
        """Whether it has items."""
        return isinstance(self.event, ev.SequenceStartEvent)

    @property
    def is_alias(self) -> bool:
        """Whether it refers to a node that is written elsewhere."""
        return isinstance(self.event, ev.AliasEvent)

    @property
    def flow(self) -> bool:
        """Whether it is written in brackets."""
        return bool(getattr(self.event, "flow_style", False))

    @property
    def style(self) -> str:
        """The quotes of a scalar, or `|` or `>`."""
        return getattr(self.event, "style", None) or ""

    def text(self) -> str | None:
        """The text of a scalar."""
        return self.event.value if isinstance(self.event, ev.ScalarEvent) else None

    def at(self, key: str) -> YamlNode | None:
        """The value of a key of a mapping."""
        return next((value for name, value in self.entries if name is not None and name.text() == key), None)

    def below(self, path: Iterable[str]) -> YamlNode | None:
        """The node at a path of keys, such as `metadata`, `name`."""
        node: YamlNode | None = self
        for key in path:
            node = node.at(key) if node is not None else None
        return node

    def keys(self) -> list[str]:
        """The keys of a mapping that are scalars."""
        return [text for key, _ in self.entries if key is not None and (text := key.text()) is not None]

    def picked(self, by: str) -> list[YamlNode]:
        """The items of a sequence selected by their `name`, or by `key=value` of any of their keys."""
        return [item for _, item in self.entries if is_picked(item, by)]

    def names(self) -> list[str]:
        """A selector for each item of a sequence: its name, or its first scalar."""
        return [name for _, item in self.entries if (name := _name_of(item) or _first_of(item)) is not None]

    def texts_in_items(self) -> Iterator[tuple[str | None, str | None]]:
        """Key and text of all scalars in the items of a sequence."""
        for _, item in self.entries:
            yield from _key_values(item)

    def events(self) -> Iterator[tuple[Any, ...]]:
        """The parser's events of this node."""
        yield signature(self.event)
        for key, value in self.entries:
            if key is not None:
                yield from key.events()
            yield from value.events()
        if self.is_mapping or self.is_sequence:
            yield ("MappingEndEvent",) if self.is_mapping else ("SequenceEndEvent",)


class Document:
    """One document of a file: its root, and the parser's event before it."""

    __slots__ = ("root", "start")

    def __init__(self, root: YamlNode, start: tuple[Any, ...]) -> None:
        self.root = root
        self.start = start

    def text_at(self, *path: str) -> str | None:
        """The text at a path of keys."""
        node = self.root.below(path)
        return node.text() if node is not None else None


def documents(text: str) -> list[Document]:
    """The documents of a YAML text. Raises `Unreadable` when it is not valid YAML."""
    events = yaml_events(text)
    starts = (event for event in events if isinstance(event, ev.DocumentStartEvent))
    return [Document(_node(next(events), events, text), signature(start)) for start in starts]


def _node(event: Any, events: Iterator[Any], text: str) -> YamlNode:
    root = YamlNode(event)
    stack = [root] if root.is_mapping or root.is_sequence else []
    keys: list[YamlNode | None] = [None]
    if not stack:
        _trim(root, text)
    while stack:
        event = next(events)
        top = stack[-1]
        if isinstance(event, ev.MappingEndEvent | ev.SequenceEndEvent):
            stack.pop()
            keys.pop()
            top.end = event.end_mark.index if top.flow else top.entries[-1][1].end if top.entries else top.end
            if top.is_mapping and top.entries and (first := top.entries[0][0]) is not None:
                top.column = first.event.start_mark.column
            continue
        node = YamlNode(event)
        _trim(node, text)
        if top.is_mapping and keys[-1] is None:
            keys[-1] = node
        else:
            top.entries.append((keys[-1], node))
            keys[-1] = None
        if node.is_mapping or node.is_sequence:
            stack.append(node)
            keys.append(None)
    return root


def _trim(node: YamlNode, text: str) -> None:
    """Exclude the last line break and dropped empty lines, which the parser counts as part of a text block."""
    if node.style in {"|", ">"}:
        written = text[node.start : node.end]
        kept = written.removesuffix("\n") if _KEEPS.match(written) else written.rstrip()
        node.end = node.start + len(kept)


def dash(node: YamlNode, item: YamlNode, text: str) -> int:
    """The offset of the dash of an item of a block sequence."""
    line = text.rfind("\n", 0, item.start) + 1
    while line and text[line + node.column : line + node.column + 1] != "-":
        line = text.rfind("\n", 0, line - 1) + 1
    return line + node.column


def is_picked(item: YamlNode, by: str) -> bool:
    """Whether `name`, or `key=value` of any of its keys, selects an item of a sequence."""
    key, sign, value = by.partition("=")
    own = item.at(key) if sign else None
    return _name_of(item) == by or (own is not None and own.text() == value)


def _name_of(item: YamlNode) -> str | None:
    own = item.at("name")
    return own.text() if own is not None else None


def _first_of(item: YamlNode) -> str | None:
    return next((f"{key}={value}" for key, value in _key_values(item) if key is not None and value is not None), None)


def _key_values(item: YamlNode) -> Iterator[tuple[str | None, str | None]]:
    return ((key.text(), value.text()) for key, value in item.entries if key is not None)
