"""Quoted text that is itself a program, such as that of `sh -c "…"` or `awk '…'`, with a value inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.render.quoting.draft import Draft, refuse
from wurzel.render.values import ShellText

if TYPE_CHECKING:
    from wurzel.render.text import Held

_START = r"(?:^|[\s;|&(`'\"])(?:[\w./-]*/)?"
_OPTIONS = r"(?:-[-\w]*[ \t]+)*"
_SHELLS = rf"(?:ba|da|a|k|z)?sh[ \t]+{_OPTIONS}(?:\w+[ \t]+)?-\w*c"
_REMOTE = rf"ssh[ \t]+{_OPTIONS}[^-\s][^'\"\n]*"
_OF_SHELL = pattern(rf"{_START}(?:{_SHELLS}|eval|trap(?:[ \t]+--)?|{_REMOTE})[ \t]+\Z")
_LANGUAGES = rf"(?:python[\d.]*|perl|ruby|node|php)[ \t]+{_OPTIONS}-\w*[cEepr]"
_OF_OTHERS = pattern(rf"{_START}(?:{_LANGUAGES}|(?:[gm]?awk|sed|jq|yq)(?:[ \t]+-[-,\w]*)*)[ \t]+\Z")
_LOOKED_AT = 200
_PLAIN = pattern(r"[\w.:@%+=,/-]*")
_PLAIN_IN_SED = pattern(r"[\w.:@%+=,-]*")
_SHELL_HINT = "Add `| shell` for a word of it, or pass it as an argument: `sh -c 'run \"$1\"' _ {{ x }}`."
_HINT = (
    "Pass it as an argument or variable: `python -c '… sys.argv[1]' {{ x }}`, `awk -v x={{ x }}`, `jq --arg x {{ x }}`;"
    " a whole program may be one value."
)


def refuse_code(draft: Draft, piece: int, held: Held, mark: str) -> None:
    """Refuse a value that is part of a program between quotes, if the program could read it as more than text."""
    if isinstance(held.value, ShellText):
        return
    text, start, end = draft.reference, draft.start(piece), draft.end(piece)
    opens = text.rfind(mark, 0, start)
    while opens > 0 and mark == '"' and text[opens - 1] == "\\":
        opens = text.rfind(mark, 0, opens)
    if opens < 0 or (opens + 1 == start and text.startswith(mark, end)):
        return
    command = text[max(text.rfind("\n", 0, opens) + 1, opens - _LOOKED_AT) : opens]
    is_shell = _OF_SHELL.search(command) is not None
    if not is_shell and _OF_OTHERS.search(command) is None:
        return
    plain = _PLAIN_IN_SED if "sed" in command and text[opens + 1 : opens + 3] == "s/" else _PLAIN
    if not plain.fullmatch(str(held.value)):
        problem = "it is part of a program, which could read it as code"
        raise refuse(held, problem, _SHELL_HINT if is_shell else _HINT)
