"""Parses YAML and JSON into plain values by YAML 1.2: `on` and `1:30` are text, anchors are followed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import events as ev

from wurzel.ir.scalars import scalar
from wurzel.render.verify import Unreadable, yaml_events

_MOST = 5_000_000
"""Largest number of entries of a document, aliases counted with all they repeat: ten lines can say a billion."""
_MERGE = "<<"
_NUMBERS = ("int", "float", "bool", "null")
_STANDARD = "tag:yaml.org,2002:"


def parsed(text: str) -> list[Any]:
    """The documents of a text as plain values; unknown tags are ignored. Raises `Unreadable` if it is not YAML."""
    events = yaml_events(text)
    return [_Builder(events).document() for event in events if isinstance(event, ev.DocumentStartEvent)]


class _Builder:
    """Reads one document, without recursion."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Any] = {}
        self._open: list[Any] = []
        self._keys: list[tuple[Any, bool] | None] = []
        self._merges: list[list[Any]] = []
        self._root: Any = None
        self._size = 0
        self._starts: list[int] = []
        self._sizes: dict[int, int] = {}
        """Entries of each complete mapping and list, by identity."""

    def document(self) -> Any:
        for event in self._events:
            if isinstance(event, ev.DocumentEndEvent):
                break
            if isinstance(event, ev.MappingEndEvent | ev.SequenceEndEvent):
                self._close()
                continue
            self._add(self._value(event), event)
        return self._root

    def _value(self, event: Any) -> Any:
        self._size += 1
        if isinstance(event, ev.AliasEvent):
            return self._repeated(event)
        if isinstance(event, ev.ScalarEvent):
            value: Any = _scalar(event)
        else:
            value = {} if isinstance(event, ev.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self._root = value
        elif isinstance(holder := self._open[-1], list):
            holder.append(value)
        elif (key := self._keys[-1]) is None:
            plain = isinstance(event, ev.ScalarEvent) and (event.implicit[0] or event.tag == f"{_STANDARD}merge")
            is_merge = plain and event.value == _MERGE
            self._keys[-1] = (_text(event), is_merge) if isinstance(event, ev.ScalarEvent) else (value, False)
        else:
            self._keys[-1] = None
            if key[1]:
                self._merges[-1].append(value)
            else:
                holder[key[0]] = value
        if isinstance(event, ev.MappingStartEvent | ev.SequenceStartEvent):
            self._open.append(value)
            self._keys.append(None)
            self._merges.append([])
            self._starts.append(self._size)

    def _close(self) -> None:
        """End a mapping or list; merged keys come after its own, once it is complete."""
        holder = self._open.pop()
        self._keys.pop()
        self._sizes[id(holder)] = self._size - self._starts.pop()
        for merged in self._merges.pop():
            for each in merged if isinstance(merged, list) else [merged]:
                holder |= {name: item for name, item in each.items() if name not in holder}

    def _repeated(self, event: Any) -> Any:
        """What an alias refers to."""
        value = self._anchors[event.anchor]
        if any(holder is value for holder in self._open):
            raise Unreadable(f"the alias *{event.anchor} is inside of what it repeats", event.start_mark.index)
        self._size += self._sizes.get(id(value), 0)
        if self._size > _MOST:
            raise Unreadable(f"with aliases, it has more than {_MOST:,} entries", event.start_mark.index)
        return value


def _scalar(event: Any) -> Any:
    tag = (event.tag or "").removeprefix(_STANDARD)
    if tag in _NUMBERS or (event.implicit[0] and not event.tag):
        return scalar(event.value)
    return _text(event)


def _text(event: Any) -> str:
    """The text of a scalar; `!!binary` is decoded, as platforms do."""
    if event.tag != f"{_STANDARD}binary":
        return str(event.value)
    try:
        return b64decode(event.value).decode()
    except ValueError:  # neither base64 nor text: no platform reads it
        return str(event.value)
