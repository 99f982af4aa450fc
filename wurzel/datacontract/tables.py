"""Parts that hold a table: Parquet with deterministic bytes. Imported only where a contract is a dataframe."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.errors import SchemaError, SchemaErrors

from wurzel.datacontract.codec import Codec, Encoded, short
from wurzel.datacontract.difference import article
from wurzel.datacontract.roundtrip import same_value
from wurzel.exceptions import ContractFailedException

_SHOWN = 5
_VERSIONS = ("creator", "pandas_version", "attributes")


class TableCodec(Codec):
    """One table per part. An index is kept when the contract declares one; otherwise rows are numbered anew."""

    suffix = ".parquet"

    def __init__(self, contract: Any) -> None:
        self.contract = contract
        schema = contract.to_schema()
        self._keeps_index = schema.index is not None
        parts = [schema, *schema.columns.values()]
        self._changes = any(getattr(part, "coerce", False) or getattr(part, "parsers", None) for part in parts)
        """Whether validation may change a table, and so might change it again when it is read."""

    def encode(self, value: Any) -> Encoded:
        """See `Codec`."""
        if not isinstance(value, pd.DataFrame) or not type(value).__module__.startswith(("pandas", "pandera")):
            kind = "None" if value is None else article(type(value))
            raise ContractFailedException(f"it is {kind}, not a DataFrame")
        if twice := list(value.columns[value.columns.duplicated()]):
            raise ContractFailedException(f"field {twice[0]!r}: there are several columns of this name")
        table = self._validated(value)
        encoded = to_parquet(table, self._keeps_index)
        if self._changes and (difference := _between(table, self._validated(from_parquet(encoded.data)))):
            raise ContractFailedException(difference)
        return encoded

    def decode(self, data: bytes) -> Any:
        """See `Codec`."""
        return self._validated(from_parquet(data))

    def join(self, values: Iterable[Any]) -> Any:
        """See `Codec`."""
        return joined(list(values), self._keeps_index)

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """See `Codec`."""
        rows = value.iloc[start:stop]
        return rows if self._keeps_index else rows.reset_index(drop=True)

    def _validated(self, frame: pd.DataFrame) -> pd.DataFrame:
        try:
            checked = self.contract.validate(frame, lazy=True)
        except (SchemaErrors, SchemaError) as error:
            raise ContractFailedException(_problems(error)) from None
        except Exception as error:  # the author's own checks and parsers may raise anything
            raise ContractFailedException(
                f"validating it raised {type(error).__name__}: {short(str(error))}"
            ) from error
        table: pd.DataFrame = checked if self._keeps_index else checked.reset_index(drop=True)
        return table


def to_parquet(frame: pd.DataFrame, keeps_index: bool) -> Encoded:
    """A table as Parquet, without the versions of the libraries that wrote it.

    Raises:
        ContractFailedException: when Parquet cannot store it, or another table would be read back.
    """
    try:
        table = pa.Table.from_pandas(frame, preserve_index=keeps_index, nthreads=1)
        about = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
        kept = {key: value for key, value in about.items() if key not in _VERSIONS}
        sink = pa.BufferOutputStream()
        metadata = {b"pandas": json.dumps(kept, sort_keys=True).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise ContractFailedException(f"it cannot be stored as Parquet: {' '.join(map(str, error.args))}") from None
    data = sink.getvalue().to_pybytes()
    try:
        difference = _between(frame, from_parquet(data))
    except pa.ArrowException as error:
        reason = str(error).partition("\n")[0]
        raise ContractFailedException(f"it could not be read back from Parquet: {reason}") from None
    if difference:
        raise ContractFailedException(difference)
    return Encoded(data, len(frame))


def _between(returned: pd.DataFrame, read: pd.DataFrame) -> str:
    """The first difference between a table and what reads back, in words; '' for none."""
    mine, theirs = list(returned.columns), list(read.columns)
    if repr(mine) != repr(theirs) or returned.columns.names != read.columns.names:
        return f"the names of its columns, {short(mine)}, would be read back as {short(theirs)}"
    if len(returned) != len(read):
        return f"it has {len(returned)} rows, but would be read back with {len(read)}"
    if not returned.index.equals(read.index) or returned.index.names != read.index.names:
        return f"its index, {short(list(returned.index[:3]))}, would be read back as {short(list(read.index[:3]))}"
    for name in returned.columns:
        if found := _between_columns(str(name), returned[name], read[name]):
            return found
    return ""


def _same_dtype(mine: Any, theirs: Any, *, empty: bool) -> bool:
    # A table without rows loses its categories, which no value needs.
    if isinstance(mine, pd.CategoricalDtype) and isinstance(theirs, pd.CategoricalDtype):
        return mine.ordered == theirs.ordered and (empty or list(mine.categories) == list(theirs.categories))
    return bool(mine == theirs)


def _between_columns(name: str, returned: Any, read: Any) -> str:
    if not _same_dtype(returned.dtype, read.dtype, empty=not len(returned)):
        return f"field {name!r} is of the dtype {returned.dtype!r}, but would be read back as {read.dtype!r}"
    if returned.dtype != object and not isinstance(returned.dtype, pd.CategoricalDtype):
        return "" if returned.equals(read) else f"field {name!r} would be read back with other values"
    for row, pair in enumerate(zip(returned, read, strict=True)):
        if difference := same_value(*pair):
            return difference.within(name).told(f"item {row}")
    return ""


def from_parquet(data: bytes) -> pd.DataFrame:
    """The table in Parquet bytes; nested values come as lists and dicts, texts in a column of objects as objects."""
    table = pq.read_table(pa.BufferReader(data))
    frame: pd.DataFrame = table.to_pandas()
    about = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    objects = {column["field_name"] for column in about.get("columns", ()) if column["numpy_type"] == "object"}
    for column in table.schema:
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if column.name in frame and (pa.types.is_nested(column.type) or (is_text and column.name in objects)):
            frame[column.name] = pd.Series(table[column.name].to_pylist(), index=frame.index, dtype=object)
    return frame


def joined(frames: list[pd.DataFrame], keeps_index: bool) -> pd.DataFrame:
    """Tables below each other."""
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=not keeps_index)


def merge_parquet(parts: Iterable[bytes]) -> Encoded:
    """Several Parquet parts as one; the same bytes as if their tables had been written as one."""
    frames = [from_parquet(part) for part in parts]
    keeps_index = not isinstance(frames[0].index, pd.RangeIndex)
    return to_parquet(joined(frames, keeps_index), keeps_index)


def _problems(error: SchemaErrors | SchemaError) -> str:
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame):
        return str(error)
    lines = []
    for case in cases.head(_SHOWN).to_dict(orient="records"):
        index = case.get("index")
        if case.get("check") == "column_in_dataframe":
            lines.append(f"field {case.get('failure_case')!r}: the column is missing")
            continue
        row = "" if index is None or pd.isna(index) else f"item {int(index) if isinstance(index, float) else index}"
        column = case.get("column")
        place = ", ".join(text for text in (row, f"field {column!r}" if column else "") if text)
        lines.append(f"{place or 'the table'}: {case.get('check')}, not {short(case.get('failure_case'))}")
    if len(cases) > _SHOWN:
        lines.append(f"and {len(cases) - _SHOWN} more")
    return "\n  ".join(lines)
