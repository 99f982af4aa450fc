"""What packs change in files that were rendered with others, or with other versions of them.

The header of a file says which packs wrote it. The same pipelines are rendered with those packs, as far as they are
installed: what differs from that comes from the packs, and no line of `wurzel.yaml` is the reason for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from wurzel.drift.compare import Difference, differences
from wurzel.exceptions import WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.project.nodes import Node, with_value
from wurzel.render.header import packs_of
from wurzel.render.layers import OURS
from wurzel.render.packs import is_installed, load_pack, pack_name

if TYPE_CHECKING:
    from wurzel.backends.job import JobFile, JobResult
    from wurzel.project.jobs import Request
    from wurzel.project.load import Project
    from wurzel.project.packs import Pack
    from wurzel.render import Renderer
    from wurzel.render.output import Change


class Moved(NamedTuple):
    """A pack whose version differs from the one that wrote a file; '' for none."""

    name: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} {self.before or '(none)'} → {self.now or '(none)'}"


def moved(change: Change, renderer: Renderer) -> list[Moved]:
    """The packs of a file on disk that are not those of today."""
    if change.state not in {"outdated", "edited"}:
        return []
    now = {layer.name: layer.version for layer in renderer.layers.packs}
    before = packs_of(change.old or b"")
    names = dict.fromkeys([*now, *before])
    return [Moved(name, before.get(name, ""), now.get(name, "")) for name in names if before.get(name) != now.get(name)]


class PackChanges:
    """What changed packs do in the files of one job."""

    def __init__(self, changes: Sequence[Change], result: JobResult, renderer: Renderer, request: Request) -> None:
        """Nothing is rendered until a file asks for it."""
        self._moved = {change.path: found for change in changes if (found := moved(change, renderer))}
        self._result = result
        self._request = request

    def of(self, file: JobFile) -> OfFile | None:
        """What packs change in one file; `None` if it was written by those of today."""
        found = self._moved.get(file.output.path)
        if not found:
            return None
        path, text = file.output.path, file.rendered.text
        was = self._before if all(not (each.before and each.now) for each in found) else None
        if was is not None and path in was:
            return OfFile(found, {_key(each) for each in differences(path, was[path], text)}, None)
        without = self._without
        if without is None:
            return OfFile(found, None, None)
        if path not in without:
            return OfFile(found, None, {()})  # packs decide that there is this file
        return OfFile(found, None, {each.path for each in differences(path, without[path], text)})

    @cached_property
    def _before(self) -> Mapping[str, str] | None:
        """The texts with the packs that wrote the files, where those are installed."""
        every = {each for found in self._moved.values() for each in found}
        gone = [each for each in every if each.before and not each.now]
        if any(not is_installed(each.name) or load_pack(each.name)[1] != each.before for each in gone):
            return None
        return self._texts({each.name for each in every if each.now}, sorted(each.name for each in gone))

    @cached_property
    def _without(self) -> Mapping[str, str] | None:
        """The texts without the packs that changed."""
        return self._texts({each.name for found in self._moved.values() for each in found}, [])

    def _texts(self, left_out: Collection[str], added: Sequence[str]) -> Mapping[str, str] | None:
        from wurzel.backends.rendering import render
        from wurzel.project.jobs import jobs_of
        from wurzel.project.open import open_project, renderer_of

        job = self._result.job
        request = self._request._replace(targets=(job.label,))
        try:
            project = _with_packs(open_project(), left_out, added)
            jobs = [each for each in jobs_of(request, project) if each.pipeline.name == job.pipeline.name]
            results = render(jobs, renderer_of(project))
        except WurzelError:  # the project cannot be rendered so, for example since its templates extend the pack's
            return None
        return {file.output.path: file.rendered.text for result in results for file in result.files}


class OfFile(NamedTuple):
    """What packs change in one file."""

    moved: Sequence[Moved]
    changed: Collection[tuple[object, ...]] | None
    """What they change; `None` if the packs that wrote the file are not installed."""
    reached: Collection[tuple[str, ...]] | None
    """The paths of what the packs of today change; `None` if that cannot be rendered."""

    @property
    def names(self) -> Collection[str]:
        """Names of the packs of today that did not write the file."""
        return {each.name for each in self.moved if each.now}

    @property
    def label(self) -> str:
        """The packs, where no line of theirs is the reason."""
        return ", ".join(map(str, self.moved))

    def explains(self, difference: Difference) -> bool | None:
        """Whether packs alone are the reason of a difference; `None` if that cannot be told."""
        if self.changed is not None:
            return _key(difference) in self.changed
        path = difference.path
        is_reached = any(each[: len(path)] == path or path[: len(each)] == each for each in self.reached or ())
        return True if path and is_reached else None

    def of_unknown(self, place: str) -> str:
        """The place of a difference whose reason may be a pack or the project; never a template of wurzel."""
        return f"{place} or {self.label}" if place and not place.startswith(f"{OURS}!") else self.label

    def is_place(self, place: str) -> bool:
        """Whether a place is in one of the packs."""
        return any(place.startswith((f"pack {name}: ", f"{name}!")) for name in self.names)


def _key(difference: Difference) -> tuple[object, ...]:
    """What two differences have in common; what a pack that is gone wrote may depend on variables that are gone."""
    return difference.path, difference.new


def _with_packs(project: Project | None, left_out: Collection[str], added: Sequence[str]) -> Project | None:
    """The project with other packs; variables that none of them declares are not given."""
    if project is None:
        return None
    from wurzel.project.packs import read_packs

    templates = [*(name for name in project.templates if pack_name(name) not in left_out), *added]
    packs = [
        _lenient(pack) if pack.name in added else pack for pack in read_packs(templates, project.root, project.places)
    ]
    known = {name for pack in packs for name in pack.variables}
    return project._replace(
        templates=templates,
        packs=lambda: packs,
        variables={name: _kept(node, known) for name, node in project.variables.items()},
        pipelines={name: _known(node, known) for name, node in project.pipelines.items()},
        environments={
            name: {key: _known(node, known) for key, node in overrides.items()}
            for name, overrides in project.environments.items()
        },
    )


def _lenient(pack: Pack) -> Pack:
    """A pack that was removed, with its variables; what the project gave for them is gone as well."""
    declared = {
        name: each._replace(required=False, pattern="", default=each.default or Node(name, pack.label))
        for name, each in pack.variables.items()
    }
    return pack._replace(variables=declared)


def _known(pipeline: Node, known: Collection[str]) -> Node:
    """A pipeline without variables that nothing declares, for itself and its steps."""
    fields = dict(pipeline.fields)
    if "variables" in fields:
        fields["variables"] = _kept(fields["variables"], known)
    if "steps" in fields and fields["steps"].fields:
        steps = {name: _known(step, known) for name, step in fields["steps"].fields.items()}
        fields["steps"] = with_value(fields["steps"], steps)
    return with_value(pipeline, fields) if pipeline.fields else pipeline


def _kept(variables: Node, known: Collection[str]) -> Node:
    return with_value(variables, {name: node for name, node in variables.fields.items() if name in known})
