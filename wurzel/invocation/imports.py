"""What a file imports, read from its source without running it."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, pairwise

from wurzel.invocation.modules import GROUP, GUESS, UNSEEN, Import
from wurzel.invocation.named_files import READING, constants, named_files, written
from wurzel.invocation.path_forms import name_of, text_of
from wurzel.patterns import pattern

_LOADING = frozenset({"import_module", "__import__", "find_spec", "resolve_name", "run_module"})
_LITERAL = frozenset(
    {"locate", "import_string", "read_text", "read_binary", "open_text", "open_binary", "resource_string"}
)
"""Names that other functions have as well, such as `Path.read_text`: only a text says that a module is meant."""
_BY_NAME = _LOADING | _LITERAL | {"files", "get_data"}
"""Functions that take the name of a module: of `importlib`, `importlib.resources`, `pkgutil` and `pydoc`."""
_RUNNING = frozenset({"exec", "eval"})
_BY_PATH = frozenset({"spec_from_file_location", "SourceFileLoader", "run_path"})
_BY_GROUP = frozenset({"entry_points", "iter_entry_points", "load_setuptools_entrypoints"})
_LISTING = frozenset({"enumerate", "iter_modules", "list", "reversed", "sorted", "tuple", "walk_packages"})
"""Functions whose result is made of what they are given, such as the modules of a package."""

_TARGET = "_target_"
_NAMED = pattern(rf"\b(?:{'|'.join(sorted(_BY_NAME | _BY_PATH | _BY_GROUP | {_TARGET}))})\b".encode())
_PYTHON = pattern(r"\bpython[\d.]*\s+-m")
_LIKE_A_MODULE = pattern(r"[/.]*[^\W\d]\w*(?:[/.][^\W\d]\w*)*\.?")


def imports(source: bytes) -> list[Import]:
    """Every import of a source file: at any depth, in any form, and by a literal name; none of what is not Python."""
    tree = _parsed(source)
    if tree is None:
        return []
    # Without such a name all imports are statements, and most of a tree is expressions.
    loads, reads = _NAMED.search(source) is not None, READING.search(source) is not None
    nodes = list(ast.walk(tree) if loads or reads else _statements(tree))
    texts = _Texts(nodes if loads else ())
    functions = {name: name for name in _BY_NAME | _BY_GROUP} | dict(_renamed(nodes))
    found: list[Import] = []
    computed = False
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [Import(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Call) and (function := functions.get(_name(node.func))):
            known = list(_called(node, function))
            found += known
            computed |= not known and function in _LOADING | _BY_GROUP
            found += [] if known or function in _LITERAL else texts.unseen(node, function)
        elif isinstance(node, ast.Call) and _name(node.func) in _BY_PATH:
            found += texts.unseen(node, _name(node.func))
        elif isinstance(node, ast.Call | ast.List | ast.Tuple | ast.Dict):
            found += _run(node)
        computed |= _name(node) in _BY_PATH
    with suppress(RecursionError):
        found += [*constants(tree), *(chain(named_files(tree, nodes), written(nodes)) if reads else ())]
    return list(dict.fromkeys([*found, *(_guesses(nodes) if computed else ())]))


def _run(node: ast.Call | ast.List | ast.Tuple | ast.Dict) -> Iterator[Import]:
    """What a text that is run imports, modules of `["python", "-m", "plug"]`, and what `_target_` of Hydra names."""
    if isinstance(node, ast.Dict):
        named = [text_of(value) for key, value in zip(node.keys, node.values, strict=True) if text_of(key) == _TARGET]
        parts = (name.rpartition(".") for name in filter(None, named))
        yield from (Import(0, module, (name,)) for module, _, name in parts if module)
    elif isinstance(node, ast.Call):
        text = (text_of(node.args[0]) if node.args else None) or ""
        if _name(node.func) in _RUNNING:
            yield from imports(text.encode(errors="replace"))
        elif _PYTHON.search(text):
            yield from _started(text.split())
    else:
        yield from _started([text_of(one) or "" for one in node.elts])


def _started(words: Sequence[str]) -> Iterator[Import]:
    for option, word in pairwise((*words, "")):
        if option == "-c":
            yield from imports(word.encode(errors="replace"))
        elif name := word if option == "-m" else option[2:] if option.startswith("-m") else "":
            yield Import(0, name)


class _Texts:
    """Tells whether a text of the file is part of a value: then it names the module, or its package or folder."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self._names: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Assign) and self.within(node.value):
                self._names.update(map(_name, node.targets))
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and self.within(node.value):
                self._names.add(_name(node.target))
            elif isinstance(node, ast.For | ast.comprehension) and self.within(node.iter):
                self._names.update(_name(one) for one in ast.walk(node.target))

    def within(self, node: ast.AST | None) -> bool:
        """Whether a value is a text, or made of one."""
        if isinstance(node, ast.Attribute):
            return node.attr in self._names or self.within(node.value)
        if isinstance(node, ast.Name):
            return node.id in self._names
        if isinstance(node, ast.Subscript):
            return self.within(node.value)  # the key of a setting, or of a variable, names no module
        if isinstance(node, ast.Call):
            listed = node.args if _name(node.func) in _LISTING else ()
            return self.within(node.func) or any(map(self.within, listed))
        if node is None or isinstance(node, ast.Constant):
            return bool(text_of(node))
        return any(map(self.within, ast.iter_child_nodes(node)))

    def unseen(self, call: ast.Call, function: str) -> list[Import]:
        """The import, if nothing that the function is given has a text in it."""
        given = [*call.args, *(word.value for word in call.keywords)]
        return [] if any(map(self.within, given)) else [Import(UNSEEN, str(call.lineno), (function,))]


