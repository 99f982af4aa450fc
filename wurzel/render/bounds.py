"""Bounds of what a template computes, so that a slip such as `"x" * 10**10` is an error instead of a full memory.

They are far above what any file needs: a pipeline of 10,000 steps is 4 MB of text, made of 330,000 pieces in 70,000
rounds and calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from wurzel.patterns import pattern
from wurzel.render.values import CHARACTERS, MOST, NotAValue, budget

_Value = TypeVar("_Value")
WIDTH = 100_000
"""Largest number of columns, items of a batch, or digits."""
_ITEMS = 20
"""Items that are copied or compared in the time of a round of a loop."""
_CHARACTERS = 200
_KEYED = 5
"""Items of a list that are compared in the time of an entry of a mapping, which is looked up."""
_NESTED = frozenset({list, tuple, dict})
_ROUNDS = 100_000
"""Rounds of a loop over `range`; a step has at most 10,000 shards."""
_BITS = 14_000
"""Of a number; one with more than 4,300 digits could not be written."""

_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})
GROWING = _PADDING | {"replace", "join", "extend", "append", "insert", "translate", "to_bytes"}
"""Methods of texts, lists and numbers whose result may be much larger than what they get, at once or in a loop."""
_ADDING = frozenset({"append", "insert"})
_ADDING_COSTS = 10
"""Rounds that an item is counted as: a list that grows while a loop reads it would never end."""
NARROW = ("batch", "center", "indent", "json", "round", "slice", "tojson")
"""Filters whose numbers are columns, items or digits."""
_WIDTHS = pattern(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d+)?(?:\.(\*|\d+))?")
_LESS = "Write what the file is made of; nothing that a platform reads is as large."


def check_size(size: int, most: int = CHARACTERS) -> None:
    """Refuse a text, or list, that would be larger than any file. Raises `NotAValue` with the limit."""
    if size > most:
        what = f"this text would have more than {most:,} characters"
        raise NotAValue(what if most == CHARACTERS else f"this list would have more than {most:,} entries", _LESS)


def bounded_range(*bounds: int) -> range:
    """As `range`. Raises `NotAValue` for more than 100,000 rounds, so that a slip does not take days."""
    found = range(*bounds)
    if found and abs(found[-1] - found[0]) >= _ROUNDS * abs(found.step):
        raise NotAValue(
            f"range{bounds} has more than {_ROUNDS:,} rounds",
            "Loop over a list from the context, such as `pipeline.steps`.",
        )
    return found


def times(left: Any, right: Any) -> Any:
    """`left * right`."""
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | bytes | list | tuple) and isinstance(count, int):
            check_size(len(many) * count, _most(many))
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    return scanned(left * right)


def power(left: Any, right: Any) -> Any:
    """`left ** right`."""
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _check_bits(left.bit_length() * right)
    return left**right


def plus(left: Any, right: Any) -> Any:
    """`left + right`."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        check_size(len(left) + len(right), _most(left))
    found = left + right
    if isinstance(found, int):
        _check_bits(found.bit_length())
    return scanned(found)


