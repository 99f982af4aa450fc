"""Where modules are, found without importing anything: in the project first, then where Python looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from pkgutil import get_importer
from zipimport import zipimporter

from wurzel.core.source_folders import source_folders
from wurzel.named_tuples import NamedTuple

GUESS = -1
"""The level of an import that is what a text names, in a file that imports by a computed name."""
UNSEEN = -2
"""The level of an import of a name that no text of the file is part of, such as a setting: nothing tells which."""
NAMED = -3
"""The level of an import that is a file, or a folder, which a text names: its path is in place of the module."""
CONSTANT = -4
"""The level of an import that is a name with its texts, which other modules may make paths of."""
WRITTEN = -5
"""The level of an import that is a name of another module, which stands for files that are written."""
GROUP = "@"
"""Stands in place of a module's name before that of a group of entry points, all of which may be loaded."""
SITES = {"site-packages", "dist-packages"}
"""Folders that installers put packages into."""
_LIBRARY = Path(os.__file__).parent


class Import(NamedTuple):
    """One import: `from ..a import b` is level 2, module `a`, names `("b",)`.

    With the level `GUESS`, the module is one that a text names; an empty one stands for the package itself. With
    `UNSEEN`, the module is the number of the line, and the name that of the function. With `NAMED`, it is a path, and
    the names are those that the path is given to.
    """

    level: int
    module: str
    names: tuple[str, ...] = ()

    def modules(self, package: str) -> Iterator[str]:
        """Absolute names of the modules that it may load, imported in a module of `package`."""
        origin = self.module
        if self.level < GUESS:
            return
        if self.level == GUESS:
            yield from filter(None, [origin, ".".join(filter(None, [package, origin]))])
            return
        if self.level:
            around = package.split(".")
            if not package or self.level > len(around):
                return
            origin = ".".join([*around[: len(around) - self.level + 1], *filter(None, [origin])])
        yield origin
        yield from (f"{origin}.{name}" for name in self.names if name != "*")


class Modules:
    """Finds modules by their dotted names; what is found once is remembered."""

    def __init__(self, root: Path, wurzel: Path, path: Iterable[str] = ()) -> None:
        """Look in the folder `root`, below its `src`, in `path`, and on Python's path.

        wurzel's own source is in `wurzel`.
        """
        self._source = source_folders(root)
        self._path = [*map(str, self._source), *path]
        self._places = {"wurzel": [str(wurzel.parent)]}
        self._specs: dict[str, ModuleSpec | None] = {}
        self._builtin: dict[str, bool] = {}
        self._installed: dict[str, bool] = {}

    def spec(self, name: str) -> ModuleSpec | None:
        """The spec of a module; nothing where there is none."""
        if name not in self._specs:
            self._specs[name] = self._find(name)
        return self._specs[name]

    def is_builtin(self, top: str) -> bool:
        """Whether a name is the standard library's, unless the project has a module of that name."""
        if top not in self._builtin:
            path = file_of(self.spec(top)) if top in sys.stdlib_module_names else Path()
            self._builtin[top] = path is None or path.is_relative_to(_LIBRARY)
        return self._builtin[top]

    def is_installed(self, top: str) -> bool:
        """Whether a package lies where installers put it, and not in the project or beside it."""
        if top not in self._installed:
            path = file_of(self.spec(top))
            places = [path] if path is not None else places_of(self.spec(top))
            folders = (one.parents[1] if one.name == "__init__.py" else one.parent for one in places)
            self._installed[top] = any(folder not in self._source and is_site(folder) for folder in folders)
        return self._installed[top]

    def guessed(self, name: str) -> Iterator[str]:
        """A module of the project that a text names, or all modules of a package, of which one may be loaded."""
        top = name.partition(".")[0]
        spec = None if top == "wurzel" or self.is_builtin(top) else self.spec(name)
        if spec is None or self.is_installed(top):
            return
        yield name
        for place in places_of(spec):
            yield from (f"{name}.{path.stem}" for path in place.glob("*.py") if path.stem != "__init__")
            yield from (f"{name}.{path.parent.name}" for path in place.glob("*/__init__.py"))

    def _find(self, name: str) -> ModuleSpec | None:
        parent, _, _ = name.rpartition(".")
        if parent:
            above = self.spec(parent)
            return _found(name, (above.submodule_search_locations or ()) if above is not None else ())
        if name in self._places:
            return _found(name, self._places[name])
        return _found(name, [*self._path, *sys.path]) or _found_by_hooks(name)


def package_of(name: str, spec: ModuleSpec | None) -> str:
    """The package that relative imports of a module start from."""
    is_package = spec is not None and spec.submodule_search_locations is not None
    return name if is_package else name.rpartition(".")[0]


def file_of(spec: ModuleSpec | None) -> Path | None:
    """The file of a module, or the zip archive that it is in; nothing for a folder without `__init__.py`."""
    if spec is not None and isinstance(spec.loader, zipimporter):
        return Path(spec.loader.archive)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def places_of(spec: ModuleSpec | None) -> list[Path]:
    """The folders that a package's modules are in; none for a module."""
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec is not None else []


def with_parents(name: str) -> Iterator[str]:
    """The name of a module and of all packages around it: importing it runs them all."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def is_site(folder: Path) -> bool:
    """Whether installers put packages into a folder."""
    return folder.name in SITES or next(folder.glob("*.dist-info"), None) is not None


def _found(name: str, places: Iterable[str]) -> ModuleSpec | None:
    """What importing a name from these folders finds.

    `PathFinder` fails for a folder without `__init__.py` in another one that is not imported yet.
    """
    portions: list[str] = []
    for place in places:
        finder = get_importer(place or os.curdir)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        portions += (spec.submodule_search_locations or ()) if spec is not None else ()
    return _without_init(name, portions) if portions else None


def _without_init(name: str, places: list[str]) -> ModuleSpec:
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = places
    return spec


def _found_by_hooks(name: str) -> ModuleSpec | None:
    """What import hooks find, such as those of editable installations."""
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        return None
