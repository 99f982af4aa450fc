"""`wurzel.yaml` from disk: found, read, and checked as a whole, with file, line and column for everything."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import ConfigError, Problem, UsageError, WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.project.kept_tree import kept_tree
from wurzel.project.kinds import Context
from wurzel.project.model import PACK_FILE, VALIDATE, VERSION, ProjectFile
from wurzel.project.nodes import Findings, Node, json_data, near
from wurzel.project.read import read
from wurzel.project.requires import KEY, Requires, requires_of
from wurzel.project.schemas import schemas_of
from wurzel.project.targets import Named, check_targets, names_given
from wurzel.regular_file import read_file

if TYPE_CHECKING:
    from wurzel.project.packs import Pack

FILE = "wurzel.yaml"
ALLOW_OUTSIDE = "WURZEL_ALLOW_OUTSIDE"
"""Variable that allows template folders outside the project, as `wurzel --allow-outside` does."""
MAX_BYTES = 32 * 1024 * 1024
"""Largest file that is read."""

_ENVIRONMENT = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"


class Project(NamedTuple):
    """A checked `wurzel.yaml`."""

    root: Path
    """The folder of the file; all paths in it are relative to this folder."""
    file: str
    """The file's name in messages."""
    templates: Sequence[str]
    places: Mapping[str, str]
    """The place of each of them in the file."""
    pipelines: Mapping[str, Node]
    environments: Mapping[str, Mapping[str, Node]]
    """Overrides by pipeline, for each environment by name."""
    packs: Callable[[], Sequence[Pack]] = tuple
    """The packs among `templates`, weakest first; found when they are first needed."""
    schemas: Sequence[Path] = ()
    """Folders and files with CustomResourceDefinitions, for `--validate`."""
    variables: Mapping[str, Node] = {}
    """Values of variables by environment; those for all environments under `''`."""
    stores: Mapping[str, Node] = {}
    """The store of all pipelines by environment; that for all environments under `''`."""

    requires: Requires = Requires("")
    """The wurzel that the project needs."""

    folder: Node | None = None
    """Where the file says that the project is in its repository."""

    container: Node | None = None
    """The image of the project, as `wurzel.yaml` describes it."""

    def names(self, environment: str | None = None) -> list[str]:
        """Names of the pipelines, without those an environment removes. Raises `UsageError` for an unknown one."""
        overrides = self.overrides(environment)
        return [name for name in self.pipelines if name not in overrides or overrides[name].value is not None]

    def overrides(self, environment: str | None, where: str = "") -> Mapping[str, Node]:
        """What an environment changes, by pipeline; empty if `environment` is `None`.

        Raises `UsageError` for an unknown one, at the place `where` it is asked for.
        """
        if environment is None:
            return {}
        if environment not in self.environments:
            known = list(dict.fromkeys([*self.environments, *self._environments_of_packs()]))
            if environment in known:
                return {}
            hint = near(environment, known, "Environments")
            raise UsageError(f"unknown environment {environment!r}", where=where or self.file, hint=hint)
        return self.environments[environment]

    def _environments_of_packs(self) -> list[str]:
        try:
            return [name for pack in self.packs() for name in pack.environments]
        except WurzelError:  # reported when templates are needed
            return []

    def layers(self, name: str, environment: str | None = None) -> list[Node]:
        """The layers of the file for a pipeline, weakest first. Raises `UsageError`."""
        override = self.overrides(environment).get(name)
        found = [self._for_all(""), self.pipelines.get(name), self._for_all(environment), override]
        return [node for node in found if node is not None and node.value is not None]

    def _for_all(self, environment: str | None) -> Node | None:
        """Variables and store of all pipelines of the file or of an environment, in the shape of a pipeline."""
        if environment is None:
            return None
        by_key = {"variables": self.variables, "store": self.stores}
        fields = {key: nodes[environment] for key, nodes in by_key.items() if environment in nodes}
        return Node(fields, self.file) if fields else None

    def targets(self, name: str, environment: str | None = None) -> list[str]:
        """Names of the targets that the file lists for a pipeline."""
        found: dict[str, None] = {}
        for layer in self.layers(name, environment):
            for target, node in layer.below("targets").items():
                if node.value is None:
                    found.pop(target, None)
                else:
                    found[target] = None
        return list(found)

    def entrypoint(self, name: str, environment: str | None = None) -> str:
        """Where the code of a pipeline is. Raises `UsageError` with the closest name if there is none."""
        if name not in self.names(environment):
            hint = near(name, self.names(environment), "Pipelines")
            raise UsageError(f"unknown pipeline {name!r}", where=self.file, hint=hint)
        return str(self._entrypoint(name, environment).value)

    def entrypoint_place(self, name: str, environment: str | None = None) -> str:
        """Where the configuration says where the code of one of its pipelines is; empty for other names."""
        return str(self._entrypoint(name, environment).origin) if name in self.names(environment) else ""

    def _entrypoint(self, name: str, environment: str | None) -> Node:
        nodes = [node.fields.get("entrypoint") for node in reversed(self.layers(name, environment))]
        return next(node for node in nodes if node is not None and node.value is not None)


