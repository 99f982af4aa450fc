"""Where prose may be cut: between words, never inside a link, code or an HTML tag; and where a sentence ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from markdown_it.rules_inline import StateInline

from wurzel.named_tuples import NamedTuple
from wurzel.steps.splitting.blocks import parser

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
