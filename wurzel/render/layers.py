"""Where templates come from: project folders, installed packs, and the templates that come with wurzel.

`argo/workflow.yaml.j2` is the first one found, most specific layer first; `!argo/workflow.yaml.j2` is the built-in
one; `acme!argo/workflow.yaml.j2` is the one of the installed pack `acme`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Literal, NamedTuple

from wurzel.exceptions import Problem, TemplateError
from wurzel.render.requirement import requirement

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from wurzel.render.renames import Rename

GROUP = "wurzel.templates"
"""Entry point group of packs: each entry names a package whose folder holds the templates, or a path."""

BUILT_IN = "built-in"
POLICIES = "policies.j2"
"""What looks at rendered files before they are written; see `wurzel.render.policy`."""
SUFFIX = ".j2"


class TemplateMissing(TemplateError):
    """No layer has a template of that name."""


class Layer(NamedTuple):
    """A folder of templates."""

    name: str
    """The folder as configured, the name of a pack, or `built-in`."""
    folder: Path
    kind: Literal["project", "pack", "backend", "built-in"] = "project"
    version: str = ""
    """Of an installed pack: that of its distribution."""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def is_own(self) -> bool:
        """It belongs to the project or its organisation, not to what renders."""
        return self.kind in {"project", "pack"}

    @property
    def has_policy(self) -> bool:
        """It has a policy; one that is there but cannot be read counts, so that it is an error."""
        return self.is_own and os.path.lexists(self.folder / POLICIES)

    @property
    def is_pack(self) -> bool:
        """It is an installed pack, not a folder of the project."""
        return self.kind == "pack"


class Found(NamedTuple):
    """A template: the name it was asked for by, its layer and its file."""

    name: str
    layer: Layer
    path: Path

    def read(self) -> str:
        """Its source.

        Raises:
            TemplateError: when it is no file, cannot be read, or is not UTF-8.
        """
        try:
            if not S_ISREG(self.path.stat().st_mode):
                raise TemplateError("the template is no file", where=self.name)
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.path.read_bytes()[: error.start].count(b"\n") + 1
            raise TemplateError("the template is not UTF-8", where=f"{self.name}:{line}") from error
        except OSError as error:
            raise TemplateError(f"the template cannot be read: {error.strerror}", where=self.name) from error


class Layers:
    """All template layers of a project, most specific first; the built-in one is always last."""

    def __init__(
        self, layers: Sequence[str | Path] = (), *, root: str | Path = ".", places: Mapping[str, str] | None = None
    ) -> None:
        """Find the layers.

        Args:
            layers: folders (relative ones below `root`) or names of installed packs, also with versions.
            root: the project folder.
            places: where each layer is named, for messages.

        Raises:
            TemplateError: when a layer is neither a folder nor an installed pack of a version that fits.
        """
        self._root = Path(root)
        self._packs: dict[str, Layer] = {}
        self._hidden: frozenset[Path] = frozenset()
        self.renames: tuple[Rename, ...] = ()
        self.warnings: dict[Problem, None] = {}
        """What was read in an old name, each once."""
        found = [self._placed(layer, (places or {}).get(str(layer), "")) for layer in layers]
        self.layers = (*found, Layer(BUILT_IN, built_in(), "built-in"))

    @property
    def packs(self) -> list[Layer]:
        """Those that are installed packs."""
        return [layer for layer in self.layers if layer.is_pack]

    @property
    def versions(self) -> str:
        """Names and versions of the installed packs, for the header of what they take part in; '' without any."""
        return ", ".join(layer.label for layer in self.packs)

    def add(self, name: str, folder: Path) -> None:
        """Search one more folder, after all others but before the built-in templates; a second call does nothing."""
        layer = Layer(name, folder, "backend")
        if layer not in self.layers:
            self.layers = (*self.layers[:-1], layer, self.layers[-1])

    def rename(self, renames: Iterable[Rename]) -> None:
        """Know these old names too."""
        self.renames = tuple(dict.fromkeys([*self.renames, *renames]))

    def hide(self, files: Iterable[Path]) -> None:
        """Go on as if these files were not there."""
        self._hidden = frozenset(files)

    def find(self, name: str) -> Found:
        """The template of that name.

        Raises:
            TemplateMissing: when there is none, with the closest name there is.
        """
        pack, mark, path = name.rpartition("!")
        if mark:
            layers: Sequence[Layer] = [self._pack(pack)] if pack else self.not_own()
        else:
            layers = self.layers
        if _is_plain(path):
            for layer in layers:
                for each in self._names_of(path, layer):
                    if (file := layer.folder / each).is_file() and file not in self._hidden:
                        return self._noted(Found(name, layer, file), path)
        raise self._missing(name, path, layers)

    def _names_of(self, path: str, layer: Layer) -> list[str]:
        """The name itself, and another one that a layer may know it by: an older one, or what it is called now."""
        older = [each.old for each in self.renames if layer.is_own and (each.kind, each.new) == ("template", path)]
        newer = [each.new for each in self.renames if (each.kind, each.old) == ("template", path)]
        return [path, *older, *newer]

    def _noted(self, found: Found, path: str) -> Found:
        name = found.path.relative_to(found.layer.folder).as_posix()
        for each in self.renames:
            if (each.kind, each.old, each.new) == ("template", name, path):
                self.warnings[each.warning(f"{label(found)}:1")] = None
        return found

    def labelled(self, where: str) -> str:
        """A place, `template:line`, with the label of the template instead of the name it was asked for by."""
        name, mark, line = where.partition(":")
        try:
            return label(self.find(name)) + mark + line
        except TemplateError:
            return where

    def own(self, file: Path) -> Found | None:
        """The template of a project or pack that a file is."""
        for layer in self.layers:
            if layer.is_own and file.is_relative_to(layer.folder):
                return Found(file.relative_to(layer.folder).as_posix(), layer, file)
        return None

    def names(self, layer: Layer | None = None) -> list[str]:
        """Names of all templates, or of those of one layer, sorted."""
        found = set()
        for each in [layer] if layer else self.layers:
            files = set(each.folder.rglob(f"*{SUFFIX}")) - self._hidden
            found |= {file.relative_to(each.folder).as_posix() for file in files}
        return sorted(found)

    def not_own(self) -> list[Layer]:
        """The layers of what renders: those of installed targets, then the built-in one."""
        return [layer for layer in self.layers if not layer.is_own]

    def below(self, layer: Layer, name: str) -> Found:
        """The template of that name which one of `layer` takes the place of.

        Raises:
            TemplateMissing: when there is none.
        """
        layers = self.layers[self.layers.index(layer) + 1 :]
        for each in layers:
            if _is_plain(name) and (file := each.folder / name).is_file():
                return Found(reference(each, name), each, file)
        raise self._missing(name, name, layers)

    def of(self, layer: Layer) -> list[Found]:
        """All templates of one layer, sorted by name."""
        return [Found(name, layer, layer.folder / name) for name in self.names(layer)]

    def _placed(self, layer: str | Path, where: str) -> Layer:
        try:
            wanted = requirement(layer) if isinstance(layer, str) and not (self._root / layer).is_dir() else None
            if wanted is None:
                return self._layer(layer)
            found = self._pack(wanted.name)
        except ValueError as error:
            raise TemplateError(str(error), where=where) from None
        except TemplateError as error:
            error.where = error.where or where
            raise
        if not wanted.fits(found.version):
            raise TemplateError(
                f"{found.label} is installed, and {wanted} is asked for",
                where=where,
                hint="Install a version that fits, or change which versions fit here.",
            )
        return found

    def _layer(self, layer: str | Path) -> Layer:
        folder = self._root / layer
        if folder.is_dir():
            return Layer(str(layer), folder)
        if isinstance(layer, Path) or "/" in layer or "." in layer:
            raise TemplateError(f"the template folder {str(layer)!r} does not exist", hint="See `templates:`.")
        return self._pack(layer)

    def _pack(self, name: str) -> Layer:
        if name not in self._packs:
            self._packs[name] = _load_pack(name)
        return self._packs[name]

    def _missing(self, name: str, path: str, layers: Sequence[Layer]) -> TemplateMissing:
        known = sorted({found for layer in layers for found in self.names(layer)})
        prefix = name[: len(name) - len(path)]
        searched = ", ".join(layer.name for layer in layers)
        hint = suggest(path, known, prefix) or f"Searched: {searched}."
        if prefix not in {"", "!"} and any((layer.folder / path).is_file() for layer in self.not_own()):
            hint = f"The pack does not change it: write !{path}, or {path} for the first one found."
        return TemplateMissing(f"there is no template {name!r}", hint=hint)


def label(found: Found) -> str:
    """What messages call a template: the file of a project, `pack!name`, or `!name` of one that comes with a target."""
    name = found.path.relative_to(found.layer.folder).as_posix()
    if found.layer.kind == "project":
        return posixpath.normpath(posixpath.join(found.layer.name, name))
    return reference(found.layer, name)


def reference(layer: Layer, name: str) -> str:
    """The name by which a template of exactly this layer is extended; of a project's folder, the plain one."""
    return {"pack": f"{layer.name}!{name}", "project": name}.get(layer.kind, f"!{name}")


