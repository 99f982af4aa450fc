"""What turns values into the bytes of parts, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import shortened
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.datacontract.manifest import Empty, Part
    from wurzel.datacontract.opening import Dataset

_LONGEST = 80


class Encoded(NamedTuple):
    """A part ready to be written."""

    data: bytes
    items: int


class Unit(NamedTuple):
    """What a dataset is read in: a part of items, the parts of a table, or all files of a `File` or `Folder`."""

    path: Path
    """Where it is; of several parts, the first."""
    parts: tuple[Part, ...]
    items: int
    """Items or rows; one for a `File` or `Folder`."""
    empty: tuple[Empty, ...] = ()
    """Empty folders in it."""

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)


class Piece(NamedTuple):
    """Items `start` to `stop` of a part; `single` where it is the part of one item, without a list around it."""

    unit: Unit
    start: int
    stop: int
    single: bool


class Codec:
    """Turns what `run` returns into the bytes of parts, and back."""

    suffix: str

    def encode(self, value: Any) -> Encoded:
        """The bytes of one part; ContractFailedException when the value breaks the contract."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """The value of one part; ContractFailedException when it breaks the contract."""
        raise NotImplementedError

    def units(self, dataset: Dataset) -> Sequence[Unit]:
        """What a dataset is read in; each part by itself, unless a codec says otherwise."""
        return [Unit(part.path, (part,), part.items) for part in dataset.parts]

    def read(self, pieces: Sequence[Piece]) -> Any:
        """What `run` takes for the items of some pieces; the empty value of its type where there are none.

        Raises `DatasetError` when a part is damaged, `ContractFailedException` when an item breaks the contract.
        """
        raise NotImplementedError

    def batches(self, piece: Piece) -> Iterator[list[Any]]:
        """The items of a piece, some at a time; errors as `read`."""
        raise NotImplementedError

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """Some items of a value that `read` gave."""
        return value[start:stop]


def framed(lines: Iterable[bytes]) -> bytes:
    """The bytes of a part with these items, each on its own line."""
    body = b",\n".join(lines)
    return b"[\n" + body + b"\n]\n" if body else b"[]\n"


def short(value: Any) -> str:
    """A value on one line, cut when it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - the author's own __repr__ may do anything
        text = object.__repr__(value)
    return shortened(text, _LONGEST)


def place(item: str, path: Sequence[str | int]) -> str:
    """Where something is: `item 3, field 'pages[0].text'`; numbers at the start lead into an item that is a list."""
    rest = list(path)
    while rest and isinstance(rest[0], int):
        item += f"[{rest.pop(0)}]"
    if not rest:
        return item
    first, *more = rest
    name = str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in more)
    return f"{item}, field {name!r}" if item else f"field {name!r}"
