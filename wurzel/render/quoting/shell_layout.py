"""Finds the position of held values in a shell script: in words, quotes, here-documents, arithmetic or comments.

It refuses anything that shells read differently, or that it cannot parse with certainty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Literal

from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.render.quoting.command_words import BEFORE_COMMAND
from wurzel.render.quoting.draft import Draft, refuse, unreadable
from wurzel.render.values import Variable

Context = Literal["word", "name", "single", "double", "here", "here-raw", "arithmetic", "comment", "shebang"]

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_DELIMITER = pattern(r"[ \t]*(?:'(\w+)'|\"(\w+)\"|\\(\w+)|(\w+))(?=[ \t\n;|&<>)]|$)", re.ASCII)
_BLANKS = frozenset(" \t\n")
"""Characters that separate words: to a shell, a form feed or a no-break space is part of a word."""
_QUOTED = pattern(r"'[^']*'|\"[^\"]*\"|\\.|\$\{[^}]*\}", re.DOTALL)
_WORD_END = pattern(r"[^ \t\n;|&<>()]*")
_BRACES = pattern(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
_INDEX = pattern(r"[A-Za-z_]\w*\[[^\]]*", re.ASCII)
_OPEN_INDEX = pattern(r"(?:^|[ \t;&|(])[A-Za-z_]\w*\[[^\]]*$", re.ASCII)
_CLOSED_INDEX = pattern(r"[^\]\n]*\]\+?=")
_TILDE = pattern(r"(?:^|[:=])~[^/]*$")
_VARIABLE = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMED = pattern(r"\w*", re.ASCII)
_ASSIGNS = pattern(r"\w*\+?=", re.ASCII)


class Place(NamedTuple):
    """The context of one held value."""

    context: Context
    glued: bool = False
    """Whether a `$name` or `~` right before it would absorb the text of an unquoted value."""
    assigns: bool = False
    """Whether it is part of the name of a variable that is set here."""
    waiting: bool = False
    """Whether a here-document has started on its line, whose body starts after the next line break."""
    ends: tuple[tuple[str, bool], ...] = ()
    """For each here-document around it: its delimiter, and whether leading tabs are removed."""


class Scanner:
    """Reads a script once from start to end, and records the place of each held value."""

    def __init__(self, draft: Draft) -> None:
        self.places: dict[int, Place] = {}
        self._draft = draft
        self._text = draft.reference
        self._end = len(self._text)
        self._at = 0
        self._here: list[tuple[str, bool, bool]] = []
        self._waiting = False  # a here-document has started outside the current substitution
        self._readers: dict[str, Callable[[], None]] = {
            "\\": self._skip_escaped,
            "'": self._single,
            '"': self._double,
            "`": self._backquotes,
            "$": partial(self._dollar, quoted=False),
        }
        word = draft.words.pattern
        self._in_commands = re.compile(rf"{word}|\\|'|\"|`|\$|#|<<?<?-?|[ \t\n;|&>()]")
        self._in_double = re.compile(rf"{word}|\\|\"|`|\$")
        self._in_here = re.compile(rf"{word}|\\|`|\$")
        self._in_arithmetic = re.compile(rf"{word}|[()'\"`\\$]")

    def scan(self) -> dict[int, Place]:
        """The place of each held value.

        Raises `VerifyError` when the script ends inside quotes, or cannot be parsed with certainty; `QuotingError` when
        a value is where no quoting is safe.
        """
        if self._text.startswith("#!"):
            self._line("shebang")
        self._commands(nested=False)
        if self._here:
            raise self._lost(f"the here-document {self._here[0][0]!r} is not closed")
        return self.places

    def _commands(self, *, nested: bool) -> None:
        """Read commands up to the end, or up to the `)` that ends a substitution."""
        depth, start = 0, self._at
        word, first = self._at, True  # start of the current word, and whether it starts a command
        fresh = True
        while (match := self._in_commands.search(self._text, self._at, self._end)) is not None:
            if match.start() > self._at:
                if nested and fresh and self._text[self._at : match.start()] == "case":
                    raise self._lost("`case` inside `$( )` cannot be parsed safely; call a function instead")
                fresh = False
            found, self._at = match.group(), match.end()
            if match.group(1):
                self._place(match, self._in_word(match, word, first=first))
                fresh = False
            elif found in {" ", "\t"}:
                fresh = True
            elif found in {"(", ")"}:
                if nested and not depth and found == ")":
                    return
                depth, fresh = self._parenthesis(match, depth), True
            else:
                fresh = self._special(found, fresh=fresh)
            if found[0] in " \t\n;|&<>()":
                first = self._begins(found, self._text[word : match.start()], first=first)
                word = self._at
        if nested:
            raise self._lost("`$(` is not closed", start)
        self._at = self._end

    def _parenthesis(self, match: re.Match[str], depth: int) -> int:
        """How many parentheses are open after this one."""
        if match.group() == ")":
            if self._text.startswith("#", self._at):
                raise self._lost("shells differ in whether `)#` starts a comment; put a space between")
            return max(0, depth - 1)
        if not self._text.startswith("(", self._at):
            return depth + 1
        self._at += 1
        self._arithmetic(match.start())
        return depth

    @staticmethod
    def _begins(found: str, word: str, *, first: bool) -> bool:
        """Whether a command starts after a word and its terminator."""
        if found in {" ", "\t"}:
            return first and (not word or word in BEFORE_COMMAND or _ASSIGNS.match(word) is not None)
        return found[0] not in "<>"

    def _in_word(self, match: re.Match[str], start: int, *, first: bool) -> Place:
        """The place of a value in the word at an offset. Raises `QuotingError` where bash reads several, or code."""
        end = _WORD_END.match(self._text, match.end(), self._end)
        rest = end.group() if end else ""
        front = self._text[start : match.start()]
        if not front and not rest and not self._in_brackets(match):
            return Place("word", waiting=self._is_waiting())  # a whole word, as most values are
        front, rest = _QUOTED.sub("", front), _QUOTED.sub("", rest)
        if front.count("{") > front.count("}") or _BRACES.search(front) or _BRACES.search(rest):
            raise self._refused(match, "bash expands a word with braces into several", 'Write quotes around it: `"…"`.')
        if self._in_brackets(match) or _INDEX.fullmatch(front):
            hint = 'Put the value in a variable first, and write `"$name"`.'
            raise self._refused(match, "bash computes the text inside `name[ ]`", hint)
        assigns = first and _NAMED.fullmatch(front) is not None and _ASSIGNS.match(rest) is not None
        tilde = _TILDE.search(front) is not None
        return Place("word", glued=tilde, assigns=assigns, waiting=self._is_waiting())

    def _in_brackets(self, match: re.Match[str]) -> bool:
        """Whether a value is inside `name[ ]=`, perhaps with other words."""
        line = self._text[self._text.rfind("\n", 0, match.start()) + 1 : match.start()]
        is_open = "[" in line and _OPEN_INDEX.search(line) is not None
        return is_open and _CLOSED_INDEX.match(self._text, match.end()) is not None

    def _special(self, found: str, *, fresh: bool) -> bool:
        """Read the construct that a special character starts; returns whether a new word may start after it."""
        if found == "\n":
            self._bodies()
        elif found == "#" and fresh:
            self._line("comment")
        elif found == "\\" and self._text.startswith("\n", self._at):
            self._at += 1
            return fresh
        elif read := self._readers.get(found):
            start = self._at
            read()
            if self._is_waiting() and "\n" in self._text[start : self._at]:
                raise self._lost("shells differ in where the here-document of this line continues", start)
        elif found in {"<<", "<<-"}:
            self._delimiter(strips_tabs=found == "<<-")
        elif found == "<-":
            self._at -= 1
        return found in _BLANKS or found[0] in "<>;|&"

    def _is_waiting(self) -> bool:
        return self._waiting or bool(self._here)

    def _substitution(self) -> None:
        """Read the commands of `$( )`, whose here-documents are its own."""
        (here, waiting), start = (self._here, self._waiting), self._at
        self._here, self._waiting = [], self._is_waiting()
        self._commands(nested=True)
        if self._here:
            raise self._lost(f"the here-document {self._here[0][0]!r} must end before the `)` of its `$( )`", start)
        self._here, self._waiting = here, waiting

    def _place(self, match: re.Match[str], place: Place) -> None:
        at = match.start()
        while self._text.endswith("\\\n", 0, at):
            at -= 2
        is_read = place.context not in {"single", "here-raw"}
        if at < match.start() and is_read and self._text[at - 1 : at] not in _BLANKS:
            reason = "a backslash joins its line to the one above"
            raise self._refused(match, reason, "Put a space before the backslash, or write it on one line.")
        self.places[int(match.group(1))] = place

    def _place_all(self, start: int, end: int, place: Place) -> None:
        for match in self._draft.words.finditer(self._text, start, end):
            self._place(match, place)

    def _line(self, context: Context) -> None:
        end = self._text.find("\n", self._at, self._end)
        end = self._end if end < 0 else end
        self._place_all(self._at, end, Place(context))
        self._at = end

    def _skip_escaped(self) -> None:
        if match := self._draft.words.match(self._text, self._at):
            raise self._refused(match, "there is a backslash before it")
        self._at = min(self._at + 1, self._end)

    def _single(self) -> None:
        end = self._text.find("'", self._at, self._end)
        if end < 0:
            raise self._lost("the quote ' is not closed")
        self._place_all(self._at, end, Place("single", waiting=self._is_waiting()))
        self._at = end + 1

    def _double(self) -> None:
        start = self._at
        while (match := self._in_double.search(self._text, self._at, self._end)) is not None:
            self._at = match.end()
            if match.group() == '"':
                return
            self._quoted(match, Place("double", waiting=self._is_waiting()))
        raise self._lost('the quote " is not closed', start)

    def _quoted(self, match: re.Match[str], place: Place) -> None:
        """Read what has a meaning within double quotes and here-documents."""
        if match.group(1):
            self._place(match, place)
        elif match.group() == "\\":
            self._skip_escaped()
        elif match.group() == "`":
            self._backquotes()
        else:
            self._dollar(quoted=True)

    def _backquotes(self) -> None:
        end = self._at
        while self._text[end : end + 1] not in {"`", ""}:
            end += 2 if self._text[end] == "\\" else 1
        if end >= self._end:
            raise self._lost("the backquote is not closed")
        if match := self._draft.words.search(self._text, self._at, end):
            raise self._refused(match, "it is inside backquotes", "Write `$( )`.")
        self._at = end + 1

    def _dollar(self, *, quoted: bool) -> None:
        following = self._text[self._at : self._at + 1]
        if (match := self._draft.words.match(self._text, self._at)) and not self._is_name(match):
            raise self._refused(match, "there is a `$` before it", "Add `| variable` to the name of a variable.")
        if self._text.startswith("((", self._at):
            self._at += 2
            self._arithmetic(self._at)
        elif following == "(":
            self._at += 1
            self._substitution()
        elif following == "[":
            raise self._lost("bash computes `$[ ]`, sh takes it as text; write `$(( ))`")
        elif following == '"' and not quoted:
            raise self._lost('sh and bash read `$"…"` differently; use plain quotes')
        elif following == "{":
            self._expansion(quoted=quoted)
        elif following == "'" and not quoted:
            self._ansi_quotes()
        elif (name := _NAME.match(self._text, self._at, self._end)) is not None:
            self._variable(name, quoted=quoted)

    def _variable(self, name: re.Match[str], *, quoted: bool) -> None:
        for match in self._draft.words.finditer(self._text, name.start(), name.end()):
            if self._is_name(match):
                self._name(match, name.start(), name.end())
                continue
            self._at = match.end()
            if quoted:
                hint = "Write `${name}`, or add `| variable` to a part of the name."
                raise self._refused(match, "it would become part of the name before it", hint)
            self._place(match, Place("word", glued=True, waiting=self._is_waiting()))
            return
        self._at = name.end()
        if (value := self._draft.words.match(self._text, self._at, self._end)) is None:
            return
        if quoted:
            raise self._refused(value, "it would become part of the name before it", "Write `${name}`.")
        self._place(value, Place("word", glued=True, waiting=self._is_waiting()))
        self._at = value.end()

    def _is_name(self, match: re.Match[str]) -> bool:
        return isinstance(self._draft.held(int(match.group(1))).value, Variable)

    def _name(self, match: re.Match[str], start: int, end: int) -> None:
        """Place a value that is (part of) the name of a variable which stands between two offsets."""
        whole = self._draft.fill(self._text[start:end])
        if not _VARIABLE.fullmatch(whole):
            raise self._refused(match, f"{whole!r} is not a variable name", "Put a letter before it: `v_{{ … }}`.")
        self._place(match, Place("name"))

    def _expansion(self, *, quoted: bool) -> None:
        """Skip `${…}`; values in it are refused, as are quotes that shells read differently there."""
        start = self._at
        depth = 0
        while self._at < self._end:
            char = self._text[self._at]
            self._at += 1
            if char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
                if not depth:
                    break
            elif char == "\\":
                self._at += 1
            elif char in "'`\"" or self._text.startswith("$(", self._at - 1):
                self._expansion_quotes(char, quoted=quoted)
        else:
            raise self._lost("`${` is not closed", start)
        name = re.compile(r"\{#?(\w*)", re.ASCII).match(self._text, start, self._at)
        end = name.end() if name else start
        for match in self._draft.words.finditer(self._text, start, self._at):
            if match.end() > end or not self._is_name(match) or name is None:
                hint = "Put the value in a variable first, or add `| variable` to the name of one."
                raise self._refused(match, "it is inside `${ }`", hint)
            self._name(match, name.start(1), end)

    def _expansion_quotes(self, char: str, *, quoted: bool) -> None:
        end = self._text.find(char, self._at, self._end)
        inside = self._text[self._at : end]
        differs = char not in "'\"" or (quoted and char == "'")
        if differs or end < 0 or re.search(r"[{}\\$`'\"]", inside.replace("$", "")):
            raise self._lost("shells differ in how they read this `${ }`; put its parts in variables")
        self._at = end + 1

    def _ansi_quotes(self) -> None:
        start = self._at + 1
        end = self._text.find("'", start, self._end)
        if end < 0 or "\\" in self._text[start:end] or self._draft.words.search(self._text, start, end):
            raise self._lost("sh and bash read `$'…'` differently; use plain quotes")
        self._at = end + 1

    def _arithmetic(self, start: int) -> None:
        depth = 2
        while depth and (match := self._in_arithmetic.search(self._text, self._at, self._end)):
            self._at = match.end()
            found = match.group()
            if match.group(1):
                self._operand(match)
            elif found in "()":
                depth += 1 if found == "(" else -1
            elif found != "$" or not _NAME.match(self._text, self._at):
                raise self._lost("this arithmetic cannot be parsed safely; put its parts in variables")
            elif self._draft.words.match(self._text, self._at):
                raise self._lost("a value cannot follow `$`")
        if depth:
            raise self._lost("`((` is not closed", start)

    def _operand(self, match: re.Match[str]) -> None:
        start = match.start()
        while start and _NAMED.fullmatch(self._text, start - 1, match.start()):
            start -= 1
        whole = _NAMED.match(self._text, start)
        end = whole.end() if whole else match.end()
        if self._is_name(match):
            self._name(match, start, end)
            return
        beside = self._text[start - 1 : start] + self._text[end : end + 1]
        if (start, end) != match.span() or not {"$", "#", ".", "[", "@"}.isdisjoint(beside):
            raise self._refused(match, "it is inside a name or number of an arithmetic expression")
        self._place(match, Place("arithmetic"))

    def _delimiter(self, *, strips_tabs: bool) -> None:
        match = _DELIMITER.match(self._text, self._at, self._end)
        if match is None or self._draft.has(match.group()):
            raise self._lost("the delimiter of this here-document is unclear; use one plain word such as EOF")
        single, double, escaped, plain = match.groups()
        self._here.append((single or double or escaped or plain, plain is None, strips_tabs))
        self._at = match.end()

    def _bodies(self) -> None:
        """Read the here-documents that begin after this line."""
        if self._waiting:
            raise self._lost("shells differ in where the here-document of an outer line continues")
        waiting, self._here = self._here, []
        for delimiter, raw, strips_tabs in waiting:
            tabs = r"\t*" if strips_tabs else ""
            closing = re.compile(rf"^{tabs}{delimiter}$", re.MULTILINE).search(self._text, self._at, self._end)
            if closing is None:
                raise self._lost(f"the here-document {delimiter!r} is not closed")
            self._body((self._at, closing.start()), raw=raw)
            for match in self._draft.words.finditer(self._text, self._at, closing.start()):
                place = self.places[int(match.group(1))]
                self._place(match, place._replace(ends=(*place.ends, (delimiter, strips_tabs))))
            self._at = closing.end()

    def _body(self, body: tuple[int, int], *, raw: bool) -> None:
        if raw:
            self._place_all(*body, Place("here-raw"))
            return
        start, outer = self._at, self._end
        self._end = body[1]
        while (found := self._in_here.search(self._text, self._at, self._end)) is not None:
            self._at = found.end()
            self._quoted(found, Place("here"))
        self._at, self._end = start, outer

    def _refused(self, match: re.Match[str], reason: str, hint: str = "") -> Exception:
        return refuse(self._draft.held(int(match.group(1))), reason, hint)

    def _lost(self, reason: str, at: int | None = None) -> Exception:
        at = self._at if at is None else at
        return unreadable(self._draft.where_in_reference(max(0, at - 1)), reason)
