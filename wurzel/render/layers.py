"""Where templates come from: project folders, installed packs, and the templates that come with wurzel.

`argo/workflow.yaml.j2` is the first one found, most specific layer first. In a template, `!argo/workflow.yaml.j2` is
that of the next layer below that has the file, `acme!argo/workflow.yaml.j2` that of the pack `acme` or of the next
layer below it, and `wurzel!argo/workflow.yaml.j2` wurzel's own.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, Literal

from wurzel.exceptions import Problem, TemplateError
from wurzel.named_tuples import NamedTuple
from wurzel.render.packs import is_installed, load_pack, pack_name, requirement
from wurzel.render.renames import renamed
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from wurzel.render.more import More
    from wurzel.render.renames import Rename

BUILT_IN = "built-in"
POLICIES = "policies.j2"
"""The template that checks rendered files before they are written; see `wurzel.render.policy`."""
OURS = "wurzel"
"""The name before `!` for templates of wurzel itself or of an installed target."""
SUFFIX = ".j2"
_OTHER_NAMES = {
    "wurzel-pack.yaml": ("wurzel-pack.yml", "wurzel-pack.json", "wurzel_pack.yaml", "wurzel_pack.yml"),
    POLICIES: ("policies.jinja", "policies.jinja2", "policies.j2.txt"),
}
_RIGHT_NAMES = {name: right for right, others in _OTHER_NAMES.items() for name in (right, *others)}
"""The name that each name, in lower case, should be."""
_OF_INIT = "init/"
"""Folder of what `wurzel init` writes, before there are layers, so a project's templates cannot override it."""
USUAL = "wurzel-templates"
"""The usual name of a project's template folder."""


class TemplateMissing(TemplateError):
    """No layer has a template of that name."""


class Layer(NamedTuple):
    """A folder of templates."""

    name: str
    """The folder as configured, the name of a pack, or `built-in`."""
    folder: Path
    kind: Literal["project", "pack", "backend", "built-in"] = "project"
    version: str = ""
    """Version of an installed pack's distribution."""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def is_own(self) -> bool:
        """Whether it belongs to the project or its organisation, not to wurzel or an installed target."""
        return self.kind in {"project", "pack"}

    @property
    def has_policy(self) -> bool:
        """Whether it has a policy; an unreadable one counts too, so that it becomes an error."""
        return self.is_own and os.path.lexists(self.folder / POLICIES)

    @property
    def is_pack(self) -> bool:
        """Whether it is an installed pack, not a folder of the project."""
        return self.kind == "pack"


class Found(NamedTuple):
    """A template: the name it was looked up by, its layer and its file."""

    name: str
    layer: Layer
    path: Path

    @property
    def relative(self) -> str:
        """Its name without a `!`: its path in its layer."""
        return self.path.relative_to(self.layer.folder).as_posix()

    def read(self) -> str:
        """Its source. Raises `TemplateError` when it is not a file, cannot be read, or is not UTF-8."""
        try:
            if not S_ISREG(self.path.stat().st_mode):
                hint = "Remove it, or rename it: folders and pipes cannot be read as templates."
                raise TemplateError("the template is not a file", where=self.name, hint=hint)
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.path.read_bytes()[: error.start].count(b"\n") + 1
            hint = "Save it as UTF-8."
            raise TemplateError("the template is not UTF-8", where=f"{self.name}:{line}", hint=hint) from error
        except OSError as error:
            raise TemplateError(f"the template cannot be read: {error.strerror}", where=self.name) from error


