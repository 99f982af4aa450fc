"""Reasons why a pipeline cannot run on either CI platform, found before anything is rendered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wurzel.backends.ci import plain_cron, secret_name
from wurzel.backends.preflight import own_run_id, secret_parameters, unknown, without_value
from wurzel.exceptions import Problem
from wurzel.invocation.failure import notice_references
from wurzel.invocation.variables import key_references, unfed

if TYPE_CHECKING:
    from wurzel.backends.ci import CiOptions
    from wurzel.ir.model import Pipeline, Step


def check(
    pipeline: Pipeline, options: CiOptions, *, scheduled: bool, reserved: str, also: Collection[str] = ()
) -> list[Problem]:
    """Reasons why a pipeline cannot run on either platform.

    `scheduled` says that a run may start without anyone setting parameters; `also` are further variables that jobs get.
    """
    problems = [
        *_secret_problems(pipeline, options, reserved),
        *_variable_problems(pipeline, reserved),
        *own_run_id(pipeline),
        *_setting_problems(pipeline, also, scheduled=scheduled),
    ]
    if pipeline.schedule is not None and plain_cron(pipeline.schedule.cron) is None:
        problems.append(
            Problem(
                f"the schedule {pipeline.schedule.cron!r} is an interval, which CI platforms do not support",
                hint='Write five fields, e.g. "0 * * * *" for every hour.',
            )
        )
    return problems


def _secret_problems(pipeline: Pipeline, options: CiOptions, reserved: str) -> Iterable[Problem]:
    used = [
        pipeline.secrets,
        key_references(pipeline),
        notice_references(pipeline),
        *(step.secrets for step in pipeline.steps),
    ]
    refs = {(ref.name, ref.key): ref for secrets_ in used for ref in secrets_.values()}
    known = [f"{name}/{key}" for name, key in refs]
    yield from unknown("secret_names", options.secret_names, known, "the pipeline does not use", "Secrets")
    owners: dict[str, str] = {}
    for ref, shown in zip(refs.values(), known, strict=True):
        flat = secret_name(ref, options)
        advice = f"Give one another name: secret_names: {{{shown}: OTHER_NAME}}."
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", flat) or re.match(reserved, flat.upper()):
            yield Problem(
                f"the secret {shown} would be called {flat!r}, which the platform does not accept", hint=advice
            )
        elif owners.setdefault(flat.upper(), shown) != shown:
            yield Problem(f"the secrets {owners[flat.upper()]} and {shown} would both be called {flat}", hint=advice)


def _variable_problems(pipeline: Pipeline, reserved: str) -> Iterable[Problem]:
    for owner, env in (("", pipeline.env), *((f"steps.{step.id}.", step.env) for step in pipeline.steps)):
        for name in env:
            if re.match(reserved, name.upper()):
                yield Problem(
                    f"{owner}env.{name} cannot be set: the platform reserves that prefix",
                    hint="Give it another name.",
                )


def _setting_problems(pipeline: Pipeline, also: Collection[str], *, scheduled: bool) -> Iterable[Problem]:
    yield from secret_parameters(pipeline)
    for step in pipeline.steps:
        for setting in step.settings:
            if setting.parameter and setting.given and setting.text and setting.value is None:
                yield Problem(
                    f"the parameter {setting.name} of {step.id!r} is null, which an input cannot express",
                    hint="Set a text, or remove it from `parameters`.",
                )
        missing = unfed(pipeline, step, also)
        yield from without_value(step, (setting for setting in missing if scheduled or not setting.parameter))


def too_many_slices(step: Step, most: int, limit: str) -> Iterable[Problem]:
    """A problem if a step has more slices than the platform starts jobs; `limit` says which of its limits that is."""
    if step.shards.max > most:
        is_fixed = step.shards.items is None
        count = f"{'' if is_fixed else 'up to '}{step.shards.max} shards"
        option = f"steps.{step.id}.shards{'' if is_fixed else '.max'}"
        hint = f"Set {option} to {most} or less."
        yield Problem(f"the step {step.id!r} has {count}; {limit} at most {most} jobs", hint=hint)


def unknown_jobs(jobs: Mapping[str, Any], pipeline: Pipeline) -> list[Problem]:
    """Entries under `jobs` that are not the name of a step or group."""
    groups = [step.group for step in pipeline.steps if step.group is not None]
    ids = [*(step.id for step in pipeline.steps), *groups]
    return list(unknown("jobs", jobs, ids, f"is neither a step nor a group of {pipeline.name}", "Steps"))
