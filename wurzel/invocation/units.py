"""What counts as source: packages with all their files, modules outside of packages, and files that modules name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.git_folder import repository_of
from wurzel.invocation.modules import CONSTANT, NAMED, WRITTEN, Import, file_of, is_site, places_of, with_parents
from wurzel.invocation.path_texts import REFERENCE, paths, values
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.invocation.modules import Modules

Texts = Mapping[str, Sequence[str]]
"""The texts of each name of a setting."""
_SHAPING = ("core", "datacontract")
"""Packages of wurzel that shape the data of every step."""


class Unit(NamedTuple):
    """A package of the project with all its files, or a module outside of any package."""

    name: str
    """Of the package or module."""
    folder: Path
    """What the files are relative to."""
    files: tuple[str, ...]
    is_chosen: bool = False
    """Whether it is a folder that a setting names, with all its files."""


class Naming(NamedTuple):
    """What a module says of files whose paths depend on other modules, or on the settings of a step."""

    module: str
    path: Path
    read: Sequence[Import]


class Units:
    """Finds and reads units; what is found once is remembered."""

    def __init__(
        self, root: Path, digests: FileDigests, modules: Modules, *, not_source: Iterable[Path], wurzel: Path
    ) -> None:
        """Of the project in `root`; runs write into `not_source`, folders within packages."""
        self._root = root
        self._digests = digests
        self._modules = modules
        self._not_source = [folder.absolute() for folder in not_source]
        self._wurzel = wurzel
        self._known: dict[str, Unit] = {}
        self._lines_of_ours: dict[str, list[str]] = {}

    @cached_property
    def shaping(self) -> list[Unit]:
        """The packages of wurzel that shape the data of every step."""
        return [self._whole(f"wurzel.{part}", self._wurzel / part, ()) for part in _SHAPING]

    def of_module(self, name: str) -> Unit:
        """What a module counts as: the outermost package around it, a regular one first, or its own file."""
        for around in reversed(list(with_parents(name))):
            if around in self._known:
                return self._known[around]
            spec, path = self._modules.spec(around), file_of(self._modules.spec(around))
            if path is not None and path.name.startswith("__init__.") and spec is not None:
                return self._known.setdefault(around, self._whole(around, path.parent, self._not_source))
        path = file_of(self._modules.spec(name))
        assert path is not None  # noqa: S101 - asked for what was found
        return self._namespace(name, path) or self._known.setdefault(name, Unit(name, path.parent, (path.name,)))

    def named(self, name: str, path: Path, text: str) -> Iterator[Unit]:
        """A file or folder that a module names, beside it or in the project, unless it counts with the module."""
        for number, place in enumerate(dict.fromkeys([path.parent, self._root])):
            found = self._files(path, place, text)
            if found is not None:
                base, files = found
                own = self.of_module(name)
                counted = {own.folder / file for file in own.files}
                new = [file.relative_to(base).as_posix() for file in files if file not in counted]
                yield Unit(f"{name}:{number}{text}", base, tuple(new))

    def completed(self, named: Iterable[Naming], names: set[str], texts: Texts) -> Iterator[Unit]:
        """Files and folders that modules name with the help of others, or of `texts` of settings, by these `names`."""
        every = [one for naming in named for one in naming.read]
        constants: dict[str, list[str]] = {}
        for one in every:
            if one.level == CONSTANT:
                constants.setdefault(one.module, []).extend(one.names)
        written = {one.module for one in every if one.level == WRITTEN}
        known = values(names, constants)
        known |= {name: [*found, *known[name]] for name, found in self._relative(texts)}
        for naming in named:
            for one in naming.read:
                if one.level == NAMED and written.isdisjoint(one.names):
                    yield from self._completed(naming, one.module, known, texts)

    def is_written_into(self, folder: Path) -> bool:
        """Whether runs write below a folder."""
        return any(place.is_relative_to(folder) for place in self._not_source)

    def lines(self, units: Iterable[Unit]) -> Iterator[str]:
        """The names and digests of all files of some units."""
        for unit in units:
            if not unit.name.startswith("wurzel."):  # files of the project may change while it runs
                yield from self._lines(unit)
                continue
            if unit.name not in self._lines_of_ours:
                self._lines_of_ours[unit.name] = [*self._lines(unit)]
            yield from self._lines_of_ours[unit.name]

    def _lines(self, unit: Unit) -> Iterator[str]:
        for file in unit.files:
            yield f"{unit.name}\0{file}\0{self._digests.file(unit.folder / file)}"

    def _files(self, path: Path, place: Path, text: str) -> tuple[Path, list[Path]] | None:
        """The files that a text in the module at `path` names below a place, and what they are relative to."""
        at = os.path.normpath(f"{place}/{text}")
        if "*" not in text and not os.path.exists(at):  # noqa: PTH110 - `Path.exists` raises for a long prompt
            return None
        found = Path(at)
        if any(map(found.is_relative_to, self._not_source)):
            return None
        if "*" in text:
            pattern = text.replace("__file__", escape(path.stem))
            return found.parent, [one for one in sorted(place.glob(pattern)) if one.is_file()]
        if found.is_file():
            return found.parent, [found]
        if text.endswith("/") and found.is_dir() and self._is_listed(found, path):
            return found, [found / file for file in self._digests.package(found, self._not_source)]
        return None

    def _is_listed(self, folder: Path, path: Path) -> bool:
        """Whether all files count of a folder that the module at a path names: elsewhere, it may be huge."""
        real = Path(os.path.realpath(folder))
        written = map(os.path.realpath, self._not_source)
        if folder in {self._root, *path.parents} or any(map(real.is_relative_to, written)):
            return False
        tops = (repository_of(place) or os.path.realpath(place) for place in (self._root, path.parent))
        return folder.is_relative_to(self._root) or any(map(real.is_relative_to, tops))

    def _completed(self, naming: Naming, form: str, known: Texts, texts: Texts) -> Iterator[Unit]:
        """What the paths name that a form in a module stands for."""
        is_chosen = not texts.keys().isdisjoint(REFERENCE.findall(form))
        for text in dict.fromkeys(paths(form, known)):
            for unit in self.named(naming.module, naming.path, text):
                is_whole = text.endswith("/") and str(unit.folder).endswith(f"/{os.path.normpath(text)}")
                yield unit._replace(name=f"{naming.module}:{form}", is_chosen=is_chosen and is_whole)

    def _relative(self, texts: Texts) -> Iterator[tuple[str, list[str]]]:
        """Texts of settings; folders as seen from the project, since where it lies does not count."""
        for name, found in texts.items():
            yield name, [os.path.relpath(text, self._root) if os.path.isabs(text) else text for text in found]  # noqa: PTH117 - texts

    def _namespace(self, name: str, path: Path) -> Unit | None:
        """The outermost folder without `__init__.py` that a module is imported from, which is a package as well."""
        top, *below = name.split(".")
        places = places_of(self._modules.spec(top))
        if not below or path.parents[len(below) - 1] not in places:
            return None
        place = path.parents[len(below) - 1]
        if place != places[0] and is_site(place.parent):
            return None  # what others have installed there has nothing to do with it
        # It may lie in several folders; two units of one name would hide each other.
        key = f"{top}.{places.index(place) or ''}"
        return self._known.setdefault(key, self._whole(key.rstrip("."), place, self._not_source))

    def _whole(self, name: str, folder: Path, without: Iterable[Path]) -> Unit:
        return Unit(name, folder, tuple(self._digests.package(folder, without)))


def depends(one: Import) -> bool:
    """Whether other modules, or settings, say what a path is, or whether it is written."""
    return one.level in {CONSTANT, WRITTEN} or (one.level == NAMED and bool(one.names or "\0" in one.module))
