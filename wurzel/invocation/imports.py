"""What a file imports, read from its source without running it."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_BY_NAME = frozenset({"import_module", "__import__", "files", "get_data", "find_spec", "resolve_name", "run_module"})
"""Functions that take the name of a module: of `importlib`, `importlib.resources` and `pkgutil`."""

_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(_BY_NAME))})\b".encode())


class Import(NamedTuple):
    """One import: `from ..a import b` is level 2, module `a`, names `("b",)`."""

    level: int
    module: str
    names: tuple[str, ...] = ()

    def modules(self, package: str) -> Iterator[str]:
        """Absolute names of the modules that it may load, imported in a module of `package`."""
        origin = self.module
        if self.level:
            around = package.split(".")
            if not package or self.level > len(around):
                return
            origin = ".".join([*around[: len(around) - self.level + 1], *filter(None, [origin])])
        yield origin
        yield from (f"{origin}.{name}" for name in self.names if name != "*")


def imports(source: bytes) -> list[Import]:
    """Every import of a source file: at any depth, in any form, and by a literal name; none of what is not Python."""
    tree = _parsed(source)
    if tree is None:
        return []
    # Without such a name all imports are statements, and most of a tree is expressions.
    nodes = list(ast.walk(tree) if _NAMED.search(source) else _statements(tree))
    callers = _BY_NAME | {*_renamed(nodes)}
    found: list[Import] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [Import(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Call) and _name(node.func) in callers:
            found += _called(node)
    return list(dict.fromkeys(found))


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


def _renamed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Other names that a file gives to these functions."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname for alias in node.names if alias.asname and alias.name in _BY_NAME)
        elif isinstance(node, ast.Assign) and _name(node.value) in _BY_NAME:
            yield from filter(None, map(_name, node.targets))


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _called(call: ast.Call) -> Iterator[Import]:
    """What `import_module("a")`, `import_module(".a", __package__)` or `__import__("a", fromlist=["b"])` loads."""
    given = {word.arg: word.value for word in call.keywords}
    name = _text(call.args[0] if call.args else given.get("name"))
    if name is None:
        return
    bare = name.lstrip(".").partition(":")[0]  # `resolve_name("a:b")`
    level = len(name) - len(name.lstrip("."))
    package = _text(call.args[1] if len(call.args) > 1 else given.get("package"))
    if level and package is not None:
        yield from (Import(0, origin) for origin in Import(level, bare).modules(package))
        return
    listed = call.args[3] if len(call.args) > 3 else given.get("fromlist")  # noqa: PLR2004 - of `__import__`
    items = listed.elts if isinstance(listed, ast.List | ast.Tuple) else []
    start = call.args[4] if len(call.args) > 4 else given.get("level")  # noqa: PLR2004 - of `__import__`
    if isinstance(start, ast.Constant) and isinstance(start.value, int):
        level = max(start.value, 0)
    yield Import(level, bare, tuple(filter(None, map(_text, items))))


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
