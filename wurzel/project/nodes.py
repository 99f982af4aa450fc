"""Configuration as trees of nodes that know where they were written: in a file, in `--set` or in code."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from wurzel.datacontract.secrets import looks_like_key
from wurzel.exceptions import ConfigError, Problem, shortened
from wurzel.named_tuples import NamedTuple
from wurzel.suggestion import closest

_LONGEST_SHOWN = 60
_MOST_PROBLEMS = 50


class Origin(NamedTuple):
    """Where a value comes from: a file with line and column (from 1), or a name such as `--set image`."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


Value: TypeAlias = "bool | int | float | str | dict[str, Node] | list[Node] | None"


class Node:
    """One value with its place, the place of its key, and, for an unquoted scalar, its text."""

    __slots__ = ("column", "key_column", "key_line", "line", "source", "text", "value")

    def __init__(self, value: Value, source: str, line: int = 0, column: int = 0, text: str | None = None) -> None:
        self.value = value
        self.source = source
        self.line = self.key_line = line
        self.column = self.key_column = column
        self.text = text

    @property
    def origin(self) -> Origin:
        """Where the value is written."""
        return Origin(self.source, self.line, self.column)

    @property
    def key_origin(self) -> Origin:
        """Where its key is written."""
        return Origin(self.source, self.key_line, self.key_column)

    @property
    def fields(self) -> dict[str, Node]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def below(self, key: str) -> dict[str, Node]:
        """The entries of the mapping below a key; empty where there is none."""
        return self.fields[key].fields if key in self.fields else {}

    def listed(self, key: str) -> list[Node]:
        """The items of the list below a key; empty where there is none."""
        found = self.fields[key].value if key in self.fields else None
        return found if isinstance(found, list) else []

    @property
    def written(self) -> Value:
        """The value for a text field: an unquoted number or boolean as the text that was written."""
        return self.value if self.text is None or self.value is None else self.text

    def at(self, line: int, column: int) -> Node:
        """The same value at another place, as for an alias."""
        return Node(self.value, self.source, line, column, self.text)


def node_of(value: Any, source: str) -> Node:
    """A plain value as a tree whose nodes all come from `source`."""
    if isinstance(value, Mapping):
        return Node({str(key): node_of(item, source) for key, item in value.items()}, source)
    if isinstance(value, list | tuple):
        return Node([node_of(item, source) for item in value], source)
    return Node(value, source)


def json_data(node: Node) -> Any:
    """The value of a tree as JSON data."""
    if isinstance(node.value, dict):
        return {key: json_data(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [json_data(item) for item in node.value]
    return node.value


PATCH = "patch"
"""Key of `targets.<name>` in which `null` removes a value from a rendered file."""


def overlay(weak: Node | None, strong: Node | None) -> Node | None:
    """Merge a stronger layer into a weaker one: mappings merge by key, lists and scalars replace, `null` removes.

    `None` is an empty layer; the result is `None` if nothing is left.
    """
    if strong is None:
        return weak
    if strong.value is None:
        return None
    if not isinstance(strong.value, dict):
        return strong
    merged = dict(weak.fields) if weak is not None else {}
    for key, item in strong.value.items():
        kept = overlay(merged.get(key), item)
        if kept is None:
            merged.pop(key, None)
        else:
            merged[key] = kept
    return with_value(strong, merged)


def overlay_all(layers: Iterable[Node | None]) -> Node | None:
    """Merge all layers, weakest first."""
    merged: Node | None = None
    for layer in layers:
        merged = overlay(merged, layer)
    return merged


def overlay_targets(layers: Iterable[Node | None]) -> Node | None:
    """The same for `targets`, but keeps `null` in patches: merging merge patches gives a merge patch (RFC 7386)."""
    layers = list(layers)
    merged = overlay_all(layers)
    for name, target in merged.fields.items() if merged is not None else ():
        if PATCH in target.fields:
            patches = [layer.fields[name].fields.get(PATCH) for layer in layers if layer and name in layer.fields]
            target.fields[PATCH] = _composed(patches) or target.fields[PATCH]
    return merged


def _composed(patches: Iterable[Node | None]) -> Node | None:
    merged: Node | None = None
    for patch in patches:
        if patch is not None:
            merged = None if patch.value is None else _both(merged, patch)
    return merged


def _both(weak: Node | None, strong: Node) -> Node:
    """Two patches as one; a list of a project is applied after what a pack patches, and does not replace it."""
    if weak is None or (isinstance(weak.value, dict) and isinstance(strong.value, dict)):
        return _compose(weak, strong)
    if not isinstance(weak.value, dict | list) or not isinstance(strong.value, dict | list):
        return strong
    return with_value(strong, [*_entries(weak), *_entries(strong)])


def _entries(patch: Node) -> list[Node]:
    return patch.value if isinstance(patch.value, list) else [with_value(patch, {"merge": patch})]


def _compose(weak: Node | None, strong: Node) -> Node:
    if weak is None or not isinstance(strong.value, dict):
        return strong
    merged = dict(weak.fields)
    for key, item in strong.value.items():
        merged[key] = _compose(merged.get(key), item)
    return with_value(strong, merged)


def with_value(node: Node, value: Value) -> Node:
    """Another value at the place of a node and its key."""
    copy = Node(value, node.source, node.line, node.column)
    copy.key_line, copy.key_column = node.key_line, node.key_column
    return copy


def without_keys(node: Node, names: Collection[str]) -> Node:
    """A mapping without some of its entries."""
    return with_value(node, {key: child for key, child in node.fields.items() if key not in names})


def value_text(node: Node, *, hidden: bool = False) -> str:
    """The value on one short line, for messages; hidden if it looks like a key, or if `hidden` is set."""
    if hidden:
        return "the value"
    if node.text is not None:
        text = node.text or "null"
    else:
        text = repr(node.value) if isinstance(node.value, str) else json.dumps(json_data(node), ensure_ascii=False)
    if looks_like_key(text):
        return "the value"
    return shortened(text, _LONGEST_SHOWN)


def near(name: str, known: Iterable[str], what: str) -> str:
    """Did-you-mean for a name, or else the list of what is known."""
    names = list(known)
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).replace("-", "_").lstrip("_")
    folded = {item.lower(): item for item in names}
    close = snake if snake in names else folded.get(name.lower()) or closest(name, names)
    if close:
        return f"Did you mean {close}?"
    return f"{what}: {', '.join(names[:_MOST_PROBLEMS])}." if names else f"There are no {what.lower()} here."


class Findings:
    """Errors in a configuration, each once and in the order of the file."""

    def __init__(self) -> None:
        self._problems: dict[Problem, Origin] = {}

    def add(self, origin: Origin, message: str, hint: str = "") -> None:
        """Add a finding at a place."""
        self._problems[Problem(message, str(origin), hint)] = origin

    def absorb(self, other: Findings) -> None:
        """Add all findings of another collection."""
        self._problems |= other._problems

    def __bool__(self) -> bool:
        return bool(self._problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self._ordered()))

    def check(self) -> None:
        """Raise `ConfigError` with the first 50 findings, and how many more there are, if there are any."""
        if self._problems:
            raise ConfigError(self._ordered())

    def _ordered(self) -> list[Problem]:
        found = sorted(self._problems, key=lambda problem: self._problems[problem])
        rest = len(found) - _MOST_PROBLEMS
        more = [Problem(f"and {rest} more problems")] if rest > 0 else []
        return [*found[:_MOST_PROBLEMS], *more]
