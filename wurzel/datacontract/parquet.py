"""Tables as Parquet, with bytes that depend on the data alone, and tables put together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wurzel.datacontract.codec import Encoded, short
from wurzel.datacontract.columns import Doubt, Kind, doubtful, is_object, kinds_of
from wurzel.datacontract.roundtrip import same_value
from wurzel.exceptions import ContractFailedException

MOST_ROWS = 1 << 20
"""Rows in a part."""
_UNSUITABLE = (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError)
"""What Arrow and pandas raise for values or types that Parquet does not have."""
_VERSIONS = ("creator", "pandas_version", "attributes")


def to_parquet(frame: pd.DataFrame, keeps_index: bool) -> Iterator[Encoded]:
    """A table as one or more parts of at most `MOST_ROWS` rows, all with the types of the whole table.

    They are written without the versions of the libraries that wrote them. A column that has no values in one part, or
    other categories, has the same type there as in the others. Raises `ContractFailedException` when Parquet cannot
    store it, or another table would be read back.
    """
    if len(frame) and not len(frame.columns) and not keeps_index:
        raise ContractFailedException(f"it has {len(frame)} rows, but no columns")
    kinds = kinds_of(frame)
    with _explained(frame):
        table = _table(frame, kinds, keeps_index)
        doubt = doubtful(frame, table, _empty(table.schema.serialize().to_pybytes()), kinds)
    if len(frame) <= MOST_ROWS:
        yield _part(frame, table, doubt)
        return
    for start in range(0, len(frame), MOST_ROWS):
        rows = frame.iloc[start : start + MOST_ROWS]
        yield _part(rows if keeps_index else rows.reset_index(drop=True), table.slice(start, MOST_ROWS), doubt, start)


def _table(frame: pd.DataFrame, kinds: Mapping[Any, Kind], keeps_index: bool) -> Any:
    table = None
    if not keeps_index and any(kind.within or kind.column is not None for kind in kinds.values()):
        table = _typed_table(frame, kinds)
    if table is None:
        table = pa.Table.from_pandas(frame, preserve_index=keeps_index, nthreads=1)
    table = table.cast(pa.schema(map(_as_read, table.schema), table.schema.metadata))
    about = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    kept = {key: value for key, value in about.items() if key not in _VERSIONS}
    return table.replace_schema_metadata({b"pandas": json.dumps(kept, sort_keys=True).encode()})


def _as_read(field: Any) -> Any:
    """A column with the type that it has once it has been read: categories of texts are `str` then, not objects."""
    if not pa.types.is_dictionary(field.type) or not pa.types.is_string(field.type.value_type):
        return field
    return field.with_type(pa.dictionary(field.type.index_type, pa.large_string(), field.type.ordered))


def _typed_table(frame: pd.DataFrame, kinds: Mapping[Any, Kind]) -> Any:
    """The table with types that are known already: finding those of lists and mappings takes Arrow a long time.

    So does what it writes about the columns, for which it looks at all objects; here at one of each column.
    """
    schema = pa.Schema.from_pandas(frame.iloc[:0], preserve_index=False)
    rows = {0}
    for position, name in enumerate(frame.columns):
        if is_object(frame.dtypes.iloc[position]):
            kind = kinds.get(name)
            if kind is None or kind.stored is None:
                return None
            schema = schema.set(position, pa.field(str(name), kind.stored))
            objects = frame.iloc[:, position].to_numpy()
            rows.add(next((row for row, value in enumerate(objects) if value is not None), 0))
    try:
        few = pa.Table.from_pandas(frame.iloc[sorted(rows)], schema.remove_metadata(), preserve_index=False)
        columns = [_column(frame.iloc[:, at], field.type, kinds) for at, field in enumerate(few.schema)]
        return pa.table(columns, few.schema)
    except (pa.ArrowException, OverflowError, KeyError):  # a number too large for its type, a name that is not a text
        return None


def _column(values: pd.Series[Any], dtype: pa.DataType, kinds: Mapping[Any, Kind]) -> Any:
    kind = kinds.get(values.name)
    return pa.array(values, dtype, from_pandas=True) if kind is None or kind.column is None else kind.column


def _part(frame: pd.DataFrame, table: Any, doubt: Doubt | None, start: int = 0) -> Encoded:
    with _explained(frame):
        data = _written(table)
    try:
        difference = _difference(frame, data, doubt, start)
    except Exception as error:  # noqa: BLE001 - Arrow raises anything, such as KeyError for an index of intervals
        reason = str(error).partition("\n")[0]
        reason = reason if isinstance(error, pa.ArrowException) else f"{type(error).__name__}: {reason}"
        raise ContractFailedException(f"it could not be read back from Parquet: {reason}") from None
    if difference:
        raise ContractFailedException(difference)
    return Encoded(data, len(frame))


def _written(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


@lru_cache(maxsize=32)
def _empty(schema: bytes) -> pd.DataFrame:
    """What a table without rows is once it has been read back; its types are those of any table of the schema."""
    return from_parquet(_written(pa.ipc.read_schema(pa.py_buffer(schema)).empty_table()))


def _difference(frame: pd.DataFrame, data: bytes, doubt: Doubt | None, start: int) -> str:
    """As `difference_between` for what is in `data`, but reads only those columns that may differ."""
    if doubt is None:
        return difference_between(frame, from_parquet(data), start)
    if not doubt.names and not doubt.labels:
        return ""
    return difference_between(frame[doubt.names], from_parquet(data, doubt.names), start)


@contextmanager
def _explained(frame: pd.DataFrame) -> Iterator[None]:
    """Turn what Arrow and pandas raise into an error that names the column, which many of them do not."""
    try:
        yield
    except _UNSUITABLE as error:
        found = next((name for name in frame.columns if not _fits(frame[[name]])), None)
        where = "it" if found is None else f"field {str(found)!r}"
        reason = str(error) if isinstance(error, UnicodeError) else " ".join(map(str, error.args))
        raise ContractFailedException(f"{where} cannot be stored as Parquet: {reason}") from None


def _fits(column: pd.DataFrame) -> bool:
    try:
        from_parquet(_written(pa.Table.from_pandas(column, preserve_index=False)))
    except _UNSUITABLE:
        return False
    return True


def difference_between(returned: pd.DataFrame, read: pd.DataFrame, start: int = 0) -> str:
    """The first difference between rows of a table, from number `start` on, and what reads back; '' for none."""
    mine, theirs = list(returned.columns), list(read.columns)
    if returned.columns.names != read.columns.names:
        return f"its columns are called {short(list(returned.columns.names))}, which would be lost"
    if repr(mine) != repr(theirs):
        return f"the names of its columns, {short(mine)}, would be read back as {short(theirs)}"
    if len(returned) != len(read):
        return f"it has {len(returned)} rows, but would be read back with {len(read)}"
    if not _same_index(returned.index, read.index):
        return f"its index, {short(list(returned.index[:3]))}, would be read back as {short(list(read.index[:3]))}"
    for name in returned.columns:
        if found := _between_columns(str(name), returned[name], read[name], start):
            return found
    return ""


def _same_index(mine: pd.Index[Any], theirs: pd.Index[Any]) -> bool:
    if not mine.equals(theirs) or mine.names != theirs.names:
        return False
    levels = [(mine.get_level_values(number), theirs.get_level_values(number)) for number in range(mine.nlevels)]
    return not any(
        same_value(*pair)
        for one, other in levels
        if is_object(one.dtype) or is_object(other.dtype)
        for pair in zip(one, other, strict=True)
    )


def _same_dtype(mine: Any, theirs: Any, *, empty: bool) -> bool:
    # A table without rows loses its categories, which no value needs.
    if isinstance(mine, pd.CategoricalDtype) and isinstance(theirs, pd.CategoricalDtype):
        return mine.ordered == theirs.ordered and (empty or list(mine.categories) == list(theirs.categories))
    return bool(mine == theirs)


def _between_columns(name: str, returned: Any, read: Any, start: int) -> str:
    if not _same_dtype(returned.dtype, read.dtype, empty=not len(returned)):
        return f"field {name!r} is of the dtype {returned.dtype!r}, but would be read back as {read.dtype!r}"
    if isinstance(returned.dtype, pd.CategoricalDtype):
        pairs = zip(returned.cat.categories, read.cat.categories, strict=False)  # an empty table loses its categories
        if (returned.cat.codes == read.cat.codes).all() and not any(same_value(*pair) for pair in pairs):
            return ""
    elif returned.dtype != object:
        return "" if returned.equals(read) else f"field {name!r} would be read back with other values"
    for row, pair in enumerate(zip(returned, read, strict=True), start):
        if difference := same_value(*pair):
            return difference.within(name).message(f"item {row}")
    return ""


def from_parquet(data: bytes, names: Sequence[str] | None = None) -> pd.DataFrame:
    """The table in Parquet bytes, or some of its columns with the index.

    Nested values come as lists and dicts, texts in a column of objects as objects.
    """
    table = pq.ParquetFile(pa.BufferReader(data)).read(names, use_pandas_metadata=names is not None)
    frame: pd.DataFrame = table.to_pandas()
    about = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    columns = {column["field_name"]: column for column in about.get("columns", ())}
    objects = {name for name, column in columns.items() if column["numpy_type"] == "object"}
    for column in table.schema:
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if column.name in frame and (pa.types.is_nested(column.type) or (is_text and column.name in objects)):
            frame[column.name] = pd.Series(table[column.name].to_pylist(), index=frame.index, dtype=object)
        is_category = columns.get(column.name, {}).get("pandas_type") == "categorical"
        if column.name in frame and is_category and not isinstance(frame[column.name].dtype, pd.CategoricalDtype):
            # Arrow keeps categories only of texts, and without any value not even these.
            ordered = bool((columns[column.name].get("metadata") or {}).get("ordered"))
            frame[column.name] = frame[column.name].astype(_categories_of(frame[column.name], ordered))
    return frame


def _categories_of(values: pd.Series[Any], ordered: bool) -> pd.CategoricalDtype:
    found = values.dropna().unique()
    return pd.CategoricalDtype(sorted(found) if len(found) else [], ordered)


def joined(frames: Sequence[pd.DataFrame], keeps_index: bool) -> pd.DataFrame:
    """Tables below each other, with the types that one table of all their rows has.

    Raises `ContractFailedException` when the categories of a column are ordered, but not in one order.
    """
    filled = [frame for frame in frames if len(frame)] or list(frames[:1])
    if len(filled) == 1:
        return filled[0]
    for name in dict.fromkeys(column for frame in filled for column in frame.columns):
        filled = _alike(filled, name)
    return pd.concat(filled, ignore_index=not keeps_index)


def _alike(frames: list[pd.DataFrame], name: Any) -> list[pd.DataFrame]:
    """Give a column one type in all tables: one without values, or with categories of its rows alone, has another."""
    dtypes = [frame[name].dtype if name in frame else None for frame in frames]
    if len({repr(dtype) for dtype in dtypes}) == 1 and not isinstance(dtypes[0], pd.CategoricalDtype):
        return frames
    known = [
        dtype for frame, dtype in zip(frames, dtypes, strict=True) if dtype is not None and frame[name].notna().any()
    ]
    categories = [dtype for dtype in known or dtypes if isinstance(dtype, pd.CategoricalDtype)]
    if categories and len(categories) == len(known or dtypes):
        wanted: Any = _categories(categories, name)
    elif known and all(dtype == known[0] for dtype in known):
        wanted = known[0]
    else:
        return frames
    return [
        frame if dtype is None or repr(dtype) == repr(wanted) else _with_type(frame, name, wanted)
        for frame, dtype in zip(frames, dtypes, strict=True)
    ]


def _with_type(frame: pd.DataFrame, name: Any, dtype: Any) -> pd.DataFrame:
    values = frame[name]
    if not isinstance(dtype, pd.CategoricalDtype) and values.notna().any():
        return frame
    try:
        return frame.assign(**{name: values.astype(dtype)}) if isinstance(name, str) else frame
    except (TypeError, ValueError):  # such as no value for whole numbers: `concat` finds what can be both
        return frame


def _categories(found: Sequence[pd.CategoricalDtype], name: Any) -> pd.CategoricalDtype:
    """The categories of several columns: sorted if they are sorted in each, otherwise in order of appearance."""
    lists = [list(dtype.categories) for dtype in found]
    if all(one == lists[0] for one in lists):
        return found[0]
    if any(dtype.ordered for dtype in found):
        raise ContractFailedException(f"field {name!r}: its categories are ordered, but differ from part to part")
    together = list(dict.fromkeys(chain.from_iterable(lists)))
    try:
        if all(one == sorted(one) for one in lists):
            together.sort()
    except TypeError:  # values of several types have no order
        pass
    return pd.CategoricalDtype(together)


def merge_parquet(parts: Iterable[bytes]) -> Iterator[Encoded]:
    """Several Parquet parts as those of one table; the same bytes as if their tables had been written as one."""
    frames = [from_parquet(part) for part in parts]
    keeps_index = not isinstance(frames[0].index, pd.RangeIndex)
    yield from to_parquet(joined(frames, keeps_index), keeps_index)
