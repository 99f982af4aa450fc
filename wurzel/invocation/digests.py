"""Digests and imports of files, remembered between runs for as long as a file's status stays the same.

The status is size, both times and inode. No program can set the time when it last changed (ctime), so a file of the
same size whose time of modification was put back is read again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import file_digest, sha256
from operator import itemgetter
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import WriteError
from wurzel.patterns import pattern
from wurzel.regular_file import read_file, replace_file

if TYPE_CHECKING:
    from wurzel.invocation.modules import Import

ABSENT = "absent"
"""Stands for the digest of what is not there."""

UNREADABLE = "unreadable"
"""Stands for the digest of what cannot be read: the step that needs it will say why."""

READERS = [
    Path(__file__).with_name(f"{name}.py")
    for name in ("digests", "imports", "modules", "named_files", "path_forms", "path_texts", "written_folders")
]
"""What reads a source file and keeps what it imports, in every version of wurzel, released or not."""
_SPARE = 10_000
_SETTLED = 2_000_000_000  # ns: a file changed this recently may change again without its time changing
_BYTECODE = (".pyc", ".pyo")
_OF_SYSTEM = pattern(r"/(?:(?:proc|sys|dev)(?:/|\Z)|\Z)")
"""Folders whose files never end, or wait to be read; and that of all files."""


class FileDigests:
    """SHA-256 of files, and what they import; reads each only when it is new or looks changed."""

    def __init__(self, store: Path | None = None) -> None:
        """Remember between runs in the JSON file `store`, if any; one that cannot be read counts as empty."""
        self._store = store
        self._known: dict[str, list[Any]] = {}
        self.reads: dict[str, list[Any]] = {}
        """The digest of each Python file, and what it imports."""
        self.notes: dict[str, Any] = {}
        """What others remember with it; they judge by themselves whether it still holds."""
        self._seen: set[str] = set()
        self._changed = False
        if store is not None:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                stored = json.loads(read_file(store))
                self._known, self.notes = dict(stored["files"]), dict(stored["notes"])
                self.reads = dict(stored["reads"]) if stored["readers"] == readers() else {}

    def file(self, path: Path) -> str:
        """Digest of a file's bytes; `ABSENT` when there is none, `UNREADABLE` when it is not to be read."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                return UNREADABLE  # reading a pipe would wait for ever
            key, signature = str(path), status(stat)
            self._seen.add(key)
            known = self._known.get(key)
            if known is not None and known[1:] == signature:
                return str(known[0])
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except OSError:
            return UNREADABLE
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _SETTLED:
            self._known[key] = [digest, *signature]
            self._changed = True
        return digest

    def imports(self, path: Path) -> list[Import]:
        """What a Python file imports; nothing when it cannot be read."""
        from wurzel.invocation.modules import Import

        digest = self.file(path)
        if digest in {ABSENT, UNREADABLE}:
            return []
        key = str(path)
        known = self.reads.get(key)
        if known is not None and known[0] == digest:
            return [Import(level, module, tuple(names)) for level, module, names in known[1]]
        from wurzel.invocation.imports import imports  # brings the parser, which a run that knows all needs not

        try:
            source = path.read_bytes()
        except OSError:
            return []
        found = imports(source)
        self.reads[key] = [sha256(source).hexdigest(), list(map(tuple, found))]
        self._changed = True
        return found

    def note(self, key: str, value: Any) -> None:
        """Remember something for the next run."""
        self.notes[key] = value
        self._changed = True

    def trust(self, path: Path, digest: str) -> None:
        """Remember the digest of a file that a step of ours has just written."""
        with contextlib.suppress(OSError):
            stat = path.stat()
            self._seen.add(str(path))
            self._known[str(path)] = [digest, *status(stat)]
            self._changed = True

    def tree(self, path: Path, without: Iterable[Path] = ()) -> str:
        """Digest of a file, or of names and bytes below a folder but for `without`; `ABSENT` if it is neither."""
        if not path.is_dir():
            return self.file(path)
        self._seen.add(str(path))
        skipped = {os.path.realpath(folder) for folder in without}
        return combine(f"{name}\0{self.file(path / name)}" for name in sorted(names(path, skipped)))

    def package(self, path: Path, without: Iterable[Path] = ()) -> list[str]:
        """Paths of the files of a package, relative to its folder: all but bytecode and what is hidden."""
        self._seen.add(str(path))
        skipped = {os.path.realpath(folder) for folder in without}
        return sorted(name for name in names(path, skipped, _is_source) if _is_source(name))

    def read_outside(self, *folders: Path) -> list[str]:
        """Paths of all files that were asked for, and of folders of inputs and packages, except those in `folders`."""
        without = tuple(f"{folder.absolute()}{os.sep}" for folder in folders)
        return sorted(path for path in self._seen if not f"{Path(path).absolute()}{os.sep}".startswith(without))

    def save(self) -> None:
        """Write what is known for the next run, but for what has long not been asked for; a full disk does no harm."""
        if len(self._known) > 2 * len(self._seen) + _SPARE:
            self._known = {key: known for key, known in self._known.items() if key in self._seen}
            self.reads = {key: known for key, known in self.reads.items() if key in self._seen}
            self._changed = True
        if self._changed and self._store is not None:
            with contextlib.suppress(WriteError, OSError):
                stored = {"files": self._known, "reads": self.reads, "readers": readers(), "notes": self.notes}
                replace_file(self._store, json.dumps(stored, ensure_ascii=True).encode(), 0o600)
            self._changed = False


@cache
def readers() -> str:
    """A digest of what finds out what a source file imports: another version of it may find more."""
    version = (sys.implementation.cache_tag or "").encode()
    return sha256(b"\0".join([version, *map(read_file, READERS)])).hexdigest()


def combine(parts: Iterable[str]) -> str:
    """One digest of several texts, in their order."""
    data = map(os.fsencode, parts)
    return sha256(b"".join(b"%d:%b" % (len(each), each) for each in data)).hexdigest()


def of_inputs(data: Iterable[tuple[str, str]]) -> str:
    """One digest of what a step reads: the name of an input and the digest of a dataset, in the order of each input."""
    return combine(part for pair in sorted(data, key=itemgetter(0)) for part in pair)


def status(stat: os.stat_result) -> list[int]:
    """What of a file's status tells whether it has changed."""
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def names(top: Path, skipped: set[str], wanted: Callable[[str], bool] = lambda _name: True) -> Iterator[str]:
    """Paths of all files below a folder, relative to it; links to folders above it or of the system are left out.

    Folders whose real path is in `skipped`, or whose name is not `wanted`, are left out.
    """
    todo = [(top, "", frozenset({os.path.realpath(top)}))]
    while todo:
        folder, prefix, above = todo.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            yield prefix  # a folder that cannot be read
            continue
        for entry in entries:
            if not _is_folder(entry):
                yield prefix + entry.name
                continue
            real = os.path.realpath(entry.path)
            if wanted(entry.name) and real not in above and real not in skipped and not _OF_SYSTEM.match(real):
                todo.append((Path(entry.path), f"{prefix}{entry.name}/", above | {real}))


def _is_source(name: str) -> bool:
    """Whether a file or folder of a package counts as its source."""
    last = name.rpartition("/")[2]
    return not (last.startswith(".") or last == "__pycache__" or last.endswith(_BYTECODE))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
