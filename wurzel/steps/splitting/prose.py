"""Cutting a paragraph at the end of a sentence, or else between words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markdown_it.rules_inline import StateInline

from wurzel.named_tuples import NamedTuple
from wurzel.steps.splitting.blocks import parser

if TYPE_CHECKING:
    from wurzel.steps.splitting.blocks import Block
    from wurzel.steps.splitting.counting import Measure

_IDEOGRAPH = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_IDEOGRAPHIC_STOP = "\u3002\uff01\uff1f"
_IDEOGRAPHIC_END = _IDEOGRAPHIC_STOP + "\u3001\uff0c\uff1b\uff1a\u300d\u300f\uff09"
_IDEOGRAPHIC_START = "\u300c\u300e\uff08"
_GAP = re.compile(rf"[ \t\n]+|(?<=[{_IDEOGRAPH}{_IDEOGRAPHIC_END}])(?=[{_IDEOGRAPH}{_IDEOGRAPHIC_START}])")
_WHOLE = "`[!<\\"
"""What the inline parser reads as one thing, when it starts with one of these: code, links, images, HTML, escapes."""

_ENDS = f".!?\u2026{_IDEOGRAPHIC_STOP}"
_CLOSERS = "\"'\u201d\u2019\u00bb)]*_`\u300d\u300f\uff09"
_ABBREVIATIONS = frozenset(
    {"approx", "bzw", "ca", "cf", "co", "dr", "eg", "etc", "evtl", "fig", "ggf", "ie", "inc", "jr", "mr", "mrs", "ms"}
    | {"no", "nr", "prof", "resp", "sec", "sog", "sr", "st", "str", "usw", "vgl", "vs"}
)
_SHORT_NUMBER = 2
"""`3. Oktober`, `No. 12.`: a full stop behind so few digits mostly ends no sentence."""

_LONGEST_WORD = 40


class Gap(NamedTuple):
    """A place to cut: what comes before ends at `end`, what comes after starts at `start`."""

    end: int
    start: int


def gaps(window: str, env: dict[str, Any]) -> Iterator[Gap]:
    """Where a text may be cut, in its order; `env` holds the link definitions of the document."""
    spans = _whole_spans(window, env)
    span = next(spans, None)
    for match in _GAP.finditer(window):
        end, start = match.span()
        while span is not None and span[1] <= end:
            span = next(spans, None)
        if end and (span is None or end <= span[0]):
            yield Gap(end, start)


def _whole_spans(window: str, env: dict[str, Any]) -> Iterator[tuple[int, int]]:
    md = parser()
    state = StateInline(window, md, env, [])
    while state.pos < state.posMax:
        start = state.pos
        md.inline.skipToken(state)
        if state.pos > start + 1 and window[start] in _WHOLE:
            yield start, state.pos


def ends_sentence(window: str, gap: Gap) -> bool:
    """Whether a sentence ends at a gap, as far as can be told without knowing the language."""
    before = window[max(0, gap.end - _LONGEST_WORD) : gap.end].rstrip(_CLOSERS)
    if not before or before[-1] not in _ENDS or window[gap.start : gap.start + 1].islower():
        return False
    if before[-1] != ".":
        return True
    word = re.split(r"[^\w]", before[:-1])[-1]
    short_number = word.isdigit() and len(word) <= _SHORT_NUMBER
    initial = len(word) == 1 and word.isalpha()
    return not (short_number or initial or word.lower() in _ABBREVIATIONS)


_TRIES = 64
_AHEAD = 400


class Cut(NamedTuple):
    """Where to cut, as offsets in the source: the first part ends at `end`, the rest starts at `start`.

    `quotes` are the marks of the block quotes that the rest stands in, to be repeated in front of it.
    """

    end: int
    start: int
    quotes: str


class _Line(NamedTuple):
    """A line of the content: where it starts there and in the source, and what leads from its offsets to the source's.

    A line of content is the source's without the marks in front, and perhaps without blanks at its ends.
    """

    position: int
    source: int
    shift: int


@dataclass(slots=True)
class Prose:
    """What is left of a paragraph: `content` from `at` on, which starts at `start` in the source `text`."""

    text: str
    content: str
    env: dict[str, Any]
    start: int
    line: _Line
    at: int = 0

    @classmethod
    def of(cls, block: Block, text: str, env: dict[str, Any]) -> Prose:
        """A paragraph that is not cut yet."""
        prose = cls(text, block.content, env, block.start, _Line(0, block.origin, 0))
        source = block.origin
        first = prose.content.partition("\n")[0].rstrip()
        while not prose._source_line(source).endswith(first):  # a line of exotic blanks is not part of the content
            source = text.index("\n", source) + 1
        prose.line = prose._line(0, source)
        return prose

    def cut(self, room: int, measure: Measure, sound: Callable[[Cut], bool], *, words: bool) -> Cut | None:
        """Move on behind the longest first part that fits; `None` when there is none, and nothing has moved.

        Args:
            room: what the size of the first part may be.
            measure: measures it.
            sound: whether both parts are still paragraphs after such a cut.
            words: when no sentence fits, cut between words, or else behind the first word although it does not fit.
        """
        length = max(room, 1) * measure.reach + _AHEAD
        while True:
            found = self._choose(self.content[self.at : self.at + length], room, measure, sound, words)
            if found is not None or not words or self.at + length >= len(self.content):
                break
            length *= 4
        if found is None:
            return None
        self.line, self.at, cut = found
        self.start = cut.start
        return cut

    def _choose(
        self, window: str, room: int, measure: Measure, sound: Callable[[Cut], bool], words: bool
    ) -> tuple[_Line, int, Cut] | None:
        lines = self._lines(window)
        positions = [line.position - self.at for line in lines]
        inside = [gap for gap in gaps(window, self.env) if gap.start < len(window)]

        def line_of(offset: int) -> _Line:
            return lines[max(bisect_right(positions, offset) - 1, 0)]

        def size(gap: Gap) -> int:
            return measure.size(self.text[self.start : line_of(gap.end).shift + self.at + gap.end])

        fitting = bisect_right(inside, room, key=size)
        for tries, gap in enumerate(_by_preference(window, inside, fitting, words)):
            if tries == _TRIES:
                break
            line, at = line_of(gap.start), self.at + gap.start
            quotes = "> " * self.text.count(">", line.source, line.shift + line.position)
            cut = Cut(line_of(gap.end).shift + self.at + gap.end, line.shift + at, quotes)
            if sound(cut):
                return line, at, cut
        return None

    def _lines(self, window: str) -> list[_Line]:
        """The lines that the window shows, the first perhaps in part."""
        lines = [self.line]
        offset = window.find("\n")
        while offset >= 0:
            source = self.text.index("\n", lines[-1].source) + 1
            lines.append(self._line(self.at + offset + 1, source))
            offset = window.find("\n", offset + 1)
        return lines

    def _line(self, position: int, source: int) -> _Line:
        stop = self.content.find("\n", position)
        own = self.content[position : stop if stop >= 0 else len(self.content)].rstrip()
        return _Line(position, source, source + len(self._source_line(source)) - (position + len(own)))

    def _source_line(self, source: int) -> str:
        stop = self.text.find("\n", source)
        return self.text[source : stop if stop >= 0 else len(self.text)].replace("\0", "\ufffd").rstrip()


def _by_preference(window: str, inside: list[Gap], fitting: int, words: bool) -> Iterator[Gap]:
    """Gaps up to which the text fits, sentences first and the last first; then the others, if there must be one."""
    yield from (gap for gap in reversed(inside[:fitting]) if ends_sentence(window, gap))
    if words:
        yield from (gap for gap in reversed(inside[:fitting]) if not ends_sentence(window, gap))
        yield from inside[fitting:]