def project_names(project: Project | None) -> Mapping[str, Named]:
    """The named targets of a project and its packs, for any pipeline and environment."""
    if project is None:
        return {}
    holders = [*(pack.pipeline for pack in project.packs()), *project.pipelines.values()]
    holders += [node for overrides in project.environments.values() for node in overrides.values()]
    return names_given(holder.fields.get("targets") if holder is not None else None for holder in holders)


def find_project() -> Path | None:
    """The path of `wurzel.yaml` in the current folder, or `None`.

    Only that folder is searched: code is imported from it, and rendered files are relative to it. Raises `ConfigError`
    when the file exists under a wrong name, such as wurzel.yml.
    """
    path = Path(FILE)
    if path.exists():  # whatever it is: reading it says what is wrong with it
        return path
    for other in ("wurzel.yml", ".wurzel.yaml", "wurzel.json"):
        if Path(other).is_file():
            raise ConfigError([Problem("is ignored", other, f"Rename it to {FILE}.")])
    return None


def parent_project() -> Path | None:
    """The nearest parent folder with a `wurzel.yaml`, to tell the user where to go."""
    return next((parent for parent in Path.cwd().parents if (parent / FILE).is_file()), None)


def load(path: Path) -> Project:
    """The project of a `wurzel.yaml`. Raises `ConfigError` with every error, each with file, line and column."""
    name = _name(path)
    findings = Findings()
    root = kept_tree(_data(path, name), name, findings)
    if root.value is None:
        findings.add(root.origin, "is empty", f"Start with: version: {VERSION}")
        findings.check()
    _check_version(root, findings)
    templates = [str(item.written) for item in root.listed("templates")]
    places = {str(item.written): str(item.origin) for item in root.listed("templates")}
    packs = cache(lambda: _packs(templates, path.parent, places))
    _check_shape(root, packs, findings)
    _check_templates(root, path.parent, findings)
    requires = requires_of(root, findings) if KEY in root.fields else Requires("")
    findings.check()
    environments = root.below("environments")
    return Project(
        root=path.parent,
        file=name,
        templates=tuple(templates),
        places=places,
        pipelines=root.below("pipelines"),
        environments={key: node.below("pipelines") for key, node in environments.items()},
        packs=packs,
        schemas=[path.parent / name for name in schemas_of(root, Findings())],
        variables=_for_all(root, environments, "variables"),
        stores=_for_all(root, environments, "store"),
        requires=requires,
        folder=root.fields.get("folder"),
        container=root.fields.get("container"),
    )


def _for_all(root: Node, environments: Mapping[str, Node], key: str) -> dict[str, Node]:
    """What the file says of all its pipelines under a key, by environment."""
    return {name: node.fields[key] for name, node in {"": root, **environments}.items() if key in node.fields}


def _packs(templates: Sequence[str], root: Path, places: Mapping[str, str]) -> Sequence[Pack]:
    if all(_is_plain_folder(root, name) for name in templates):
        return ()
    from wurzel.project.packs import read_packs  # imported only for projects with packs, to keep others fast

    return read_packs(templates, root, places)


