"""Parts that hold a table: Parquet with deterministic bytes. Imported only where a contract is a dataframe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandera.engines import numpy_engine, pandas_engine
from pandera.errors import SchemaError, SchemaErrors
from pyarrow import ArrowException

from wurzel.datacontract import parquet
from wurzel.datacontract.codec import Codec, Encoded, Piece, Unit, short
from wurzel.datacontract.difference import article
from wurzel.datacontract.parquet import difference_between, from_parquet, joined, to_parquet
from wurzel.exceptions import ContractFailedException

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Part
    from wurzel.datacontract.opening import Dataset

_SHOWN = 5
_SETTLED = {
    numpy_engine.DataType.coerce,
    pandas_engine.DataType.coerce,
    pandas_engine.NpString.coerce,
    pandas_engine.Category.coerce,
    pandas_engine.DateTime.coerce,
}
"""What coerces values to a type of pandas or numpy, and so leaves alone what has that type."""


class TableCodec(Codec):
    """One table for each call. An index is kept when the contract declares one; otherwise rows are renumbered."""

    suffix = ".parquet"

    def __init__(self, contract: Any) -> None:
        self.contract = contract
        schema = contract.to_schema()
        self._schema = schema
        self._keeps_index = schema.index is not None
        self._last: tuple[Path, pd.DataFrame] | None = None
        """The table that was read last, for the next portion of it."""
        self._changes = _may_change(schema)
        """Whether validation might change again what it has changed before, when the table is read."""

    def encode(self, value: Any) -> Encoded:
        """See `Codec`; for a table that fits in one part."""
        (part,) = self.encoded(value)
        return part

    def encoded(self, value: Any) -> Iterator[Encoded]:
        """The parts of what a call of `run` gave. Raises `ContractFailedException` if it breaks the contract."""
        if not isinstance(value, pd.DataFrame) or not type(value).__module__.startswith(("pandas", "pandera")):
            how = "Return table.to_pandas()." if hasattr(value, "to_pandas") else ""
            raise ContractFailedException(f"it is {_origin(value)}, not a DataFrame of pandas", hint=how)
        if (names := value.columns.map(str)).has_duplicates:  # Parquet names columns by texts
            twice = names[names.duplicated()][0]
            raise ContractFailedException(f"field {twice!r}: there are several columns of this name")
        checked = self._checked(value)
        self._check_index(checked)
        table = self._numbered(checked)
        if self._changes and (difference := difference_between(table, self._validated(table))):
            raise ContractFailedException(difference)
        yield from to_parquet(table, self._keeps_index)

    def decode(self, data: bytes) -> Any:
        """See `Codec`."""
        try:
            frame = from_parquet(data)
        except ArrowException as error:
            raise ContractFailedException(f"a table in Parquet was expected: {short(str(error))}") from error
        return self._validated(frame)

    def units(self, dataset: Dataset) -> Sequence[Unit]:
        """See `Codec`; a table goes on where a part is full."""
        found: list[list[Part]] = []
        full = False
        for part in dataset.parts:
            if full:
                found[-1].append(part)
            else:
                found.append([part])
            full = part.items == parquet.MOST_ROWS
        return [Unit(parts[0].path, tuple(parts), sum(part.items for part in parts)) for parts in found]

    def read(self, pieces: Sequence[Piece]) -> Any:
        """See `Codec`."""
        return joined([self._table(piece) for piece in pieces], self._keeps_index) if pieces else self._empty()

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """See `Codec`."""
        rows = value.iloc[start:stop]
        return rows if self._keeps_index else rows.reset_index(drop=True)

    def _table(self, piece: Piece) -> pd.DataFrame:
        rows = piece.unit
        if self._last is not None and self._last[0] == rows.path:
            return self._own(self._last[1], piece)
        frames: list[pd.DataFrame] = []
        before = after = skipped = 0
        for part in rows.parts:
            before, after = after, after + part.items
            if after <= piece.start and after != rows.items:
                skipped = after
            elif before < piece.stop or not frames:
                frames.append(from_parquet(part.read()))
        whole = len(frames) == len(rows.parts)
        try:
            table = self._validated(joined(frames, self._keeps_index), None if whole else self._columns_alone)
        except ContractFailedException as error:
            raise ContractFailedException(f"breaks its contract: {error.message}", where=str(rows.path)) from None
        if (piece.start, piece.stop) == (0, rows.items):
            return table
        if whole:
            self._last = (rows.path, table)
        return self._own(table, piece._replace(start=piece.start - skipped, stop=piece.stop - skipped))

    def _own(self, table: pd.DataFrame, piece: Piece) -> pd.DataFrame:
        """Rows of a table that may be changed without changing the table."""
        rows: pd.DataFrame = self.cut(table, piece.start, piece.stop).copy()
        return rows

    @cached_property
    def _columns_alone(self) -> Any:
        """The schema without checks: a table may pass one that some of its rows alone do not."""
        schema = deepcopy(self._schema)
        schema.checks, schema.unique = [], None
        for column in schema.columns.values():
            column.checks, column.unique = [], False
        return schema

    def _empty(self) -> pd.DataFrame:
        """A table without rows: the columns of the contract, without those that may be missing."""
        columns = {
            name: _no_values(column)
            for name, column in self._schema.columns.items()
            if column.required and not column.regex
        }
        frame = pd.DataFrame(columns)
        if not self._keeps_index:
            return frame
        levels = getattr(self._schema.index, "indexes", [self._schema.index])
        values = [pd.Index(_no_values(level), name=level.name) for level in levels]
        frame.index = values[0] if len(values) == 1 else pd.MultiIndex.from_arrays(values)
        return frame

    def _check_index(self, frame: pd.DataFrame) -> None:
        """Refuse an index that holds data, such as the keys of a `groupby`; labels of rows are numbered again."""
        index = frame.index
        named = [str(name) for name in index.names if name is not None]
        labels = not named and index.nlevels == 1 and (pd.api.types.is_integer_dtype(index.dtype) or not len(frame))
        if not self._keeps_index and not labels:
            which = f" {', '.join(named)}" if named else f", {short(list(index[:3]))},"
            raise ContractFailedException(
                f"its index{which} would be lost, since the contract declares none",
                hint="Make columns of it with reset_index(), or drop it with reset_index(drop=True).",
            )

    def _validated(self, frame: pd.DataFrame, schema: Any = None) -> pd.DataFrame:
        return self._numbered(self._checked(frame, schema))

    def _numbered(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame if self._keeps_index else frame.reset_index(drop=True)

    def _checked(self, frame: pd.DataFrame, schema: Any = None) -> pd.DataFrame:
        try:
            checked: pd.DataFrame = (schema or self.contract).validate(frame, lazy=True)
        except (SchemaErrors, SchemaError) as error:
            raise ContractFailedException(_problems(error)) from None
        except Exception as error:  # the author's own checks and parsers may raise anything
            raise ContractFailedException(
                f"validating it raised {type(error).__name__}: {short(str(error))}"
            ) from error
        return checked


def _origin(value: Any) -> str:
    """The class of a value, and the library it comes from where other libraries have one of that name."""
    if value is None or type(value).__name__ != "DataFrame":
        return "None" if value is None else article(type(value))
    return f"a DataFrame of {type(value).__module__.partition('.')[0]}"


def _may_change(schema: Any) -> bool:
    index = schema.index
    parts = [schema, *schema.columns.values(), *([] if index is None else getattr(index, "indexes", [index]))]
    if any(getattr(part, "parsers", None) for part in parts):
        return True
    coerced = [part.dtype for part in parts if part.dtype is not None and (schema.coerce or part.coerce)]
    return not all(type(dtype).coerce in _SETTLED for dtype in coerced)


def _no_values(column: Any) -> pd.Series[Any]:
    """No values of the type of a column; of any where the contract names none."""
    empty = pd.Series([], dtype=object)
    return empty if column.dtype is None else pd.Series(column.dtype.coerce(empty))


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