class Layers:
    """All template layers of a project, most specific first; the built-in one is always last."""

    def __init__(
        self, layers: Sequence[str | Path] = (), *, root: str | Path = ".", places: Mapping[str, str] | None = None
    ) -> None:
        """Find the layers.

        Relative folders are below `root`; `places` says for messages where the configuration names each layer. Raises
        `TemplateError` when a layer is neither a folder nor an installed pack of a matching version.
        """
        self._root = Path(root)
        self._packs: dict[str, Layer] = {}
        self._hidden: frozenset[Path] = frozenset()
        self.renames: tuple[Rename, ...] = ()
        self.filters: dict[str, Callable[..., Any]] = {}
        """Filters of packs, by name."""
        self.schemas: tuple[Path, ...] = ()
        """Folders with CustomResourceDefinitions, to check objects of their kinds."""
        self.more: tuple[More, ...] = ()
        """Files that packs add to those of a target."""
        self.warnings: dict[Problem, None] = {}
        """Warnings about old names in use, each once."""
        found = [self._placed(layer, (places or {}).get(str(layer), "")) for layer in layers]
        self._check_once(found, layers, places or {})
        self.layers = (*found, Layer(BUILT_IN, built_in(), "built-in"))
        self._warn_of_unnamed()

    def _check_once(self, found: Sequence[Layer], names: Sequence[str | Path], places: Mapping[str, str]) -> None:
        """Refuse a folder or pack that is listed twice: its policies would run twice, and its header name it twice."""
        seen: set[Path] = set()
        for layer, name in zip(found, names, strict=True):
            if layer.folder.resolve() in seen:
                where = places.get(str(name), "")
                raise TemplateError(f"{str(name)!r} is listed twice", where=where, hint="Remove one of the two.")
            seen.add(layer.folder.resolve())

    def _warn_of_unnamed(self) -> None:
        folder = self._root / USUAL
        what = "templates" if any(folder.rglob(f"*{SUFFIX}")) else "a wurzel-pack.yaml"
        has_any = what == "templates" or (folder / "wurzel-pack.yaml").is_file()
        if not has_any or any(layer.folder == folder for layer in self.layers):
            return
        message = f"the folder {USUAL!r} has {what}, but `templates:` in wurzel.yaml does not list it: nothing is used"
        self.warnings[Problem(message, USUAL, f"Add to wurzel.yaml: templates: [{USUAL}]")] = None

    @property
    def packs(self) -> list[Layer]:
        """The layers that are installed packs."""
        return [layer for layer in self.layers if layer.is_pack]

    @property
    def versions(self) -> str:
        """Names and versions of the installed packs, for the header of rendered files; '' without any."""
        return ", ".join(layer.label for layer in self.packs)

    def add(self, name: str, folder: Path) -> None:
        """Search one more folder, after all others but before the built-in templates; a repeated call does nothing."""
        layer = Layer(name, folder, "backend")
        if layer not in self.layers:
            self.layers = (*self.layers[:-1], layer, self.layers[-1])

    def rename(self, renames: Iterable[Rename]) -> None:
        """Accept these old names too."""
        self.renames = tuple(dict.fromkeys([*self.renames, *renames]))

    def hide(self, files: Iterable[Path]) -> None:
        """Continue as if these files did not exist."""
        self._hidden = frozenset(files)

    @property
    def hides(self) -> bool:
        """Whether it continues as if some files did not exist."""
        return bool(self._hidden)

    def find(self, name: str, asking: Layer | None = None) -> Found:
        """The template of that name.

        A `!` in the name tells where the search starts: below `asking`, the layer of the template that refers to it.
        Raises `TemplateMissing` when there is none; suggests the closest name, `TemplateError` when there is no such
        pack.
        """
        pack, mark, path = name.rpartition("!")
        layers = self._from(pack, asking) if mark else self.layers
        for layer in layers if _is_plain(path) else ():
            for each in self._names_of(path, layer):
                # Most layers do not have most files: a `Path` for each would take longer than the look-up.
                there = os.path.isfile(f"{layer.folder}/{each}")  # noqa: PTH113
                if there and (file := layer.folder / each) not in self._hidden:
                    return self._noted(Found(name, layer, file), path)
        raise self._missing(name, path, layers)

    def _from(self, pack: str, asking: Layer | None) -> Sequence[Layer]:
        """The layers to search for a name with `pack` before its `!`."""
        if pack == OURS:
            return self.not_own()
        if not pack:
            first = self.layers[0] if self.layers[0].kind == "project" else None
            return self.under(asking or first)
        for number, layer in enumerate(self.layers):
            if layer.is_pack and layer.name == pack:
                return self.layers[number:]
        return [self._pack(pack), *self.not_own()]

    def under(self, layer: Layer | None) -> Sequence[Layer]:
        """The layers below one: all for `None`, and only wurzel's and targets' own for a pack that is not listed."""
        if layer is None:
            return self.layers
        if layer not in self.layers:
            return self.not_own()
        # A package may be a pack and also bring a target: its folder is then a layer twice.
        return [each for each in self.layers[self.layers.index(layer) + 1 :] if each.folder != layer.folder]

    def _names_of(self, path: str, layer: Layer) -> list[str]:
        """The name itself, and another one that a layer may use for it: an older or the current one."""
        if not self.renames:
            return [path]
        files = [each.old for each in self.renames if each.kind == "template"]
        older = [old for old in files if layer.is_own and self._now(old) == path]
        return [path, *older, *([self._now(path)] if path in files else [])]

    def _now(self, path: str) -> str:
        """What a template is called today."""
        found = renamed(self.renames, "template", path)
        return found.new if found is not None else path

    def _noted(self, found: Found, path: str) -> Found:
        old = renamed(self.renames, "template", found.relative)
        if old is not None and old.new == path:
            self.warnings[old.warning(f"{label(found)}:1")] = None
        return found

    def labelled(self, where: str) -> str:
        """A place, `template:line`, with the label of the template instead of the name it was looked up by."""
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
        """Names of all templates that a layer may override, or of those of one layer, sorted."""
        found = set()
        for each in [layer] if layer else self.layers:
            files = set(each.folder.rglob(f"*{SUFFIX}")) - self._hidden
            names = {file.relative_to(each.folder).as_posix() for file in files}
            found |= {name for name in names if each.kind != BUILT_IN or not name.startswith(_OF_INIT)}
        return sorted(found)

    def not_own(self) -> list[Layer]:
        """The layers that do not belong to the project: those of installed targets, then the built-in one."""
        return [layer for layer in self.layers if not layer.is_own]

    def below(self, layer: Layer, name: str) -> Found:
        """The template of that name that one of `layer` overrides. Raises `TemplateMissing` when there is none."""
        try:
            return self.find(f"!{name}", layer)
        except TemplateMissing:
            raise self._missing(name, name, self.under(layer)) from None

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
                f"{found.label} is installed, but {wanted} is required",
                where=where,
                hint="Install a matching version, or change the required versions here.",
            )
        return found

    def _layer(self, layer: str | Path) -> Layer:
        if layer == OURS:
            hint = f"Remove it; {OURS}!… refers to its templates by name."
            raise TemplateError(f"{OURS!r} is not a pack: wurzel's own templates are always the last layer", hint=hint)
        folder = self._root / layer
        if folder.is_dir():
            is_path = not isinstance(layer, str) or "/" in layer or layer == USUAL
            if not is_path and is_installed(pack := pack_name(str(layer))):
                found = self._pack(pack)
                if found.folder.resolve().is_relative_to(folder.resolve()):  # the folder is that of the pack's project
                    return found
                raise TemplateError(
                    f"{layer!r} is a folder here, and {pack} is an installed pack: which one is meant is not clear",
                    hint=f"Write ./{layer} for the folder, or give it another name.",
                )
            _refuse_other_names(folder)
            return Layer(str(layer), folder)
        if isinstance(layer, Path) or "/" in layer or "." in layer or layer == USUAL:
            hint = f"Create it: mkdir {layer}" if layer == USUAL else "See `templates:`."
            raise TemplateError(f"the template folder {str(layer)!r} does not exist", hint=hint)
        return self._pack(layer)

    def _pack(self, name: str) -> Layer:
        if name not in self._packs:
            folder, version = load_pack(name)
            _refuse_other_names(folder)
            self._packs[name] = Layer(name, folder, "pack", version)
        return self._packs[name]

    def _missing(self, name: str, path: str, layers: Sequence[Layer]) -> TemplateMissing:
        known = sorted({found for layer in layers for found in self.names(layer)})
        prefix = name[: len(name) - len(path)]
        searched = ", ".join(layer.name for layer in layers)
        hint = did_you_mean(path, known, prefix=prefix, cutoff=LOOSE) or f"Searched: {searched}."
        return TemplateMissing(f"there is no template {name!r}", hint=hint)


def _refuse_other_names(folder: Path) -> None:
    """Raise `TemplateError` for a file that would be the configuration or policy of a layer under its right name."""
    for name in os.listdir(folder):  # noqa: PTH208 - once for each layer of every command
        right = _RIGHT_NAMES.get(name.lower(), name)
        if right != name:
            raise TemplateError(f"is ignored: its name is not {right}", where=str(folder / name), hint="Rename it.")


def label(found: Found) -> str:
    """Name of a template in messages: the file of a project, `acme!name` of a pack, or `wurzel!name`."""
    name = found.relative
    if found.layer.kind == "project":
        return posixpath.normpath(posixpath.join(found.layer.name, name))
    return reference(found.layer, name)


def reference(layer: Layer, name: str) -> str:
    """The name to extend a template of exactly this layer by; for a project's folder, the plain one."""
    return {"pack": f"{layer.name}!{name}", "project": name}.get(layer.kind, f"{OURS}!{name}")


def built_in() -> Path:
    """The folder of the templates that come with wurzel, in an installed package or in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _is_plain(path: str) -> bool:
    return bool(path) and "\\" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))