def _guesses(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    """What a file may mean that imports by a computed name: all that its texts name, and its package."""
    yield Import(GUESS, "")
    for node in nodes:
        text = text_of(node)
        if text is not None and _LIKE_A_MODULE.fullmatch(text):
            yield Import(GUESS, text.removesuffix(".py").replace("/", ".").strip("."))
            yield Import(0, GROUP + text)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements of a file, at any depth, in the order of `ast.walk`."""
    todo: deque[ast.AST] = deque([tree])
    while todo:
        node = todo.popleft()
        yield node
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            todo.extend(getattr(node, name, ()))


def _parsed(source: bytes) -> ast.Module | None:
    for text in (source, source.decode("latin-1")):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None  # the step will say what is wrong with it


def _renamed(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Other names that a file gives to these functions, each with the usual one."""
    functions = _BY_NAME | _BY_GROUP
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname and alias.name in functions)
        elif isinstance(node, ast.Assign) and (name := _name(node.value)) in functions:
            yield from ((new, name) for new in map(_name, node.targets) if new)


def _name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Call) and _name(node.func) == "getattr":
        return text_of(node.args[1]) or "" if node.args[1:] else ""
    return name_of(node)


def _called(call: ast.Call, function: str) -> Iterator[Import]:
    """What `import_module("a")`, `__import__("a", fromlist=["b"])` and the like load; nothing for computed names."""
    given = {word.arg: word.value for word in call.keywords}
    first = call.args[0] if call.args else given.get("group" if function in _BY_GROUP else "name")
    name = text_of(first)
    if name is None:
        if _name(first) in {"__package__", "__name__"}:
            yield Import(1, "")
        return
    if function in _BY_GROUP:
        yield Import(0, GROUP + name)
        return
    bare = name.lstrip(".").partition(":")[0]  # `resolve_name("a:b")`
    level = len(name) - len(name.lstrip("."))
    package = text_of(call.args[1] if len(call.args) > 1 else given.get("package"))
    if level and package is not None:
        yield from (Import(0, origin) for origin in Import(level, bare).modules(package))
        return
    listed = call.args[3] if len(call.args) > 3 else given.get("fromlist")  # noqa: PLR2004 - of `__import__`
    items = listed.elts if isinstance(listed, ast.List | ast.Tuple) else []
    start = call.args[4] if len(call.args) > 4 else given.get("level")  # noqa: PLR2004 - of `__import__`
    if isinstance(start, ast.Constant) and isinstance(start.value, int):
        level = max(start.value, 0)
    yield Import(level, bare, tuple(filter(None, map(text_of, items))))