def _is_plain_folder(root: Path, name: str) -> bool:
    """Whether an entry can only be a folder, with templates alone; `globex` may be an installed pack too."""
    from wurzel.render.layers import USUAL  # imported only for projects with templates, to keep others fast

    is_path = "/" in name or name == USUAL
    return is_path and (root / name).is_dir() and not (root / name / PACK_FILE).is_file()


def _name(path: Path) -> str:
    """The path for messages: relative to the current folder if it is inside."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    return absolute.relative_to(Path.cwd()).as_posix() if absolute.is_relative_to(Path.cwd()) else str(path)


def _data(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"is larger than {MAX_BYTES // 1024 // 1024} MB"
            raise ConfigError([Problem(message, name, "Keep large values in files that steps read.")])
        return read_file(path)
    except OSError as error:
        raise ConfigError([Problem(f"cannot be read: {error.strerror}", name)]) from error


def _check_templates(root: Node, folder: Path, findings: Findings) -> None:
    """Refuse template folders outside the project: templates are code, and anyone might be able to write there."""
    home = folder.resolve()
    for item in () if os.environ.get(ALLOW_OUTSIDE) else root.listed("templates"):
        place = folder / str(item.written)
        if place.is_dir() and not place.resolve().is_relative_to(home):
            findings.add(
                item.origin,
                f"templates: {str(item.written)!r} is outside the project, and templates are code",
                "Move the folder into the project, install it as a pack, or allow it: wurzel --allow-outside …",
            )


def _check_version(root: Node, findings: Findings) -> None:
    """Refuse a file of another version without further checks, since nothing else in it can be judged."""
    version = root.fields.get("version")
    if version is not None and version.value != VERSION and isinstance(version.value, int | float):
        findings.add(
            version.origin,
            f"version {json_data(version)} is not supported; this wurzel reads version {VERSION}",
            "Use the wurzel that the file was written for, or write version: 1.",
        )
        findings.check()


def _check_shape(root: Node, packs: Callable[[], Sequence[Pack]], findings: Findings) -> None:
    whole = {key: node for key, node in root.fields.items() if key not in {"environments", VALIDATE}}
    base = Node(whole, root.source, root.line, root.column) if isinstance(root.value, dict) else root
    read(base, ProjectFile, "", Context(findings, build=False))
    for name, pipeline in root.below("pipelines").items():
        if pipeline.value is None:
            hint = "Write for example {entrypoint: module:attribute}."
            findings.add(pipeline.key_origin, f"pipelines.{name} is empty", hint)
    environments = root.fields.get("environments")
    if environments is not None and environments.value is not None:
        overlay = Node({"environments": environments}, root.source, root.line, root.column)
        read(overlay, ProjectFile, "", Context(findings, complete=False, build=False))
        _check_environments(root, environments, findings)
    schemas_of(root, findings)
    named = names_given(pipeline.fields.get("targets") for _, pipeline in _pipelines(root))

    def elsewhere() -> Collection[str]:
        # Raises what keeps a pack from being read: a name that it may define cannot be judged, so nothing else counts.
        return {*named, *(name for pack in packs() for name in pack.names)}

    for path, pipeline in _pipelines(root):
        targets = pipeline.fields.get("targets")
        if targets is not None:
            check_targets(targets, f"{path}.targets", findings, elsewhere)


def _check_environments(root: Node, environments: Node, findings: Findings) -> None:
    known = root.below("pipelines")
    for name, environment in environments.fields.items():
        if not re.fullmatch(_ENVIRONMENT, name):
            message = f"{name!r} is not a valid environment name"
            findings.add(environment.key_origin, message, "Use letters, digits, -, _ and . as in prod.")
        for key, pipeline in environment.below("pipelines").items():
            if key not in known:
                message = f"environments.{name}.pipelines: there is no pipeline {key!r}"
                findings.add(pipeline.key_origin, message, near(key, known, "Pipelines"))


def _pipelines(root: Node) -> Iterator[tuple[str, Node]]:
    holders = [("", root), *((f"environments.{name}.", node) for name, node in root.below("environments").items())]
    for path, holder in holders:
        for name, node in holder.below("pipelines").items():
            yield f"{path}pipelines.{name}", node
