"""Reasons why a pipeline cannot run that several targets share, found before a template is rendered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem
from wurzel.suggestion import meant_or_all

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step


def own_run_id(pipeline: Pipeline) -> Iterator[Problem]:
    """A problem if all runs of a pipeline with a store would have one id, which the pipeline sets."""
    if pipeline.store is not None and "WURZEL_RUN_ID" in pipeline.env:
        what = "env sets WURZEL_RUN_ID, by which the jobs of a run find each other's data"
        yield Problem(what, hint="Remove it from env.")


def unknown(where: str, names: Iterable[str], known: Collection[str], reason: str, what: str) -> Iterator[Problem]:
    """A problem for each of these names that is not known; `where` names it, `what` the known ones are."""
    for name in names:
        if name not in known:
            yield Problem(f"{where} names {name!r}, which {reason}", hint=meant_or_all(name, list(known), what))


def sets(pipeline: Pipeline, *names: str) -> list[tuple[str, str]]:
    """Variables with one of these names that the pipeline or a step sets, each with who sets it."""
    owners = {"the pipeline": pipeline.env} | {f"step {step.id!r}": step.env for step in pipeline.steps}
    return [(owner, name) for owner, env in owners.items() for name in names if name in env]


def without_value(step: Step, settings: Iterable[Setting], where: str = "") -> Iterator[Problem]:
    """A problem for each of these settings of a step, which nothing feeds; `where` says where it is missing."""
    for setting in settings:
        if setting.secret:
            hint = f"Refer to it: steps.{step.id}.secrets: {{{setting.name}: {{name: NAME, key: KEY}}}}"
        else:
            hint = f"Set it: steps.{step.id}.settings: {{{setting.name}: …}}"
        what = f"the step {step.id!r} needs the {'secret' if setting.secret else 'setting'} {setting.name}"
        yield Problem(f"{what}, which has no value{where}", hint=hint)


def secret_parameters(pipeline: Pipeline) -> Iterator[Problem]:
    """A problem for each secret that is a parameter, whose value everybody could see."""
    for step in pipeline.steps:
        for setting in step.settings:
            if setting.parameter and setting.secret:
                yield Problem(
                    f"the secret setting {setting.name} of {step.id!r} is a parameter, so everyone could see its value",
                    hint="Set it under `secrets`, by reference.",
                )
