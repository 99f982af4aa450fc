"""The texts that an expression of a path may give, as far as the source tells, as forms (see `path_texts`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product, zip_longest
from math import prod

from wurzel.invocation.path_texts import HOLE
from wurzel.patterns import pattern

BESIDE = frozenset({"with_name", "with_stem"})
"""Functions that give a path in the folder of another."""
JOINING = BESIDE | {"Path", "PurePath", "join", "joinpath", "files", "glob", "iglob", "rglob", "listdir", "scandir"}
JOINING |= {"iterdir", "walk", "fwalk"}
_SAME = frozenset({"str", "fspath", "resolve", "absolute", "expanduser", "as_posix", "abspath", "strip"})
_SAME |= {"sorted", "list", "tuple", "set", "reversed", "iter", "values", "items"}
"""Functions that give the path, or the paths, that they are given."""
_NOT_CONSTANT = frozenset({"parent", "parents"})
_MOST = 32
_DEEPEST = 3
_MOST_VALUES = 1000
"""Names with their values, each within up to two others; 341 in a file of pandas or Python at most."""
_PLACE = pattern(r"%[sdr]|\{[^{}]*\}")
"""Where `%` and `format` put a value."""

Values = Mapping[str, Sequence[ast.AST]]


class Forms:
    """Reads expressions of one file; names stand for whatever the file gives them."""

    def __init__(self, nodes: Iterable[ast.AST], elsewhere: Mapping[str, str]) -> None:
        """`elsewhere` has the names that the file imports, each with the one that the other module gives it."""
        self.read: set[int] = set()
        """Which nodes have been looked at as parts of others."""
        self._given: dict[str, list[ast.AST]] = {}
        nodes = list(nodes)
        for name, value in chain(chain.from_iterable(map(given, nodes)), _passed(nodes)):
            self._given.setdefault(name, []).append(value)
        self._elsewhere = elsewhere
        self._known: dict[tuple[str, frozenset[str]], list[str]] = {}

    def of(self, node: ast.AST | None, within: frozenset[str] = frozenset()) -> list[str]:
        """What an expression may give; `within` are names whose values are being read."""
        if name_of(node) == "sep":
            return ["/"]
        if (text := text_of(node)) is not None:
            self._note(node, within)
            return [text]
        if node is not None and is_joined(node):
            return self._joined(node, within)
        if pieces := [*_pieces(node)]:
            return _products([self.of(piece, within) for piece in pieces])
        choices = [*_choices(node)]
        found = dict.fromkeys(form for one in choices for form in self.of(one, within))
        return list(found)[:_MOST] if choices else self._named(node, within)

    def is_here(self, node: ast.AST) -> bool:
        """Whether it is the folder of the module, or that it runs in, without any name."""
        if isinstance(node, ast.Name):
            values = self._given.get(node.id, ())
            return any(not isinstance(one, ast.Name) and self.is_here(one) for one in values)
        if isinstance(node, ast.Attribute | ast.Subscript):
            return self.is_here(node.value)
        if not isinstance(node, ast.Call):
            return False
        name = name_of(node.func)
        if name in {"cwd", "getcwd", "Path", "dirname"} and all(text_of(one) == "." for one in node.args):
            return True
        if any(name_of(one) == "__file__" or self.is_here(one) for one in node.args[:1]):
            return True
        return name in _SAME and isinstance(node.func, ast.Attribute) and self.is_here(node.func.value)

    def _note(self, node: ast.AST | None, within: frozenset[str]) -> None:
        if not within:
            self.read.add(id(node))

    def _named(self, node: ast.AST | None, within: frozenset[str]) -> list[str]:
        name = name_of(node) or (text_of(node.slice) or "" if isinstance(node, ast.Subscript) else "")
        if (name == "value" and isinstance(node, ast.Attribute)) or (not name and isinstance(node, ast.Subscript)):
            return self.of(node.value, within)  # of an enumeration's member, or one of a list or mapping
        if entries := self._entries(node, within):
            return entries
        if isinstance(node, ast.Call) and name_of(node.func) in self._given:
            return self.of(ast.Name(name_of(node.func)), within)  # what a function of the file returns
        found = [HOLE]  # it may have another text where it is used
        if name in self._given and name not in within and len(within) < _DEEPEST:
            found += self._values(name, within | {name})
        if named := self._reference(name, node):
            found.append(named)
        return list(dict.fromkeys(found))[:_MOST]

    def _entries(self, node: ast.AST | None, within: frozenset[str]) -> list[str]:
        """What `FILES["log"]` may give, if the file has a mapping of this name with this key."""
        key = text_of(node.slice) if isinstance(node, ast.Subscript) else None
        name = name_of(node.value) if isinstance(node, ast.Subscript) and key is not None else ""
        if not name or name in within or len(within) >= _DEEPEST:
            return []
        mappings = [one for one in self._given.get(name, ()) if isinstance(one, ast.Dict)]
        pairs = chain.from_iterable(zip(one.keys, one.values, strict=True) for one in mappings)
        named = [value for at, value in pairs if text_of(at) == key]
        return list(dict.fromkeys(form for one in named for form in self.of(one, within | {name})))[:_MOST]

    def _values(self, name: str, within: frozenset[str]) -> list[str]:
        """What the values of a name may give."""
        if (name, within) not in self._known:
            if len(self._known) >= _MOST_VALUES:
                return []
            found = dict.fromkeys(form for one in self._given[name][:_MOST] for form in self.of(one, within))
            self._known[name, within] = list(found)[:_MOST]
        return self._known[name, within]

    def _reference(self, name: str, node: ast.AST | None) -> str:
        """What stands for the name in the form, where another module may give it a text."""
        if isinstance(node, ast.Name):
            known = self._elsewhere.get(name) or (name if "*" in self._elsewhere and name.isupper() else "")
        else:
            known = name if name.isidentifier() and name not in _NOT_CONSTANT else ""
        return f"\0{known}\0" if known else ""

    def _joined(self, node: ast.AST, within: frozenset[str]) -> list[str]:
        self._note(node, within)
        if isinstance(node, ast.BinOp):
            return _paths([self.of(node.left, within), self.of(node.right, within)])
        assert isinstance(node, ast.Call)  # noqa: S101 - see `is_joined`
        around = [self.of(node.func.value, within)] if isinstance(node.func, ast.Attribute) else []
        if name_of(node.func) == "join":  # `os.path` itself is not part of the path
            around = []
        parts = [self.of(one, within) for one in node.args]
        if name_of(node.func) in BESIDE and around:
            around = [[form.rstrip("/").rpartition("/")[0] for form in around[0]]]
        if name_of(node.func) == "with_stem":
            parts = [[form + HOLE for form in part] for part in parts]  # the suffix
        return _paths([*around, *parts])


def given(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node gives to names, such as `DATA = "tables"`, a default of an argument, or each turn of a loop."""
    if isinstance(node, ast.Assign):
        yield from ((name, node.value) for target in node.targets if (name := name_of(target)))
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                yield from zip(map(name_of, target.elts), node.value.elts, strict=False)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield name_of(node.target), node.value
    elif isinstance(node, ast.For | ast.comprehension):
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        yield from ((name_of(target), node.iter) for target in targets)
    elif isinstance(node, ast.arguments):
        last = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
        pairs = [*zip(last, node.defaults, strict=True), *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        yield from ((one.arg, value) for one, value in pairs if value is not None)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return))
        yield from ((node.name, value) for value in returned if value is not None)
    elif isinstance(node, ast.Call):  # `dict(docs="texts")`
        yield from ((word.arg, word.value) for word in node.keywords if word.arg and text_of(word.value))
    elif isinstance(node, ast.Dict):
        named = ((text_of(key), value) for key, value in zip(node.keys, node.values, strict=True))
        yield from ((name, value) for name, value in named if name and name.isidentifier() and text_of(value))


