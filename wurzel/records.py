"""Frozen dataclasses that are defined quickly: nothing is generated and compiled for each class.

That takes `dataclasses` half a millisecond a class, and a cold render defines a dozen. Type checkers see the original.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import dataclass as _dataclass
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]


def _record(cls: Any) -> Any:
    made: Any = _dataclass(init=False, repr=False, eq=False)(cls)
    if special := [field.name for field in fields(made) if field.kw_only or not (field.repr and field.compare)]:
        raise TypeError(f"{cls.__qualname__}: fields may differ in their defaults only: {special}")
    made.__init__ = _init_of(made)
    made.__repr__, made.__eq__, made.__hash__ = _repr, _eq, _hash
    made.__setattr__, made.__delattr__ = _refuse, _refuse
    return made


def _init_of(cls: Any) -> Callable[..., None]:
    all_fields = fields(cls)
    names = [field.name for field in all_fields]
    known = frozenset(names)
    defaults = {field.name: field.default for field in all_fields if field.default is not MISSING}
    makers = [(field.name, field.default_factory) for field in all_fields if field.default_factory is not MISSING]

    def init(self: Any, *args: Any, **given: Any) -> None:
        values = {**defaults, **dict(zip(names, args, strict=False)), **given} if args else {**defaults, **given}
        for name, make in makers:
            if name not in values:
                values[name] = make()
        twice = [name for name in names[: len(args)] if name in given] if args else []
        if values.keys() != known or len(args) > len(names) or twice:
            missing, unknown = [name for name in names if name not in values], [*(given.keys() - known)]
            raise TypeError(f"{cls.__qualname__}: {len(args)} by position; {missing=}, {unknown=}, {twice=}")
        self.__dict__.update(values)

    return init


def _values(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in record.__match_args__)


def _repr(self: Any) -> str:
    pairs = zip(self.__match_args__, _values(self), strict=True)
    return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"


def _eq(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(_self: Any, name: str, *_value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[Any], Any]:
        """Like `dataclasses.dataclass(frozen=True)`, for fields that differ in their defaults only."""
        return _record
