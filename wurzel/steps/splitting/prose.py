"""Cutting a paragraph: at the end of a sentence, or else between words; never inside a link, code or an HTML tag."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from markdown_it.rules_inline import StateInline

from wurzel.steps.splitting.blocks import Block, parse, parser

Size = Callable[[str], int]

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
_TRIES = 64
_PREVIEW = 400
"""Characters of the rest that are enough to see whether it still starts as a paragraph."""


class Cut(NamedTuple):
    """Where to cut, as offsets in the source: the first part ends at `end`, the rest starts at `start`."""

    end: int
    start: int


class _Gap(NamedTuple):
    end: int
    start: int


@dataclass(slots=True)
class Prose:
    """What is left of a paragraph: `content` from `at` on.

    It starts at `start` in the source `text`, its current line at `line` there and at `begin` in `content`; `shift`
    leads from offsets in `content` to those in the source.
    """

    text: str
    content: str
    env: dict[str, Any]
    start: int
    line: int
    at: int = 0
    begin: int = 0
    shift: int = 0

    @classmethod
    def of(cls, block: Block, text: str, env: dict[str, Any]) -> Prose:
        """A paragraph that is not cut yet."""
        prose = cls(text, block.content, env, block.start, block.origin)
        first = prose.content.partition("\n")[0].rstrip()
        while not prose._line(prose.line).endswith(first):  # lines of exotic blanks are not part of the content
            prose.line = text.index("\n", prose.line) + 1
        prose.shift = prose._shift(prose.line, 0)
        return prose

    def cut(self, room: int, size: Size, reach: int, words: bool) -> Cut | None:
        """Move on behind the longest first part that fits; `None` when there is none, and nothing has moved.

        Args:
            room: what the size of the first part may be.
            size: measures a text.
            reach: characters that one unit of size covers at most.
            words: when no sentence fits, cut between words, or else behind the first word although it does not fit.
        """
        length = max(room, 1) * reach + _PREVIEW
        while True:
            window = self.content[self.at : self.at + length]
            gaps = [gap for gap in _gaps(window, self.env) if gap.start < len(window)]
            chosen = self._choose(window, gaps, room, size, words)
            if chosen is not None or not words or self.at + length >= len(self.content):
                break
            length *= 4
        if chosen is None:
            return None
        before = self._lines(window, chosen.end)
        cut_end = before[-1][1] + self.at + chosen.end
        self._advance(window, chosen.start)
        self.start = self.shift + self.at
        return Cut(cut_end, self.start)

    @property
    def quote(self) -> str:
        """The marks of the block quotes that the current line stands in, to be repeated before the rest of it."""
        return "> " * self.text.count(">", self.line, self.shift + self.begin)

    def _choose(self, window: str, gaps: list[_Gap], room: int, size: Size, words: bool) -> _Gap | None:
        lines = self._lines(window, len(window))
        positions = [position for position, _ in lines]

        def source_size(gap: _Gap) -> int:
            shift = lines[bisect_right(positions, gap.end) - 1][1]
            return size(self.text[self.start : shift + self.at + gap.end])

        fitting = bisect_right(gaps, room, key=source_size)
        for tries, gap in enumerate(_by_preference(window, gaps, fitting, words)):
            if tries == _TRIES:
                break
            if _is_prose(window[: gap.end]) and _is_prose(window[gap.start : gap.start + _PREVIEW]):
                return gap
        return None

    def _lines(self, window: str, end: int) -> list[tuple[int, int]]:
        """Where lines start in the window, each with the shift from offsets in `content` to those in the source."""
        lines = [(0, self.shift)]
        source = self.line
        position = window.find("\n", 0, end)
        while position >= 0:
            source = self.text.index("\n", source) + 1
            lines.append((position + 1, self._shift(source, self.at + position + 1)))
            position = window.find("\n", position + 1, end)
        return lines

    def _advance(self, window: str, end: int) -> None:
        lines = self._lines(window, end)
        for position, _ in lines[1:]:
            self.line = self.text.index("\n", self.line) + 1
            self.begin = self.at + position
        self.shift = lines[-1][1]
        self.at += end

    def _shift(self, source: int, at: int) -> int:
        """From offsets in `content` to the source, on the line that starts at `source` and, in `content`, at `at`.

        A line of content is the source's without the marks in front, and perhaps without blanks at its ends.
        """
        stop = self.content.find("\n", at)
        own = self.content[at : stop if stop >= 0 else len(self.content)].rstrip()
        return source + len(self._line(source)) - (at + len(own))

    def _line(self, source: int) -> str:
        stop = self.text.find("\n", source)
        return self.text[source : stop if stop >= 0 else len(self.text)].replace("\0", "\ufffd").rstrip()


def _by_preference(window: str, gaps: list[_Gap], fitting: int, words: bool) -> Iterator[_Gap]:
    inside = gaps[:fitting]
    yield from (gap for gap in reversed(inside) if _ends_sentence(window, gap))
    if words:
        yield from (gap for gap in reversed(inside) if not _ends_sentence(window, gap))
        yield from gaps[fitting:]


def _gaps(window: str, env: dict[str, Any]) -> Iterator[_Gap]:
    """Where the text may be cut, in its order."""
    spans = _whole_spans(window, env)
    span = next(spans, None)
    for match in _GAP.finditer(window):
        end, start = match.span()
        while span is not None and span[1] <= end:
            span = next(spans, None)
        if end and (span is None or end <= span[0]):
            yield _Gap(end, start)


def _whole_spans(window: str, env: dict[str, Any]) -> Iterator[tuple[int, int]]:
    md = parser()
    state = StateInline(window, md, env, [])
    while state.pos < state.posMax:
        start = state.pos
        md.inline.skipToken(state)
        if state.pos > start + 1 and window[start] in _WHOLE:
            yield start, state.pos


def _ends_sentence(window: str, gap: _Gap) -> bool:
    before = window[max(0, gap.end - _LONGEST_WORD) : gap.end].rstrip(_CLOSERS)
    if not before or before[-1] not in _ENDS or window[gap.start : gap.start + 1].islower():
        return False
    if before[-1] != ".":
        return True
    word = re.split(r"[^\w]", before[:-1])[-1]
    short_number = word.isdigit() and len(word) <= _SHORT_NUMBER
    initial = len(word) == 1 and word.isalpha()
    return not (short_number or initial or word.lower() in _ABBREVIATIONS)


def _is_prose(text: str) -> bool:
    """Whether a text, standing alone, is one paragraph: a word such as `-` or `#` at a line's start changes that."""
    blocks = parse(text).blocks
    return len(blocks) == 1 and blocks[0].kind == "paragraph"
