"""Installed template packs as configuration: the weakest layer for pipelines, and the variables they declare."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from wurzel.exceptions import ConfigError, Problem
from wurzel.ir.model import Pipeline
from wurzel.models import Model
from wurzel.named_tuples import NamedTuple
from wurzel.project.declared import Declaration, Declared, declarations
from wurzel.project.kinds import Context
from wurzel.project.model import PACK_FILE, PIPELINE_FACTS, STORE, VALIDATE, PipelineConfig, taken_over
from wurzel.project.nodes import Findings, Node, near
from wurzel.project.parse import parse
from wurzel.project.read import read
from wurzel.project.schemas import schemas_of
from wurzel.project.targets import Named, check_targets, names_given
from wurzel.regular_file import read_file
from wurzel.render.layers import POLICIES
from wurzel.render.more import More, unknown_in
from wurzel.render.packs import Requirement, requirement
from wurzel.render.renames import Rename

_FIELDS = PipelineConfig.model_fields
_OWN: dict[str, Any] = {name: (_FIELDS[name].annotation, _FIELDS[name]) for name in ("defaults", "targets", "ignore")}


_PIPELINE: Any = {**taken_over(Pipeline, PIPELINE_FACTS), "store": STORE, **_OWN}


class PackPipeline(Model, fields=_PIPELINE):
    """Defaults for every pipeline that uses the pack."""


class PackEnvironment(Model):
    """Overrides for one environment, such as `prod`."""

    pipeline: PackPipeline | None = Field(None, description="Defaults for pipelines in this environment.")


class PackRename(Model):
    """A renamed part of the pack's templates, which templates of projects may still use by its old name."""

    kind: Literal["block", "macro", "file"] = Field(description="What was renamed.")
    old: str = Field(description="The old name.")
    new: str = Field(description="The new name.")
    since: str = Field(pattern=r"^[0-9]+(\.[0-9]+)*", description="First version of the pack with the new name.")
    within: str = Field("", description="The template that has the block or macro.")


class MoreFile(Model):
    """A file that is written beside those of a target."""

    target: str = Field(description="The target it belongs to.")
    template: str = Field(description="Its template.")
    path: str = Field(description="Path of the file; may contain {pipeline}, {target} and {environment}.")


class PackFile(Model):
    """A whole `wurzel-pack.yaml`."""

    version: Literal[1] = Field(description="Version of this format.")
    requires: list[str] = Field([], description="Packs that it requires below it, optionally with versions: globex>=2.")
    pipeline: PackPipeline | None = Field(None, description="Defaults for pipelines.")
    variables: dict[str, Declared] = Field({}, description="Variables that projects set, by name.")
    renames: tuple[PackRename, ...] = Field((), description="Names that were changed.")
    filters: str | None = Field(None, description="Module whose public functions are filters of templates.")
    files: tuple[MoreFile, ...] = Field((), description="Files that are written beside those of targets.")
    environments: dict[str, PackEnvironment] = Field({}, description="By name, as given to `-e`.")


