"""Finds the position of held values in a YAML file, by parsing it with a harmless word in place of each value."""

from __future__ import annotations

from typing import Any, Literal

from ruamel.yaml import events as ev

from wurzel.render.quoting.draft import Draft, refuse, unreadable
from wurzel.render.text import Held
from wurzel.render.values import Indented
from wurzel.render.verify import Unreadable, yaml_events

Kind = Literal["value", "key", "entries", "within"]
Event = Any
"""ruamel.yaml has no types for its events."""

_COLLECTIONS = {ev.MappingStartEvent: "{", ev.SequenceStartEvent: "["}
_STAND_IN = "0"


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

    def __init__(self, kind: Kind, pieces: list[int], event: Event, around: _Open | None, *, is_key: bool) -> None:
        self.kind = kind
        self.pieces = pieces
        self.value: str = event.value
        self.style: str = event.style
        self.anchor: str | None = event.anchor
        self.tag: str | None = event.tag
        self.start: int = event.start_mark.index
        self.one_line: bool = event.start_mark.line == event.end_mark.line
        self.flow = around is not None and around.flow
        self.in_list = around is not None and not around.mapping
        self.outer = -1
        self.column = -1 if around is None else around.column
        self.is_key = is_key
        self.text = True


class _Open:
    """A mapping or sequence that is still open; `solid` once something is certainly written into it."""

    __slots__ = ("column", "flow", "key_next", "mapping", "solid")

    def __init__(self, *, mapping: bool, flow: bool) -> None:
        self.mapping = mapping
        self.flow = flow
        self.key_next = True
        self.column = 0
        self.solid = False


