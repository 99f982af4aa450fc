"""Values in files of unknown languages: only those that need no quotes in any language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.render.quoting.draft import Draft, fragment, refuse, refuse_words

if TYPE_CHECKING:
    from wurzel.render.text import Piece

_SAFE = re.compile(r"[\w.,:/@%+=~-]*", re.ASCII)
_WITHIN = str.maketrans("", "", " []")
"""Removes what needs no more than quotes around it."""
_QUOTES = re.compile(r"[^\\][\"']|^[\"']")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value unquoted. Raises `QuotingError` when one has a character that may be special."""
    draft = Draft(pieces)
    draft.refer()
    refuse_words(draft)
    for index in draft.holes:
        held = draft.held(index)
        text = fragment(held, "a file without quoting")
        within = len(_QUOTES.findall(draft.before(index))) % 2 == 1
        if not _SAFE.fullmatch(text.translate(_WITHIN) if within else text):
            reason = "values cannot be quoted in this kind of file"
            hint = "Only letters, digits and . , : / @ % + = ~ _ - are allowed here, and spaces, [ and ] inside quotes."
            raise refuse(held, reason, hint)
        draft.outputs[index] = text
    return draft
