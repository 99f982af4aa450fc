"""Columns of a table that are known to read back from Parquet as they are, without reading them.

Reading a table back and comparing it costs several times what writing it costs. For most columns the type decides: a
column of integers stays one. For objects, the classes of the values decide, with the type that Arrow gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from functools import partial
from itertools import chain
from operator import attrgetter, countOf, itemgetter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from wurzel.named_tuples import NamedTuple

_EXTENSIONS = (
    *(pd.Int8Dtype, pd.Int16Dtype, pd.Int32Dtype, pd.Int64Dtype, pd.Float32Dtype, pd.Float64Dtype),
    *(pd.UInt8Dtype, pd.UInt16Dtype, pd.UInt32Dtype, pd.UInt64Dtype, pd.BooleanDtype, pd.StringDtype),
)
_UNITS = ("ms", "us", "ns")
"""Of time stamps that Parquet has; it stores seconds as milliseconds."""
_HALF = 2
_NONE = type(None)
_LEAVES: dict[type, pa.DataType | None] = {
    str: pa.string(),
    bytes: pa.binary(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    date: pa.date32(),
    time: pa.time64("us"),
    Decimal: None,
    _NONE: pa.null(),
}
"""What Arrow stores values of a class as; the type of decimals depends on their digits."""

_DAYS_AND_TIMES = (_LEAVES[date], _LEAVES[time])

_ZONE, _FOLD = attrgetter("tzinfo"), attrgetter("fold")


def _times_lose(values: Callable[[], Iterable[Any]]) -> bool:
    return any(map(_ZONE, values())) or any(map(_FOLD, values()))


def _decimals_lose(values: Callable[[], Iterable[Any]]) -> bool:
    return any(value.is_signed() for value in values() if not value)


_LOST: dict[Any, Callable[[Callable[[], Iterable[Any]]], bool]] = {time: _times_lose, Decimal: _decimals_lose}
"""Whether some values have what Arrow drops: zones and folds of times, the sign of a zero."""


class Kind(NamedTuple):
    """Values that are all of one class, or `None`, at every depth."""

    stored: pa.DataType | None
    """What Arrow stores them as, where the class alone decides that."""
    empty: int | None
    """How many of them are `None`: if Arrow has more, NaN was stored as no value. Not counted where NaN cannot be."""
    within: tuple[Kind, ...] = ()
    """The kind of the items of lists, or of each field of mappings."""
    names: tuple[str, ...] = ()
    """The fields of mappings."""
    column: Any = None
    """A column of them as Arrow has it, where making it from the list that was looked at is quicker."""


def kinds_of(frame: pd.DataFrame) -> dict[Any, Kind]:
    """The kind of each column of objects that has one; quick, as each class is looked at once for all values."""
    found = {}
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if not is_object(column.dtype):
            continue
        values = column.to_numpy().tolist()
        if kind := _kind(values.__iter__):
            # Of a list, Arrow makes it in half the time, which is what looking at the classes takes.
            stored = pa.array(values, kind.stored) if kind.stored in _DAYS_AND_TIMES else None
            found[name] = kind._replace(column=stored)
    return found


class Doubt(NamedTuple):
    """What must be read back and compared."""

    names: list[str]
    """Columns."""
    labels: bool
    """The index, even if no column must be."""


def doubtful(frame: pd.DataFrame, table: pa.Table, empty: pd.DataFrame, kinds: Mapping[Any, Kind]) -> Doubt | None:
    """What must be read back and compared; `None` for everything.

    `empty` is what a table of the same schema, but without rows, is once it has been read back.
    """
    names = list(frame.columns)
    if not all(isinstance(name, str) and "." not in name for name in names):
        return None  # a dot selects a part of a column where Parquet is read
    if names != list(empty.columns) or frame.columns.names != empty.columns.names:
        return None
    found = []
    for name, dtype, stored, read in zip(names, frame.dtypes, table.columns, empty.dtypes, strict=False):
        if not (_is_kept(stored, kinds[name]) if name in kinds else _is_simple(dtype)):
            found.append(name)
        elif dtype != read:
            return None
    return Doubt(found, len(table.columns) > len(names) and not _index_is_known(frame, empty))


def _index_is_known(frame: pd.DataFrame, empty: pd.DataFrame) -> bool:
    """Whether the index reads back as it is, as far as `empty` tells, which is the table without rows."""
    mine, theirs = frame.index, empty.index
    return bool(mine.names == theirs.names and _is_simple(mine.dtype) and mine.dtype == theirs.dtype)


def is_object(dtype: Any) -> bool:
    """Whether values of a column type are Python objects."""
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _is_simple(dtype: Any) -> bool:
    """Whether Arrow and Parquet can store every value of a column type without loss."""
    if isinstance(dtype, pd.DatetimeTZDtype):
        return dtype.unit in _UNITS
    if not isinstance(dtype, np.dtype):
        return isinstance(dtype, _EXTENSIONS)
    if dtype.kind == "M":
        return np.datetime_data(dtype)[0] in _UNITS
    return dtype.kind in "iub" or (dtype.kind == "f" and dtype.itemsize > _HALF)


def _kind(values: Callable[[], Iterable[Any]]) -> Kind | None:
    """The kind of values, in as few passes as possible: each takes 10 ns a value."""
    some = {*map(type, values())}
    first = next(iter(some - {_NONE}), _NONE)
    if not some <= {first, _NONE}:
        return None
    if first in _LOST and _LOST[first](_filled(values, some).__iter__ if _NONE in some else values):
        return None
    if first in {float, Decimal}:
        return Kind(_LEAVES[first], countOf(map(type, values()), _NONE) if _NONE in some else 0)
    if first in _LEAVES:
        return Kind(_LEAVES[first], None)
    if first not in {list, dict}:
        return None
    filled = _filled(values, some)
    return _lists(filled) if first is list else _mappings(filled)


def _filled(values: Callable[[], Iterable[Any]], classes: Collection[type]) -> list[Any]:
    """The values that are not `None`, as far as their classes say that there are others."""
    return [value for value in values() if value is not None] if _NONE in classes else [*values()]


def _lists(values: list[list[Any]]) -> Kind | None:
    inner = _kind(partial(chain.from_iterable, values))
    if inner is None:
        return None
    return Kind(None if inner.stored is None else pa.list_(inner.stored), None, (inner,))


def _mappings(values: list[dict[Any, Any]]) -> Kind | None:
    names = tuple(values[0])
    if not names or countOf(map(len, values), len(names)) != len(values) or not {str}.issuperset(map(type, names)):
        return None
    fields = []
    for name in names:
        try:
            inner = _kind(partial(map, itemgetter(name), values))
        except KeyError:  # not all have the same keys
            return None
        if inner is None:
            return None
        fields.append(inner)
    types = [inner.stored for inner in fields]
    stored = None if None in types else pa.struct(list(zip(names, types, strict=True)))
    return Kind(stored, None, tuple(fields), names)


def _is_kept(stored: Any, kind: Kind) -> bool:
    """Whether Arrow has a value wherever there is one, of a type that reads back as the class of the values."""
    if kind.empty is not None and stored.null_count != kind.empty:
        return False
    if kind.names:
        if not pa.types.is_struct(stored.type) or tuple(field.name for field in stored.type) != kind.names:
            return False
        filled = stored.drop_null() if stored.null_count else stored
        return all(_is_kept(pc.struct_field(filled, [at]), inner) for at, inner in enumerate(kind.within))
    if kind.within:
        return pa.types.is_list(stored.type) and _is_kept(pc.list_flatten(stored), kind.within[0])
    return bool(pa.types.is_decimal(stored.type) if kind.stored is None else stored.type == kind.stored)
