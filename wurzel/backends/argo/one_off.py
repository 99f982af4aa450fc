"""A Workflow of some of the steps, for one run: pods find what the others would give in the store, by fingerprint.

The target's patch applies to it as far as it is about templates, and about the runs of a schedule.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends.argo.layout import Pods, names
from wurzel.backends.argo.parts import split
from wurzel.exceptions import PreflightError, Problem, UsageError, WurzelWarning

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline, Step

_KINDS = (None, "CronWorkflow", "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate")
_OF_RUNS = ("workflowSpec", "workflowMetadata")
"""Parts of a CronWorkflow that are about its runs; the rest of its `spec` is the schedule."""
_NAMED = ("templates", "tasks")
"""Lists whose items are named after steps."""


def one_off(pipeline: Pipeline, options: ArgoOptions, steps: Sequence[str]) -> tuple[Pipeline, ArgoOptions]:
    """The pipeline without a schedule, and options that write a Workflow of these steps (ids) into a separate file.

    Raises `UsageError` if a step needs the output of a step that is left out and no store is configured, and
    `PreflightError` if the store cannot have that output.
    """
    if pipeline.store is None and (read := _read(pipeline, set(steps))):
        raise UsageError(
            f"a run of some steps finds what {read[-1].id} has given in the store, and there is none",
            hint="Set `store` in wurzel.yaml, or choose all steps before them as well: --only +STEP",
        )
    if problems := list(_unknown(pipeline, steps)):
        raise PreflightError(problems)
    path = options.output or f"argo/{pipeline.name}.yaml"
    stem, suffix = posixpath.splitext(path)
    update = {"output": f"{stem}.once{suffix}", "workflow_template": False}
    once = options.model_copy(update=update).choosing(steps)
    pods = Pods(part_of(pipeline, once), once)
    if split(pods):
        raise UsageError(f"{len(steps)} steps are too many for one Workflow", hint="Choose fewer.")
    if options.patch is not None:
        left_out = _names(Pods(pipeline, options)) - _names(pods)
        patch = RunPatch(path, has_schedule=pipeline.schedule is not None, left_out=left_out)
        once = once.model_copy(update={"patch": patch.of(options.patch)})
        _report(pipeline, patch.lost)
    return pipeline.model_copy(update={"schedule": None}), once


def part_of(pipeline: Pipeline, options: ArgoOptions) -> Pipeline:
    """The pipeline with the steps of the run and the edges between them; all of it if no steps are chosen."""
    ids = options.of_run
    if not ids:
        return pipeline
    steps = (
        step.model_copy(update={"needs": tuple(edge for edge in step.needs if edge.step in ids)})
        for step in pipeline.steps
        if step.id in ids
    )
    return pipeline.model_copy(update={"steps": tuple(steps)})


def _names(pods: Pods) -> set[str]:
    """Names by which a patch refers to tasks and templates of steps."""
    found = names([job.name for job in pods.all]).values()
    return {*found, *(f"{name}-slices" for name in found)}


def _report(pipeline: Pipeline, lost: Sequence[str]) -> None:
    if lost:
        message = f"{pipeline.name}: this run does without {', '.join(lost)} of the patch, which only a schedule has"
        warnings.warn(WurzelWarning(message), stacklevel=2)


def _unknown(pipeline: Pipeline, steps: Sequence[str]) -> Iterator[Problem]:
    """Problems with left-out steps whose result no pod of the run can find in the store."""
    from wurzel.invocation.fingerprint import always_runs

    ids = set(steps)
    for step in _read(pipeline, ids):
        why = always_runs(step) or ("has variables of its own by env_from" if step.env_from else "")
        if why:
            reader = next(one.id for one in pipeline.steps if step.id in one.predecessors)
            message = f"the step {step.id!r} {why}, so the store cannot say what {reader!r} would read"
            yield Problem(message, pipeline.name, f"Run it as well: --only {','.join([step.id, *steps])}")


def _read(pipeline: Pipeline, ids: set[str]) -> list[Step]:
    """The other steps that these read from, directly or indirectly."""
    read: set[str] = set()
    for step in reversed(pipeline.steps):
        if step.id in ids | read:
            read |= set(step.predecessors) - ids
    return [step for step in pipeline.steps if step.id in read]


class RunPatch:
    """Turns a patch for the usual file into one for the file of one run, and collects what does not apply to it."""

    def __init__(self, path: str, *, has_schedule: bool, left_out: Collection[str]) -> None:
        """`path` is that of the usual file; `left_out` has the templates and tasks that the run leaves out."""
        stem, suffix = posixpath.splitext(posixpath.basename(path))
        self._file = re.compile(rf"{re.escape(stem)}(-part-\d+)?{re.escape(suffix)}")
        self._has_schedule = has_schedule
        self._left_out = left_out
        self.lost: list[str] = []
        """Dotted paths in the patch that only the schedule has."""

    def of(self, patch: Any) -> Any:
        """The patch without its parts for other files and objects; the usual checks refuse what is not a patch."""
        if isinstance(patch, list):
            return [kept for item in patch if (kept := self._of_file(item)) is not None]
        return self._merge(patch) if isinstance(patch, Mapping) else patch

    def _of_file(self, item: Any) -> Any:
        if not isinstance(item, Mapping) or not isinstance(item.get("merge"), Mapping):
            return item
        file = item.get("file")
        if file is not None and not self._file.fullmatch(posixpath.basename(str(file))):
            return None  # a file of a pack, which is not written again
        merge = self._merge(item["merge"])
        return None if merge is None else {**{key: item[key] for key in item if key != "file"}, "merge": merge}

    def _merge(self, merge: Mapping[str, Any]) -> Mapping[str, Any] | None:
        kind, spec = merge.get("kind"), merge.get("spec")
        if kind not in _KINDS:
            return None  # an object that a template adds, which is not written again
        metadata = _mapping(merge.get("metadata"))
        metadata.pop("name", None)  # says which document it is; each run has a new name
        if self._has_schedule and kind in {None, "CronWorkflow"} and isinstance(spec, Mapping):
            self.lost += [f"spec.{key}" for key in spec if key not in _OF_RUNS]
            for key, value in _mapping(spec.get("workflowMetadata")).items():
                metadata[key] = {**_mapping(metadata.get(key)), **value} if isinstance(value, Mapping) else value
            spec = _mapping(spec.get("workflowSpec"))
            spec.pop("workflowTemplateRef", None)
        wanted = {**merge, "kind": "Workflow", "metadata": metadata, "spec": self._pruned(spec)}
        return {key: value for key, value in wanted.items() if value not in ({}, None)}

    def _pruned(self, node: Any) -> Any:
        """A patch without its entries for templates and tasks that the run leaves out."""
        return dict(self._kept(node)) if isinstance(node, Mapping) else node

    def _kept(self, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            if key in _NAMED and isinstance(value, Mapping):
                items = {name: self._pruned(item) for name, item in value.items() if name not in self._left_out}
                if items:
                    yield key, items
            else:
                yield key, self._pruned(value)


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
