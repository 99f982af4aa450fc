"""Compiled templates, kept in the user's cache folder, since compiling is a third of a cold render.

It is to templates what `__pycache__` is to modules, and as safe: code is only read from a folder and files that belong
to the user who runs wurzel and that nobody else can write to. Where that cannot be had, templates are compiled.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import stat
import sys
from functools import cached_property
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
from jinja2.bccache import Bucket

from wurzel.render import bounds, compiler, internals, lines, structure

_MODULES = (bounds, compiler, internals, lines, structure)
"""What compiling depends on, in every version of wurzel, released or not."""
_KEPT = 1000
"""At most so many templates are kept, some 10 KB each; half of them goes when there are more."""
_DIGEST = 32


class CodeCache(jinja2.BytecodeCache):
    """Finds code by all that it is made of: text, names, Jinja's version, Python's, and our compiler."""

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The code of a template, if it has been compiled before and warns of nothing."""
        ours: Any = environment  # `render.environment`, which imports this module
        parts = (self._compiler, self._names(environment), ours.labelled(name), name, filename or "", source)
        key = sha256("\0".join(parts).encode()).hexdigest()
        bucket = Bucket(environment, key, key)
        if ours.may_be_renamed(filename):
            bucket.key = ""
        elif self._folder is not None:
            bucket.code = _read(self._folder / key)
        return bucket

    def set_bucket(self, bucket: Bucket) -> None:
        """Keep the code of a template, unless nothing can or may be written."""
        if not (bucket.key and bucket.code and self._folder) or sys.dont_write_bytecode:
            return
        with contextlib.suppress(OSError):
            _write(self._folder / bucket.key, bucket.code)

    @cached_property
    def _folder(self) -> Path | None:
        try:
            return own_folder()
        except OSError:
            return None

    @cached_property
    def _compiler(self) -> str:
        sources = [Path(str(module.__file__)).read_bytes() for module in _MODULES]
        return sha256(b"\0".join([MAGIC_NUMBER, jinja2.__version__.encode(), *sources])).hexdigest()

    @staticmethod
    def _names(environment: jinja2.Environment) -> str:
        """What templates may call: a name that is unknown is an error when a template is compiled."""
        return " ".join([*sorted(environment.filters), "|", *sorted(environment.tests)])


def own_folder() -> Path | None:
    """The cache folder, made if need be. Raises `OSError` if it cannot be made, or is not ours alone."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if not base.is_absolute():
        return None
    folder = base / "wurzel" / "templates"
    if not sys.dont_write_bytecode:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return folder if ours and not found.st_mode & 0o077 else None


def remembers(folder: Path, name: str) -> bool:
    """Whether there is such an empty file in the cache folder."""
    try:
        found = (folder / name).lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def remember(folder: Path, name: str) -> None:
    """Make such an empty file in the cache folder, unless nothing can or may be written."""
    if not sys.dont_write_bytecode:
        with contextlib.suppress(OSError):
            (folder / name).touch(mode=0o600)
            _shrink(folder)


def _read(path: Path) -> CodeType | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 - of a handle, which follows no link
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            return None
        content = file.read()
    digest, code = content[:_DIGEST], content[_DIGEST:]
    if sha256(code).digest() != digest:  # marshal crashes on half a file
        return None
    loaded = marshal.loads(code)  # noqa: S302 - only we can have written it
    return loaded if isinstance(loaded, CodeType) else None


def _write(path: Path, code: CodeType) -> None:
    content = marshal.dumps(code)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - of a handle
            file.write(sha256(content).digest() + content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _shrink(path.parent)


def _shrink(folder: Path) -> None:
    paths = list(folder.iterdir())
    if len(paths) > _KEPT:
        by_age = sorted(paths, key=lambda path: path.lstat().st_mtime)
        for path in by_age[: len(paths) - _KEPT // 2]:
            path.unlink(missing_ok=True)
