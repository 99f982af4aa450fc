"""Cutting a paragraph at the end of a sentence, or else between words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wurzel.named_tuples import NamedTuple
from wurzel.steps.splitting.sentences import Gap, ends_sentence, gaps

if TYPE_CHECKING:
    from wurzel.steps.splitting.blocks import Block
    from wurzel.steps.splitting.counting import Measure

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