def scanned(value: _Value) -> _Value:
    """The value, after counting what it costs to read or copy all of it; nothing where it is small.

    Compiled templates call this for slices and for what operators make.
    """
    if isinstance(value, str):
        budget.spend(len(value) // _CHARACTERS)
    elif isinstance(value, list | tuple):
        budget.spend(len(value) // _ITEMS)
    return value


def compared(value: _Value) -> _Value:
    """The value, after counting what it costs to compare all that is in it with another one."""
    if isinstance(value, str):
        return scanned(value)
    if isinstance(value, list | tuple | dict):
        budget.spend(weight(value) // _ITEMS)
    return value


def searched(value: _Value) -> _Value:
    """The value, after counting what `in` costs; a key is found at once."""
    return value if isinstance(value, dict) else compared(value)


def weight(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> int:
    """How many entries a value has at all depths, where long texts count as several; not more than may be spent.

    Most lists have no lists in them, so that is found out without a loop of Python.
    """
    total, waiting = 0, [value]
    while waiting and total // _ITEMS <= budget.left:
        each = waiting.pop()
        total += len(each) * (_KEYED if isinstance(each, dict) else 1)
        entries = each.values() if isinstance(each, dict) else each
        kinds = set(map(type, entries))
        if str in kinds:
            texts = entries if len(kinds) == 1 else [entry for entry in entries if type(entry) is str]
            total += sum(map(len, texts)) * _ITEMS // _CHARACTERS
        if not _NESTED.isdisjoint(kinds):
            waiting += [entry for entry in entries if type(entry) in _NESTED]
    return total


def check_format(text: str, arguments: Any) -> None:
    """Raise `NotAValue` for a format with a width that no text needs: `%1000000d`, or `%*d` with such a number."""
    found = _WIDTHS.findall(text)
    widths = [int(width) for pair in found for width in pair if width.isdigit()]
    if any("*" in pair for pair in found):
        values = arguments if isinstance(arguments, tuple) else (arguments,)
        widths += [each for each in values if isinstance(each, int)]
    _check_width(max(widths, default=0))


def after(check: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test, called after `check` has accepted its arguments."""

    @wraps(function)
    def apply(*arguments: Any, **named: Any) -> Any:
        check(*arguments, **named)
        return function(*arguments, **named)

    return apply


def formatted(text: Any, *arguments: Any, **_: Any) -> None:
    """Refuse arguments of the filter `format` with a width that no text needs."""
    if isinstance(text, str):
        check_format(text, arguments)


def narrow(*arguments: Any, **named: Any) -> None:
    """Refuse numbers, among the arguments of a filter, that are larger than any file is wide."""
    for argument in (*arguments[1:], *named.values()):
        if isinstance(argument, int):
            _check_width(abs(argument))


def growing(owner: Any, name: str, method: Any) -> Any:
    """A method of a text, list or number, which refuses to make something larger than any file."""
    if not isinstance(owner, str | list | int):
        return method
    if name in _ADDING:
        budget.spend(_ADDING_COSTS)
        return method

    def call(*arguments: Any, **named: Any) -> Any:
        if name in {"join", "extend"}:
            arguments = tuple(list(each) for each in arguments)
        check_size(_grown(owner, name, (*arguments, *named.values())), _most(owner))
        return method(*arguments, **named)

    return call


def replaced_size(text: str, old: str, new: str) -> int:
    """The length of a text with every `old` replaced."""
    return len(text) + text.count(old) * (len(new) - len(old))


def joined_size(parts: Iterable[Any], separator: Any = "") -> int:
    """The length of texts that are joined."""
    lengths = [len(part) if isinstance(part, str) else 1 for part in parts]
    return sum(lengths) + len(lengths) * (len(separator) if isinstance(separator, str) else 0)


def _most(many: Any) -> int:
    return MOST if isinstance(many, list | tuple) else CHARACTERS


def _grown(owner: str | list[Any] | int, name: str, arguments: tuple[Any, ...]) -> int:
    if isinstance(owner, int):
        return max((each for each in arguments if isinstance(each, int)), default=0)
    if isinstance(owner, list):
        return len(owner) + sum(len(each) for each in arguments)
    if name == "translate":
        inserted = [len(each) for table in arguments for each in table.values() if isinstance(each, str)]
        return len(owner) * max(inserted, default=1)
    if name in _PADDING:
        width = max((each for each in arguments if isinstance(each, int)), default=0)
        return len(owner) + width * (owner.count("\t") if name == "expandtabs" else 1)
    if name == "join":
        return joined_size(arguments[0] if arguments else (), owner)
    texts = [each for each in arguments if isinstance(each, str)]
    return replaced_size(owner, texts[0], texts[1]) if len(texts) > 1 else len(owner)


def _check_bits(bits: int) -> None:
    if bits > _BITS:
        raise NotAValue("the number would have more than 4,000 digits", _LESS)


def _check_width(width: int) -> None:
    if width > WIDTH:
        raise NotAValue(f"{width:,} is more than {WIDTH:,} columns, items or digits", _LESS)
