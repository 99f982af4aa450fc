"""Named tuples that are defined quickly: what makes one is compiled when the first is made, not for each class.

A cold render defines fifty and makes few. Type checkers see `typing.NamedTuple`, and all of its methods are here. For
files with postponed annotations: others keep them elsewhere from Python 3.14 on.
"""

from collections import _tuplegetter  # type: ignore[attr-defined] # reads a field, in C
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

__all__ = ["NamedTuple"]


_FEW = 40
"""Rows that are made in the time that it takes to compile what makes them."""


class _Row(tuple[Any, ...]):
    """What all named tuples have."""

    __slots__ = ()
    _fields = tuple[str, ...]()

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        row = tuple.__new__(cls, values)
        if len(row) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(row)}")
        return row

    def _replace(self, /, **given: Any) -> Self:
        row = self._make(map(given.pop, self._fields, self))
        if given:
            raise ValueError(f"Got unexpected field names: {list(given)!r}")
        return row

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        pairs = zip(self._fields, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


class _Definition(type):
    """Turns the body of a class into one of its own, which derives from `_Row` alone."""

    def __new__(cls, name: str, _bases: Any, body: dict[str, Any]) -> Any:
        names = tuple(body["__annotations__"])
        defaults = {name: body.pop(name) for name in names if name in body}
        body |= {name: _tuplegetter(number, "") for number, name in enumerate(names)}
        body |= {"_fields": names, "_field_defaults": defaults, "__match_args__": names, "__slots__": ()}

        left = iter(range(_FEW))

        def first(cls: Any, /, *args: Any, **given: Any) -> Any:
            if next(left, None) is not None:
                if not given and len(args) == len(names):
                    return tuple.__new__(cls, args)
                values, others = {**defaults, **given}, names[len(args) :]
                if len(args) < len(names) and given.keys() <= {*others} <= values.keys():
                    return tuple.__new__(cls, (*args, *map(values.__getitem__, others)))
            made.__new__ = _compiled(name, names, tuple(defaults.values()))  # it words errors, too
            return made.__new__(cls, *args, **given)

        made: Any = type(name, (_Row,), {**body, "__new__": first})
        return made


def _compiled(name: str, names: tuple[str, ...], defaults: tuple[Any, ...]) -> Any:
    listed = ", ".join(names) + ("," if len(names) == 1 else "")
    made: Any = eval(f"lambda _cls, {listed}: _new(_cls, ({listed}))", {"_new": tuple.__new__})  # noqa: S307 - our names
    made.__name__, made.__qualname__, made.__defaults__ = "__new__", f"{name}.__new__", defaults
    return staticmethod(made)


class _Entry:
    """Stands for the base in the list of a class's bases."""

    def __mro_entries__(self, _bases: Any) -> tuple[type]:
        return (_Base,)


_Base: Any = type.__new__(_Definition, "NamedTuple", (), {})

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    NamedTuple = _Entry()
