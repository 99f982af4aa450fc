"""Files that the texts of a module name: what it reads beside itself or in the project, and scripts that it starts.

A text counts if it looks like the path of a file. What is part of a path (`HERE / "prompts" / name`,
`open(f"prompts/{name}.txt")`, `glob("prompts/*.txt")`) may also name a folder. Defaults of settings do not count, since
settings count by their values, and neither does what the module writes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from wurzel.patterns import pattern

READING = pattern(
    rb"\b(?:__file__|subprocess|command|i?glob|resources|spec_from_file_location|SourceFileLoader)\b|Path\("
    rb"|\b(?:open|read_\w+|exec|run_path|listdir|scandir|system|popen|path\.join|joinpath)\("
)
"""Occurs in the source of a module that reads files by their names."""

_JOINING = frozenset(
    {"Path", "PurePath", "join", "joinpath", "with_name", "files", "glob", "iglob", "listdir", "scandir"}
)
_STARTING = frozenset({"run", "Popen", "call", "check_call", "check_output", "getoutput", "popen", "system"})
_NOT_READING = ("write", "to_", "dump", "save", "mkdir", "touch", "unlink", "rename", "remove")
"""How the names of functions begin that write what they are given the name of."""
_NOT_FILES = frozenset({"connect", "basicConfig", "FileHandler", "makedirs", "rmtree", "Field", "WZ"})
_LOOKED_AT = (ast.Constant, ast.Call, ast.BinOp, ast.JoinedStr, ast.ClassDef, ast.Assign)
_LIKE_A_PATH = pattern(r"(?:\.{1,2}/)*[\w-][\w.-]*(?:/[\w.-]+)*/?")
_VARIES = pattern(r"[*?\[{%]")


def named_files(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Paths that a module names, relative to its folder or the project's; with `/` at the end, it may be a folder."""
    nodes = [node for node in nodes if isinstance(node, _LOOKED_AT)]
    done = set(map(id, _left_out(nodes)))
    for node in nodes:
        if id(node) in done:
            continue
        if isinstance(node, ast.Constant):
            text = text_of(node) or ""
            if ("." in text or "/" in text) and (path := _path(text)) and ("." in path or path != text):
                yield path
        elif isinstance(node, ast.JoinedStr) and (first := text_of(node.values[0] if node.values else None)):
            done.update(map(id, node.values))
            yield from filter(None, [_path(first + "*")])
        elif _is_joined(node):
            parts = [*_parts(node)]
            done.update(map(id, parts))
            yield from filter(None, map(_path, _joined(parts)))
        else:
            yield from _words(node)


def _left_out(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What is written or given to settings, with what is assigned to names of such."""
    names: set[str] = set()
    given: list[tuple[str, ast.AST]] = []
    for node in nodes:
        if isinstance(node, ast.Call) and _writes(node):
            for one in ast.walk(node):
                names.update([one.id] if isinstance(one, ast.Name) else ())
                yield one
        elif isinstance(node, ast.ClassDef):
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
            yield from _parts(node.func.value)
        for one in node.args:
            yield from _parts(one)


def _joined(parts: Iterable[ast.AST]) -> Iterator[str]:
    """Texts that follow one another, as one path."""
    path = ""
    for part in parts:
        text = text_of(part)
        if text is None:
            yield path
        path = "" if text is None else f"{path}{text.rstrip('/')}/"
    yield path


def _words(node: ast.AST) -> Iterator[str]:
    """Paths in the words of a line for a shell."""
    if isinstance(node, ast.Call) and name_of(node.func) in _STARTING:
        lines = [text for one in node.args if (text := text_of(one)) and " " in text]
        yield from (word for line in lines for word in line.split() if "." in word and _path(word))


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
