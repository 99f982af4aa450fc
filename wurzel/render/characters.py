"""Which characters are visible and unambiguous; a fixed list, so that no Unicode update changes a file."""

from __future__ import annotations

import re
from functools import cache


def presentable(text: str) -> bool:
    """Whether the text is one line in which every character is visible and unambiguous.

    It has no control characters, tabs, line ends of any standard, spaces other than the plain one, invisible or
    reordering characters, or halves of surrogate pairs.
    """
    if text.isascii():
        return text.isprintable()
    return _presentable().fullmatch(text) is not None


def presented(text: str) -> str:
    """The text with all characters that are not presentable escaped as in Python."""
    return text if presentable(text) else "".join(c if presentable(c) else ascii(c)[1:-1] for c in text)


def split_lines(text: str) -> list[str]:
    """The lines of a text, split at everything that any reader of YAML, Python or shell takes as a line end."""
    return [text] if presentable(text) else re.split("\r\n|[\r\n\x85\u2028\u2029]", text)


@cache
def _presentable() -> re.Pattern[str]:
    return re.compile(
        r"[^\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
        r"\ud800-\udfff\ufeff\ufff0-\uffff\U000e0000-\U000e0fff]*"
    )
