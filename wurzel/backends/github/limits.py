"""What GitHub Actions would reject or read differently than intended, found before anything is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from wurzel.backends import ci
from wurzel.backends.ci import layout
from wurzel.backends.ci.parameters import parameters
from wurzel.backends.ci.preflight import check, too_many_slices, unknown_jobs
from wurzel.backends.github import pull_request
from wurzel.backends.github.options import PINS
from wurzel.backends.github.runner import HOSTED_MINUTES, is_hosted, place, runner
from wurzel.backends.github.triggers import MOST_INPUTS, asked_events, has_other_events
from wurzel.exceptions import Problem
from wurzel.invocation.command import dataset, step_inputs
from wurzel.suggestion import did_you_mean, meant_or_all

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.model import Pipeline

_MATRIX = 256
_CALL_TYPES = ("boolean", "number", "string")
_MINUTES = 5
_SCRIPT = 20_000
_PATTERN = "*?[]!#~\\"
_RESERVED = r"(GITHUB|RUNNER|ACTIONS)_"
_EXPRESSION = "${{"


def problems(pipeline: Pipeline, options: GithubOptions) -> list[Problem]:
    """Every reason why GitHub could not run the workflow of a pipeline as intended."""
    return [
        *check(pipeline, options, scheduled=has_other_events(pipeline, options), reserved=_RESERVED, also=options.vars),
        *_vars(pipeline, options),
        *pull_request.problems(pipeline, options),
        *unknown_jobs(options.jobs, pipeline),
        *layout.problems(pipeline, options, lambda step: place(pipeline, options, step)),
        *_actions(options),
        *_jobs(pipeline, options),
        *_inputs(pipeline),
        *_schedule(pipeline),
        *_texts(pipeline, options),
    ]


def _actions(options: GithubOptions) -> Iterable[Problem]:
    for name, uses in options.actions.items():
        if name not in PINS:
            advice = meant_or_all(name, PINS, "Actions")
            yield Problem(f"actions names {name!r}, which no workflow uses", hint=advice)
        elif not re.fullmatch(r"[-\w./]+@[-\w./]+( # \S+)?", uses):
            yield Problem(
                f"actions: {uses!r} is not an action", hint="Write OWNER/NAME@COMMIT # VERSION, as in a workflow."
            )


def _vars(pipeline: Pipeline, options: GithubOptions) -> Iterable[Problem]:
    known = {setting.variable: setting for step in pipeline.steps for setting in step.settings}
    for variable in options.vars:
        setting = known.get(variable)
        if setting is None:
            advice = did_you_mean(variable, known) or "Name it as in `wurzel env`."
            yield Problem(f"vars names {variable!r}, which sets nothing in {pipeline.name}", hint=advice)
        elif setting.secret:
            yield Problem(f"vars.{variable} would be a secret that everyone can read", hint="Set it under `secrets`.")
        elif setting.parameter or setting.given:
            what = "is a parameter, whose value is an input" if setting.parameter else "has a value in wurzel.yaml"
            yield Problem(f"vars.{variable}: the setting {what}", hint="Remove it there, or from vars.")


def _jobs(pipeline: Pipeline, options: GithubOptions) -> Iterable[Problem]:
    for step in pipeline.steps:
        values = step_inputs(step, partial(dataset, pipeline))
        length = sum(len(value) + len(" -i ") for value in values)
        if length > _SCRIPT:
            yield Problem(
                f"the step {step.id!r} needs {len(values)} others, so its command has about {length} characters;"
                f" GitHub rejects a workflow with a command of more than {_SCRIPT}",
                hint="Join them in groups with intermediate steps.",
            )
        yield from too_many_slices(step, _MATRIX, "a matrix has")
        if is_hosted(runner(step, options)) and (step.timeout or 0) >= HOSTED_MINUTES * 60:
            yield Problem(
                f"the step {step.id!r} may take {step.timeout} s; GitHub's own runners end a job after"
                f" {HOSTED_MINUTES} minutes",
                hint=f"Give it a shorter timeout, or use a self-hosted runner: targets.github.jobs.{step.id}.runs_on.",
            )


def _inputs(pipeline: Pipeline) -> Iterable[Problem]:
    inputs = parameters(*pipeline.steps)
    if len(inputs) > MOST_INPUTS:
        yield Problem(
            f"{pipeline.name} has {len(inputs)} parameters; `workflow_dispatch` takes at most {MOST_INPUTS} inputs",
            hint="Remove some from the `parameters` of steps.",
        )
    for item in inputs:
        if any(_EXPRESSION in text for text in (item.text, *item.options)):
            yield Problem(
                f"the parameter {item.variable} may be {item.text!r}, and an input cannot contain {_EXPRESSION}",
                hint="Remove it from `parameters`, or change its value.",
            )


def _schedule(pipeline: Pipeline) -> Iterable[Problem]:
    schedule = pipeline.schedule
    if schedule is None:
        return
    cron = ci.plain_cron(schedule.cron)
    if cron is None or cron.partition(" ")[0].isdigit():  # once an hour at most; most schedules need no calendar
        return
    if (gap := ci.shortest_gap(cron)) < _MINUTES:
        yield Problem(
            f"the schedule {schedule.cron!r} starts {gap:g} minutes after the last start; GitHub's shortest"
            f" interval is {_MINUTES} minutes",
            hint='Write for example "*/15 * * * *".',
        )


def _texts(pipeline: Pipeline, options: GithubOptions) -> Iterable[Problem]:
    plain = f"without any of {' '.join(_PATTERN)} and {_EXPRESSION}"
    for what, folder, hint in (
        ("the project's folder", options.home.folder, f"Rename it, to a name {plain}."),
        ("data_dir:", pipeline.data_dir, f"Use a folder {plain}, and no space at its ends."),
    ):
        if any(sign in folder for sign in _PATTERN) or _EXPRESSION in folder or folder != folder.strip():
            yield Problem(
                f"{what} {folder!r} would be read as a pattern or an expression by upload-artifact", hint=hint
            )
    for event in asked_events(pipeline, options).keys() & options.triggers.keys():
        yield Problem(
            f"targets.github.triggers.{event} and the pipeline's own `triggers` are both the event {event}",
            hint="Keep one of the two.",
        )
    yield from _call_inputs(pipeline, options)
    for event in ("schedule", "workflow_dispatch"):
        if event in options.triggers:
            yield Problem(
                f"triggers.{event} would be written twice",
                hint="It comes from the pipeline: its `schedule`, and the `parameters` of steps.",
            )
    if _EXPRESSION in options.install_line():
        yield Problem(
            f"install: {options.install!r} puts an expression into a shell line",
            hint="Set the value under install_env, and write $NAME in the line.",
        )


def _call_inputs(pipeline: Pipeline, options: GithubOptions) -> Iterable[Problem]:
    """Inputs of `workflow_call` that GitHub refuses: each needs a type, and none is a choice."""
    call = options.triggers.get("workflow_call")
    inputs = call.get("inputs") if isinstance(call, dict) else None
    variables = {one.variable for one in parameters(*pipeline.steps)}
    for name, given in inputs.items() if isinstance(inputs, dict) else ():
        kind = given.get("type") if isinstance(given, dict) else None
        if kind not in _CALL_TYPES and (kind is not None or name not in variables):
            yield Problem(
                f"triggers.workflow_call.inputs.{name} has {'no type' if kind is None else f'the type {kind!r}'}",
                hint="Write type: boolean, number or string.",
            )
