"""The options of `wurzel step` for a step of a pipeline: what `wurzel run` would start it with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.core import ParameterSource

from wurzel.exceptions import UsageError

if TYPE_CHECKING:
    import click

    from wurzel.ir.model import Pipeline


def is_id(target: str) -> bool:
    """Whether it names a step of a pipeline, not a class."""
    return ":" not in target and "." not in target


def configured(ctx: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """What `wurzel step` takes for a configured step; sets its variables. Raises `UsageError` without such a step."""
    from wurzel.invocation.command import dataset, nulls, step_inputs, unnamed_secrets
    from wurzel.invocation.variables import step_environment
    from wurzel.runtime.selection import find

    if not is_id(options["target"]):
        hint = f"Leave out --pipeline, or name a step: wurzel step STEP --pipeline {options['pipeline']}"
        raise UsageError(f"{options['target']!r} is a class, which takes no --pipeline, --env or --set", hint=hint)
    pipeline = _pipeline(options)
    step = find(pipeline, options["target"], "STEP")
    os.environ.update(step_environment(pipeline, step, os.environ))
    found = {
        "step_id": step.id,
        "inputs": tuple(Path(value) for value in step_inputs(step, lambda step_id: dataset(pipeline, step_id))),
        "output": Path(dataset(pipeline, step.id)),
        "nulls": tuple(nulls(step)),
        "secrets": tuple(unnamed_secrets(pipeline, step)),
        "portion": step.shards.items,
        "shard_by": step.shard_by,
    }
    given = {name for name in found if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    return {"target": step.run, **{name: value for name, value in found.items() if name not in given}}


def _pipeline(options: dict[str, Any]) -> Pipeline:
    from wurzel.project.open import open_in, open_project

    project, name = open_project(), options["pipeline"]
    names = project.names(options["environment"]) if project is not None else []
    if name is None and len(names) != 1:
        have = f"wurzel.yaml has {', '.join(names)}." if names else "There is no wurzel.yaml with pipelines here."
        message = f"{options['target']!r} is the id of a step, and no --pipeline is given"
        raise UsageError(message, hint=f"{have} A class is written module:Class.")
    return open_in(project, name, options["environment"], options["sets"]).pipeline
