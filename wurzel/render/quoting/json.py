"""Values in JSON: whole values, or text inside quotes; the file is read back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wurzel.render.quoting.draft import Draft, fragment, refuse, refuse_words, unreadable
from wurzel.render.values import Json

if TYPE_CHECKING:
    from wurzel.render.text import Held, Piece

_QUOTE = re.compile(r'\\.|"', re.DOTALL)
"""A quote, or an escaped character, which may be one."""


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value quoted for its position.

    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the file is not a JSON object.
    """
    draft = Draft(pieces)
    refuse_words(draft)
    quoted = False
    holes = set(draft.holes)
    for index in range(len(pieces)):
        if index in holes:
            draft.outputs[index] = _value(draft, index, quoted=quoted)
        else:
            quoted = _is_open(draft.outputs[index], quoted=quoted)
    if prove and draft.text().strip():
        _read_back(draft)
    return draft


def _value(draft: Draft, index: int, *, quoted: bool) -> str:
    held: Held = draft.held(index)
    if quoted:
        return json.dumps(fragment(held, "quotes"), ensure_ascii=False)[1:-1]
    before = "".join(draft.outputs[:index]).rstrip()[-1:]
    after = "".join(draft.outputs[index + 1 : index + 2]).lstrip()[:1]
    if before not in {"", "[", "{", ",", ":"} or after not in {"", "]", "}", ",", ":"}:
        raise refuse(held, "it would be joined to the text beside it", 'Write a single value, or quotes: "a {{ x }}".')
    if after == ":" and not isinstance(held.value, str):
        raise refuse(held, "only text can be a key")
    if isinstance(held.value, Json):
        return held.value
    return json.dumps(held.value, ensure_ascii=False, allow_nan=False)


def _is_open(text: str, *, quoted: bool) -> bool:
    """Whether a string is open after the text; `quoted` tells whether one is open before it."""
    return quoted ^ (_QUOTE.findall(text).count('"') % 2 == 1)


def _read_back(draft: Draft) -> None:
    text = draft.text()
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        where = draft.where_in_text(getattr(error, "pos", 0))
        raise unreadable(where, f"this is not valid JSON: {getattr(error, 'msg', error)}") from None
    if not isinstance(found, dict) or not found or not text.startswith("{\n"):
        raise unreadable(draft.where_in_text(0), "a JSON file must start with a line `{` and have at least one entry")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice")
    return found