class Layout:
    """The parsed reference: events as tuples, and a `Slot` for each scalar that contains values."""

    def __init__(self, draft: Draft) -> None:
        """Read the reference. Raises `VerifyError` when it is not valid YAML even with words in place of values."""
        self.program: list[tuple[Any, ...] | Slot] = []
        self.slots: list[Slot] = []
        self.margins: dict[int, str] = {}
        self._draft = draft
        self._alone = {index for index in draft.holes if _is_collection(draft.held(index)) and _alone(draft, index)}
        self._open: list[_Open] = []
        self._empty: list[list[Slot]] = []
        self._skip = False
        draft.refer(self._stand_in)
        try:
            for event in yaml_events(draft.reference):
                self._see(event)
        except Unreadable as error:
            where, above = draft.where_in_reference(error.offset), draft.above(error.offset)
            hint = "Write text of the template outside `{{ }}`; a list or mapping alone on its line becomes entries."
            if above and above.rpartition(":")[0] != where.rpartition(":")[0]:
                hint = f"The line above it is {above}: is its indentation right?"
            raise unreadable(where, f"the template is not valid YAML, whatever its values are: {error}", hint) from None

    def _stand_in(self, index: int, held: Held) -> str:
        word = self._draft.word(index)
        if index not in self._alone:
            return self._margin(index, held) + word
        return f"{word}: {_STAND_IN}" if isinstance(held.value, dict) else f"- {word}"

    def _margin(self, index: int, held: Held) -> str:
        """The indentation that `indent` adds before a value that starts its line, as in `{{ x | indent(4) }}`."""
        if not isinstance(held.value, Indented):
            return ""
        before = self._draft.pieces[index - 1] if index else ("\n", 0, "")
        if isinstance(before, Held) or not before[0].endswith("\n"):
            return ""
        self.margins[index] = " " * held.value.width
        return self.margins[index]

    def _see(self, event: Event) -> None:
        kind = type(event)
        if kind is ev.ScalarEvent:
            self._scalar(event)
        elif kind in _COLLECTIONS:
            self._refuse_names(event)
            self._node(event, solid=True)
            flow = bool(event.flow_style) or bool(self._open and self._open[-1].flow)
            self._open.append(_Open(mapping=kind is ev.MappingStartEvent, flow=flow))
            self._empty.append([])
            self.program.append(signature(event))
        else:
            if kind is ev.AliasEvent:
                self._refuse_names(event)
                self._node(event, solid=True)
            elif kind is ev.MappingEndEvent or kind is ev.SequenceEndEvent:
                self._close()
            self.program.append(signature(event))

    def _scalar(self, event: Event) -> None:
        if self._skip:
            self._skip = False
            self._node(event, solid=False)
            return
        is_key = bool(self._open) and self._open[-1].mapping and self._open[-1].key_next
        if not self._draft.has(event.value):
            self._refuse_names(event)
            self._node(event, solid=True)
            self.program.append(signature(event))
            return
        self._refuse_names(event)
        slot = self._slot(event, is_key=is_key)
        self._node(event, solid=slot.kind != "entries" or bool(self._draft.held(slot.pieces[0]).value))
        self.slots.append(slot)
        self.program.append(slot)

    def _slot(self, event: Event, *, is_key: bool) -> Slot:
        top = self._open[-1] if self._open else None
        pieces = [int(number) for number in self._draft.words.findall(event.value)]
        whole = event.style == "" and self._draft.words.fullmatch(event.value) is not None
        kind: Kind = "within" if not whole else "key" if is_key else "value"
        if whole and pieces[0] in self._alone and top is not None:
            held = self._draft.held(pieces[0])
            if top.flow or top.mapping != isinstance(held.value, dict):
                raise refuse(held, "alone on its line it would be entries, which do not fit into the block around it")
            kind = "entries"
            self._skip = top.mapping
        slot = Slot(kind, pieces, event, top, is_key=is_key)
        if kind == "entries" and not self._draft.held(pieces[0]).value:
            self._empty[-1].append(slot)
            slot.outer = self._open[-2].column if len(self._open) > 1 else -1
        return slot

    def _node(self, event: Event, *, solid: bool) -> None:
        if not self._open:
            return
        top = self._open[-1]
        top.solid = top.solid or (solid and (top.key_next or not top.mapping))
        if top.mapping:
            if top.key_next:
                top.column = event.start_mark.column
            top.key_next = not top.key_next

    def _close(self) -> None:
        closed = self._open.pop()
        empty = self._empty.pop()
        for number, slot in enumerate(empty):
            slot.text = not closed.solid and number == 0

    def _refuse_names(self, event: Event) -> None:
        for name in (event.anchor, getattr(event, "tag", None)):
            if name and self._draft.has(name):
                held = self._draft.held(int(self._draft.words.findall(name)[0]))
                raise refuse(held, "it is in the name of an anchor, alias or tag", "Write such names in the template.")


def signature(event: Event) -> tuple[Any, ...]:
    """The part of an event that must be the same with and without values."""
    kind = type(event)
    if kind is ev.ScalarEvent:
        return (event.value, event.style, event.anchor, event.tag)
    if kind in _COLLECTIONS:
        return (_COLLECTIONS[kind], event.anchor, event.tag)
    if kind is ev.AliasEvent:
        return ("*", event.anchor)
    if kind is ev.DocumentStartEvent:
        return ("---", event.version, tuple(sorted((event.tags or {}).items())))
    return (kind.__name__,)


def _is_collection(held: Held) -> bool:
    return isinstance(held.value, dict | list)


def _alone(draft: Draft, index: int) -> bool:
    return _blank(draft, range(index - 1, -1, -1), last=True) and _blank(
        draft, range(index + 1, len(draft.pieces)), last=False
    )


def _blank(draft: Draft, indices: range, *, last: bool) -> bool:
    for index in indices:
        piece = draft.pieces[index]
        if isinstance(piece, Held):
            return False
        head, newline, tail = piece[0].rpartition("\n") if last else piece[0].partition("\n")
        if (tail if last else head).strip(" "):
            return False
        if newline:
            return True
    return True
