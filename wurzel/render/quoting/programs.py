"""Text that is itself a program, such as that of `sh -c "…"`, `awk '…'` or `python <<EOF`, with a value inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.render.quoting.command_words import runs_input, runs_word, writes
from wurzel.render.quoting.draft import Draft, refuse
from wurzel.render.values import ShellText

if TYPE_CHECKING:
    from wurzel.render.quoting.command_words import Found
    from wurzel.render.quoting.shell_layout import Place
    from wurzel.render.text import Held

_MARKS = {"single": "'", "double": '"'}
_CONTEXTS = frozenset((*_MARKS, "word", "here", "here-raw"))
_LOOKED_AT = 400
_ENDS_WORD = frozenset(("", *" \t\n;|&()"))
_PLAIN = pattern(r"[\w.:@%+=,/-]*")
_PARTS = pattern(r"(?:^|[;{}$\d\s~]|(?:^|[;{},\s])/[^/\n]*/!?)(?:s|y|m|tr|qr)([^\w\s\\])")
"""Before the parts of commands of sed and Perl, such as `s,old,new,` or, with lines to change, `/name:/s,old,new,`."""
_PATTERN_BEGUN = pattern(r"(?:^|[~(!,{;&|])\s*/[^/\n\"]*\Z")
_SED = frozenset({"sed", "gsed"})
_WITH_PATTERNS = _SED | {"awk", "gawk", "mawk", "perl", "ruby"}
_SHELL_HINT = "Add `| shell` for a word of it, or pass it as an argument: `sh -c 'run \"$1\"' _ {{ x }}`."
_SED_HINT = "Write another delimiter: `s|old|{{ x }}|`; a value with `&` or a backslash needs `awk -v x={{ x }}`."
_HINT = (
    "Pass it as an argument or variable: `python -c '… sys.argv[1]' {{ x }}`, `awk -v x={{ x }}`, `jq --arg x {{ x }}`;"
    " a whole program may be one value."
)


def refuse_code(draft: Draft, piece: int, held: Held, place: Place) -> None:
    """Refuse a value that is part of a program in a word or a here-document, if that could read it as code."""
    if isinstance(held.value, ShellText) or place.context not in _CONTEXTS:
        return
    text, start = draft.reference, draft.start(piece)
    if place.ends:
        opens, whole = _document(draft, piece, place)
        found = runs_input(_head(text, opens), text[opens : text.find("\n", opens)]) if opens >= 0 else None
    else:
        opens, whole = _word(text, start, draft.end(piece), _MARKS.get(place.context, ""))
        head = _head(text, opens)
        found = runs_word(head)
        if found is None and "|" in text[opens : text.find("\n", start)] and writes(head):
            found = runs_input(head, text[opens : opens + _LOOKED_AT])
        whole = whole and not (found and found.begun and found.program.is_shell)
    if found is None or whole or _is_harmless(found, str(held.value), found.begun + text[opens:start].lstrip("'\"")):
        return
    hint = _SHELL_HINT if found.program.is_shell else _SED_HINT if found.name in _SED else _HINT
    raise refuse(held, "it is part of a program, which could read it as code", hint)


def _is_harmless(found: Found, value: str, before: str) -> bool:
    """Whether a program with this code before it reads a value as nothing but text."""
    is_plain = _PLAIN.fullmatch(value) is not None
    if found.name not in _WITH_PATTERNS:
        return is_plain
    parts = [(match[1], before.count(match[1], match.end())) for match in _PARTS.finditer(before)]
    unended = [(mark, ended) for mark, ended in parts if ended <= 1]
    if not set(value).isdisjoint(mark for mark, _ in unended):
        return False
    if found.name in _SED and any(ended == 1 for _, ended in unended):  # it is in what comes in place of the pattern
        return set(value).isdisjoint("\\&\n")
    return is_plain and not ("/" in value and _PATTERN_BEGUN.search(before))


def _head(text: str, end: int) -> str:
    """The line of a command up to a place, with the lines that it continues."""
    begin = text.rfind("\n", 0, max(end, 0)) + 1
    while text.endswith("\\\n", 0, begin):
        begin = text.rfind("\n", 0, begin - 1) + 1
    return text[max(begin, end - _LOOKED_AT) : end]


def _word(text: str, start: int, end: int, mark: str) -> tuple[int, bool]:
    """Where the quotes around a value begin, or the value without any; and whether it is all of the word."""
    if not mark:
        return start, text[start - 1 : start] in _ENDS_WORD and text[end : end + 1] in _ENDS_WORD
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
