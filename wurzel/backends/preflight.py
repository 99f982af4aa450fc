"""Reasons why a pipeline cannot run that several targets share, found before a template is rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step


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
