"""Remembers in the user's cache which templates were checked and found without errors.

Checking those of an organisation costs as much as rendering all seven targets. What was checked stands in the name of
an empty file, beside the compiled templates: their text, all that templates may refer to, and whatever reads them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from wurzel.invocation.digests import names, status
from wurzel.render.layers import SUFFIX, built_in
from wurzel.user_cache import entry, remember, remembers

if TYPE_CHECKING:
    from wurzel.render.layers import Layers

_WURZEL = Path(__file__).parents[1]
_READERS = (_WURZEL / "backends", _WURZEL / "ir", _WURZEL / "render")
"""What checks templates, and says which names they see."""


class Checked:
    """Whether the templates of some layers were checked before, for some targets."""

    def __init__(self, layers: Layers, targets: Collection[str]) -> None:
        """Nothing is remembered where a check depends on code that is not wurzel's: of targets, or of filters."""
        self._layers = layers
        self._targets = sorted(targets)
        self._warnings = len(layers.warnings)
        foreign = layers.filters or layers.hides or any(layer.kind == "backend" for layer in layers.layers)
        # What cannot be read is an error, which the check reports.
        self._path = None if foreign else entry(".checked", (), self._parts())

    def before(self) -> bool:
        """Whether nothing has changed since they were found without errors."""
        return self._path is not None and remembers(self._path)

    def fine(self) -> None:
        """Remember that they have no errors; not if there are warnings, which each render has to give again."""
        if self._path is not None and len(self._layers.warnings) == self._warnings:
            remember(self._path)

    def _parts(self) -> Iterator[bytes]:
        layers = self._layers
        yield repr((jinja2.__version__, self._targets, layers.layers, layers.renames, layers.more)).encode()
        for folder in (layer.folder for layer in layers.layers if layer.is_own):
            for name in sorted(name for name in names(folder, set()) if name.endswith(SUFFIX)):
                text = (folder / name).read_bytes()
                yield f"{name!r} {len(text)}\n".encode() + text
        for folder in (*_READERS, built_in()):
            yield repr(sorted(_statuses(folder))).encode()
        yield repr([*_installed()]).encode()


def _statuses(folder: Path) -> Iterator[tuple[object, ...]]:
    """Name and status of each file below a folder of wurzel; 250 of them take 1 ms."""
    for at, _, files in os.walk(folder):
        if not at.endswith("__pycache__"):
            for name in files:
                path = f"{at}/{name}"
                yield path, *status(os.stat(path))  # noqa: PTH116 - a `Path` takes twice as long


def _installed() -> Iterable[tuple[object, ...]]:
    """What changes when a distribution comes or goes, which may bring a target whose templates count as used."""
    for place in dict.fromkeys(sys.path):
        try:
            found = [name for name in os.listdir(place or ".") if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208
            yield from ((place, name, os.stat(f"{place}/{name}").st_mtime_ns) for name in sorted(found))  # noqa: PTH116
        except OSError:
            continue
