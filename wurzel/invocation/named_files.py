"""Files that the texts of a module name: what it reads beside itself or in the project, and scripts that it starts.

A text counts if it looks like the path of a file. What is part of a path (`HERE / "prompts" / name`,
`open(f"prompts/{name}.txt")`, `glob("prompts/*.txt")`) may also name a folder. Names that are given one text, such as
`DATA = "tables"` in `f"{DATA}/a.csv"`, stand for it. Defaults of settings do not count, since settings count by their
values, and neither does what the module writes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile, zip_longest

from wurzel.patterns import pattern

READING = pattern(
    rb"\b(?:__file__|subprocess|command|i?glob|resources|spec_from_file_location|SourceFileLoader|addsitedir)\b|Path\("
    rb"|\b(?:open|read_\w+|exec|run_path|listdir|scandir|system|popen|path\.join|joinpath|f?walk|\w+Loader)\("
    rb"|\bsys\.path\.\w+\(|[\"'][\w@+ ,()&=#~./-]*\.[A-Za-z]\w{0,9}[\"']"
)
"""Occurs in the source of a module that reads files by their names, or has names of files, which others may read."""
OWN_STEM = "__file__.*"
"""In place of a path: what has the name of the module, with another suffix."""

_BESIDE = frozenset({"with_name", "with_stem"})
"""Functions that give a path in the folder of another."""
_JOINING = _BESIDE | {"Path", "PurePath", "join", "joinpath", "files", "glob", "iglob", "rglob", "listdir", "scandir"}
_OF_FOLDERS = frozenset({"walk", "fwalk", "addsitedir"})
_ADDING = frozenset({"append", "insert"})
"""Functions of `sys.path`."""
_WITH_SUFFIX = frozenset({"with_suffix", "splitext"})
_STARTING = frozenset({"run", "Popen", "call", "check_call", "check_output", "getoutput", "popen", "system"})
_SPLITTING = frozenset({"split", "splitlines"})
_NOT_READING = ("write", "to_", "dump", "save", "mkdir", "touch", "unlink", "rename", "remove")
"""How the names of functions begin that write what they are given the name of."""
_CONNECTING = frozenset({"connect"})
_WRITING_SQL = pattern(r"\s*(?i:insert|create|update|delete|replace|drop|alter|copy|attach)\s")
_NOT_FILES = frozenset({"basicConfig", "FileHandler", "makedirs", "rmtree", "Field", "WZ"})
_LOOKED_AT = (ast.Constant, ast.Call, ast.BinOp, ast.JoinedStr, ast.ClassDef, ast.Assign, ast.arguments)
_LIKE_A_PATH = pattern(r"(?:\.{1,2}/)*[\w.@+-][\w.@+ ,()&=#~-]*(?:/[\w.@+ ,()&=#~-]+)*/?")
_VARIES = pattern(r"[*?\[{%]")
_ALL_OF = pattern(r"\*\.\w+")
"""A pattern of files that lie beside the module or in the project folder itself."""
_PLACE = pattern(r"%[sdr]|\{[^{}]*\}")
"""Where `%` and `format` put a value."""


def named_files(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Paths that a module names, relative to its folder or the project's; with `/` at the end, it may be a folder."""
    nodes = [node for node in nodes if isinstance(node, _LOOKED_AT)]
    done = set(map(id, _left_out(nodes)))
    names = _constants(nodes)
    for node in nodes:
        if id(node) in done:
            continue
        if isinstance(node, ast.Constant):
            text = text_of(node) or ""
            if ("." in text or "/" in text) and (path := _path(text)) and ("." in path or path != text):
                yield path
            continue
        parts = [*_parts(node)] if _is_joined(node) else []
        pieces = [] if parts else [*_pieces(node)]
        done.update(
            id(one) for one in (*parts, *pieces) if isinstance(one, ast.Constant) or (parts and _is_joined(one))
        )
        for known in ({}, names) if names else ({},):  # a name may have another text where it is used
            yield from filter(None, map(_path, _joined(parts, known) if parts else _made(pieces, known)))
        if isinstance(node, ast.Call):
            yield from _patterns(node)
            yield from filter(None, map(_path, _arguments(node)))


