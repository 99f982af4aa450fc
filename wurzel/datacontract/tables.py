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
from wurzel.exceptions import ContractFailedException

_SHOWN = 5
_VERSIONS = ("creator", "pandas_version", "attributes")


class TableCodec(Codec):
    """One table per part. An index is kept when the contract declares one; otherwise rows are numbered anew."""

    suffix = ".parquet"

    def __init__(self, contract: Any) -> None:
        self.contract = contract
        self._keeps_index = contract.to_schema().index is not None

    def encode(self, value: Any) -> Encoded:
        """See `Codec`."""
        if not isinstance(value, pd.DataFrame):
            kind = "None" if value is None else f"a {type(value).__name__}"
            raise ContractFailedException(f"it is {kind}, not a DataFrame")
        return to_parquet(self._validated(value), self._keeps_index)

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
        table: pd.DataFrame = checked if self._keeps_index else checked.reset_index(drop=True)
        return table


def to_parquet(frame: pd.DataFrame, keeps_index: bool) -> Encoded:
    """A table as Parquet, without the versions of the libraries that wrote it."""
    try:
        table = pa.Table.from_pandas(frame, preserve_index=keeps_index, nthreads=1)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ContractFailedException(f"it cannot be stored as Parquet: {' '.join(map(str, error.args))}") from None
    about = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    kept = {key: value for key, value in about.items() if key not in _VERSIONS}
    sink = pa.BufferOutputStream()
    metadata = {b"pandas": json.dumps(kept, sort_keys=True).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return Encoded(sink.getvalue().to_pybytes(), len(frame))


def from_parquet(data: bytes) -> pd.DataFrame:
    """The table in Parquet bytes; nested values come as lists and dicts."""
    table = pq.read_table(pa.BufferReader(data))
    frame: pd.DataFrame = table.to_pandas()
    for column in table.schema:
        if pa.types.is_nested(column.type):
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