def suggest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Asks whether a known name was meant, when one is close; otherwise nothing."""
    from difflib import get_close_matches  # only when something is wrong

    close = get_close_matches(name, list(known), 1, 0.5)
    return f"Did you mean {prefix}{close[0]}?" if close else ""


def built_in() -> Path:
    """The folder of the templates that come with wurzel, in an installed package or in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _is_plain(path: str) -> bool:
    return bool(path) and "\\" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))


def _load_pack(name: str) -> Layer:
    point = _entry_point(name)
    try:
        home = point.load()
    except Exception as error:
        raise TemplateError(f"the template pack {name!r} ({_distribution(point)}) cannot be loaded: {error}") from error
    folder = Path(home) if isinstance(home, str | Path) else Path(next(iter(getattr(home, "__path__", ())), ""))
    if folder == Path() or not folder.is_dir():
        raise TemplateError(f"the template pack {name!r} names no folder", hint=f"Group {GROUP}: a package or a path.")
    return Layer(name, folder, "pack", point.dist.version if point.dist is not None else "")


def _entry_point(name: str) -> EntryPoint:
    from importlib.metadata import entry_points  # slow: only when a pack is named

    points = entry_points(group=GROUP)
    found = sorted({point for point in points if point.name == name}, key=_distribution)
    if len(found) > 1:
        owners = " and ".join(map(_distribution, found))
        raise TemplateError(
            f"{len(found)} installed packs are called {name!r}: {owners}",
            hint="Uninstall all but one: which one is meant cannot be said.",
        )
    if not found:
        known = sorted({point.name for point in points})
        installed = f"Installed packs: {', '.join(known)}." if known else "No template pack is installed."
        raise TemplateError(
            f"there is no template folder or installed pack {name!r}",
            hint=f"{suggest(name, known)} {installed}".strip(),
        )
    return found[0]


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
