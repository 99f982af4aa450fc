"""Values in shell scripts: one word each, or text inside quotes, here-documents and comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.render.quoting.command_words import names_program
from wurzel.render.quoting.draft import Draft, comment, fragment, refuse, shebang, unreadable
from wurzel.render.quoting.programs import refuse_code
from wurzel.render.quoting.shell_layout import Place, Scanner
from wurzel.render.quoting.word import double_quoted, here, is_bare, join, possible, single_quoted
from wurzel.render.values import Identifier, Joined, NotAValue, Variable, Words, show, text_of
from wurzel.render.verify import Unreadable, shell_syntax

if TYPE_CHECKING:
    from wurzel.render.text import Held, Piece

_ENDS_WORD = frozenset(["", *" \t\n;|&()"])
_JOINS_BARE = _ENDS_WORD | frozenset("/:,.-@%+=_")
_ENDS_NAME = pattern(r"[ \t;|&()+=]")
_VARIABLE = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 2**63 - 1
_PATTERN = pattern(r"=~[ \t]*$")
_COMPARES = pattern(r"[ \t]-(?:eq|ne|lt|le|gt|ge)[ \t]+$")
_COMPARED = pattern(r"[ \t]+-(?:eq|ne|lt|le|gt|ge)[ \t]")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The script with every value quoted for its position.

    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the shell cannot parse the script.
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
    _check_names(draft, places)
    runs_code = names_program(draft.reference)
    for piece, place in places.items():
        if runs_code:
            refuse_code(draft, piece, draft.held(piece), place)
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
    if place.context == "name":
        return text_of(held.value)
    if place.context == "arithmetic":
        return _number(held)
    text = _word(draft, piece, held, place) if place.context == "word" else _quoted(held, place)
    if place.waiting and "\n" in text:
        reason = "a here-document starts on this line, and the value's first line break would start its body"
        raise refuse(held, reason, "Put the value in a variable first.")
    return text


def _quoted(held: Held, place: Place) -> str:
    text = possible(fragment(held, "quotes or a here-document"))
    if place.context in {"single", "double"}:
        return single_quoted(text) if place.context == "single" else double_quoted(text)
    return text if place.context == "here-raw" else here(text)


def _number(held: Held) -> str:
    if type(held.value) is not int:
        raise refuse(held, "only whole numbers are allowed in arithmetic", "Put the value in a variable first.")
    if abs(held.value) > _LARGEST:
        raise refuse(held, "shells compute with 64 bits")
    return str(held.value) if held.value >= 0 else f"({held.value})"


def _word(draft: Draft, piece: int, held: Held, place: Place) -> str:
    front, rest = draft.before(piece), draft.after(piece)
    before, after = front[-1:], rest[:1]
    if isinstance(held.value, Words):
        if before not in _ENDS_WORD or after not in _ENDS_WORD:
            raise refuse(held, "several words cannot be part of a single word", "Put white space around it.")
        return join(held.value)
    if isinstance(held.value, list | dict):
        raise refuse(
            held, "a list or mapping is not a single word", "Add `| words` for one word per item, or `| json`."
        )
    text = possible(fragment(held, "a shell word"))
    _refuse_joined(held)
    tested = _refuse_operand(held, front, rest)
    if place.assigns:
        return _variable(draft, piece, held)
    joins = before in _JOINS_BARE and after in _JOINS_BARE
    named = isinstance(held.value, Identifier) and before != "~"
    if is_bare(text) and not place.glued and not tested and (joins or named):
        return text
    return f"'{single_quoted(text)}'"


def _variable(draft: Draft, piece: int, held: Held) -> str:
    """The value as (part of) the name of a variable in an assignment."""
    front, rest = (_ENDS_NAME.split(text) for text in (draft.before(piece), draft.after(piece)))
    name = draft.fill_roughly(front[-1]) + text_of(held.value) + draft.fill_roughly(rest[0])
    if not _VARIABLE.fullmatch(name):
        hint = "Add `| variable` to turn it into a name, or quote a word that is not a variable."
        raise refuse(held, f"it is in the name of a variable, and {show(name)} is not a valid one", hint)
    return text_of(held.value)


def _refuse_joined(held: Held) -> None:
    if isinstance(held.value, Joined) and held.value.separator.isspace():
        hint = "Write `| words` instead of `| join`, or add `| string` if you want one word."
        raise refuse(held, "the result of `join` would be one word", hint)


def _refuse_operand(held: Held, front: str, rest: str) -> bool:
    """Whether the value is an operand of `[[ ]]`; refuses one that bash would compute or read as a pattern."""
    inside = "[[" in front and front.rfind("[[") > front.rfind("]]")
    if inside and _PATTERN.search(front):
        raise refuse(
            held, "`=~` takes a pattern, not a text", "Put the pattern in a variable first: `[[ $x =~ $re ]]`."
        )
    if inside and type(held.value) is not int and (_COMPARES.search(front) or _COMPARED.match(rest)):
        raise refuse(held, "bash computes the operands of `-eq` inside `[[ ]]`", "Write `[ ]`, or use a whole number.")
    return inside


def _check_names(draft: Draft, places: Mapping[int, Place]) -> None:
    """Refuse two values that `variable` turns into the same name: they would silently share a variable."""
    origins: dict[str, Variable] = {}
    for piece in places:
        held = draft.held(piece)
        if isinstance(held.value, Variable):
            first = origins.setdefault(str(held.value), held.value)
            if first.origin != held.value.origin:
                problem = f"{first.origin!r} and {held.value.origin!r} would be the same variable"
                raise refuse(held, problem, "Give them names that differ in more than `-`, `.` and `_`.")


def _check_here(draft: Draft, piece: int, place: Place) -> None:
    """A shell searches the end of a here-document line by line, even inside quotes in it.

    Some shells join lines that end in a backslash before that search, some after.
    """
    if not place.ends:
        return
    text = draft.reference
    start, end = text.rfind("\n", 0, draft.start(piece)) + 1, text.find("\n", draft.end(piece))
    while text.endswith("\\\n", 0, start):
        start = text.rfind("\n", 0, start - 1) + 1
    while end > 0 and text[end - 1] == "\\":
        end = text.find("\n", end + 1)
    around = text[start : draft.start(piece)], text[draft.end(piece) : end if end >= 0 else None]
    whole = _finished(draft, around[0]) + draft.outputs[piece] + _finished(draft, around[1])
    lines = [*whole.split("\n"), *whole.replace("\\\n", "").split("\n")]
    for delimiter, strips_tabs in place.ends:
        if strips_tabs and "\t" in draft.outputs[piece]:
            raise refuse(draft.held(piece), "`<<-` may remove its tabs", "Use `<<`.")
        found = [line.lstrip("\t") if strips_tabs else line for line in lines]
        if delimiter in found:
            problem = f"one of its lines is {delimiter!r}, which would end the here-document"
            raise refuse(draft.held(piece), problem)
        if any(_loses_a_byte(line, delimiter) for line in found):
            problem = f"dash loses a byte of a line that starts with {delimiter!r} and a non-ASCII character"
            raise refuse(draft.held(piece), problem, "Choose a delimiter that no line starts with.")


def _loses_a_byte(line: str, delimiter: str) -> bool:
    """Whether a line starts like the delimiter and continues with a character outside ASCII (dash 0.5.12)."""
    same = next((n for n, (one, other) in enumerate(zip(line, f"{delimiter}\n", strict=False)) if one != other), 0)
    return same > 0 and not line[same].isascii()


def _finished(draft: Draft, text: str) -> str:
    """Text of the reference as it is in the finished file."""
    return draft.words.sub(lambda match: draft.outputs[int(match.group(1))], text)
