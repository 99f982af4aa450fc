"""Finds expressions that may be any text, in places inside a longer text where only some values are valid.

Each line of a YAML template is parsed with a word in place of each expression, as the finished file is. Lines that tags
write in pieces, or whose context is unknown, are left to the render.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from wurzel.exceptions import Problem
from wurzel.named_tuples import NamedTuple
from wurzel.render.check import types
from wurzel.render.compiler import describe
from wurzel.render.language import language_of
from wurzel.render.lines import bare
from wurzel.render.verify import Unreadable, yaml_events

if TYPE_CHECKING:
    from wurzel.render.check.sources import Source

_BLOCK = re.compile(r"(?:^|[\s:-])[|>][-+0-9]*\s*(?:#.*)?$")
_WORD = re.compile(r"held(\d+)z")
_BODIES = ("body", "elif_", "else_")
_APART = nodes.Macro | nodes.AssignBlock | nodes.CallBlock
"""Tags whose output is written elsewhere."""


class Line(NamedTuple):
    """A line that a template writes: text and expressions; `whole` if it is certainly a complete line."""

    parts: Sequence[str | nodes.Expr]
    whole: bool

    @property
    def expressions(self) -> list[nodes.Expr]:
        """The expressions on it."""
        return [part for part in self.parts if not isinstance(part, str)]


def positions(source: Source, kinds: Mapping[int, Any]) -> Iterator[Problem]:
    """Expressions in places that are not valid for all their possible values.

    `kinds` has the type of each expression that is written, by its identity.
    """
    language = language_of(source.found.name)
    if language == "YAML":
        yield from _yaml(source, kinds)
    elif language == "shell":
        yield from _shell(source, kinds)


def _yaml(source: Source, kinds: Mapping[int, Any]) -> Iterator[Problem]:
    block: int | None = None  # column of the key of a text block, or of a line after which nothing is known
    for line in _lines(source.tree.body):
        text = _text(line)
        if not text.strip():
            continue
        column = len(text) - len(text.lstrip(" "))
        if block is not None and column > block:
            continue
        block = None
        if text.lstrip().startswith("#"):
            continue
        if _BLOCK.search(text):
            block = column
        elif line.whole and (line.expressions or '"' in text or "'" in text):
            try:
                scalars = list(_scalars(text.strip()))
            except Unreadable:
                block = column
                continue
            for scalar, style in scalars:
                yield from _scalar(source, kinds, line, scalar, style)


def _scalars(text: str) -> Iterator[tuple[str, str]]:
    for event in yaml_events(text):
        value = getattr(event, "value", None)
        style = getattr(event, "style", "")
        if value is not None and _WORD.search(value) and not (style == "" and _WORD.fullmatch(value)):
            yield value, style


def _scalar(source: Source, kinds: Mapping[int, Any], line: Line, scalar: str, style: str) -> Iterator[Problem]:
    text = _WORD.sub("…", scalar)
    for number in _WORD.findall(scalar):
        expression = line.expressions[int(number)]
        kind = kinds.get(id(expression), types.UNKNOWN)
        name = f"`{describe(expression) or 'this expression'}`"
        where = source.at(expression.lineno)
        if types.is_collection(kind):
            message = f"{name} is a {types.spell(kind)}, but it is inside the text {text!r}"
            yield Problem(message, where, "Only text and numbers are allowed there: add `| json` for its JSON.")
        elif not style and types.is_free_text(kind):
            message = f"{name} may be any text, but it is inside the unquoted text {text!r}"
            hint = f'Make it one value, `{{{{ {_joined(line, scalar)} }}}}`, or quote the whole in the template: `"…"`.'
            yield Problem(message, where, hint)


def _joined(line: Line, scalar: str) -> str:
    """The scalar as one expression."""
    parts = _WORD.split(scalar)
    spelled = [
        (describe(line.expressions[int(part)]) or "…") if index % 2 else f'"{part}"'
        for index, part in enumerate(parts)
        if part
    ]
    return " ~ ".join(spelled)


def _shell(source: Source, kinds: Mapping[int, Any]) -> Iterator[Problem]:
    for line in _lines(source.tree.body):
        if _text(line).lstrip().startswith("#"):
            continue
        for expression in line.expressions:
            kind = kinds.get(id(expression), types.UNKNOWN)
            if types.is_collection(kind):
                message = f"`{describe(expression) or 'this expression'}` is a {types.spell(kind)}, not a single word"
                yield Problem(message, source.at(expression.lineno), "Add `| words` for a word per item of a list.")


def _text(line: Line) -> str:
    number = iter(range(len(line.parts)))
    return "".join(part if isinstance(part, str) else f"held{next(number)}z" for part in line.parts)


def _lines(body: Sequence[nodes.Node]) -> Iterator[Line]:
    reader = _Reader()
    yield from reader.read(body)
    yield from reader.end()


class _Reader:
    """Assembles lines from the contents of a template, in order."""

    def __init__(self) -> None:
        self._parts: list[str | nodes.Expr] = []
        self._whole = True

    def read(self, body: Sequence[nodes.Node]) -> Iterator[Line]:
        for node in body:
            if isinstance(node, nodes.Output):
                for child in node.nodes:
                    yield from self._piece(child)
            elif not isinstance(node, _APART):
                for field in _BODIES:
                    inner: Sequence[nodes.Node] = getattr(node, field, None) or ()
                    self._tag()
                    yield from self.read(inner)
                self._tag()

    def end(self) -> Iterator[Line]:
        """The current, unfinished line."""
        yield Line(self._parts, self._whole)
        self._parts, self._whole = [], True

    def _tag(self) -> None:
        if any(not isinstance(part, str) or part.strip() for part in self._parts):
            self._whole = False

    def _piece(self, node: nodes.Expr) -> Iterator[Line]:
        if not isinstance(node, nodes.TemplateData):
            self._parts.append(node)
            return
        for number, part in enumerate(bare(node.data).split("\n")):
            if number:
                yield from self.end()
            if part:
                self._parts.append(part)
