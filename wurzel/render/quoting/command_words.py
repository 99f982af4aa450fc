"""The words of shell commands around a place, and which of them a program such as `sh`, `awk` or `python` runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern

_TOKENS = pattern(
    r"(?:[ \t]|\\\n)+|\d*(?P<redirect>[<>]{1,3}&?-?|&>>?)"
    r"|(?P<word>(?:'[^']*'|\"(?:\\.|\$(?!\()|[^\"\\$])*\"|\\.|[^\s'\"\\;|&()<>`$]|\$(?!\())+)"
    r"|(?P<end>\|&?(?!\|)|[\n;|&()`]+|.)",
    re.DOTALL,
)
_SHELL_OPTIONS = r"[-+]\w*[oO]|--(?:rc|init-)file"
_TWO = frozenset({"--arg", "--argjson", "--slurpfile", "--rawfile"})
_WRITING = frozenset({"echo", "printf"})
_NAMING = (
    _WRITING
    | {"log", "logger", "apt", "apt-get", "apk", "yum", "dnf", "pip", "brew", "install", "which", "type"}
    | {"grep", "egrep", "fgrep", "rg", "ls", "mkdir", "cp", "mv", "rm", "touch", "chmod", "notify-send"}
)
"""Commands whose arguments may be names of programs that they do not run."""
_PASSING = _WRITING | {"cat", "tee", "envsubst"}
"""Commands that write what they read or are given."""


_BUILTIN = frozenset({"eval", "trap"})
BEFORE_COMMAND = frozenset({"if", "then", "else", "elif", "while", "until", "do", "{", "!", "time"})


class Program(NamedTuple):
    """How a program is told what to run."""

    code: str = ""
    """The options that are followed by code, as a pattern."""
    other: str = ""
    """The options that are followed by anything else."""
    first: int = 0
    """The number of the first argument that is code, and ..."""
    last: int = 0
    """... of the one after the last; 0 if none is code, unless an option says so."""
    reads: bool = False
    """Whether it runs what it reads where nothing else tells."""
    ends: bool = True
    """Whether an argument ends the options, so that none follows it."""
    is_shell: bool = False


_ANY = 1_000_000
_FILES = frozenset({"-f", "--file", "--from-file"})
"""Options of a file with the program."""
_EMPTY = frozenset({"''", '""'})
_SHELL = Program(r"-\w*c\w*", _SHELL_OPTIONS, reads=True, is_shell=True)
_PYTHON = Program(r"-\w*c", r"-\w*[WXm]", reads=True)
_PERL = Program(r"-\w*[eE]", r"-[IMr]", reads=True)
_NODE = Program(r"-\w*[ep]|--eval|--print", r"-r|--require|--import", reads=True)
_SU = Program(r"-\w*c|--(?:session-)?command", reads=True, ends=False, is_shell=True)
_SQL = Program(r"-\w*[ce]|--command|--execute", reads=True, ends=False)
_SSH = Program(other=r"-\w*[bcDEeFIiJLlmOopQRSWw]", first=1, last=_ANY, reads=True, is_shell=True)
_AWK = Program(r"-e|--source", r"-[Fvfi]|--(?:assign|field-separator|file|include)", last=1, ends=False)
_SED = Program(r"-\w*e|--expression", r"-\w*[fl]|--file", last=1, ends=False)
_JQ = Program(other=r"-[LfIop]|--(?:arg|argjson|slurpfile|rawfile|indent|from-file)", last=1, ends=False)
_PROGRAMS = {
    **dict.fromkeys(("sh", "bash", "dash", "ash", "ksh", "zsh", "mksh", "fish", "shell"), _SHELL),
    **dict.fromkeys(("python", "pypy"), _PYTHON),
    **dict.fromkeys(("perl", "ruby", "lua", "Rscript"), _PERL),
    **dict.fromkeys(("node", "bun"), _NODE),
    "php": Program("-r", "-[cdf]", reads=True),
    **dict.fromkeys(("su", "runuser"), _SU),
    **dict.fromkeys(("flock", "script"), _SU._replace(reads=False)),
    "parallel": Program(other="-[jPnI]|--jobs", last=1, is_shell=True),
    "eval": Program(last=_ANY, is_shell=True),
    "trap": Program(last=1, is_shell=True),
    "watch": Program(other="-n|--interval", last=_ANY, is_shell=True),
    "ssh": _SSH,
    **dict.fromkeys(("awk", "gawk", "mawk"), _AWK),
    **dict.fromkeys(("sed", "gsed"), _SED),
    **dict.fromkeys(("jq", "yq"), _JQ),
    **dict.fromkeys(("psql", "mysql", "mariadb"), _SQL),
    "sqlite": Program(other="-cmd", first=1, last=2, reads=True),
}
_NAMES = pattern(rf"(?<![\w.-])(?:{'|'.join(_PROGRAMS)})[\d.]*(?![\w-])", re.IGNORECASE)


class Found(NamedTuple):
    """A program that runs a word."""

    name: str
    program: Program
    begun: str
    """The code before the word, or in it."""


def names_program(script: str) -> bool:
    """Whether any of these programs may be in a script, apart from that which runs it."""
    return _NAMES.search(script, script.find("\n") if script.startswith("#!") else 0) is not None


def runs_word(head: str) -> Found | None:
    """The program that runs the word which follows, as part of the last command in `head`, or as its end."""
    if not _NAMES.search(head):
        return None
    *_, words = commands(head)
    begun = words.pop() if words and not head.endswith((" ", "\t", "\\\n")) else ""
    for name, program, rest in _programs(words):
        if begun.startswith("-"):
            option = begun.rstrip("=")
            if program.code and re.fullmatch(program.code, option) and (option == begun or option[:2] == "--"):
                return Found(name, program, "")
            continue
        count, is_code = _count(program, rest)
        if is_code:
            return Found(name, program, begun or " " * (program.last == _ANY and count > program.first))
    return None


def runs_input(head: str, tail: str) -> Found | None:
    """The program that runs what a command reads or, if it passes that on, one behind it.

    The command is the last one of `head` with the first of `tail`.
    """
    if not _NAMES.search(head) and not _NAMES.search(tail):
        return None
    (*_, before), (after, *others) = commands(head), commands(tail, only_first=True)
    for words in ([*before, *after], *others):
        every = [part for word in words for part in word.strip("'\"").split()]
        for name, program, rest in _programs(every):
            if program.reads and _reads(program, rest):
                return Found(name, program, " ")
        if _command(every) not in _PASSING:
            return None
    return None


def writes(head: str) -> bool:
    """Whether the last command of `head` writes the words that it is given."""
    *_, words = commands(head)
    return _command(words) in _WRITING


def _command(words: Sequence[str]) -> str:
    """The name of the command itself, behind words such as `if` and `sudo`."""
    return next((word for word in words if word not in BEFORE_COMMAND and word != "sudo"), "")


def commands(text: str, *, only_first: bool = False) -> list[list[str]]:
    """The words of the commands of the last, or the first, pipeline of a text."""
    found: list[list[str]] = [[]]
    is_target = False
    for token in _TOKENS.finditer(text):
        if token["redirect"]:
            is_target = not token["redirect"].endswith("&-")
        elif end := token["end"]:
            if end not in {"|", "|&"} and only_first:
                break
            found = [*found, []] if end in {"|", "|&"} else [[]]
        elif token["word"] and not is_target:
            found[-1].append(token["word"])
        else:
            is_target = is_target and not token["word"]
    return found


def _programs(words: Sequence[str]) -> list[tuple[str, Program, Sequence[str]]]:
    if _command(words) in _NAMING:
        return []
    names = [word.strip("'\"${}").rpartition("/")[2] for word in words]
    names = [name if name in _PROGRAMS else name.rstrip("0123456789.").lower() for name in names]
    places = [at for at, name in enumerate(names) if name in _PROGRAMS]
    places = [at for at in places if names[at] not in _BUILTIN or not at or words[at - 1] in BEFORE_COMMAND]
    return [(names[at], _PROGRAMS[names[at]], words[at + 1 :]) for at in places]


def _count(program: Program, words: Sequence[str]) -> tuple[int, bool]:
    """How many arguments a program has got with these words, and whether another word would be code."""
    count = skipped = 0
    is_given = wanted = is_over = False
    for word in words:
        if skipped:
            skipped -= 1
        elif word == "--" and not is_over:
            is_over = True
        elif word[0] in "-+" and len(word) > 1 and not is_over:
            is_code = bool(program.code and re.fullmatch(program.code, word))
            is_given, wanted = is_given or is_code or word in _FILES, wanted or is_code
            if program.other and re.fullmatch(program.other, word):
                skipped = _ANY if word.endswith("m") and program is _PYTHON else 2 if word in _TWO else 1
        elif wanted:
            wanted = False
        elif not (program is _JQ and not count and word in {"e", "ea", "eval", "eval-all"}) and word not in _EMPTY:
            count += 1
            is_over = is_over or program.ends
    return count, not skipped and (wanted or (not is_given and program.first <= count < program.last))


def _reads(program: Program, words: Sequence[str]) -> bool:
    """Whether a program with these words runs what it reads."""
    options = [word for word in words if word[:1] == "-"]
    if any(program.code and re.fullmatch(program.code, word) for word in options):
        return False
    count, _ = _count(program, words)
    if program is _PYTHON and any(word.endswith("m") for word in options):
        return False
    return not program.ends or count <= program.first or "-" in words or (program.is_shell and "-s" in options)
