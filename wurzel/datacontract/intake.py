"""Takes the files and folders that a step gives into its dataset: moved, hashed, and never read into memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from stat import S_IXUSR
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import short
from wurzel.datacontract.files import Stored, kind_of
from wurzel.datacontract.manifest import Empty, Part, is_ordinal, ordinal_name
from wurzel.datacontract.partfiles import explained
from wurzel.datacontract.scan import Entry, scanned
from wurzel.exceptions import ContractFailedException
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.opening import Dataset

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)
_ONCE = "Each file is stored once: give it in one place."
_OWN = "Write it below self.workdir."


class _Hashed(NamedTuple):
    """A file as it was when it was hashed; one that is still being written differs later."""

    path: Path
    size: int
    changed: int
    copied: bool


class Intake:
    """What the outputs of one run of a step may take files from, and what they have taken."""

    def __init__(self, workdir: Path, inputs: Collection[Dataset] = ()) -> None:
        """Take files from below `workdir`, and from `inputs`, where they stay."""
        self.workdir = Path(os.path.realpath(workdir))
        parts = [part for dataset in inputs for part in dataset.parts if part.ordinal is not None]
        roots = {part.path.parents[part.name.count("/")] for part in parts}  # the folders of these datasets
        self._inputs = {Path(os.path.realpath(root)) for root in roots}
        self._given: set[Path] = set()
        self._around: set[Path] = set()
        self.moved: dict[Path, Path] = {}
        """Where files have been moved to."""
        self._hashed: list[_Hashed] = []
        self._folders: list[Path] = []
        self._stayed: set[Path] = set()

    def origin(self, item: Stored) -> tuple[Path, bool]:
        """Where an item is, and whether it may be moved from there.

        Raises `ContractFailedException` when it is elsewhere, or has been given before.
        """
        path = Path(os.path.realpath(item.path.parent)) / item.path.name
        if item.path.name in {"", ".."} or path == self.workdir:
            raise ContractFailedException(f"{short(item)} is the workdir itself", hint="Give a file or folder in it.")
        is_own = self.workdir in path.parents
        if not is_own and not any(_is_data(path, root) for root in self._inputs):
            raise ContractFailedException(
                f"{short(item)} is neither below the workdir {self.workdir} nor part of an input", hint=_OWN
            )
        self._check_once(path, item)
        return path, is_own

    def store(self, source: Path, target: Path, *, movable: bool) -> tuple[int, str, bool]:
        """Move or copy a file; gives size, digest, and whether it is executable. Raises `OSError`."""
        source = self.moved.get(source, source)
        about = source.stat()
        executable = bool(about.st_mode & S_IXUSR)
        # Another name of a moved file could still change it.
        moved = movable and about.st_nlink == 1 and _renamed(source, target)
        if moved:
            self.moved[source] = target
            _set_mode(target, executable)
            with target.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
        else:
            digest = _copied(source, target)
            _set_mode(target, executable)
        hashed = _Hashed(target if moved else source, about.st_size, about.st_mtime_ns, not moved)
        self._hashed.append(hashed)
        return about.st_size, digest, executable

    def folder(self, path: Path, entries: Iterable[Entry]) -> None:
        """Remember a folder of the workdir, in which links stay, and files that were copied."""
        self._folders.append(path)
        self._stayed.update(entry.path for entry in entries if entry.link or entry.path not in self.moved)

    def check(self) -> None:
        """Raise `ContractFailedException` if a file has changed since it was hashed, or a folder has new ones."""
        for folder in self._folders:
            for root, _, files in os.walk(folder):
                if late := next((name for name in files if Path(root, name) not in self._stayed), None):
                    raise ContractFailedException(
                        f"the file {late!r} was written into the folder {folder.name!r} after run gave it",
                        hint="Return or yield a folder once it is complete.",
                    )
        for path, size, changed, copied in self._hashed:
            try:
                about = path.stat()
            except FileNotFoundError:
                if copied:
                    continue
                raise
            if (about.st_size, about.st_mtime_ns) != (size, changed):
                raise ContractFailedException(
                    f"the file {path.name!r} was still being written when run gave it",
                    hint="Close a file before you return or yield it: after its `with open(…)`, not within.",
                )

    def _check_once(self, path: Path, item: Stored) -> None:
        if path in self._given:
            raise ContractFailedException(f"{short(item)} is given twice", hint=_ONCE)
        if outer := next((parent for parent in path.parents if parent in self._given), None):
            raise ContractFailedException(f"{short(item)} is within {outer.name!r}, which is given as well", hint=_ONCE)
        if path in self._around:
            raise ContractFailedException(f"{short(item)} contains what is given as well", hint=_ONCE)
        self._given.add(path)
        self._around.update(path.parents)


class Drawer:
    """The files of one dataset that is being written, each item in a numbered folder."""

    def __init__(self, folder: Path, intake: Intake, contract: Any) -> None:
        self.parts: list[Part] = []
        self.empty: list[Empty] = []
        self._folder = folder
        self._intake = intake
        self._contract = contract
        self._count = 0
        self._owner = os.getpid()

    def take(self, item: Any) -> None:
        """Store a file or folder.

        Raises `ContractFailedException` when it is not what the contract says, or is refused; the message names it;
        `DatasetError` when it cannot be written.
        """
        if os.getpid() != self._owner:  # forked by a generator: only the process that began takes files
            return
        if type(item) is not self._contract:
            raise ContractFailedException(f"it is {short(item)}, not a {self._contract.__name__}")
        suffix = self._contract.suffix
        if not item.path.name.endswith(suffix):
            raise ContractFailedException(f"{short(item)} is not a name that ends with {suffix!r}")
        path, movable = self._intake.origin(item)
        with explained(path):
            self._store(scanned(path, kind_of(self._contract), self._intake.moved), movable)
        self._count += 1

    def _store(self, entries: list[Entry], movable: bool) -> None:
        number = ordinal_name(self._count)
        home = self._folder / number
        home.mkdir()
        # Links come last: what they lead to may have been moved by then.
        found: list[Part] = []
        for entry in sorted(entries, key=lambda entry: entry.link is not None):
            name, path = f"{number}/{entry.name}", home / entry.relative
            if entry.is_folder:
                path.mkdir()
                if entry.is_empty:
                    self.empty.append(Empty(path, name))
            else:
                source = entry.link or entry.path
                size, digest, executable = self._intake.store(source, path, movable=movable and entry.link is None)
                items = int(kind_of(self._contract) == "file")
                found.append(Part(path, name, items, size, digest, executable))
        top = min(entries, key=lambda entry: len(entry.relative.parts))
        if movable and top.is_folder:
            self._intake.folder(top.path, entries)
        self.parts += sorted(found, key=lambda part: part.name.encode())


def _is_data(path: Path, root: Path) -> bool:
    """Whether a path is that of a file or folder in the dataset `root`, rather than its manifest or a number."""
    return root in path.parents and path.parent != root and is_ordinal(path.relative_to(root).parts[0])


def _renamed(source: Path, target: Path) -> bool:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        raise
    return True


def _copied(source: Path, target: Path) -> str:
    """Copy a file, holes included; gives the digest of what was read."""
    digest = sha256()
    with source.open("rb") as read, target.open("xb") as written:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            if chunk == _ZEROS[: len(chunk)]:
                written.seek(len(chunk), os.SEEK_CUR)
            else:
                written.write(chunk)
        written.truncate()
    return digest.hexdigest()


def _set_mode(path: Path, executable: bool) -> None:
    """Give a file the mode of one that was made here: of all that it had, only the executable bit counts."""
    mode = path.parent.stat().st_mode & (0o777 if executable else 0o666)
    with suppress(PermissionError):  # of another owner: whether it can be read shows at once
        path.chmod(mode)
