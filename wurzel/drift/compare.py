"""What differs between two versions of a file, value by value: by the path of each, rather than by line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from wurzel.named_tuples import NamedTuple
from wurzel.render.diff import stretches
from wurzel.render.language import language_of
from wurzel.render.verify import Unreadable
from wurzel.render.yaml_tree import Document, YamlNode, documents

Path: TypeAlias = tuple[str, ...]
Span: TypeAlias = tuple[int, int]

_NAMES = ("name", "id", "key")
"""Keys whose value identifies an item of a list."""
_CALL_NAMES = ("task_id", "dag_id", "group_id", "name", "id")
"""Arguments whose value identifies a call."""
_WORD = re.compile(r"(?<!\S)\d+[dhms](?:\s+\d+[dhms])+(?!\S)|\S+")


def words_of(text: str) -> list[str]:
    """The words of a value, as differences count them; a duration, as GitLab writes it, is one: `1h 40m 20s`."""
    return _WORD.findall(text)


class Difference(NamedTuple):
    """One value that differs; `None` means that there is no value."""

    path: Path
    """Keys, and names of list items; empty if only lines can be compared."""
    old: str | None
    new: str | None
    line: int
    """Line of the new file, from 1; for a removed value, the line that follows its old place."""
    more: int = 0
    """How many further values below the path were added or removed with it."""
    item: int | None = None
    """Its place among several at its path, such as items of a list or lines of a script, in the new file from 0."""

    @property
    def words(self) -> tuple[Span, Span]:
        """Which words of the old and of the new value differ."""
        old, new = words_of(self.old or ""), words_of(self.new or "")
        start = 0
        while start < min(len(old), len(new)) and old[start] == new[start]:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        return (start, len(old) - end), (start, len(new) - end)


def differences(name: str, old: str, new: str) -> list[Difference]:
    """The differences, in the order of the new file. The suffix of the name tells the language."""
    found = list(_compare(flatten(name, old), flatten(name, new)))
    if not found and old != new:  # only comments or formatting differ
        found = list(_compare(by_line(old), by_line(new)))
    return sorted(found, key=lambda difference: (difference.line, difference.path))


def _compare(old: Mapping[Path, Leaf], new: Mapping[Path, Leaf]) -> Iterator[Difference]:
    for path in new:
        if path in old and old[path].values != new[path].values:
            yield from _values(path, old[path], new[path])
    yield from _subtrees(old, new, came=True)
    yield from _subtrees(new, old, came=False)


def _values(path: Path, old: Leaf, new: Leaf) -> Iterator[Difference]:
    for i, j, k, m in _blocks(old.values, new.values):
        before, after = old.values[i:j], new.values[k:m]
        for number in range(max(len(before), len(after))):
            yield Difference(
                path,
                before[number] if number < len(before) else None,
                after[number] if number < len(after) else None,
                new.lines[min(k + number, len(new.lines) - 1)] if new.lines else old.lines[i],
                item=k + number if max(len(old.values), len(new.values)) > 1 else None,
            )


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The ranges that differ, as starts and ends in both."""
    if len(old) == len(new):
        places = [number for number, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        if len(places) <= max(1, len(old) // 4):
            yield from ((number, number + 1, number, number + 1) for number in places)
            return
    yield from stretches(old, new)


def _subtrees(without: Mapping[Path, Leaf], holding: Mapping[Path, Leaf], *, came: bool) -> Iterator[Difference]:
    """The subtrees that only one side has, each by the shortest path that the other side lacks."""
    known = {path[:length] for path in without for length in range(len(path) + 1)}
    groups: dict[Path, list[Leaf]] = {}
    previous = 1
    lines: dict[Path, int] = {}
    for path, leaf in holding.items():
        if path in without:
            previous = max(previous, without[path].lines[-1] if without[path].lines else 1)
            continue
        top = next(
            path[:length] for length in range(len(path) + 1) if path[:length] not in known or length == len(path)
        )
        groups.setdefault(top, []).append(leaf)
        lines.setdefault(top, leaf.lines[0] if came and leaf.lines else previous)
    for top, leaves in groups.items():
        value = " ".join(leaves[0].values) if len(leaves) == 1 else ""
        more = len(leaves) - 1
        yield Difference(top, None if came else value, value if came else None, lines[top], more)


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
