"""Parses YAML and JSON into plain values by YAML 1.2: `on` and `1:30` are text, anchors are followed.

Texts in a document that are YAML or JSON themselves are parsed as well, so that no escape hides from policies what they
say.
"""

from __future__ import annotations

import re
from base64 import b64decode
from json import dumps
from typing import Any

from wurzel.ir.scalars import scalar
from wurzel.patterns import pattern
from wurzel.render.values import NotAValue
from wurzel.render.verify import Unreadable
from wurzel.render.yaml_tree import YamlNode, documents

_MOST = 5_000_000
"""Largest number of entries of a document, aliases counted with all they repeat: ten lines can say a billion."""
_MERGE = "<<"
_NUMBERS = ("int", "float", "bool", "null")
_STANDARD = "tag:yaml.org,2002:"
_ANYWHERE = frozenset({"podSpecPatch"})
_KEYS = _ANYWHERE | {"manifest", "patch", "patchesStrategicMerge", "patchesJson6902"}
"""Argo reads the text of `podSpecPatch` and `manifest`, kustomize that of the others, as YAML."""
_READ_BY = frozenset({"apiVersion", "kind", "patches", "patchesStrategicMerge", "patchesJson6902"})
"""Keys of documents that are for one of the two; a variable called `patch` of a CI job is any text."""
_FOLDED = str.maketrans("\u017f\u212a", "sk")
"""Letters that Go's reader of JSON, and so Argo for `podSpecPatch`, takes for these in a key."""
_FILLED_IN = pattern(r"""("(?:\\.|[^"\\])*"|'[^']*')|(\{\{.*?\}\})""", re.DOTALL)
"""What Argo replaces before it reads the text: outside of quotes, no YAML."""


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


def unfold(documents: list[Any]) -> list[Any]:
    """The documents, with such texts in place as what they say; others, such as a file name, stay as they are.

    Raises `NotAValue` for a text that should be YAML and is not, since no policy can tell what it says.
    """
    for one in documents:
        _unfold(one, _ANYWHERE if not isinstance(one, dict) or _READ_BY.isdisjoint(one) else _KEYS)
    return documents


def _unfold(document: Any, keys: frozenset[str]) -> None:
    waiting = [document] if isinstance(document, dict | list) else []
    seen: set[int] = set()
    while waiting:
        holder = waiting.pop()
        if id(holder) in seen:  # an alias refers to the very same mapping
            continue
        seen.add(id(holder))
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(holder, dict) and key in keys:
                inner = value if isinstance(value, list) else [value]
                found = [_read(key, each) if isinstance(each, str) else each for each in inner]
                holder[key] = found if isinstance(value, list) else found[0]
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _read(key: str, value: str) -> Any:
    problem = ""
    value = value.translate(_FOLDED) if key == "podSpecPatch" else value
    for text in (value, _FILLED_IN.sub(lambda found: found[1] or dumps(found[2]), value)):
        try:
            found = parsed(text)
        except Unreadable as error:
            problem = str(error)
            continue
        whole = found[0] if len(found) == 1 else found
        return whole if isinstance(whole, dict | list) and whole else value
    raise NotAValue(f"{key} is not YAML, so no policy can check it: {problem}", "Write its text as plain YAML.")
