"""Columns of a table that are known to read back from Parquet as they are, without reading them.

Reading a table back and comparing it costs several times what writing it costs. For most columns the type decides: a
column of integers stays one. For objects, the classes of the values decide, with the type that Arrow gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from itertools import chain
from operator import countOf, itemgetter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_EXTENSIONS = (
    *(pd.Int8Dtype, pd.Int16Dtype, pd.Int32Dtype, pd.Int64Dtype, pd.Float32Dtype, pd.Float64Dtype),
    *(pd.UInt8Dtype, pd.UInt16Dtype, pd.UInt32Dtype, pd.UInt64Dtype, pd.BooleanDtype, pd.StringDtype),
)
_UNITS = ("ms", "us", "ns")
"""Of time stamps that Parquet has; it stores seconds as milliseconds."""
_HALF = 2
_LEAVES: dict[type, Callable[[pa.DataType], bool]] = {
    str: lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    bytes: lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
    bool: pa.types.is_boolean,
    int: pa.types.is_int64,
    float: pa.types.is_float64,
    date: pa.types.is_date32,
}


def doubtful(frame: pd.DataFrame, table: pa.Table, empty: pd.DataFrame) -> list[str] | None:
    """Names of the columns that must be read back and compared, with the index; `None` for everything.

    `empty` is what a table of the same schema, but without rows, is once it has been read back.
    """
    names = list(frame.columns)
    if not all(isinstance(name, str) and "." not in name for name in names):
        return None  # a dot selects a part of a column where Parquet is read
    if names != list(empty.columns) or frame.columns.names != empty.columns.names:
        return None
    found = []
    for position, (name, read) in enumerate(zip(names, empty.dtypes, strict=True)):
        if not _is_known(frame[name], table.column(position)):
            found.append(name)
        elif frame[name].dtype != read:
            return None
    return found


def index_is_known(frame: pd.DataFrame, empty: pd.DataFrame) -> bool:
    """Whether the index reads back as it is, as far as `empty` tells, which is the table without rows."""
    mine, theirs = frame.index, empty.index
    return bool(mine.names == theirs.names and _is_simple(mine.dtype) and mine.dtype == theirs.dtype)


def _is_known(column: Any, stored: Any) -> bool:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "O":
        return _proven(column.to_numpy().tolist().__iter__, stored)
    return _is_simple(column.dtype)


def _is_simple(dtype: Any) -> bool:
    """Whether Arrow and Parquet can store every value of a column type without loss."""
    if isinstance(dtype, pd.DatetimeTZDtype):
        return dtype.unit in _UNITS
    if not isinstance(dtype, np.dtype):
        return isinstance(dtype, _EXTENSIONS)
    if dtype.kind == "M":
        return np.datetime_data(dtype)[0] in _UNITS
    return dtype.kind in "iub" or (dtype.kind == "f" and dtype.itemsize > _HALF)


def _proven(values: Callable[[], Iterable[Any]], stored: Any) -> bool:
    """Whether Python objects are of exactly the classes that their Arrow array reads back as, at every depth.

    Each class is looked at once for every value, and nothing is done that takes longer.
    """
    nothing, empty = type(None), stored.null_count
    kind = next((kind for kind in map(type, values()) if kind is not nothing), nothing)
    if empty and countOf(map(type, values()), nothing) != empty:
        return False  # NaN is stored as no value
    if kind is not nothing and countOf(map(type, values()), kind) != len(stored) - empty:
        return False
    if kind is nothing or kind in _LEAVES:
        return kind is nothing or _LEAVES[kind](stored.type)
    if empty:
        values, stored = [value for value in values() if value is not None].__iter__, stored.drop_null()
    if kind is list:
        flat = partial(chain.from_iterable, [*values()])
        return _is_list(stored.type) and _proven(flat, pc.list_flatten(stored))
    return kind is dict and _proven_fields([*values()], stored)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _proven_fields(values: list[dict[Any, Any]], stored: Any) -> bool:
    if not pa.types.is_struct(stored.type):
        return False
    names = [field.name for field in stored.type]
    if countOf(map(len, values), len(names)) != len(values):
        return False
    try:
        return all(
            _proven(partial(map, itemgetter(name), values), pc.struct_field(stored, [number]))
            for number, name in enumerate(names)
        )
    except KeyError:  # not all have the same keys
        return False
