"""Template packs: packages with a folder of templates in the entry point group `wurzel.templates`.

Projects and packs name them with or without versions, `globex>=2,<3`, as in a requirements file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import TemplateError
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "wurzel.templates"
"""Entry point group of packs: each entry names a package whose folder contains the templates, or a path."""

_FORM = pattern(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:[<>=!~]=?=?)[^\[\];]*)")
_WITH_MORE = pattern(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[\w\s,-]+\].*|[<>=!~][^;]*;.*)")
"""A requirement with extras or with a marker, which pip reads when it installs the pack."""


class Requirement(NamedTuple):
    """A pack and its allowed versions."""

    name: str
    versions: str
    """Specifiers with commas between them, as `packaging` reads them."""

    def __str__(self) -> str:
        return f"{self.name}{self.versions}"

    def fits(self, version: str) -> bool:
        """Whether a version is allowed; an installed pre-release counts like any other."""
        from packaging.specifiers import SpecifierSet  # imported only if there are version specifiers
        from packaging.version import InvalidVersion

        try:
            return SpecifierSet(self.versions).contains(version, prereleases=True)
        except InvalidVersion:
            return False


def requirement(text: str) -> Requirement | None:
    """The requirement in a text, unless it is just a name. Raises `ValueError` for bad specifiers and for extras."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        if more := _WITH_MORE.fullmatch(text.strip()):
            raise ValueError(f"extras and markers belong to the installation; write for example {more[1]}>=2,<3")
        return None
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    versions = match.group(2).replace(" ", "")
    try:
        SpecifierSet(versions)
    except InvalidSpecifier:
        message = f"{versions!r} is not a list of version specifiers; write for example {match.group(1)}>=2,<3"
        raise ValueError(message) from None
    return Requirement(match.group(1), versions)


def pack_name(text: str) -> str:
    """The pack that a text names, with or without versions."""
    try:
        wanted = requirement(text)
    except ValueError:
        wanted = None
    return wanted.name if wanted is not None else text


def load_pack(name: str) -> tuple[Path, str]:
    """Folder and version of an installed pack. Raises `TemplateError` unless just one has the name, and a folder."""
    point = entry_point(name)
    version = point.dist.version if point.dist is not None else ""
    if (installed := _installed(point)) is not None:
        return installed, version
    try:
        home = point.load()
    except Exception as error:
        raise TemplateError(f"the template pack {name!r} ({distribution(point)}) cannot be loaded: {error}") from error
    folder = Path(home) if isinstance(home, str | Path) else Path(next(iter(getattr(home, "__path__", ())), ""))
    if folder == Path() or not folder.is_dir():
        raise TemplateError(
            f"the template pack {name!r} has no folder", hint=f"Group {GROUP}: a package or path, not in a zip."
        )
    return folder, version


def _installed(point: EntryPoint) -> Path | None:
    """The folder of a package beside the metadata of its distribution; `None` for a path or an editable install.

    Not imported: the folder of a project is importable as well, and a package of the same name there would be taken.
    """
    if point.dist is None or point.attr:
        return None
    folder = Path(str(point.dist.locate_file(point.module.replace(".", "/"))))
    return folder if folder.is_dir() else None


def installed_module(pack: str, module: str) -> Path | None:
    """The file of a module beside the metadata of an installed pack; `None` where that cannot be told."""
    point = next((point for point in _entry_points() if point.name == pack), None)
    if point is None or point.dist is None:
        return None
    base = Path(str(point.dist.locate_file(module.replace(".", "/"))))
    return next((file for file in (base / "__init__.py", base.with_name(f"{base.name}.py")) if file.is_file()), None)


def is_installed(name: str) -> bool:
    """Whether there is an installed pack of that name."""
    return any(point.name == name for point in _entry_points())


def entry_point(name: str) -> EntryPoint:
    """The entry point of an installed pack; raises what `load_pack` raises."""
    points = _entry_points()
    # Two distributions may have equal entry points, which are one for a set.
    found = list({distribution(point): point for point in points if point.name == name}.values())
    if len(found) > 1:
        owners = " and ".join(sorted(map(distribution, found)))
        raise TemplateError(
            f"{len(found)} installed packs are called {name!r}: {owners}",
            hint="The name is ambiguous: uninstall all but one.",
        )
    if not found:
        known = sorted({point.name for point in points})
        installed = f"Installed packs: {', '.join(known)}." if known else "No template pack is installed."
        raise TemplateError(
            f"there is no template folder or installed pack {name!r}",
            hint=f"{did_you_mean(name, known, cutoff=LOOSE)} {installed}".strip(),
        )
    return found[0]


def _entry_points() -> Sequence[EntryPoint]:
    """The entry points of all installed packs, read again only after something was installed or removed."""
    return _read_entry_points(tuple((folder, _changed(folder)) for folder in sys.path))


@lru_cache(maxsize=1)
def _read_entry_points(_state: tuple[tuple[str, int], ...]) -> Sequence[EntryPoint]:
    """All entry points of packs; metadata in the project hides no installed pack.

    The current folder and its `src` come first on the path, so `globex-2.0.dist-info` in a project would stand for the
    installed pack, without its policies.
    """
    from importlib.metadata import distributions, entry_points

    points = tuple(entry_points(group=GROUP))
    if not any(point.dist is not None and _is_of_project(str(point.dist.locate_file(""))) for point in points):
        return points
    path = [folder for folder in sys.path if not _is_of_project(folder)]
    installed = [point for dist in distributions(path=path) for point in dist.entry_points if point.group == GROUP]
    names = {point.name for point in installed}
    return (*installed, *(point for point in points if point.name not in names))


def _is_of_project(folder: str) -> bool:
    """Whether a folder of the path is part of the project, and not an environment that is kept in it."""
    here, place, environment = (Path(each or ".").resolve() for each in (".", folder, sys.prefix))
    is_installed_here = environment.is_relative_to(here) and place.is_relative_to(environment)
    return place.is_relative_to(here) and not is_installed_here


def _changed(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def distribution(point: EntryPoint) -> str:
    """Name and version of the distribution of an entry point."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
