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
    from wurzel.invocation.command import call_of
    from wurzel.invocation.variables import step_environment
    from wurzel.runtime.selection import find

    if not is_id(options["target"]):
        hint = f"Leave out --pipeline, or name a step: wurzel step STEP --pipeline {options['pipeline']}"
        raise UsageError(f"{options['target']!r} is a class, which takes no --pipeline, --env or --set", hint=hint)
    pipeline = _pipeline(options)
    step = find(pipeline, options["target"], "STEP")
    os.environ.update(step_environment(pipeline, step, os.environ))
    call = call_of(pipeline, step)._asdict()
    call |= {"inputs": tuple(map(Path, call["inputs"])), "output": Path(call["output"])}
    return {
        name: value
        for name, value in call.items()
        if name == "target" or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE
    }


def _pipeline(options: dict[str, Any]) -> Pipeline:
    from wurzel.project.open import open_in, open_project

    project, name = open_project(), options["pipeline"]
    names = project.names(options["environment"]) if project is not None else []
    if name is None and len(names) != 1:
        have = f"wurzel.yaml has {', '.join(names)}." if names else "There is no wurzel.yaml with pipelines here."
        message = f"{options['target']!r} is the id of a step, and no --pipeline is given"
        raise UsageError(message, hint=f"{have} A class is written module:Class.")
    return open_in(project, name, options["environment"], options["sets"]).pipeline
