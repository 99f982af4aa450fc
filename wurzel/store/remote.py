"""A store in a bucket of an object store: S3 and what speaks its protocol, and by the same library others."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import AlreadyExistsError, BaseError

from wurzel.exceptions import StoreSetupError
from wurzel.store.buckets import Bucket, Item
from wurzel.store.faults import Unsupported
from wurzel.store.sending import Sender
from wurzel.store.sources import checked, explained
from wurzel.store.threads import ahead, interruptible, side_by_side

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta

    from wurzel.store.clients import Clients

_PIECE = 1 << 20  # of a file, in memory
_PIECES_AHEAD = 3
_RANGE = 64 << 20  # of a file that is read by one request
_PART = 8 << 20  # of a file that is written by one request
_MOST_PARTS = 9_000  # S3: at most 10,000
_PARTS_AT_ONCE = 3
_LARGE = 1 << 20  # bytes of a file that is not sent with all others at once, since parts are in memory
_LARGE_AT_ONCE = 2
_PAGE = 1000  # S3: keys in one page of a list
_WORTH_A_PAGE = 32  # HEADs, which are sent side by side, take as long as a page, which waits for the one before
_BROKEN = 4  # connections that break one after the other within one piece


class RemoteBucket(Bucket):
    """Objects in a bucket below a prefix. A process that was forked after a request cannot use it."""

    width = 16

    def __init__(self, clients: Clients, name: str, prefix: str) -> None:
        """The name is shown in messages; the prefix is empty or ends in `/`."""
        self.sender = Sender(clients.access, name, prefix)
        self._clients, self._prefix = clients, prefix
        self._creates = True  # whether the server can create what is not there, and nothing else
        self._ahead = threading.BoundedSemaphore(_LARGE_AT_ONCE)
        self._large = threading.BoundedSemaphore(_LARGE_AT_ONCE)

    def dated(self, key: str) -> tuple[bytes, datetime] | None:
        """See `Bucket`."""

        def read(path: str) -> tuple[bytes, datetime]:
            answer = self._clients.small.get(path)
            return answer.bytes().to_bytes(), answer.meta["last_modified"]

        try:
            return self.sender.send(key, read, missing=True)
        except FileNotFoundError:
            return None

    def stream(self, key: str, size: int) -> Iterator[bytes]:
        """See `Bucket`; a few large files are read ahead, while what came before is used."""
        if size <= _PIECE:
            yield from self._whole(key, size)
            return
        if size <= _PART or not self._ahead.acquire(blocking=False):
            yield from self._pieces(key, size)
            return
        try:
            yield from ahead(self._pieces(key, size), _PIECES_AHEAD)
        finally:
            self._ahead.release()

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """See `Bucket`."""
        while create:
            if self._creates and self._created(key, data):
                return True
            # What is there may be our own, where the reply to an earlier try was lost.
            if (there := self.get(key)) is not None:
                return there == data
            if not self._creates:
                break
            self.sender.pause(1)  # two requests were in each other's way, and neither has won
        self.sender.send(key, lambda path: self._clients.small.put(path, data, use_multipart=False))
        return True

    def put_file(self, key: str, path: Path, digest: str) -> None:
        """See `Bucket`."""
        client = self._clients.files()
        with explained(path):
            size = path.stat().st_size
        part = max(_PART, -(-size // _MOST_PARTS))

        def put(to: str) -> None:
            if size > part:
                parts = ahead(checked(path, digest, part), 1)
                client.put(to, parts, chunk_size=part, max_concurrency=_PARTS_AT_ONCE, use_multipart=True)
            else:
                client.put(to, checked(path, digest, _PIECE), use_multipart=False)

        with self._large if size > _LARGE else contextlib.nullcontext():
            self.sender.send(key, put)

    def head(self, key: str) -> Item | None:
        """See `Bucket`."""
        try:
            return self._item(self.sender.send(key, self._clients.small.head, missing=True))
        except FileNotFoundError:
            if not self.sender.known:
                self.get(key)  # says whether it is the bucket that does not exist
                self.sender.known = True
            return None
        except StoreSetupError:
            self.get(key)  # says why
            raise

    def sizes(self, prefix: str, keys: Collection[str]) -> dict[str, int]:
        """See `Bucket`: by pages of a list as long as they are fewer requests, and one request for each of the rest."""
        found: dict[str, int] = {}
        wanted, last = set(keys), ""
        pages = self._pages(prefix)
        for _ in range(len(wanted) // _WORTH_A_PAGE):
            page = next(pages, None)
            if page is None:
                return found
            found.update({item.key: item.size for item in page if item.key in wanted})
            last = page[-1].key
        left = sorted(key for key in wanted if key > last)
        heads = side_by_side(self.head, left, self.width)
        return found | {item.key: item.size for item in heads if item is not None}

    def list(self, prefix: str) -> Iterator[Item]:
        """See `Bucket`."""
        for page in self._pages(prefix):
            yield from page

    def folders(self, prefix: str) -> Sequence[str]:
        """See `Bucket`."""
        found = self.sender.send(prefix, self._clients.small.list_with_delimiter)
        below = self._prefix + prefix
        return sorted({name.removeprefix(below).strip("/") for name in found["common_prefixes"]})

    def delete(self, keys: Iterable[str]) -> None:
        """See `Bucket`."""

        def delete(key: str) -> None:
            with contextlib.suppress(FileNotFoundError):
                self.sender.send(key, self._clients.small.delete, missing=True)

        side_by_side(delete, keys, self.width)

    def discard(self, items: Iterable[Item]) -> Sequence[Item]:
        """See `Bucket`; what is written between the two requests for an object is lost."""

        def discard(item: Item) -> bool:
            same = self.head(item.key) == item
            if same:
                self.delete([item.key])
            return same

        asked = tuple(items)
        found = side_by_side(discard, asked, self.width)
        return [item for item, removed in zip(asked, found, strict=True) if removed]

    def sync(self) -> None:
        """See `Bucket`: what the server has answered is stored."""

    def _whole(self, key: str, size: int) -> Iterator[bytes]:
        """A small object, by one call; nothing where it has another size."""

        def read(path: str) -> bytes:
            answer = self._clients.small.get(path)
            return answer.bytes().to_bytes() if answer.meta["size"] == size else b""

        if found := self.sender.send(key, read, missing=True):
            yield found

    def _pieces(self, key: str, size: int) -> Iterator[bytes]:
        """An object in ranges, each of which goes on where the connection broke."""
        at = broken = 0
        while True:
            answer = self.sender.send(key, self._range(at, size), missing=True)
            if answer.meta["size"] != size:
                return
            start, pieces = at, iter(answer.stream(_PIECE))
            try:
                while (piece := interruptible(partial(next, pieces, None))) is not None:
                    at += len(piece)
                    yield piece
            except BaseError as error:
                broken = 0 if at - start >= _PIECE else broken + 1
                self.sender.judge(error, key, final=broken > _BROKEN)
                self.sender.pause(1)
            else:
                if at >= size or at == start:
                    return

    def _created(self, key: str, data: bytes) -> bool:
        """Whether an object was created; not, where there is one or the server cannot do this."""

        def put(path: str) -> bool:
            try:
                self._clients.small.put(path, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

        try:
            return self.sender.send(key, put)
        except Unsupported:
            self._creates = False
            return False

    def _range(self, start: int, size: int) -> Callable[[str], GetResult]:
        end = min(start + _RANGE, size)
        whole = start == 0 and end == size  # an empty object has no range
        return lambda path: self._clients.small.get(path, options=None if whole else {"range": (start, end)})

    def _pages(self, prefix: str) -> Iterator[Sequence[Item]]:
        last, stream = "", None

        def page(path: str) -> Sequence[ObjectMeta] | None:
            nonlocal stream
            current = stream or self._clients.small.list(path, offset=last or None, chunk_size=_PAGE)
            stream = None  # one that failed is not asked again
            found = next(current, None)
            stream = current
            return found

        while found := self.sender.send(prefix, page):
            last = found[-1]["path"]
            yield [self._item(one) for one in found]

    def _item(self, about: ObjectMeta) -> Item:
        # Some servers give parts of a second in lists, and none elsewhere; the same object has the same time.
        modified = about["last_modified"].replace(microsecond=0)
        return Item(about["path"].removeprefix(self._prefix), about["size"], modified)
