"""Values in Python files: literals in expressions, text inside string literals, names, and comments.

The file is parsed twice: once with a harmless name in place of each value, once finished. The second tree must be the
first with each name replaced by its value. Large files are parsed in portions.
"""

from __future__ import annotations

import ast
import re
import token as tokens
from collections.abc import Iterator, Sequence
from io import StringIO
from tokenize import TokenError, TokenInfo, generate_tokens
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.patterns import pattern
from wurzel.render.quoting.draft import Draft, comment, fragment, refuse, refuse_words, shebang, unreadable
from wurzel.render.quoting.python_literal import escaped, laid_out, literal
from wurzel.render.quoting.python_portions import Cutter, portions
from wurzel.render.values import Identifier, Joined, Json, NotAValue, show
from wurzel.render.verify import Unreadable, python_tree

if TYPE_CHECKING:
    from wurzel.exceptions import TemplateError
    from wurzel.render.text import Held, Piece

_OPENING = pattern(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_COOKIE = pattern(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BINDS_TIGHTER = frozenset({".", "[", "(", "**"})
_STRING_STARTS = {getattr(tokens, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_STRING_ENDS = {getattr(tokens, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
_RAW = pattern(r"[^\\'\"\x00-\x1f\x7f]*")


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value quoted for its position.

    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the file does not compile.
    """
    draft = Draft(pieces)
    refuse_words(draft)
    reference = draft.refer()
    cutter = Cutter(reference)
    try:
        _fill(draft, generate_tokens(StringIO(reference).readline), cutter)
    except (TokenError, SyntaxError, QuotingError):
        _template_tree(draft, reference)  # that the template is not Python at all says more
        raise
    if prove:
        text = draft.text()
        _check_cookie(draft, text)
        if not _agrees_in_portions(draft, text, cutter.cuts()):
            _prove_whole(draft, reference, text)
    return draft


def _agrees_in_portions(draft: Draft, text: str, cuts: Sequence[int]) -> bool:
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


def _prove_whole(draft: Draft, reference: str, text: str) -> None:
    tree = _template_tree(draft, reference)
    try:
        finished = python_tree(text)
    except Unreadable as error:
        raise _blame(draft, error.offset, str(error)) from None
    _prove(draft, tree, finished, text)


def _template_tree(draft: Draft, reference: str) -> ast.Module:
    """The tree of the file with a name in place of each value."""
    try:
        return python_tree(reference)
    except Unreadable as error:
        where = draft.where_in_reference(error.offset)
        hint = "A value becomes a whole literal; do not put it next to another string."
        raise unreadable(where, f"the template is not valid Python, whatever its values are: {error}", hint) from None


def _fill(draft: Draft, found: Iterator[TokenInfo], cutter: Cutter) -> None:
    """Quote the values, one token after the other: a list of all would take more memory than the tree."""
    formatted = 0
    for before, token, following in _with_neighbours(found):
        cutter.see(token)
        formatted += (token.type in _STRING_STARTS) - (token.type in _STRING_ENDS)
        if not draft.has(token.string):
            continue
        pieces = [int(piece) for piece in draft.words.findall(token.string)]
        held = draft.held(pieces[0])
        if formatted:
            raise refuse(held, "it is in an f-string", "Use a plain string, or put the value in a variable first.")
        try:
            if token.type == tokens.COMMENT:
                _fill_comment(draft, pieces, token)
            elif token.type == tokens.STRING:
                _fill_string(draft, pieces, token.string)
            elif token.type == tokens.NAME:
                _refuse_built(held, before, following)
                _fill_name(draft, pieces, token.string, following)
            else:
                raise refuse(held, f"it is inside {token.string!r}")
        except NotAValue as error:
            raise refuse(held, str(error), error.hint) from None


def _with_neighbours(found: Iterator[TokenInfo]) -> Iterator[tuple[str, TokenInfo, str]]:
    """Each token, between the texts of those before and after it."""
    before, token = "", next(found, None)
    while token is not None:
        after = next(found, None)
        yield before, token, "" if after is None else after.string
        before, token = token.string, after


def _refuse_built(held: Held, before: str, after: str) -> None:
    """Refuse text that was assembled to look like code, since it would become a single string."""
    value = held.value
    if isinstance(value, Json):
        hint = "Remove `| tojson`, or write `| json` if you want its text."
        raise refuse(held, "it would be text, not the value it looks like", hint)
    listed = before in {"[", "(", "{", ","} and after in {"]", ")", "}", ","}
    if isinstance(value, Joined) and (value.names or (listed and "," in value.separator)):
        hint = "Write the list itself, without `| join`; add `| string` if you want one text."
        raise refuse(held, "the result of `join` would be one text, not several items", hint)


def _fill_comment(draft: Draft, pieces: list[int], token: TokenInfo) -> None:
    first = token.start == (1, 0) and token.string.startswith("#!")
    for piece in pieces:
        draft.outputs[piece] = shebang(draft, piece) if first else comment(draft, piece)


def _fill_string(draft: Draft, pieces: list[int], literal: str) -> None:
    opening = _OPENING.match(literal)
    prefix, quote = (opening.group(1).lower(), opening.group(2)) if opening else ("?", "")
    for piece in pieces:
        held = draft.held(piece)
        text = fragment(held, "a string")
        if prefix not in {"", "u", "r"}:
            raise refuse(held, f"it is in a string with the prefix {prefix!r}", "Use a plain string.")
        if prefix == "r":
            if not _RAW.fullmatch(text):
                raise refuse(held, "a raw string cannot contain it", "Remove the prefix `r`.")
            draft.outputs[piece] = text
            continue
        before = literal[: literal.index(draft.word(piece))]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            raise refuse(held, "there is a backslash before it")
        draft.outputs[piece] = escaped(text, quote[0], lines=len(quote) > 1)


def _fill_name(draft: Draft, pieces: list[int], name: str, following: str) -> None:
    held = draft.held(pieces[0])
    if name == draft.word(pieces[0]) and not isinstance(held.value, Identifier):
        draft.outputs[pieces[0]] = _literal(draft, pieces[0], held, following)
        return
    for piece in pieces:
        held = draft.held(piece)
        counts = type(held.value) is int and held.value >= 0
        if not isinstance(held.value, Identifier) and not counts:
            raise refuse(held, "it is inside a name", "Add `| identifier` to a value that is a name.")
        draft.outputs[piece] = str(held.value)


def _literal(draft: Draft, piece: int, held: Held, following: str) -> str:
    if isinstance(held.value, list | dict):
        before = draft.before(piece)
        margin = before[: len(before) - len(before.lstrip())]
        return laid_out(held.value, margin, len(draft.fill_roughly(before)) + len(draft.after(piece)))
    text = literal(held.value)
    is_number = isinstance(held.value, int | float) and not isinstance(held.value, bool)
    return f"({text})" if is_number and following in _BINDS_TIGHTER else text


def _check_cookie(draft: Draft, text: str) -> None:
    start = 0
    for line in text.split("\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match and match.group(1).lower().replace("_", "-") not in {"utf-8", "utf8"}:
            raise _blame(draft, start + match.start(1), "this comment would change the encoding of the file")
        start += len(line) + 1


def _prove(draft: Draft, tree: ast.AST, finished: ast.AST, text: str) -> None:
    """Walk both trees side by side."""
    line = 1
    waiting: list[tuple[Any, Any]] = [(tree, finished)]
    while waiting:
        wanted, found = waiting.pop()
        line = getattr(found, "lineno", line)
        if isinstance(wanted, ast.Name) and (match := draft.words.fullmatch(wanted.id)):
            held = draft.held(int(match.group(1)))
            if not isinstance(held.value, Identifier):
                _prove_literal(held, found)
                continue
        if isinstance(wanted, str) and draft.has(wanted):
            _prove_text(draft, wanted, found)
            continue
        if type(wanted) is not type(found):
            raise _blame(draft, _line_start(text, line), "this text reads differently")
        if isinstance(wanted, ast.AST):
            waiting += [(getattr(wanted, name, None), getattr(found, name, None)) for name in wanted._fields]
        elif isinstance(wanted, list):
            if len(wanted) != len(found):
                raise _blame(draft, _line_start(text, line), "this text reads differently")
            waiting += zip(wanted, found, strict=True)
        elif repr(wanted) != repr(found):
            raise _blame(draft, _line_start(text, line), f"{found!r} would be read instead of {wanted!r}")


def _prove_text(draft: Draft, wanted: str, found: Any) -> None:
    if found != draft.fill(wanted):
        held = draft.held(int(draft.words.findall(wanted)[0]))
        raise refuse(held, f"{show(found)} is not the text of the template: {show(draft.fill(wanted))}")


def _prove_literal(held: Held, node: Any) -> None:
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


def _blame(draft: Draft, offset: int, problem: str) -> TemplateError:
    held, where = draft.blamed(offset), draft.where_in_text(offset)
    if held is not None and held.where == where:
        return refuse(held, f"the file with it does not match the template: {problem}")
    return unreadable(where, f"the finished file does not match the template: {problem}")
