"""The store of one pipeline: datasets by their content, and the cache of what steps gave."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from wurzel.datacontract.folders import replacing
from wurzel.datacontract.manifest import NAME, Part
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.datacontract.names import from_text
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store import names
from wurzel.store.local import LocalBucket
from wurzel.store.records import Data, Entry, entry_of
from wurzel.store.threads import side_by_side
from wurzel.store_url import BUCKETS, parse_endpoint, parse_store_url, scheme_of

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.store.buckets import Bucket

CacheMode = Literal["read-write", "read", "off"]


class Store:
    """Datasets, entries and runs of one pipeline."""

    def __init__(self, bucket: Bucket, pipeline: str, cache: CacheMode = "read-write") -> None:
        self.bucket = bucket
        self.trusted = cache != "read"
        """Whether what this process writes is read by everyone; otherwise it goes below `untrusted/`."""
        self._cache = cache
        self.pipeline = names.checked_pipeline(pipeline)

    def key(self, key: str, *, trusted: bool | None = None) -> str:
        """A key below the pipeline as one of the bucket; by default where this process writes."""
        prefix = "" if (self.trusted if trusted is None else trusted) else f"{names.UNTRUSTED}/"
        return f"{prefix}{self.pipeline}/{key}"

    def put_dataset(self, folder: Path, written: Collection[str] = ()) -> Data:
        """Store the dataset in a folder: its files first, so that what names them is never there without them.

        Files whose digests are in `written` were just stored by this process; all others are written, there or not.
        Raises `DatasetError` when the folder is not a complete dataset, or contains a pipe; `StoreError` when it cannot
        be stored, or a file is not what the dataset says.
        """
        manifest = read_manifest(folder)
        files = {part.sha256: part.path for part in manifest.parts if part.sha256 not in written}

        def put(digest: str) -> None:
            self.bucket.put_file(self.key(names.object_key(digest)), files[digest], digest)

        side_by_side(put, files, self.bucket.width)
        return self.put_manifest(manifest)

    def put_manifest(self, manifest: Manifest, *, trusted: bool | None = None) -> Data:
        """Store a dataset whose files are stored, by default by this process. Raises `StoreError`."""
        self.bucket.put(self.key(names.dataset_key(manifest.digest)), manifest.canonical_text())
        return Data(manifest, self.trusted if trusted is None else trusted)

    def fetch(self, data: Data, folder: Path, only: Collection[str] | None = None) -> None:
        """Write a dataset into a folder, whose previous contents are replaced, or none of it.

        Parts that are not named in `only` become holes of their size, which fail when read. A file that is damaged is
        removed, with the entry that led to it, so that the next try runs the step again. Raises `StoreError` when a
        file is missing or damaged, `OSError` when the folder cannot be written.
        """
        with replacing(folder) as new:
            within = {Path(from_text(part.name)).parent for part in data.manifest.parts}
            for name in within.union(Path(from_text(empty.name)) for empty in data.manifest.folders):
                (new / name).mkdir(parents=True, exist_ok=True)

            def fetch(part: Part) -> None:
                self._fetch(part, data, new, hollow=only is not None and part.name not in only)

            side_by_side(fetch, data.manifest.parts, self.bucket.width)
            (new / NAME).write_bytes(data.manifest.text())

    def look_up(self, fingerprint: str) -> Entry | None:
        """The entry of a fingerprint, if all its files are in the store with their sizes. Raises `StoreError`."""
        return next((entry for entry in self._entries(fingerprint) if self.is_complete(entry)), None)

    def entry(self, fingerprint: str) -> Entry | None:
        """The entry of a fingerprint; its files may be missing. Raises `StoreError` when the store cannot be read."""
        return next(self._entries(fingerprint), None)

    def _entries(self, fingerprint: str) -> Iterator[Entry]:
        """Entries that count, of trusted jobs first."""
        for trusted in () if self._cache == "off" else (True,) if self.trusted else (True, False):
            text = self.bucket.get(self.key(names.entry_key(fingerprint), trusted=trusted))
            entry = None if text is None else entry_of(text, fingerprint, trusted=trusted)
            if entry is not None:
                led = {name: data._replace(fingerprint=fingerprint) for name, data in entry.datasets.items()}
                yield entry._replace(datasets=led)

    def record(self, entry: Entry, *, force: bool = False) -> Entry:
        """Store an entry; gives the one that counts, the first complete one. Raises `StoreError`."""
        if self._cache == "off":
            return entry
        self.bucket.sync()
        key, text = self.key(names.entry_key(entry.fingerprint)), entry.text()
        if not force and self.bucket.put(key, text, create=True):
            return entry
        there = None if force else self.bucket.get(key)
        theirs = None if there is None else entry_of(there, entry.fingerprint, trusted=self.trusted)
        same = theirs is not None and theirs.datasets.keys() == entry.datasets.keys()  # names decide what is written
        if theirs is not None and same and self.is_complete(theirs):
            return theirs  # or our own, where the reply to our request was lost
        self.bucket.put(key, text)
        return entry

    def _homes(self, *, trusted: bool) -> tuple[bool, ...]:
        """Where the files of a dataset may be; those of an untrusted one may all the same be trusted."""
        return (True,) if trusted else (False, True)

    def is_complete(self, entry: Entry) -> bool:
        """Whether all files of an entry are in the store with their sizes. Raises `StoreError`."""
        wanted: dict[bool, set[tuple[str, int]]] = {}
        for data in entry.datasets.values():
            wanted.setdefault(data.trusted, set()).update((part.sha256, part.size) for part in data.manifest.parts)
        return all(self._there(objects, trusted=trusted) for trusted, objects in wanted.items())

    def _there(self, wanted: set[tuple[str, int]], *, trusted: bool) -> bool:
        """Whether objects of these digests and sizes are in the store."""
        for home in self._homes(trusted=trusted):
            keys = {self.key(names.object_key(digest), trusted=home): (digest, size) for digest, size in wanted}
            found = self.bucket.sizes(self.key(names.OBJECTS, trusted=home), keys)
            wanted = {one for key, one in keys.items() if found.get(key) != one[1]}
            if not wanted:
                return True
        return not wanted

    def _fetch(self, part: Part, data: Data, folder: Path, *, hollow: bool) -> None:
        mode = 0o777 if part.executable else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        target = os.open(folder / from_text(part.name), flags, mode)
        try:
            if hollow:
                os.ftruncate(target, part.size)
                return
            for home in self._homes(trusted=data.trusted):
                os.lseek(target, 0, os.SEEK_SET)
                os.ftruncate(target, 0)
                key = self.key(names.object_key(part.sha256), trusted=home)
                if self._copied(key, part, target):
                    return
        finally:
            os.close(target)
        self._condemn(part, data)

    def _copied(self, key: str, part: Part, target: int) -> bool:
        """Whether an object is there, and has the bytes that were stored."""
        digest = sha256()
        try:
            with open(target, "wb", closefd=False) as file:  # buffered: otherwise a write may be cut short
                for piece in self.bucket.stream(key, part.size):
                    digest.update(piece)
                    file.write(piece)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == part.sha256

    def _condemn(self, part: Part, data: Data) -> None:
        """Remove a bad object, and the entry that led to it; without the object no other entry leads to it."""
        where = self.key(names.object_key(part.sha256), trusted=data.trusted)
        hint = "A job that is trusted has to read it, which removes it."
        if self.trusted or not data.trusted:
            led = [self.key(names.entry_key(data.fingerprint), trusted=data.trusted)] if data.fingerprint else []
            try:
                self.bucket.delete([*led, where])
                hint = "It has been removed; run the step that writes it again."
            except StoreError as error:  # whoever looks into a store may have no right to write
                hint = f"It could not be removed: {error.message}. Run `wurzel store verify --fix` with other rights."
        raise StoreError(f"{part.name} is damaged or missing in the store", where=where, hint=hint)


def open_store(
    url: str,
    pipeline: str,
    *,
    cache: CacheMode = "read-write",
    endpoint: str | None = None,
    region: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Store:
    """The store of a pipeline; nothing is sent to a server yet.

    Args:
        url: a folder, `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
        pipeline: its name.
        cache: `read-write`; `read` for jobs that are not trusted: they look up what trusted jobs wrote, and write below
            `untrusted/`, which trusted jobs never read; `off` to look nothing up.
        endpoint: URL of a server that is not the provider's own.
        region: of an S3 bucket.
        environ: where credentials are looked for, with what `withdraw` gave.

    Raises:
        StoreSetupError: when the URL or the name cannot be used, or credentials are missing.
        MissingPackage: when an object store needs a package that is not installed.
    """
    return Store(open_bucket(url, endpoint=endpoint, region=region, environ=environ), pipeline, cache)


def open_bucket(
    url: str, *, endpoint: str | None = None, region: str | None = None, environ: Mapping[str, str] = os.environ
) -> Bucket:
    """The bucket of a URL: a path, `file://`, or one of an object store, to which nothing is sent yet.

    Args:
        url: `/path`, `file:///path`, `s3://bucket/prefix`, `gs://…` or `az://container/prefix`.
        endpoint: URL of a server that is not the provider's own.
        region: of an S3 bucket.
        environ: where credentials are looked for.

    Raises:
        StoreSetupError: when the URL is wrong, the folder cannot be used, or credentials are missing.
        MissingPackage: when an object store needs a package that is not installed.
    """
    try:
        parse_store_url(url)
        if endpoint:
            parse_endpoint(endpoint)
    except ValueError as error:
        raise StoreSetupError(str(error)) from None
    scheme = scheme_of(url)
    if scheme not in BUCKETS:
        return LocalBucket(Path(unquote(urlsplit(url).path) if scheme else url))
    from wurzel.store.clients import Address, clients
    from wurzel.store.remote import RemoteBucket

    name, _, prefix = url.partition("://")[2].rstrip("/").partition("/")
    reached = clients(Address(scheme, name, (endpoint or "").rstrip("/"), region or ""), environ)
    return RemoteBucket(reached, f"{scheme}://{name}", f"{prefix}/" if prefix else "")
