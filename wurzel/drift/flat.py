"""The values of a file by path, so that two versions are compared by meaning rather than by line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from wurzel.render.language import language_of
from wurzel.render.verify import Unreadable
from wurzel.render.yaml_tree import Document, YamlNode, documents

Path: TypeAlias = tuple[str, ...]

_NAMES = ("name", "id", "key")
"""Keys whose value identifies an item of a list."""
_CALL_NAMES = ("task_id", "dag_id", "group_id", "name", "id")
"""Arguments whose value identifies a call."""


@dataclass
class Leaf:
    """The values at one path: a scalar, lines of a text, or scalars of a list; and the line of each, from 1."""

    values: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@lru_cache(maxsize=64)
def flatten(name: str, text: str) -> Mapping[Path, Leaf]:
    """All values of a file by path, as its suffix says; one path with all lines if it is not valid YAML or Python."""
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


def _yaml(text: str) -> Mapping[Path, Leaf]:
    found: dict[Path, Leaf] = {}
    read = documents(text)
    for number, document in enumerate(read):
        name = _document_name(document) or (str(number) if len(read) > 1 else "")
        found.update(_leaves(document.root, (name,) if name else (), {}))
    return found


def _document_name(document: Document) -> str:
    kind, name = document.text_at("kind"), document.text_at("metadata", "name")
    return "" if kind is None or name is None else f"{kind} {name}"


def _leaves(node: YamlNode, path: Path, anchors: dict[str, YamlNode]) -> Iterator[tuple[Path, Leaf]]:
    """The values below a node; those that an alias stands for are all on its line."""
    if node.is_alias and node.event.anchor in anchors:
        line = node.event.start_mark.line + 1
        for inner, leaf in _leaves(anchors[node.event.anchor], path, anchors):
            yield inner, Leaf(leaf.values, [line] * len(leaf.values))
        return
    if node.event.anchor and not node.is_alias:
        anchors[node.event.anchor] = node
    if node.is_mapping:
        for key, child in node.entries:
            yield from _leaves(child, (*path, str(key.text() if key else None)), anchors)
    elif not node.is_sequence:
        yield path, _leaf(node)
    elif any(item.is_mapping or item.is_sequence for _, item in node.entries):
        for name, (_, child) in zip(_item_names(node), node.entries, strict=True):
            yield from _leaves(child, (*path, name), anchors)
    else:
        leaves = [_leaf(item) for _, item in node.entries]
        yield path, Leaf([v for leaf in leaves for v in leaf.values], [n for leaf in leaves for n in leaf.lines])


def _leaf(node: YamlNode) -> Leaf:
    first = node.event.start_mark.line + 1
    text = node.text()
    if text is None:
        return Leaf([f"*{node.event.anchor}"], [first])
    values = text.splitlines() or [""]
    start = first + 1 if node.style in {"|", ">"} else first
    return Leaf(values, list(range(start, start + len(values))))


def _item_names(node: YamlNode) -> list[str]:
    for key in _NAMES:
        found = [item.at(key) for _, item in node.entries]
        texts = [text for name in found if name is not None and (text := name.text()) is not None]
        if len(set(texts)) == len(node.entries):
            return texts
    return [str(number) for number in range(len(node.entries))]


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
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
        called = function.attr  # of x(…).expand(…)
    else:
        called = ast.unparse(function)
    if called == "timedelta" and named:  # one value, whatever unit it is in
        yield path, " ".join(f"{value!r} {unit}" for unit, value in named.items()), node.lineno
        return
    label = str(name) if name is not None else called
    for argument in [node.func, *node.args]:
        yield from _literals(argument, (*path, label))
    for word in node.keywords:
        yield from _literals(word.value, (*path, label, word.arg or "**"))
