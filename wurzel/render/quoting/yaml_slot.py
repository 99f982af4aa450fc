"""Scalars of a YAML reference that contain values, the collections around them, and what of an event counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from wurzel.render.quoting.yaml_scalar import reads_as_text
from wurzel.yaml_events import events as ev

if TYPE_CHECKING:
    from wurzel.render.quoting.draft import Draft

Kind = Literal["value", "key", "entries", "within"]
Event = Any
"""ruamel.yaml has no types for its events."""

STRING = "tag:yaml.org,2002:str"
COLLECTIONS = {ev.MappingStartEvent: "{", ev.SequenceStartEvent: "["}


class Slot:
    """One scalar of the reference that contains words, and its context.

    Attributes:
        kind: a whole value, a whole key, entries of the block around it, or text inside a longer scalar.
        pieces: the held values in it.
        event: the parser's event of the scalar.
        flow: whether it is inside brackets.
        column: column of the key whose value it is.
        is_key: whether it is (part of) a key.
        in_list: whether it is an item of a list.
        outer: column of the keys around the list whose entries it is.
        text: whether anything is written; an empty mapping or list beside other entries writes nothing.
    """

    __slots__ = (
        "anchor",
        "column",
        "flow",
        "in_list",
        "is_key",
        "kind",
        "one_line",
        "outer",
        "pieces",
        "start",
        "style",
        "tag",
        "text",
        "value",
    )

    def __init__(self, kind: Kind, pieces: list[int], event: Event, around: Open | None, *, is_key: bool) -> None:
        self.kind = kind
        self.pieces = pieces
        self.value: str
        self.style: str
        self.anchor: str | None
        self.tag: str | None
        self.value, self.style, self.anchor, self.tag = signature(event)
        self.start: int = event.start_mark.index
        self.one_line: bool = event.start_mark.line == event.end_mark.line
        self.flow = around is not None and around.flow
        self.in_list = around is not None and not around.mapping
        self.outer = -1
        self.column = -1 if around is None else around.column
        self.is_key = is_key
        self.text = True

    def repeated(self, draft: Draft, pieces: dict[int, int]) -> Slot:
        """The same with the values of another repetition of its lines."""
        made = Slot.__new__(Slot)
        made.kind, made.style, made.anchor, made.tag = self.kind, self.style, self.anchor, self.tag
        made.one_line, made.flow, made.in_list, made.outer = self.one_line, self.flow, self.in_list, self.outer
        made.column, made.is_key, made.text = self.column, self.is_key, self.text
        made.pieces = [pieces[piece] for piece in self.pieces]
        if len(self.pieces) == 1:
            made.value = self.value.replace(draft.word(self.pieces[0]), draft.word(made.pieces[0]))
        else:
            made.value = draft.words.sub(lambda match: draft.word(pieces[int(match[1])]), self.value)
        made.start = self.start + draft.start(made.pieces[0]) - draft.start(self.pieces[0])
        return made

    def alike(self, other: Slot) -> bool:
        """Whether the other differs in its values alone."""
        return all(getattr(self, name) == getattr(other, name) for name in _SAME)


_SAME = [name for name in Slot.__slots__ if name not in {"pieces", "value", "start"}]


class Open:
    """A mapping or sequence that is still open; `solid` once something is certainly written into it."""

    __slots__ = ("column", "flow", "key_next", "mapping", "solid")

    def __init__(self, *, mapping: bool, flow: bool) -> None:
        self.mapping = mapping
        self.flow = flow
        self.key_next = True
        self.column = 0
        self.solid = False

    def state(self) -> tuple[Any, ...]:
        """All of it, to compare."""
        return (self.column, self.flow, self.key_next, self.mapping, self.solid)


def signature(event: Event) -> tuple[Any, ...]:
    """The part of an event that must be the same with and without values."""
    kind = type(event)
    if kind is ev.ScalarEvent:
        return (event.value, event.style, event.anchor, None if event.ctag is None else event.tag)
    if kind in COLLECTIONS:
        return (COLLECTIONS[kind], event.anchor, event.tag)
    if kind is ev.AliasEvent:
        return ("*", event.anchor)
    if kind is ev.DocumentStartEvent:
        return ("---", event.version, tuple(sorted((event.tags or {}).items())))
    return (kind.__name__,)


def is_part(event: Any, part: Any, names: tuple[str | None, str | None] = (None, None)) -> bool:
    """Whether a parser's event matches an item of `parts`, with this anchor and tag."""
    found = signature(event)
    if isinstance(part, tuple):
        value, is_text = part
        if value == "<<" and found[-1] == STRING:  # as a key
            found = (*found[:-1], None)
        if len(found) != 4 or found[0] != value or found[2:] != names:  # noqa: PLR2004 - a scalar's signature
            return False
        return bool(found[1]) or reads_as_text(value) if is_text else not found[1]
    if part in "{[":
        return found == (part, *names)
    return found == (("MappingEndEvent",) if part == "}" else ("SequenceEndEvent",))
