"""`wurzel env`: the variables and secrets a pipeline needs."""

from __future__ import annotations

import os
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import check_alone, configuration_options, env_file_option, pipeline_argument
from wurzel.cli.saying import print_json
from wurzel.exceptions import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wurzel.ir.model import Pipeline
    from wurzel.project.variables import Variable


@declared("env")
@pipeline_argument
@click.option("--check", is_flag=True, help="Exit 1 if a required variable is missing in this environment.")
@click.option("--dotenv", "as_dotenv", is_flag=True, help="Print a .env file to fill in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@env_file_option
@configuration_options
def command(
    pipeline: str | None,
    check: bool,
    as_dotenv: bool,
    as_json: bool,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """List the variables and secrets a pipeline needs.

    Values are never printed, only where each one comes from. Also lists the datasets of each step, for
    `wurzel step`.
    """
    from wurzel.cli import own_output
    from wurzel.project.open import open_pipeline
    from wurzel.project.variables import dotenv, variables

    own_output()
    check_alone({"--check": check, "--dotenv": as_dotenv, "--json": as_json})
    resolved = open_pipeline(pipeline, environment, sets)
    if check:
        from wurzel.exceptions import CheckFailed
        from wurzel.invocation.variables import missing, needs

        if problems := missing(resolved.pipeline, os.environ):
            raise CheckFailed("\n".join(map(str, problems)))
        click.echo(
            f"{resolved.pipeline.name}: all {len(needs(resolved.pipeline))} required variables are set", err=True
        )
        return
    found = variables(resolved, os.environ)
    if as_json:
        print_json([variable._asdict() for variable in found])
        return
    for line in dotenv(found) if as_dotenv else [*_table(found), "", *_datasets(resolved.pipeline)]:
        click.echo(line)


def _table(found: list[Variable]) -> Iterator[str]:
    from wurzel.table import aligned

    rows = [("VARIABLE", "STEP", "NEEDED", "DEFAULT", "FROM")]
    for variable in found:
        needed = "required" if variable.required else "optional"
        rows.append((variable.name, variable.step, needed, _short(variable.default), variable.source))
    return aligned(rows)


def _datasets(pipeline: Pipeline) -> Iterator[str]:
    from wurzel.invocation.command import dataset, step_inputs
    from wurzel.table import aligned

    rows = [("STEP", "INPUTS", "OUTPUT")]
    for step in pipeline.steps:
        inputs = " ".join(f"-i {quote(value)}" for value in step_inputs(step, partial(dataset, pipeline)))
        rows.append((step.id, inputs or "-", f"-o {quote(dataset(pipeline, step.id))}"))
    return aligned(rows)


def _short(default: str | None) -> str:
    if default is None:
        return "-"
    return shortened(default if default.isprintable() and default else repr(default), 32)
