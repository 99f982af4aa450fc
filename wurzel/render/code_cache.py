"""Compiled templates, kept in the user's cache folder, since compiling is a third of a cold render.

It does for templates what `__pycache__` does for modules, just as safely. Without that folder, templates are compiled.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2

from wurzel.user_cache import own_folder, read, write

_COMPILER = ("bounds.py", "compiler.py", "internals.py", "lines.py", "structure.py")
"""What compiling depends on, in every version of wurzel, released or not."""


class Bucket:
    """The code of a template, where Jinja looks for it and leaves it."""

    def __init__(self, key: str) -> None:
        """`key` names the file that keeps the code; empty if none may."""
        self.key = key
        self.code: CodeType | None = None


class CodeCache:
    """Stands in for Jinja's `BytecodeCache`, whose import would bring `tempfile` and `pickle`.

    Finds code by all that it is made of: text, names, Jinja's version, Python's, and our compiler.
    """

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The code of a template, if it has been compiled before and warns of nothing."""
        ours: Any = environment  # `render.environment`, which imports this module
        parts = (self._compiler, self._names(environment), ours.labelled(name), name, filename or "", source)
        key = sha256("\0".join(parts).encode()).hexdigest()
        bucket = Bucket("" if ours.may_be_renamed(filename) else key)
        if bucket.key and self._folder is not None:
            kept = read(self._folder / key)
            bucket.code = kept if isinstance(kept, CodeType) else None
        return bucket

    def set_bucket(self, bucket: Bucket) -> None:
        """Keep the code of a template, unless nothing can or may be written."""
        if bucket.key and bucket.code and self._folder is not None:
            write(self._folder / bucket.key, bucket.code)

    @cached_property
    def _folder(self) -> Path | None:
        return own_folder()

    @cached_property
    def _compiler(self) -> str:
        sources = [Path(__file__).with_name(name).read_bytes() for name in _COMPILER]
        return sha256(b"\0".join([MAGIC_NUMBER, jinja2.__version__.encode(), *sources])).hexdigest()

    @staticmethod
    def _names(environment: jinja2.Environment) -> str:
        """What templates may call: a name that is unknown is an error when a template is compiled."""
        return " ".join([*sorted(environment.filters), "|", *sorted(environment.tests)])
