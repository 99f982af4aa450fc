"""A Workflow of some of the steps, for one run: pods find what the others would give in the store, by fingerprint."""

from __future__ import annotations

import posixpath
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.argo.layout import Pods
from wurzel.backends.argo.naming import names
from wurzel.backends.argo.parts import split
from wurzel.backends.argo.run_patch import RunPatch
from wurzel.exceptions import PreflightError, Problem, UsageError, WurzelWarning

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline, Step


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
    """The pipeline with the steps of the run, and what they read from each other; all of it if they are not chosen."""
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
    """Names that tasks and templates of steps have in a patch."""
    found = names([job.name for job in pods.all]).values()
    return {*found, *(f"{name}-slices" for name in found)}


def _report(pipeline: Pipeline, lost: Sequence[str]) -> None:
    if lost:
        message = f"{pipeline.name}: this run does without {', '.join(lost)} of the patch, which only a schedule has"
        warnings.warn(WurzelWarning(message), stacklevel=2)


def _unknown(pipeline: Pipeline, steps: Sequence[str]) -> Iterator[Problem]:
    """Steps that are left out, and whose result no pod of the run can find."""
    from wurzel.invocation.fingerprint import always_runs

    ids = set(steps)
    for step in _read(pipeline, ids):
        why = always_runs(step) or ("has variables of its own by env_from" if step.env_from else "")
        if why:
            reader = next(one.id for one in pipeline.steps if step.id in one.predecessors)
            message = f"the step {step.id!r} {why}, so the store cannot say what {reader!r} would read"
            yield Problem(message, pipeline.name, f"Run it as well: --only {','.join([step.id, *steps])}")


def _read(pipeline: Pipeline, ids: set[str]) -> list[Step]:
    """The steps before these that are not among them."""
    read: set[str] = set()
    for step in reversed(pipeline.steps):
        if step.id in ids | read:
            read |= set(step.predecessors) - ids
    return [step for step in pipeline.steps if step.id in read]
