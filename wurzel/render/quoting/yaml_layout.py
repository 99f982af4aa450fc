"""Finds the position of held values in a YAML file, by parsing it with a harmless word in place of each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.named_tuples import NamedTuple
from wurzel.render.quoting.draft import Draft, refuse, unreadable
from wurzel.render.quoting.repeats import READ, Repeat, repeats, shortened
from wurzel.render.quoting.yaml_slot import COLLECTIONS, Event, Kind, Open, Slot, signature
from wurzel.render.text import Held
from wurzel.render.values import Indented
from wurzel.render.verify import Unreadable, yaml_events
from wurzel.yaml_events import events as ev

_STAND_IN = "0"


class _UnlikeError(Exception):
    """Repeated lines are not read alike, or may not be."""


class _Crossed(NamedTuple):
    """What had been read where a repetition begins."""

    length: int
    """Of the program."""
    state: Sequence[tuple[Any, ...]]
    """Of all open collections."""


class Layout:
    """The parsed reference: events as tuples, and a `Slot` for each scalar that contains values."""

    def __init__(self, draft: Draft) -> None:
        """Read the reference. Raises `VerifyError` when it is not valid YAML even with words in place of values."""
        self.margins: dict[int, str] = {}
        self._draft = draft
        self._alone = {
            index for index in draft.holes if isinstance(draft.held(index).value, dict | list) and _alone(draft, index)
        }
        draft.refer(self._stand_in)
        found = [repeat for repeat in repeats(draft) if self._is_plain(repeat)]
        try:
            self._read(found)
        except (_UnlikeError, QuotingError, VerifyError):
            if not found:
                raise
            self._read([])

    def _is_plain(self, repeat: Repeat) -> bool:
        """Whether no value of it decides by its kind how its lines are read."""
        pieces = {piece for each in repeat.pieces for piece in each}
        return pieces.isdisjoint(self._alone) and pieces.isdisjoint(self.margins)

    def _read(self, found: Sequence[Repeat]) -> None:
        """Read the reference, but for most of the lines that repeat."""
        self.program: list[tuple[Any, ...] | Slot] = []
        self.slots: list[Slot] = []
        self._open: list[Open] = []
        self._empty: list[list[Slot]] = []
        self._skip = False
        draft = self._draft
        try:
            events = yaml_events(shortened(draft.reference, [repeat.starts for repeat in found]))
            if found:
                self._see_repeats(events, found)
            else:
                for event in events:
                    self._see(event)
        except Unreadable as error:
            where, above = draft.where_in_reference(error.offset), draft.above(error.offset)
            hint = "Write text of the template outside `{{ }}`; a list or mapping alone on its line becomes entries."
            if above and above.rpartition(":")[0] != where.rpartition(":")[0]:
                hint = f"The line above it is {above}: is its indentation right?"
            raise unreadable(where, f"the template is not valid YAML, whatever its values are: {error}", hint) from None

    def _see_repeats(self, events: Iterator[Event], found: Sequence[Repeat]) -> None:
        """See events of a shortened reference. Raises `_UnlikeError` where a repetition is not like the one before."""
        removed = 0
        todo = [(repeat, number) for repeat in found for number in range(1, READ + 1)]
        todo.reverse()
        crossed: list[_Crossed] = []
        for event in events:
            start, end = event.start_mark.index + removed, event.end_mark.index + removed
            while todo and start >= todo[-1][0].starts[todo[-1][1]]:
                repeat, number = todo.pop()
                crossed.append(_Crossed(len(self.program), [each.state() for each in self._open]))
                if number == READ:
                    self._repeat(repeat, crossed)
                    removed += repeat.removed
                    start, end = start + repeat.removed, end + repeat.removed
                    crossed = []
            if todo and end > todo[-1][0].starts[todo[-1][1]] > start and type(event) is ev.ScalarEvent:
                raise _UnlikeError  # it goes on in the next repetition
            known = len(self.slots)
            self._see(event)
            if len(self.slots) > known:
                self.slots[-1].start = start

    def _repeat(self, repeat: Repeat, crossed: Sequence[_Crossed]) -> None:
        """Add for each repetition that was not read what the last one gave that was."""
        before, last = (self.program[one.length : other.length] for one, other in pairwise(crossed))
        states = [one.state for one in crossed]
        is_same = len(before) == len(last) and all(map(_alike, before, last)) and states[1] == states[2]
        if not is_same or self._skip or any(each.flow for each in self._open):
            raise _UnlikeError
        for pieces in repeat.pieces[READ:]:
            into = dict(zip(repeat.pieces[READ - 1], pieces, strict=True))
            for item in last:
                if isinstance(item, Slot):
                    item = item.repeated(self._draft, into)  # noqa: PLW2901 - the other
                    self.slots.append(item)
                self.program.append(item)

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
        elif kind in COLLECTIONS:
            self._refuse_names(event)
            self._node(event, solid=True)
            flow = bool(event.flow_style) or bool(self._open and self._open[-1].flow)
            self._open.append(Open(mapping=kind is ev.MappingStartEvent, flow=flow))
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
        self._refuse_names(event)
        if not self._draft.has(event.value):
            self._node(event, solid=True)
            self.program.append(signature(event))
            return
        is_key = bool(self._open) and self._open[-1].mapping and self._open[-1].key_next
        slot = self._slot(event, is_key=is_key)
        self._node(event, solid=slot.kind != "entries" or bool(self._draft.held(slot.pieces[0]).value))
        self.slots.append(slot)
        self.program.append(slot)

    def _slot(self, event: Event, *, is_key: bool) -> Slot:
        top = self._open[-1] if self._open else None
        word = self._draft.words.fullmatch(event.value)
        pieces = [int(word[1])] if word else [int(number) for number in self._draft.words.findall(event.value)]
        whole = event.style == "" and word is not None
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
        if event.anchor is None and getattr(event, "ctag", None) is None:
            return
        for name in (event.anchor, getattr(event, "tag", None)):
            if name and self._draft.has(name):
                held = self._draft.held(int(self._draft.words.findall(name)[0]))
                raise refuse(held, "it is in the name of an anchor, alias or tag", "Write such names in the template.")


def _alone(draft: Draft, index: int) -> bool:
    after = range(index + 1, len(draft.pieces))
    return _blank(draft, range(index - 1, -1, -1), last=True) and _blank(draft, after, last=False)


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


def _alike(one: Any, other: Any) -> bool:
    """Whether two items of the program are the same but for values."""
    if isinstance(one, Slot) and isinstance(other, Slot):
        return one.alike(other)
    return bool(one == other)
