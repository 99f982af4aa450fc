"""A file as its values by path, so that two versions can be compared by meaning and not by line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from wurzel.render.language import language_of
from wurzel.render.verify import Unreadable, yaml_events

Path: TypeAlias = tuple[str, ...]

_NAMES = ("name", "id", "key")
"""Keys whose value tells one item of a list from another."""
_CALL_NAMES = ("task_id", "dag_id", "group_id", "name", "id")
"""Arguments whose value tells one call from another."""


@dataclass
class Leaf:
    """The values at one path: one scalar, the lines of a text, the scalars of a list; and the line of each, from 1."""

    values: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@lru_cache(maxsize=64)
def flatten(name: str, text: str) -> Mapping[Path, Leaf]:
    """All values of a file by path; one path with all lines for what is neither YAML nor Python, or cannot be read.

    Args:
        name: of the file, which tells its language.
        text: its content.
    """
    language = language_of(f"{name}.j2")
    try:
        if language == "YAML":
            return _yaml(text)
        if language == "Python":
            return _python(text)
    except (Unreadable, SyntaxError, ValueError, RecursionError):
        pass
    return by_line(text)


def by_line(text: str) -> Mapping[Path, Leaf]:
    """The lines of a text as the values of one path."""
    lines = text.split("\n")
    return {(): Leaf(lines, list(range(1, len(lines) + 1)))}


class _Sequence(list["_Node"]):
    """A list of nodes."""


class _Mapping(dict[str, "_Node"]):
    """Nodes by key."""


_Node: TypeAlias = "Leaf | _Sequence | _Mapping"


def _yaml(text: str) -> Mapping[Path, Leaf]:
    documents = list(_documents(yaml_events(text)))
    found: dict[Path, Leaf] = {}
    for number, document in enumerate(documents):
        name = _document_name(document) or (str(number) if len(documents) > 1 else "")
        prefix = (name,) if name else ()
        found.update(_leaves(document, prefix))
    return found


def _documents(events: Iterator[Any]) -> Iterator[_Node]:
    from ruamel.yaml import events as kinds

    for event in events:
        if isinstance(event, kinds.DocumentStartEvent):
            yield _node(next(events), events, kinds)


def _node(event: Any, events: Iterator[Any], kinds: Any) -> _Node:
    if isinstance(event, kinds.MappingStartEvent):
        mapping = _Mapping()
        while not isinstance(key := next(events), kinds.MappingEndEvent):
            value = _node(next(events), events, kinds)
            mapping[str(getattr(key, "value", key))] = value
        return mapping
    if isinstance(event, kinds.SequenceStartEvent):
        items = _Sequence()
        while not isinstance(item := next(events), kinds.SequenceEndEvent):
            items.append(_node(item, events, kinds))
        return items
    first = event.start_mark.line + 1
    if not isinstance(event, kinds.ScalarEvent):
        return Leaf([f"*{event.anchor}"], [first])
    values = event.value.splitlines() or [""]
    start = first + 1 if event.style in {"|", ">"} else first
    return Leaf(values, list(range(start, start + len(values))))


def _document_name(document: _Node) -> str:
    if isinstance(document, _Mapping):
        kind, metadata = document.get("kind"), document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, _Mapping) else None
        if isinstance(kind, Leaf) and isinstance(name, Leaf):
            return f"{kind.values[0]} {name.values[0]}"
    return ""


def _leaves(node: _Node, path: Path) -> Iterator[tuple[Path, Leaf]]:
    if isinstance(node, Leaf):
        yield path, node
    elif isinstance(node, _Mapping):
        for key, child in node.items():
            yield from _leaves(child, (*path, key))
    elif all(isinstance(item, Leaf) for item in node):
        leaves = [item for item in node if isinstance(item, Leaf)]
        yield path, Leaf([v for leaf in leaves for v in leaf.values], [n for leaf in leaves for n in leaf.lines])
    else:
        for name, child in zip(_item_names(node), node, strict=True):
            yield from _leaves(child, (*path, name))


def _item_names(items: Sequence[_Node]) -> list[str]:
    for key in _NAMES:
        names = [item.get(key) if isinstance(item, _Mapping) else None for item in items]
        texts = [name.values[0] for name in names if isinstance(name, Leaf)]
        if len(set(texts)) == len(items):
            return texts
    return [str(number) for number in range(len(items))]


def _python(text: str) -> Mapping[Path, Leaf]:
    found: dict[Path, Leaf] = {}
    for path, value, line in _literals(ast.parse(text), ()):
        leaf = found.setdefault(path, Leaf())
        lines = value.splitlines() or [""]
        leaf.values += lines
        leaf.lines += range(line, line + len(lines))
    return found


def _literals(node: ast.AST, path: Path) -> Iterator[tuple[Path, str, int]]:
    if isinstance(node, ast.Constant):
        yield path, node.value if isinstance(node.value, str) else repr(node.value), node.lineno
    elif isinstance(node, ast.Call):
        yield from _call(node, path)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = "**" if key is None else str(key.value) if isinstance(key, ast.Constant) else ast.unparse(key)
            yield from _literals(value, (*path, name))
    else:
        inner = path
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = (*path, node.name)
        elif isinstance(node, ast.Assign):
            inner = (*path, ast.unparse(node.targets[0]))
        for child in ast.iter_child_nodes(node):
            yield from _literals(child, inner)


def _call(node: ast.Call, path: Path) -> Iterator[tuple[Path, str, int]]:
    named = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
    name = next((named[key] for key in _CALL_NAMES if isinstance(named.get(key), str)), None)
    label = str(name) if name is not None else ast.unparse(node.func)
    for argument in [node.func, *node.args]:
        yield from _literals(argument, (*path, label))
    for word in node.keywords:
        yield from _literals(word.value, (*path, label, word.arg or "**"))
