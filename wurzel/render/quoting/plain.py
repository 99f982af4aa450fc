"""Values in files whose language is not known here: only those that mean themselves in any of them, without quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.render.quoting.draft import Draft, fragment, refuse, refuse_words

if TYPE_CHECKING:
    from wurzel.render.text import Piece

_SAFE = re.compile(r"[\w.,:/@%+=~-]*", re.ASCII)
_QUOTES = re.compile(r"[^\\][\"']|^[\"']")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value written as it is.

    Raises:
        QuotingError: when a value holds anything that may have a meaning of its own.
    """
    draft = Draft(pieces)
    draft.refer()
    refuse_words(draft)
    for index in draft.holes:
        held = draft.held(index)
        text = fragment(held, "a file in which nothing can be quoted")
        within = len(_QUOTES.findall(draft.before(index))) % 2 == 1
        if not _SAFE.fullmatch(text.replace(" ", "") if within else text):
            reason = "nothing can be quoted in this kind of file"
            hint = "Letters, digits and . , : / @ % + = ~ _ - can stand here, and spaces within quotes."
            raise refuse(held, reason, hint)
        draft.outputs[index] = text
    return draft