def _constants(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Texts that names are given, such as by `DATA = "tables"` or as the default of an argument."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and (text := text_of(node.value)):
            found.update(dict.fromkeys(map(name_of, node.targets), text))
        elif isinstance(node, ast.arguments):
            last = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
            found.update(
                {one.arg: text for one, value in zip(last, node.defaults, strict=True) if (text := text_of(value))}
            )
    return found


def _left_out(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What is written or given to settings, with what is assigned to names of such."""
    names: set[str] = set()
    given: list[tuple[str, ast.AST]] = []
    written = any(_WRITING_SQL.match(text_of(node) or "") for node in nodes)  # then the database is output, not input
    for node in nodes:
        if isinstance(node, ast.Call) and (_writes(node) or (written and name_of(node.func) in _CONNECTING)):
            for one in ast.walk(node):
                names.update([one.id] if isinstance(one, ast.Name) else ())
                yield one
        elif isinstance(node, ast.ClassDef) and node.bases:  # settings; others are classes for data
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and one.value is not None]
            yield from (part for one in fields if "ClassVar" not in ast.dump(one.annotation) for part in ast.walk(one))
        elif isinstance(node, ast.Assign):
            given += [(one.id, node.value) for one in node.targets if isinstance(one, ast.Name)]
    for name, value in given:
        if name in names:
            yield from ast.walk(value)


def _writes(call: ast.Call) -> bool:
    name = name_of(call.func)
    if name in _NOT_FILES or name.startswith(_NOT_READING):
        return True
    if name in _JOINING:
        return False
    given = call.args if name == "open" else call.args[1:2]  # `open(…, "w")`, `path.open("w")`, `ZipFile(…, "w")`
    modes = map(text_of, [*given, *(word.value for word in call.keywords if word.arg == "mode")])
    return any(not set(mode).isdisjoint("wax+") for mode in modes if mode and set(mode) <= set("rwaxbt+"))


def _is_joined(node: ast.AST) -> bool:
    """Whether it is a path made of others."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div)
    return isinstance(node, ast.Call) and name_of(node.func) in _JOINING


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """A path, what it is joined from, and so on down to its operands, in their order."""
    yield node
    if not _is_joined(node):
        return
    if isinstance(node, ast.BinOp):
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            around = [*_parts(node.func.value)]
            yield from _folder_of(around) if node.func.attr in _BESIDE else around
        varies = [ast.Name("*")] if name_of(node.func) == "with_stem" else []  # the suffix
        for one in node.args:
            yield from [ast.JoinedStr([one, *varies])] if varies else _parts(one)


def _folder_of(parts: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The parts of a path without its last name."""
    yield from parts[:-1]
    if above := (text_of(parts[-1]) or "").rpartition("/")[0]:
        yield ast.Constant(above)


def _pieces(node: ast.AST) -> Iterator[ast.AST]:
    """What a text is put together from, one after the other; nothing if it is not."""
    if isinstance(node, ast.JoinedStr):
        for one in node.values:
            value = one.value if isinstance(one, ast.FormattedValue) else one
            yield from [*_pieces(value)] or [value]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from [*_pieces(node.left)] or [node.left]
        yield from [*_pieces(node.right)] or [node.right]
    elif filled := _filled(node):
        text, values = filled
        for piece, value in zip_longest(_PLACE.split(text), values):
            yield from [ast.Constant(piece)] if piece else ()
            yield from [] if value is None else [*_pieces(value)] or [value]


def _filled(node: ast.AST) -> tuple[str, list[ast.expr]] | None:
    """The text and the values of `"%s/a.txt" % name` and `"{}/a.txt".format(name)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and (text := text_of(node.left)):
        return text, [*node.right.elts] if isinstance(node.right, ast.Tuple) else [node.right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return (text, [*node.args]) if (text := text_of(node.func.value)) else None
    return None


def _made(pieces: Iterable[ast.AST], names: Mapping[str, str]) -> Iterator[str]:
    """Paths in what a text is put together from: up to where it varies, and below a folder that varies."""
    path, below = "", False
    for piece in pieces:
        text = text_of(piece) or names.get(name_of(piece))
        if text is None:
            yield f"{path}*"
            path, below = "", True
        elif not below or path or text.startswith("/"):
            path += text if path or not below else text.lstrip("/")
    yield path


def _joined(parts: Iterable[ast.AST], names: Mapping[str, str]) -> Iterator[str]:
    """Texts that follow one another, as one path."""
    path = ""
    for part in parts:
        pieces = [*_pieces(part)] or [part]
        texts = [text_of(piece) or names.get(name_of(piece), "") for piece in pieces]
        if all(texts):
            path += "".join(texts).rstrip("/") + "/"
            continue
        yield path + "".join(takewhile(bool, texts)) + "*" if texts[1:] else path
        path = ""
    yield path


def _patterns(call: ast.Call) -> Iterator[str]:
    """Patterns of files beside the module, and of files in the folder that it runs in."""
    name = name_of(call.func)
    around = name_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in _WITH_SUFFIX or (name == "replace" and around == "__file__"):
        yield OWN_STEM
    elif name == "with_stem":
        yield from (f"{text}.*" for text in map(text_of, call.args) if text)
    elif name in {"glob", "iglob"} and around in {"", "glob"}:
        yield from filter(_ALL_OF.fullmatch, filter(None, map(text_of, call.args)))


def _arguments(call: ast.Call) -> Iterator[str]:
    """Paths in what a function is given."""
    name = name_of(call.func)
    around = call.func.value if isinstance(call.func, ast.Attribute) else None
    texts = [*filter(None, map(text_of, call.args))]
    if name == "open":
        yield from texts[:1]
    elif name in _OF_FOLDERS or name.endswith("Loader") or (name in _ADDING and name_of(around) == "path"):
        yield "/".join(texts) + "/"
    elif name in _STARTING | _SPLITTING:
        lines = [text for text in (*texts, text_of(around)) if text and len(text.split()) > 1]
        yield from (word for line in lines for word in line.split() if "." in word)
        yield from (f"{text_of(word.value)}/" for word in call.keywords if word.arg == "cwd" and text_of(word.value))


def _path(text: str) -> str:
    """A text as a path, up to where it varies; empty if it does not look like one."""
    fixed, *varying = _VARIES.split(text, maxsplit=1)
    if varying:
        fixed = "".join(fixed.rpartition("/")[:2])
    return fixed if _LIKE_A_PATH.fullmatch(fixed) else ""


def name_of(node: ast.AST | None) -> str:
    """The name that a node is, or the last one of `a.b.c`; empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def text_of(node: ast.AST | None) -> str | None:
    """The text that a node writes out, if it does."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
