"""Text that is itself a program, such as that of `sh -c "…"`, `awk '…'` or `python <<EOF`, with a value inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.render.quoting.draft import Draft, refuse
from wurzel.render.values import ShellText

if TYPE_CHECKING:
    from wurzel.render.quoting.shell_layout import Place
    from wurzel.render.text import Held

_START = r"(?:^|[\s;|&(`'\"])(?:[\w./-]*/)?"
_OPTIONS = r"(?:-[-\w]*[ \t]+)*"
_SHELLS = rf"(?:ba|da|a|k|z)?sh[ \t]+{_OPTIONS}(?:\w+[ \t]+)?-\w*c"
_REMOTE = rf"ssh[ \t]+{_OPTIONS}[^-\s][^'\"\n]*"
_OF_SHELL = pattern(rf"{_START}(?:{_SHELLS}|eval|trap(?:[ \t]+--)?|{_REMOTE})[ \t]+\Z")
_LANGUAGES = rf"(?:python[\d.]*|perl|ruby|node|php)[ \t]+{_OPTIONS}-\w*[cEepr]"
_OF_OTHERS = pattern(rf"{_START}(?:{_LANGUAGES}|(?:[gm]?awk|sed|jq|yq)(?:[ \t]+-[-,\w]*)*)[ \t]+\Z")
_READS_SHELL = pattern(rf"{_START}(?:(?:ba|da|a|k|z)?sh|{_REMOTE})(?:[ \t]+-[-\w]*)*[ \t]*\Z")
_READS_OTHERS = pattern(rf"{_START}(?:python[\d.]*|perl|ruby|node|php)(?:[ \t]+-[-\w]*)*[ \t]*\Z")
_MARKS = {"single": "'", "double": '"'}
_PROGRAMS = frozenset((*_MARKS, "here", "here-raw"))
_LOOKED_AT = 200
_PLAIN = pattern(r"[\w.:@%+=,/-]*")
_PLAIN_IN_SED = pattern(r"[\w.:@%+=,-]*")
_SHELL_HINT = "Add `| shell` for a word of it, or pass it as an argument: `sh -c 'run \"$1\"' _ {{ x }}`."
_HINT = (
    "Pass it as an argument or variable: `python -c '… sys.argv[1]' {{ x }}`, `awk -v x={{ x }}`, `jq --arg x {{ x }}`;"
    " a whole program may be one value."
)


def refuse_code(draft: Draft, piece: int, held: Held, place: Place) -> None:
    """Refuse a value that is part of a program in quotes or a here-document, if that could read it as code."""
    if isinstance(held.value, ShellText) or place.context not in _PROGRAMS:
        return
    text, start, end = draft.reference, draft.start(piece), draft.end(piece)
    opens, whole = _document(draft, piece, place) if place.ends else _quotes(text, start, end, _MARKS[place.context])
    command = text[max(text.rfind("\n", 0, opens) + 1, opens - _LOOKED_AT) : opens] if opens > 0 else ""
    is_shell = (_READS_SHELL if place.ends else _OF_SHELL).search(command) is not None
    if whole or not (is_shell or (_READS_OTHERS if place.ends else _OF_OTHERS).search(command)):
        return
    plain = _PLAIN_IN_SED if "sed" in command and text[opens + 1 : opens + 3] == "s/" else _PLAIN
    if not plain.fullmatch(str(held.value)):
        problem = "it is part of a program, which could read it as code"
        raise refuse(held, problem, _SHELL_HINT if is_shell else _HINT)


def _quotes(text: str, start: int, end: int, mark: str) -> tuple[int, bool]:
    """Where the quotes around a value begin, and whether it is all of what is in them."""
    opens = text.rfind(mark, 0, start)
    while opens > 0 and mark == '"' and text[opens - 1] == "\\":
        opens = text.rfind(mark, 0, opens)
    return opens, opens + 1 == start and text.startswith(mark, end)


def _document(draft: Draft, piece: int, place: Place) -> tuple[int, bool]:
    """Where the operator of the here-document around a value is, and whether the value has a line to itself."""
    delimiter, _ = place.ends[-1]
    found = list(re.finditer(rf"<<-?[ \t]*[\\'\"]?{delimiter}\b", draft.reference[: draft.start(piece)]))
    alone = not draft.before(piece).strip() and not draft.after(piece).strip()
    return found[-1].start() if found else -1, alone
