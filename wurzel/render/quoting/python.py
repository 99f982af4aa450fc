"""Values in Python files: literals in expressions, text inside string literals, names, and comments.

The file is parsed twice: once with a harmless name in place of each value, once finished. The second tree must be the
first with each name replaced by its value. Large files are parsed in portions.
"""

from __future__ import annotations

import token as tokens
from collections.abc import Iterator, Sequence
from io import StringIO
from tokenize import TokenError, TokenInfo, generate_tokens
from typing import TYPE_CHECKING

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.render.quoting.draft import Draft, comment, fragment, refuse, refuse_words, shebang
from wurzel.render.quoting.python_literal import escaped, laid_out, literal
from wurzel.render.quoting.python_portions import SIZE, Cutter
from wurzel.render.quoting.python_proof import (
    agrees_in_portions,
    check_cookie,
    prove_repeats,
    prove_whole,
    template_tree,
)
from wurzel.render.quoting.repeats import READ, Repeat, repeats, rows_of, shortened
from wurzel.render.values import Identifier, Joined, Json, NotAValue
from wurzel.render.verify import Unreadable

if TYPE_CHECKING:
    import re

    from wurzel.render.text import Held, Piece

_OPENING = pattern(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_BINDS_TIGHTER = frozenset({".", "[", "(", "**"})
_STRING_STARTS = {getattr(tokens, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_STRING_ENDS = {getattr(tokens, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
_FORMATTED = _STRING_STARTS | _STRING_ENDS
_RAW = pattern(r"[^\\'\"\x00-\x1f\x7f]*")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value quoted for its position.

    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the file does not compile.
    """
    draft = Draft(pieces)
    refuse_words(draft)
    reference = draft.refer()
    if _write_repeats(draft, prove=prove):
        return draft
    cutter = Cutter(reference)
    try:
        for spot in _spots(draft, generate_tokens(StringIO(reference).readline), cutter):
            _fill(draft, spot, spot.token.string, _pieces(draft, spot))
    except (TokenError, SyntaxError, QuotingError):
        template_tree(draft, reference)  # that the template is not Python at all says more
        raise
    if prove:
        text = draft.text()
        check_cookie(draft, text)
        if not agrees_in_portions(draft, text, cutter.cuts()):
            prove_whole(draft, reference, text)
    return draft


def _write_repeats(draft: Draft, *, prove: bool) -> bool:
    """Whether the file is written, and proved, with lines of loops read once; otherwise, all of it is to be read."""
    if not (found := repeats(draft)):
        return False
    short = shortened(draft.reference, [repeat.starts for repeat in found])
    if 2 * len(short) > len(draft.reference) or len(short) > SIZE:
        return False
    loops = {piece: repeat for repeat in found for piece in repeat.pieces[READ - 1]}
    cutter = Cutter(short, rows_of(draft.reference, found))
    try:
        for spot in _spots(draft, generate_tokens(StringIO(short).readline), cutter):
            pieces = _pieces(draft, spot)
            _fill(draft, spot, spot.token.string, pieces)
            if pieces[0] in loops:
                _fill_others(draft, spot, pieces, loops[pieces[0]])
        if not cutter.is_even:
            return False
        if prove:
            prove_repeats(draft, found, short)
    except (TokenError, SyntaxError, QuotingError, VerifyError, Unreadable):
        return False  # whichever error it is, the whole file has its line
    return True


def _fill_others(draft: Draft, spot: _Spot, read: Sequence[int], repeat: Repeat) -> None:
    """Quote the values of a token in the repetitions that are not read."""
    at = repeat.pieces[READ - 1].index(read[0])
    first, *parts = draft.words.split(spot.token.string)[::2]
    if at + len(read) > len(repeat.pieces[READ - 1]):
        raise Unreadable("it goes on in the next repetition", 0)
    for row in repeat.pieces[READ:]:
        pieces = row[at : at + len(read)]
        text = "".join([f"{draft.word(piece)}{part}" for piece, part in zip(pieces, parts, strict=True)])
        _fill(draft, spot, first + text, pieces)


class _Format(NamedTuple):
    """How a string is formatted: by what stands behind it, which characters it reads, and what to write instead."""

    name: str
    behind: re.Pattern[str]
    mark: re.Pattern[str]
    hint: str


_PLACES = {
    "%": _Format("%", pattern(r"\s*%"), pattern("%"), "Write `'… %s' % (…, {{ x }})`."),
    ".": _Format(".format", pattern(r"\s*\.format(?:_map)?\("), pattern("[{}]"), "Write `'… {}'.format(…, {{ x }})`."),
}
"""By the token behind the string."""


class _Spot(NamedTuple):
    """A token with values, and what is around it."""

    token: TokenInfo
    before: str
    following: str
    formatted: bool
    """Whether it is within an f-string."""


def _spots(draft: Draft, found: Iterator[TokenInfo], cutter: Cutter) -> Iterator[_Spot]:
    """The tokens with values, one after the other: a list of all would take more memory than the tree."""
    formatted = 0
    for before, token, following in _with_neighbours(found):
        cutter.see(token)
        if token.type in _FORMATTED:
            formatted += 1 if token.type in _STRING_STARTS else -1
        if draft.has(token.string):
            yield _Spot(token, before, following, formatted > 0)


def _pieces(draft: Draft, spot: _Spot) -> list[int]:
    return [int(piece) for piece in draft.words.findall(spot.token.string)]


def _fill(draft: Draft, spot: _Spot, text: str, pieces: Sequence[int]) -> None:
    """Quote the values of a token, or those of one with this text in its place."""
    token = spot.token
    held = draft.held(pieces[0])
    if spot.formatted:
        raise refuse(held, "it is in an f-string", "Use a plain string, or put the value in a variable first.")
    try:
        if token.type == tokens.COMMENT:
            _fill_comment(draft, pieces, token)
        elif token.type == tokens.STRING:
            _fill_string(draft, pieces, text)
            _refuse_format(draft, pieces, spot)
        elif token.type == tokens.NAME:
            _refuse_built(held, spot.before, spot.following)
            _fill_name(draft, pieces, text, spot.following)
        else:
            raise refuse(held, f"it is inside {text!r}")
    except NotAValue as error:
        raise refuse(held, str(error), error.hint) from None


def _with_neighbours(found: Iterator[TokenInfo]) -> Iterator[tuple[str, TokenInfo, str]]:
    """Each token, between the texts of those before and after it."""
    before, token = "", next(found, None)
    while token is not None:
        after = next(found, None)
        yield before, token, "" if after is None else after.string
        before, token = token.string, after


def _refuse_built(held: Held, before: str, after: str) -> None:
    """Refuse text that was assembled to look like code, since it would become a single string."""
    value = held.value
    if type(value) is str:
        return
    if isinstance(value, Json):
        hint = "Remove `| tojson`, or write `| json` if you want its text."
        raise refuse(held, "it would be text, not the value it looks like", hint)
    listed = before in {"[", "(", "{", ","} and after in {"]", ")", "}", ","}
    if isinstance(value, Joined) and (value.names or (listed and "," in value.separator)):
        hint = "Write the list itself, without `| join`; add `| string` if you want one text."
        raise refuse(held, "the result of `join` would be one text, not several items", hint)


def _fill_comment(draft: Draft, pieces: Sequence[int], token: TokenInfo) -> None:
    first = token.start == (1, 0) and token.string.startswith("#!")
    for piece in pieces:
        draft.outputs[piece] = shebang(draft, piece) if first else comment(draft, piece)


def _fill_string(draft: Draft, pieces: Sequence[int], literal: str) -> None:
    opening = _OPENING.match(literal)
    prefix, quote = (opening.group(1).lower(), opening.group(2)) if opening else ("?", "")
    for piece in pieces:
        held = draft.held(piece)
        text = fragment(held, "a string")
        if prefix not in {"", "u", "r"}:
            raise refuse(held, f"it is in a string with the prefix {prefix!r}", "Use a plain string.")
        if prefix == "r":
            if not _RAW.fullmatch(text):
                raise refuse(held, "a raw string cannot contain it", "Remove the prefix `r`.")
            draft.outputs[piece] = text
            continue
        before = literal[: literal.index(draft.word(piece))]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            raise refuse(held, "there is a backslash before it")
        draft.outputs[piece] = escaped(text, quote[0], lines=len(quote) > 1)


def _refuse_format(draft: Draft, pieces: Sequence[int], spot: _Spot) -> None:
    """Refuse a value that `%` or `.format()` behind the string would read as a place for another."""
    special, token = _PLACES.get(spot.following), spot.token
    if special is None:
        return
    lines = token.line.rstrip("\n").split("\n")  # all of a string of several
    last = lines[min(token.end[0] - token.start[0], len(lines) - 1)]
    if not special.behind.match(last, token.end[1]):
        return
    for piece in pieces:
        held = draft.held(piece)
        if special.mark.search(fragment(held, "a string")):
            raise refuse(held, f"`{special.name}` formats the string, and would read it", special.hint)


def _fill_name(draft: Draft, pieces: Sequence[int], name: str, following: str) -> None:
    held = draft.held(pieces[0])
    if name == draft.word(pieces[0]) and not isinstance(held.value, Identifier):
        draft.outputs[pieces[0]] = _literal(draft, pieces[0], held, following)
        return
    for piece in pieces:
        held = draft.held(piece)
        counts = type(held.value) is int and held.value >= 0
        if not isinstance(held.value, Identifier) and not counts:
            raise refuse(held, "it is inside a name", "Add `| identifier` to a value that is a name.")
        draft.outputs[piece] = str(held.value)


def _literal(draft: Draft, piece: int, held: Held, following: str) -> str:
    if isinstance(held.value, list | dict):
        before = draft.before(piece)
        margin = before[: len(before) - len(before.lstrip())]
        return laid_out(held.value, margin, len(draft.fill_roughly(before)) + len(draft.after(piece)))
    text = literal(held.value)
    is_number = isinstance(held.value, int | float) and not isinstance(held.value, bool)
    return f"({text})" if is_number and following in _BINDS_TIGHTER else text
