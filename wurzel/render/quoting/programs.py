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
_OPTIONS = r"(?:-[^\s'\"]+[ \t]+)*"
_SHELLS = rf"(?:ba|da|a|k|z)?sh[ \t]+{_OPTIONS}(?:\w+[ \t]+)?-\w*c"
_SSH = r"ssh(?:[ \t]+-(?:[bcDEeFIiJLlmOopQRSWw][ \t]+[^-\s])?[^\s'\"]*)*[ \t]+[^-\s'\";|&]+"
_REMOTE = rf"{_SSH}(?:[ \t]+[^\s'\";|&]+)*"
_OF_SHELL = pattern(rf"{_START}(?:{_SHELLS}|eval|trap(?:[ \t]+--)?|{_REMOTE})[ \t]+\Z")
_CALLS = {r"python[\d.]*": "c", "perl": "eE", "ruby": "e", "node": "ep", "php": "r"}
_LANGUAGES = "|".join(rf"{name}[ \t]+{_OPTIONS}-\w*[{letters}]" for name, letters in _CALLS.items())
_TOOLS = r"(?:[gm]?awk|(?P<sed>sed)|jq|yq)(?:[ \t]+-(?:[Fv][ \t]+(?!-))?[^\s'\"]+)*(?<![ \t]-[vfL])(?<!-file)"
_OF_OTHERS = pattern(rf"{_START}(?:{_LANGUAGES}|{_TOOLS})[ \t]+\Z")
_READS_SHELL = pattern(rf"{_START}(?:(?:ba|da|a|k|z)?sh|{_SSH})(?:[ \t]+-[-\w]*)*[ \t]*\Z")
_READS_OTHERS = pattern(rf"{_START}(?:python[\d.]*|perl|ruby|node|php)(?:[ \t]+-[-\w]*)*[ \t]*\Z")
_MARKS = {"single": "'", "double": '"'}
_PROGRAMS = frozenset((*_MARKS, "here", "here-raw"))
_LOOKED_AT = 200
_PLAIN = pattern(r"[\w.:@%+=,/-]*")
_DELIMITERS = pattern(r"(?:^|[;{}$\d\s])[sy]([^\w\s\\])|^\s*(/)")
"""What separates the parts of commands of sed, such as `s,old,new,`."""
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
    other = None if is_shell else (_READS_OTHERS if place.ends else _OF_OTHERS).search(command)
    if whole or not (is_shell or other):
        return
    value, program = str(held.value), text[opens + 1 : start] if other and other.groupdict().get("sed") else ""
    delimiters = {"".join(found) for found in _DELIMITERS.findall(program)}
    if not _PLAIN.fullmatch(value) or not delimiters.isdisjoint(value):
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