def _passed(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """What functions and classes of the file are given by calls in it, by the names of their arguments."""
    functions: dict[str, list[str]] = {}
    calls = []
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[node.name] = _names(node)
        elif isinstance(node, ast.ClassDef):
            made = [_names(one) for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
            fields = [name_of(one.target) for one in node.body if isinstance(one, ast.AnnAssign)]
            functions[node.name] = made[0] if made else fields
        elif isinstance(node, ast.Call):
            calls.append(node)
    for call in calls:
        if (named := functions.get(name_of(call.func))) is not None:
            yield from zip(named, call.args, strict=False)
            yield from ((word.arg, word.value) for word in call.keywords if word.arg)


def _names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Of the arguments that a call gives by their order."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_joined(node: ast.AST) -> bool:
    """Whether it is a path made of others."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div)
    return isinstance(node, ast.Call) and name_of(node.func) in JOINING


def is_same(node: ast.AST) -> bool:
    """Whether it is a path in another form, such as `str(path)`."""
    return _same(node) is not None


def is_made(node: ast.AST) -> bool:
    """Whether it is a text put together from others."""
    return isinstance(node, ast.JoinedStr) or next(_pieces(node), None) is not None


def _paths(parts: Iterable[list[str]]) -> list[str]:
    """Texts that follow one another, as one path."""
    kept = [[f"{form.rstrip('/')}/" for form in part] for part in parts if part != [""]]
    return [re.sub("/{2,}", "/", form) if not form.startswith("//") else form for form in _products(kept)]


def _products(parts: Sequence[list[str]]) -> list[str]:
    """Each choice of one part with each of the others, unless there are too many."""
    if prod(map(len, parts)) > _MOST:
        parts = [part if len(part) == 1 else [HOLE] for part in parts]
    return list(dict.fromkeys(map("".join, product(*parts))))


def _pieces(node: ast.AST | None) -> Iterator[ast.AST]:
    """What a text is put together from, one after the other; nothing if it is not."""
    if isinstance(node, ast.JoinedStr):
        yield from (one.value if isinstance(one, ast.FormattedValue) else one for one in node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from (node.left, node.right)
    elif filled := _filled(node):
        text, values = filled
        for piece, value in zip_longest(_PLACE.split(text), values):
            yield from [ast.Constant(piece)] if piece else ()
            yield from [] if value is None else [value]


def _filled(node: ast.AST | None) -> tuple[str, list[ast.expr]] | None:
    """The text and the values of `"%s/a.txt" % name` and `"{}/a.txt".format(name)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and (text := text_of(node.left)):
        return text, [*node.right.elts] if isinstance(node.right, ast.Tuple) else [node.right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return (text, [*node.args]) if (text := text_of(node.func.value)) else None
    return None


def _same(node: ast.AST | None) -> ast.AST | None:
    """The expression with the same path, such as `DATA` in `DATA.resolve()`, or the default of a variable."""
    if isinstance(node, ast.Lambda):
        return node.body
    if isinstance(node, ast.NamedExpr):
        return node.value
    return _same_call(node) if isinstance(node, ast.Call) else None


def _same_call(call: ast.Call) -> ast.AST | None:
    name, (first, second, *_) = name_of(call.func), [*call.args, None, None]
    if name in {"get", "getenv", "map"}:
        return second
    if name in {"Field", "field"}:
        return first or next((word.value for word in call.keywords if word.arg in {"default", "default_factory"}), None)
    if name not in _SAME:
        return None
    return first or (call.func.value if isinstance(call.func, ast.Attribute) else None)


def _choices(node: ast.AST | None) -> Iterator[ast.AST]:
    """What an expression gives one of: alternatives, and elements, which a loop goes through; or the same path."""
    if (same := _same(node)) is not None:
        yield same
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield from node.elts
    elif isinstance(node, ast.Dict):
        yield from node.values


def name_of(node: ast.AST | None) -> str:
    """The name that a node is, or the last one of `a.b.c`; empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def text_of(node: ast.AST | None) -> str | None:
    """The text that a node writes out, if it does."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
