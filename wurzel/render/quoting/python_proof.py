"""Proves that a finished Python file is the reference with values in place of their names: the trees are compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.patterns import pattern
from wurzel.render.quoting.draft import Draft, Repeated, refuse, unreadable
from wurzel.render.quoting.python_portions import batches, portions, statements
from wurzel.render.quoting.repeats import READ, Repeat, shortened
from wurzel.render.values import Identifier, show
from wurzel.render.verify import Unreadable, python_tree

if TYPE_CHECKING:
    from wurzel.render.text import Held

_MAY_HOLD_VALUES = (str, ast.Name)
_MAY_HOLD_NAMES = (Identifier, list, dict)
_SIMPLE = (str, int)
"""Types of values that are the same where they are equal."""
_COOKIE = pattern(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)


def prove_repeats(draft: Draft, found: Sequence[Repeat], short: str) -> None:
    """Read the finished file as well: what is left of it without the loops, and these in portions."""
    text = draft.text()
    check_cookie(draft, text)
    ends = [draft.in_text(repeat.starts) for repeat in found]
    left = shortened(text, ends)
    _prove(draft, python_tree(short, compiles=False), python_tree(left), left)
    for repeat, starts in zip(found, ends, strict=True):
        ((model, _),) = batches(draft.reference, repeat.starts[READ - 1 : READ + 1])
        wanted = statements(model, compiles=False)
        compiles = not _are_literals(draft, wanted, repeat)
        rest = iter(repeat.pieces[READ:])
        row = Repeated(draft)
        for portion, count in batches(text, starts[READ:]):
            written = statements(portion, compiles=compiles)
            if len(written) != count * len(wanted):
                raise Unreadable("it has other statements", 0)
            for number in range(count):
                row.into = dict(zip(repeat.pieces[READ - 1], next(rest), strict=True))
                _prove(row, wanted, written[number * len(wanted) : (number + 1) * len(wanted)], portion)


def _are_literals(draft: Draft, wanted: Sequence[ast.stmt], repeat: Repeat) -> bool:
    """Whether all values of a repeat are simple literals: it compiles if the repetitions do that are read.

    Python's compiler refuses names, such as an argument that is given twice. Which literal it is makes no difference.
    """
    found = 0
    for node in chain.from_iterable(map(ast.walk, wanted)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += len(draft.words.findall(node.value))
        elif isinstance(node, ast.Name) and draft.words.fullmatch(node.id):
            found += 1
    kinds = {type(draft.held(piece).value) for piece in chain.from_iterable(repeat.pieces)}
    return found == len(repeat.pieces[READ - 1]) and not any(issubclass(kind, _MAY_HOLD_NAMES) for kind in kinds)


def agrees_in_portions(draft: Draft, text: str, cuts: Sequence[int]) -> bool:
    """Whether a large file could be proved portion by portion: the trees of one of 3 MB take 300 MB."""
    if not cuts:
        return False
    try:
        pairs = zip(portions(draft.reference, cuts), portions(text, draft.in_text(cuts)), strict=True)
        for wanted, found in pairs:
            _prove(draft, python_tree(wanted, compiles=False), python_tree(found), found)
    except (Unreadable, QuotingError, VerifyError):
        return False  # whichever error it is, the whole file has its line
    return True


def prove_whole(draft: Draft, reference: str, text: str) -> None:
    """Compare the whole trees. Raises `VerifyError` or `QuotingError` at the line where they differ."""
    tree = template_tree(draft, reference)
    try:
        finished = python_tree(text)
    except Unreadable as error:
        raise draft.blame(error.offset, str(error)) from None
    _prove(draft, tree, finished, text)


def template_tree(draft: Draft, reference: str) -> ast.Module:
    """The tree of the file with a name in place of each value."""
    try:
        return python_tree(reference)
    except Unreadable as error:
        where = draft.where_in_reference(error.offset)
        hint = "A value becomes a whole literal; do not put it next to another string."
        raise unreadable(where, f"the template is not valid Python, whatever its values are: {error}", hint) from None


def check_cookie(draft: Draft, text: str) -> None:
    """Raise an error when a value makes a comment decide the encoding of the file."""
    start = 0
    for line in text.split("\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match and match.group(1).lower().replace("_", "-") not in {"utf-8", "utf8"}:
            raise draft.blame(start + match.start(1), "this comment would change the encoding of the file")
        start += len(line) + 1


def _prove(draft: Draft, tree: Any, finished: Any, text: str) -> None:
    """Walk both trees side by side."""
    line = 1
    waiting: list[tuple[Any, Any]] = [(tree, finished)]
    while waiting:
        wanted, found = waiting.pop()
        line = getattr(found, "lineno", line)
        if type(wanted) in _MAY_HOLD_VALUES and _is_value(draft, wanted, found):
            continue
        inner = _inner(draft, wanted, found)
        if inner is None:
            leaf = type(wanted) is type(found) and not isinstance(found, list)
            problem = f"{found!r} would be read instead of {wanted!r}" if leaf else "this text reads differently"
            raise draft.blame(_line_start(text, line), problem)
        waiting += inner


def _inner(draft: Draft, wanted: Any, found: Any) -> Iterable[tuple[Any, Any]] | None:
    """What is inside of two nodes, side by side; nothing when they differ."""
    kind = type(wanted)
    if kind is not type(found):
        return None
    if kind is list:
        return zip(wanted, found, strict=True) if len(wanted) == len(found) else None
    if not isinstance(wanted, ast.AST):
        return () if repr(wanted) == repr(found) else None
    # Contexts, operators and most names are the same objects everywhere.
    return [
        (one, other)
        for name in wanted._fields
        if (one := getattr(wanted, name, None)) is not (other := getattr(found, name, None))
        or (type(one) is str and draft.has(one))
    ]


def _is_value(draft: Draft, wanted: Any, found: Any) -> bool:
    """Whether it is a text with values, or a name for a value that is not an identifier; `found` is right then."""
    if type(wanted) is str:
        if not draft.has(wanted):
            return False
        _prove_text(draft, wanted, found)
        return True
    if not (match := draft.words.fullmatch(wanted.id)):
        return False
    held = draft.held(int(match.group(1)))
    if isinstance(held.value, Identifier):
        return False
    _prove_literal(held, found)
    return True


def _prove_text(draft: Draft, wanted: str, found: Any) -> None:
    if found != draft.fill(wanted):
        held = draft.held(int(draft.words.findall(wanted)[0]))
        raise refuse(held, f"{show(found)} is not the text of the template: {show(draft.fill(wanted))}")


def _prove_literal(held: Held, node: Any) -> None:
    if type(node) is ast.Constant and type(held.value) is type(node.value) in _SIMPLE and node.value == held.value:
        return  # the fast path for most values
    try:
        value = _value_of(node)
    except (ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise refuse(held, f"a literal is not allowed here: {error}", "Add `| identifier` to a name.") from None
    if repr(value) != repr(held.value) or not _same_names(value, held.value):
        raise refuse(held, f"{value!r} would be read here")


def _value_of(node: Any) -> Any:
    """The value of a literal; a name in it is an identifier."""
    if isinstance(node, ast.Name):
        return Identifier(node.id)
    if isinstance(node, ast.List):
        return list(map(_value_of, node.elts))
    if isinstance(node, ast.Dict):
        return {
            ast.literal_eval(key or node): _value_of(item) for key, item in zip(node.keys, node.values, strict=True)
        }
    return ast.literal_eval(node)


def _same_names(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return all(map(_same_names, value, wanted))
    if isinstance(wanted, dict):
        return all(map(_same_names, value.values(), wanted.values()))
    return (type(value) is Identifier) == (type(wanted) is Identifier)


def _line_start(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start