class Pack(NamedTuple):
    """The configuration of an installed pack."""

    name: str
    version: str = ""
    pipeline: Node | None = None
    """What every pipeline gets."""
    variables: Mapping[str, Declaration] = {}
    environments: Mapping[str, Node] = {}
    """What every pipeline also gets in each environment."""
    renames: Sequence[Rename] = ()
    files: Sequence[More] = ()
    schemas: Sequence[Path] = ()
    """Folders and files with CustomResourceDefinitions."""
    filters: Node | None = None
    """The module with its filters."""
    requires: Sequence[Node] = ()
    """Packs that it requires below it."""

    @property
    def label(self) -> str:
        """Its name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def names(self) -> Mapping[str, Named]:
        """Its named targets."""
        holders = [self.pipeline, *self.environments.values()]
        return names_given(holder.fields.get("targets") for holder in holders if holder is not None)

    def layers(self, environment: str | None) -> list[Node]:
        """What every pipeline gets, weakest first."""
        found = [self.pipeline, self.environments.get(environment) if environment is not None else None]
        return [node for node in found if node is not None]


def read_packs(templates: Sequence[str], root: Path, places: Mapping[str, str]) -> list[Pack]:
    """The packs among `templates:`, weakest first.

    Raises `TemplateError` when one of them is neither a folder nor an installed pack, `ConfigError` with every error in
    their files.
    """
    from wurzel.render.layers import Layers

    findings = Findings()
    found = [
        _read(Pack(layer.name, layer.version), layer.folder / PACK_FILE, findings, is_pack=layer.is_pack)
        for layer in Layers(templates, root=root, places=places).layers
        if layer.is_own and (layer.is_pack or (layer.folder / PACK_FILE).is_file())
    ]
    for number, pack in enumerate(found):
        for wanted in pack.requires:
            _check_required(pack, wanted, found[:number], found[number + 1 :], findings)
    names = {name for pack in found for name in pack.names}
    for pack in found:
        _check_targets(pack, names, findings)
    findings.check()
    return found[::-1]


def _check_targets(pack: Pack, names: Collection[str], findings: Findings) -> None:
    holders = {"pipeline": pack.pipeline, **{f"environments.{key}.pipeline": e for key, e in pack.environments.items()}}
    for path, node in holders.items():
        targets = node.fields.get("targets") if node is not None else None
        if targets is not None:
            check_targets(targets, f"{path}.targets", findings, lambda: names)


def _check_required(pack: Pack, wanted: Node, above: Sequence[Pack], below: Sequence[Pack], findings: Findings) -> None:
    """Check that a pack that another one requires is below it, in a matching version."""
    try:
        needed = requirement(str(wanted.value)) or Requirement(str(wanted.value).strip(), "")
    except ValueError as error:
        findings.add(wanted.origin, str(error))
        return
    if needed.name == pack.name:
        findings.add(wanted.origin, f"{pack.label} requires itself", "Remove it from `requires`.")
        return
    there = {each.name: each for each in below}.get(needed.name)
    misplaced = any(each.name == needed.name for each in above)
    if misplaced and there is None:
        other = next(each for each in above if each.name == needed.name)
        message = f"{pack.label} requires {needed} below it, but {needed.name} is above it"
        hint = f"List {needed.name} after {pack.name} under `templates:`."
        if any(re.match(rf"{re.escape(pack.name)}(?![\w.-])", str(each.value).strip()) for each in other.requires):
            message = f"{pack.label} and {other.label} require each other below them"
            hint = "One of the packs has to drop the other from its `requires`."
        findings.add(wanted.origin, message, hint)
    elif there is None:
        message = f"{pack.label} requires {needed}, which `templates:` does not list"
        findings.add(
            wanted.origin, message, f"Install {needed.name}, and list it after {pack.name} under `templates:`."
        )
    elif needed.versions and not needed.fits(there.version):
        message = f"{pack.label} requires {needed}, but {there.label} is installed"
        findings.add(wanted.origin, message, f"Install a matching version of {needed.name}, or another {pack.name}.")


def _read(pack: Pack, path: Path, findings: Findings, *, is_pack: bool = True) -> Pack:
    name = f"pack {pack.name}: {PACK_FILE}" if is_pack else f"{pack.name}/{PACK_FILE}"
    try:
        data = read_file(path)
    except FileNotFoundError:
        return pack
    except OSError as error:
        raise ConfigError([Problem(f"cannot be read: {error.strerror}", name)]) from error
    root = parse(data, name, findings)
    whole = Node({key: node for key, node in root.fields.items() if key != VALIDATE}, name, root.line, root.column)
    read(whole if root.fields else root, PackFile, "", Context(findings, build=False))
    pipeline = root.fields.get("pipeline")
    environments = root.below("environments")
    return pack._replace(
        schemas=[path.parent / folder for folder in schemas_of(root, findings)],
        renames=[_rename(pack, node, findings) for node in root.listed("renames") if node.fields],
        files=[_more(pack, node, findings) for node in root.listed("files") if node.fields],
        filters=root.fields.get("filters"),
        environments={key: node.fields.get("pipeline", Node({}, name)) for key, node in environments.items()},
        pipeline=pipeline if pipeline is not None and pipeline.value is not None else None,
        requires=root.listed("requires"),
        variables=declarations(root.fields.get("variables"), pack.label, findings),
    )


def _texts(node: Node) -> Mapping[str, str]:
    """The fields of a mapping as texts; empty where there is none."""
    return defaultdict(str, {key: str(child.written) for key, child in node.fields.items()})


def _rename(pack: Pack, node: Node, findings: Findings) -> Rename:
    texts = _texts(node)
    if texts["kind"] in {"block", "macro"} and not texts["within"]:
        findings.add(node.origin, f"renames: a {texts['kind']} needs `within`, the template that contains it")
    if POLICIES in {texts["old"], texts["new"]}:
        findings.add(node.origin, f"renames: {POLICIES} cannot be renamed", "Every layer's policy has this name.")
    kind: Any = {"file": "template"}.get(texts["kind"], texts["kind"])
    since = texts["since"] or "0"
    return Rename(kind, texts["old"], texts["new"], since, texts["within"], pack.name)


def _more(pack: Pack, node: Node, findings: Findings) -> More:
    from wurzel.backends.registry import names

    texts = _texts(node)
    more = More(pack.label, texts["target"], texts["template"], texts["path"], str(node.origin))
    if more.target and more.target not in names():
        hint = near(more.target, names(), "Targets")
        findings.add(node.fields["target"].origin, f"files: unknown target {more.target!r}", hint)
    if unknown := unknown_in(more.path):
        message = f"files: {unknown!r} is not a placeholder"
        findings.add(node.fields["path"].origin, message, "Use {pipeline}, {target} or {environment}.")
    elif posixpath.normpath(more.path).startswith(("/", "../")):
        message = f"files: {more.path!r} is outside the project"
        findings.add(node.fields["path"].origin, message, "Write a path below the folder of wurzel.yaml.")
    return more
