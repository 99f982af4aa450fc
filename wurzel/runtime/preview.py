"""What is in a dataset, for people: its items as plain values, without the classes that wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.manifest import AGAIN
from wurzel.exceptions import DatasetError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Part
    from wurzel.datacontract.opening import Dataset

VALUE = "value"
"""Column of items that are not objects."""


class Column(NamedTuple):
    """A field of the items."""

    name: str
    types: tuple[str, ...]
    """JSON types, the most frequent first; `null` is counted apart."""
    present: int
    """Items that have a value that is not null."""
    missing: int
    """Items where it is null or absent."""


def is_files(dataset: Dataset) -> bool:
    """Whether the dataset consists of files or folders that a step wrote."""
    return bool(dataset.manifest.folders) or any(part.ordinal is not None for part in dataset.parts)


def items(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """The items or rows in order, as JSON values by field, each part verified. Raises `DatasetError` for a bad one."""
    for part in dataset.parts:
        for item in table_rows(part.read()) if part.path.suffix == ".parquet" else _json(part):
            yield item if isinstance(item, dict) else {VALUE: item}


def chosen(dataset: Dataset, head: int | None, sample: int | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Items with their numbers, counted from 0: the first ones, or some at equal distances.

    All of them without `head`; `sample` is how many at equal distances, in place of the first.
    """
    numbered = enumerate(items(dataset))
    if sample is None:
        yield from islice(numbered, head)
        return
    total = dataset.items
    wanted = {number * total // sample for number in range(sample)} if sample < total else None
    yield from ((number, item) for number, item in numbered if wanted is None or number in wanted)


def columns(dataset: Dataset) -> list[Column]:
    """The fields of all items, in the order in which they first appear."""
    types: dict[str, Counter[str]] = {}
    count = 0
    for item in items(dataset):
        count += 1
        for name, value in item.items():
            types.setdefault(name, Counter())[_type(value)] += 1
    found = []
    for name, seen in types.items():
        present = sum(number for kind, number in seen.items() if kind != "null")
        kinds = tuple(kind for kind, _ in seen.most_common() if kind != "null")
        found.append(Column(name, kinds, present, count - present))
    return found


class Changes(NamedTuple):
    """Items that only one of two datasets has, each in its dataset's order."""

    removed: list[Any]
    added: list[Any]
    same: int
    """Items that both have."""


def changes(before: Dataset, after: Dataset) -> Changes:
    """What differs between two datasets, wherever an item stands; of files, their names and digests count."""
    old, new = ([json_of(item) for item in _compared(dataset)] for dataset in (before, after))
    added = list(_without(new, old))
    return Changes(list(_without(old, new)), added, len(new) - len(added))


def _without(texts: Iterable[str], others: Iterable[str]) -> Iterator[str]:
    """Texts that the others do not have as well; of equal ones, the first have a counterpart."""
    left = Counter(others)
    for text in texts:
        if left[text] <= 0:
            yield text
        left[text] -= 1


def _compared(dataset: Dataset) -> Iterator[Any]:
    if is_files(dataset):
        return ({"file": part.name, "bytes": part.size, "sha256": part.sha256} for part in dataset.parts)
    return items(dataset)


def _json(part: Part) -> Iterator[Any]:
    from pydantic_core import from_json

    try:
        found = from_json(part.read())
    except ValueError as error:
        raise DatasetError(f"is damaged: {error}", where=str(part.path), hint=AGAIN) from None
    return iter(found if isinstance(found, list) else [found])


def table_rows(content: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file as plain values. Raises `ValueError` or `OSError` if it is damaged."""
    import io

    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(io.BytesIO(content)) as file:
        for batch in file.iter_batches(batch_size=1000):
            yield from batch.to_pylist()


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object"}


def _type(value: Any) -> str:
    if value is None:
        return "null"
    return _TYPES.get(type(value), type(value).__name__)


def text_of(value: Any) -> str:
    """A value on one line; text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list) or value is None or isinstance(value, bool | int | float):
        return json_of(value)
    return str(value)


def json_of(value: Any) -> str:
    """A value as JSON on one line; bytes in a table are in base64."""
    from pydantic_core import to_json

    return to_json(value, fallback=str, inf_nan_mode="constants", bytes_mode="base64").decode()
