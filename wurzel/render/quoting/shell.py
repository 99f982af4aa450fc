"""Values in shell scripts: one word each, or text within quotes, here-documents and comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.render.quoting.draft import Draft, comment, fragment, refuse, shebang, unreadable
from wurzel.render.quoting.shell_layout import Place, Scanner
from wurzel.render.quoting.word import double_quoted, here, is_bare, join, possible, single_quoted
from wurzel.render.values import Identifier, NotAValue, Words
from wurzel.render.verify import Unreadable, shell_syntax

if TYPE_CHECKING:
    from wurzel.render.text import Held, Piece

_ENDS_WORD = frozenset(["", *" \t\n;|&()"])
_JOINS_BARE = _ENDS_WORD | frozenset("/:,.-@%+=_")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The script with every value written for where it stands.

    Raises:
        QuotingError: when a value stands where nothing would read back as that value.
        VerifyError: when the shell cannot parse the script.
    """
    draft = Draft(pieces)
    draft.refer()
    places = Scanner(draft).scan()
    for piece, place in places.items():
        held = draft.held(piece)
        try:
            draft.outputs[piece] = _part(draft, piece, held, place)
        except NotAValue as error:
            raise refuse(held, str(error), error.hint) from None
    for piece, place in places.items():
        _check_here(draft, piece, place)
    if not prove:
        return draft
    try:
        shell_syntax(draft.text())
    except Unreadable as error:
        raise unreadable(draft.where_in_text(error.offset), f"the shell cannot parse this: {error}") from None
    return draft


def _part(draft: Draft, piece: int, held: Held, place: Place) -> str:
    if place.context in {"comment", "shebang"}:
        return comment(draft, piece) if place.context == "comment" else shebang(draft, piece)
    if place.context == "arithmetic":
        return _number(held)
    if place.context == "word":
        return _word(draft, piece, held, place)
    text = possible(fragment(held, "quotes or a here-document"))
    if place.context in {"single", "double"}:
        return single_quoted(text) if place.context == "single" else double_quoted(text)
    return text if place.context == "here-raw" else here(text)


def _number(held: Held) -> str:
    if type(held.value) is not int:
        raise refuse(held, "only whole numbers can stand in arithmetic", "Put the value in a variable first.")
    return str(held.value) if held.value >= 0 else f"({held.value})"


def _word(draft: Draft, piece: int, held: Held, place: Place) -> str:
    before, after = draft.before(piece)[-1:], draft.after(piece)[:1]
    if isinstance(held.value, Words):
        if before not in _ENDS_WORD or after not in _ENDS_WORD:
            raise refuse(held, "several words cannot be part of one", "Put white space around it.")
        return join(held.value)
    if isinstance(held.value, list | dict):
        raise refuse(held, "a list or mapping is no single word", "Add `| words` for one word per item, or `| json`.")
    text = possible(fragment(held, "a shell word"))
    joins = before in _JOINS_BARE and after in _JOINS_BARE
    if is_bare(text) and not place.glued and (joins or (isinstance(held.value, Identifier) and before != "~")):
        return text
    if after == "=" and before in _ENDS_WORD:
        raise refuse(held, "it stands where the name of a variable is, and is none")
    return f"'{single_quoted(text)}'"


def _check_here(draft: Draft, piece: int, place: Place) -> None:
    """A shell looks for the end of a here-document line by line, even within quotes that stand in it."""
    before, after = _finished(draft, draft.before(piece)), _finished(draft, draft.after(piece))
    lines = (before.rpartition("\n")[2] + draft.outputs[piece] + after.partition("\n")[0]).split("\n")
    for delimiter, strips_tabs in place.ends:
        if strips_tabs and "\t" in draft.outputs[piece]:
            raise refuse(draft.held(piece), "`<<-` may remove its tabs", "Use `<<`.")
        if delimiter in lines:
            problem = f"one of its lines is {delimiter!r}, which would end the here-document"
            raise refuse(draft.held(piece), problem)


def _finished(draft: Draft, text: str) -> str:
    """Text of the reference as it is in the finished file."""
    return draft.words.sub(lambda match: draft.outputs[int(match.group(1))], text)
