"""The local cache: results of steps by fingerprint, so that what was computed once is handed over, not run again.

Below the state folder of a pipeline: `cache/<fingerprint>.json` is an entry, with the manifests of its datasets;
`objects/<aa>/<sha256>` are files of datasets that are no longer in the data folder; `last/<step>` names the entry that
the data folder has the datasets of. A first run copies nothing: files are moved here when another result replaces them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.folders import remove, replacing
from wurzel.datacontract.manifest import NAME, unreadable
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.datacontract.names import from_text
from wurzel.exceptions import DatasetError, WriteError
from wurzel.regular_file import read_file, replace_private
from wurzel.store.records import entry_of

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest, Part
    from wurzel.store.records import Entry

_MOST_ENTRIES = 20
_LEAST_BYTES = 1 << 30


class Cache:
    """The cache of one pipeline."""

    def __init__(self, folder: Path) -> None:
        """Use the folder, which need not exist."""
        self._folder = folder
        self._changed = False

    def take_left(self) -> None:
        """Take in what a killed run has left."""
        retired = self._folder / "retired"
        for left in [] if retired.is_symlink() else sorted(_listed(retired)):
            self.take(left)

    def find(self, fingerprint: str) -> Entry | None:
        """The entry of a fingerprint; one that is damaged, or that names another, does not count."""
        try:
            return entry_of(read_file(self._path(fingerprint)), fingerprint, trusted=True)
        except (OSError, ValueError):
            return None

    def write(self, entry: Entry) -> None:
        """Store an entry. Raises `WriteError` when it cannot be written."""
        _write(self._path(entry.fingerprint), entry.text())
        self._changed = True

    def forget(self, fingerprint: str) -> None:
        """Remove an entry."""
        self._path(fingerprint).unlink(missing_ok=True)
        self._changed = True

    def last(self, step_id: str) -> Entry | None:
        """The entry that a step has last handed over."""
        try:
            return self.find(read_file(self._folder / "last" / step_id).decode())
        except (OSError, ValueError):
            return None

    def handed_over(self, step_id: str, fingerprint: str) -> None:
        """Note which entry the data folder has the datasets of. Raises `WriteError` when it cannot be written."""
        _write(self._folder / "last" / step_id, fingerprint.encode())

    def retired(self, step_id: str) -> Path:
        """Where the datasets of a step are moved to when others replace them; nothing is there. Raises `WriteError`."""
        folder = self.folder_of_retired(step_id)
        try:
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            remove(folder)
        except OSError as error:
            raise WriteError(f"cannot be written: {error.strerror}", where=str(folder)) from error
        return folder

    def folder_of_retired(self, step_id: str) -> Path:
        """Where `retired` says that they are moved to."""
        return self._folder / "retired" / step_id

    def take(self, folder: Path, keep: Sequence[Manifest] = ()) -> None:
        """Move the files of datasets to the objects, and remove the folder; on a full disk they are lost, no more.

        Files of datasets in the data folder, whose manifests are in `keep`, are not needed twice.
        """
        here = {part.sha256 for manifest in keep for part in manifest.parts}
        with contextlib.suppress(OSError):
            for part in [part for part in _parts_in(folder) if part.sha256 not in here]:
                with contextlib.suppress(DatasetError, OSError):
                    self._take(part)
            remove(folder)
            self._changed = True

    def complete(self, entry: Entry, folder: Path) -> bool:
        """Whether all files of an entry are here or in the folder of its step, with the right sizes."""
        return _complete(entry, self._files(entry, folder))

    def restore(self, entry: Entry, folder: Path, retire: Path | None = None) -> bool:
        """Write the datasets of an entry; whether all of their files were there, with the right bytes.

        Files are objects or, where the datasets that are replaced contain them too, in `folder`. An entry that leads to
        a damaged file is removed, so that the step runs and writes it again. The datasets that were there go to
        `retire`.
        """
        files = self._files(entry, folder)
        if not _complete(entry, files):
            return False
        try:
            with replacing(folder, retire=retire) as new:
                for name, data in entry.datasets.items():
                    _copy(data.manifest, files, new / name)
        except DatasetError:
            self.forget(entry.fingerprint)
            return False
        except OSError:
            return False  # the step says what is wrong with the folder
        return True

    def copy(self, dataset: tuple[str, str, str], beside: Path, target: Path) -> bool:
        """Write a dataset of an earlier run into a new folder; whether all of its files were still there.

        The dataset is a step, an output and a digest; the folder `beside`, of the step, may have some of the files.
        Raises `DatasetError` when a file is damaged.
        """
        step, output, digest = dataset
        for path in _listed(self._folder / "cache"):
            entry = self.find(path.stem)
            if entry is None or entry.step != step or entry.digests.get(output) != digest:
                continue
            files = self._files(entry, beside)
            if _complete(entry, files):
                _copy(entry.datasets[output].manifest, files, target)
                return True
        return False

    def prune(self, steps: Iterable[str]) -> None:
        """Leave the latest results, up to 1 GiB or the size of the datasets in the data folder, if that is more."""
        if not self._changed:
            return
        with contextlib.suppress(OSError):
            last = [entry for step in steps if (entry := self.last(step)) is not None]
            room = max(_LEAST_BYTES, sum(part.size for entry in last for part in entry.parts))
            kept = {entry.fingerprint for entry in last}
            self._prune(room, kept, _listed(self._folder / "cache"))

    def _prune(self, room: int, always: set[str], paths: list[Path]) -> None:
        objects = {path.name: path for folder in _listed(self._folder / "objects") for path in _listed(folder)}
        needed: set[str] = set()
        count = Counter[str]()
        for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            entry = self.find(path.stem)
            if entry is None:
                path.unlink()
                continue
            more = {part.sha256: part.size for part in entry.parts if part.sha256 in objects.keys() - needed}
            count[entry.step] += 1
            fits = count[entry.step] <= _MOST_ENTRIES and sum(more.values()) <= room
            if fits:
                room -= sum(more.values())
                needed |= more.keys()
            elif entry.fingerprint not in always:
                path.unlink()
        for name, path in objects.items():
            if name not in needed:
                path.unlink()

    def _files(self, entry: Entry, folder: Path) -> dict[str, Path]:
        """Where files of an entry are, by digest: among the objects, or in datasets that it would replace."""
        files = {part.sha256: part.path for part in _parts_in(folder)}
        return files | {part.sha256: path for part in entry.parts if (path := self._object(part.sha256)).exists()}

    def _take(self, part: Part) -> None:
        if part.path.is_symlink():
            return
        target = self._object(part.sha256)
        for parent in (target.parent.parent, target.parent):
            parent.mkdir(mode=0o700, exist_ok=True)
        part.path.replace(target)
        target.chmod(0o600)

    def _path(self, fingerprint: str) -> Path:
        return self._folder / "cache" / f"{fingerprint}.json"

    def _object(self, digest: str) -> Path:
        return self._folder / "objects" / digest[:2] / digest


def _complete(entry: Entry, files: Mapping[str, Path]) -> bool:
    return all(_size(files.get(part.sha256)) == part.size for part in entry.parts)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=str(path.parent)) from error
    replace_private(path, data)


def _parts_in(folder: Path) -> Iterator[Part]:
    """The files of the datasets in a folder; a link is not followed, since what it leads to is not ours."""
    for path in [] if folder.is_symlink() else folder.rglob(NAME):
        with contextlib.suppress(DatasetError, OSError):
            yield from read_manifest(path.parent).parts


def _copy(manifest: Manifest, files: Mapping[str, Path], home: Path) -> None:
    home.mkdir(exist_ok=True)
    for part in manifest.parts:
        target = home / from_text(part.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_verified(files[part.sha256], target, part)
    for folder in manifest.folders:
        (home / from_text(folder.name)).mkdir(parents=True, exist_ok=True)
    (home / NAME).write_bytes(manifest.text())


def _size(path: Path | None) -> int:
    """The size of a file; -1 for anything else, since reading a FIFO would wait forever."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return -1
    return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else -1


def _listed(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


_FICLONE = 0x40049409  # ioctl of Linux: share the blocks of another file until either is written (btrfs, XFS)


def copy_verified(source: Path, target: Path, part: Part) -> None:
    """Copy a file of a dataset, with its executable bit, never as a hard link.

    Raises `DatasetError` when its bytes are not those that the part has, `OSError` when the copy cannot be written.
    """
    try:
        with source.open("rb") as file, target.open("w+b") as copy:
            try:
                fcntl.ioctl(copy.fileno(), _FICLONE, file.fileno())
            except OSError:
                import shutil  # a run with nothing to do copies nothing

                shutil.copyfileobj(file, copy, 1 << 20)
            copy.seek(0)
            part.check(file_digest(copy, "sha256").hexdigest())
    except FileNotFoundError as error:
        raise unreadable(source, error) from None
    if part.executable:
        target.chmod(target.stat().st_mode | 0o111)
