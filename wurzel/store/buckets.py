"""What a store is kept in: a folder; buckets of object stores have the same methods."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wurzel.named_tuples import NamedTuple


class Item(NamedTuple):
    """One object in a bucket."""

    key: str
    size: int
    modified: datetime
    """On the server's clock, in UTC."""


class Bucket(Protocol):
    """Objects by key. All methods may be called from several threads, and raise `StoreError`."""

    width: int
    """Requests that are worth making side by side."""

    def get(self, key: str) -> bytes | None:
        """A small object; `None` when there is none."""
        found = self.dated(key)
        return None if found is None else found[0]

    def dated(self, key: str) -> tuple[bytes, datetime] | None:
        """A small object, and when it was written on the server's clock, in UTC; `None` when there is none."""

    def stream(self, key: str, size: int) -> Iterator[bytes]:
        """An object of this size, in pieces; it may turn out shorter or longer. Raises `FileNotFoundError`."""

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """Write a small object, as a whole or not at all; False when it was to be created and there is another one."""

    def put_file(self, key: str, path: Path, digest: str) -> None:
        """Write an object from a regular file with this sha256, as a whole or not at all."""

    def head(self, key: str) -> Item | None:
        """What is known of an object; `None` when there is none."""

    def sizes(self, prefix: str, keys: Collection[str]) -> Mapping[str, int]:
        """The sizes of those of these objects that exist; all their keys start with a prefix that ends in `/`."""

    def list(self, prefix: str) -> Iterator[Item]:
        """All objects whose keys start with a prefix that ends in `/`, sorted by key."""

    def folders(self, prefix: str) -> Sequence[str]:
        """What keys have between a prefix, which ends in `/` or is empty, and the next `/`: sorted, each once."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there count as removed."""

    def discard(self, items: Iterable[Item]) -> Sequence[Item]:
        """Remove those of these objects that were not written again since they were listed; gives those removed."""

    def sync(self) -> None:
        """Have on the disk what has been written, where that is not so by itself."""
