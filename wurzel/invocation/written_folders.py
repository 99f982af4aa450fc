"""Folders that a module writes into, such as that of a cache: if they counted, each run would change the next one."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from wurzel.invocation.path_forms import Forms, name_of, text_of
from wurzel.invocation.path_texts import HOLE, REFERENCE, as_path, made
from wurzel.patterns import pattern

CONTENTS = frozenset({"write", "writelines", "write_text", "write_bytes"})
"""Functions that are given what they write, not where."""
_JOINING = frozenset({"with_name", "with_stem", "join", "joinpath", "glob", "rglob"})
_NOT_READING = ("write", "to_", "dump", "save", "mkdir", "touch", "unlink", "rename", "remove")
"""How the names of functions begin that write what they are given the name of."""
_OF_TEXTS = frozenset({"dumps", "removeprefix", "removesuffix"})
_NOT_FILES = frozenset({"basicConfig", "FileHandler", "makedirs", "rmtree", "Field", "WZ"})
_AT_FIRST = ("mkdir", "makedirs", "rmtree", "touch", "unlink", "rename")
"""How the names of functions begin that write at what they are given first, or at what they are a method of."""
_VARIES = pattern(rf"[*?\[{{%{HOLE}]")


def writes(call: ast.Call) -> bool:
    """Whether a call writes files."""
    name = name_of(call.func)
    if name in _OF_TEXTS:
        return False
    if name in _NOT_FILES or name.startswith(_NOT_READING):
        return True
    return name not in _JOINING and _opens_to_write(call, name)


def _opens_to_write(call: ast.Call, name: str) -> bool:
    words = call.args if name == "open" else call.args[1:2]  # `open(…, "w")`, `path.open("w")`, `ZipFile(…, "w")`
    modes = map(text_of, [*words, *(word.value for word in call.keywords if word.arg == "mode")])
    return any(not set(mode).isdisjoint("wax+") for mode in modes if mode and set(mode) <= set("rwaxbt+"))


def written_folders(tree: ast.Module, nodes: Iterable[ast.AST], elsewhere: Mapping[str, str]) -> set[str]:
    """Folders and files that a module writes, as forms with `/` at the end, as far as one of its functions tells."""
    if not any(isinstance(node, ast.Call) and writes(node) for node in nodes):
        return set()
    outside, *functions = _scopes(tree)
    shared = [*outside, *_shared(functions)]
    found = set[str]()
    for scope in ([], *functions):
        places = [place for node in scope or outside if isinstance(node, ast.Call) for place in _places(node)]
        if places:
            forms, settings = Forms(dict.fromkeys([*shared, *scope]), elsewhere), set(_settings(scope or outside))
            every = (folder for place in places for form in forms.of(place) for folder in _folders(f"{form}/"))
            found.update(folder for folder in every if _is_one(folder, settings))
    return found


def _settings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    yield from (node.attr for node in nodes if isinstance(node, ast.Attribute) and name_of(node.value) == "settings")


def _is_one(folder: str, settings: AbstractSet[str]) -> bool:
    """Whether a name in place of the folder stands for one alone: many objects have a `path`."""
    return all(name.isupper() or name in settings for name in REFERENCE.findall(folder))


def is_written(path: str, folders: AbstractSet[str]) -> bool:
    """Whether a path is one of these, or a folder in which one is."""
    if not path.endswith("/"):
        return f"{path}/" in folders
    return any(one.startswith(folder) for folder in _folders(path) for one in folders)


def _scopes(tree: ast.Module) -> Iterator[Sequence[ast.AST]]:
    """The nodes outside of functions, and those of each function that is within no other."""
    outside: list[ast.AST] = []
    functions: list[ast.AST] = []
    todo: deque[ast.AST] = deque([tree])
    while todo:
        for node in ast.iter_child_nodes(todo.popleft()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append(node)
            else:
                outside.append(node)
                todo.append(node)
    yield outside
    yield from (list(ast.walk(function)) for function in functions)


def _shared(functions: Sequence[Sequence[ast.AST]]) -> Iterator[ast.AST]:
    """What functions say to each other: what they return, are called with, and give to attributes of objects."""
    for node in chain.from_iterable(functions):
        targets = node.targets if isinstance(node, ast.Assign) else []
        is_call = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Call)
        if is_call or any(isinstance(target, ast.Attribute) for target in targets):
            yield node


def _places(call: ast.Call) -> Sequence[ast.AST]:
    """What a call surely writes at; `save(a, b)` may read one of them."""
    name = name_of(call.func)
    around = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    if not writes(call):
        return []
    if name in CONTENTS:
        return around
    if name.startswith("to_"):
        return call.args[:1]
    if name.startswith(("write_", "dump")):
        return call.args[-1:]
    return [*around, *call.args[:1]] if name.startswith(_AT_FIRST) or _opens_to_write(call, name) else []


def _folders(form: str) -> Iterator[str]:
    """What a form says up to where it varies, as folders."""
    if not REFERENCE.search(form):
        yield from (path for path in map(as_path, made(form)) if path.endswith("/"))
        return
    fixed, *varying = _VARIES.split(form, maxsplit=1)
    yield from filter(None, ["".join(fixed.rpartition("/")[:2]) if varying else fixed])
