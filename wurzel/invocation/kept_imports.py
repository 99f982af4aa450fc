"""What the source files of a project import, kept in the user's cache between renders.

Parsing them takes 9 ms of a cold `wurzel render -t dvc` of the example. What a file imports depends on its bytes alone,
which are read and hashed each time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from wurzel.invocation.digests import FileDigests
from wurzel.user_cache import own_folder, read, write

_READERS = ("digests.py", "imports.py", "kept_imports.py", "modules.py", "named_files.py")
"""What reads a source file and keeps what it imports, in every version of wurzel, released or not."""


@contextlib.contextmanager
def kept_imports(root: Path) -> Iterator[FileDigests]:
    """Digests that know what files of this project folder imported when they had the same bytes."""
    digests, path = FileDigests(), _path(root)
    known = digests.reads = (read(path) or {}) if path is not None else {}
    before = dict(known)
    yield digests
    if path is not None and known != before:
        write(path, {file: found for file, found in known.items() if found != before.get(file) or Path(file).exists()})


def _path(root: Path) -> Path | None:
    try:
        folder = own_folder()
        sources = [Path(__file__).with_name(name).read_bytes() for name in _READERS]
    except OSError:
        return None
    key = b"\0".join([MAGIC_NUMBER, os.fsencode(os.path.realpath(root)), *sources])
    return folder and folder / f"{sha256(key).hexdigest()}.imports"
