"""Parses YAML and JSON into plain values by YAML 1.2: `on` and `1:30` are text, anchors are followed."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from wurzel.ir.scalars import scalar
from wurzel.render.verify import Unreadable
from wurzel.render.yaml_tree import YamlNode, documents

_MOST = 5_000_000
"""Largest number of entries of a document, aliases counted with all they repeat: ten lines can say a billion."""
_MERGE = "<<"
_NUMBERS = ("int", "float", "bool", "null")
_STANDARD = "tag:yaml.org,2002:"


def parsed(text: str) -> list[Any]:
    """The documents of a text as plain values; unknown tags are ignored. Raises `Unreadable` if it is not YAML."""
    try:
        return [_Values().of(document.root) for document in documents(text)]
    except RecursionError:
        raise Unreadable("it is nested too deeply", 0) from None


class _Values:
    """Makes values of the nodes of one document."""

    def __init__(self) -> None:
        self._size = 0
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        """The value of each anchor, and how many entries it has; nothing as long as it is not complete."""

    def of(self, node: YamlNode) -> Any:
        """The value of a node, with all that is in it."""
        self._size += 1
        if node.is_alias:
            return self._repeated(node)
        name, start = node.event.anchor, self._size
        if name:
            self._anchors[name] = None
        if node.is_mapping:
            value: Any = self._mapping(node)
        else:
            value = [self.of(item) for _, item in node.entries] if node.is_sequence else _scalar(node.event)
        if name:
            self._anchors[name] = value, self._size - start
        return value

    def _mapping(self, node: YamlNode) -> dict[Any, Any]:
        """A mapping; merged keys come after its own."""
        found: dict[Any, Any] = {}
        merged: list[Any] = []
        for key, item in node.entries:
            assert key is not None  # noqa: S101 - narrows the type: an entry of a mapping has a key
            name = self.of(key)
            if _is_merge(key):
                inner = self.of(item)
                merged += inner if isinstance(inner, list) else [inner]
            else:
                found[name if key.is_alias else _text(key.event)] = self.of(item)
        for each in merged:
            found |= {name: item for name, item in each.items() if name not in found}
        return found

    def _repeated(self, node: YamlNode) -> Any:
        """What an alias refers to."""
        known = self._anchors[node.event.anchor]
        if known is None:
            raise Unreadable(f"the alias *{node.event.anchor} is inside of what it repeats", node.start)
        self._size += known[1]
        if self._size > _MOST:
            raise Unreadable(f"with aliases, it has more than {_MOST:,} entries", node.start)
        return known[0]


def _is_merge(key: YamlNode) -> bool:
    event = key.event
    return key.text() == _MERGE and bool(event.implicit[0] or event.tag == f"{_STANDARD}merge")


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
