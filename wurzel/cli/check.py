"""`wurzel check`: configuration, pipelines, templates, rendered files and environment in one go."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext, redirect_stdout
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.saying import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from wurzel.ir.model import Pipeline
    from wurzel.project.load import Project
    from wurzel.project.resolve import Resolved

PARTS = ("pipelines", "templates", "files", "environment")


@click.command("check")
@click.option("--skip", multiple=True, type=click.Choice(PARTS), help="Leave this part out; repeatable.")
@click.option("-e", "--env", "environment", metavar="ENV", help="Apply this environment of wurzel.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, skip: tuple[str, ...], environment: str | None, as_json: bool) -> None:
    """Check pipelines, templates, rendered files, environment.

    pipelines: wurzel.yaml is right and fits the code, in every environment of it unless -e chooses one. templates: as
    `wurzel templates check`. files: as `wurzel render --check`. environment: the variables that pipelines need are set,
    as `wurzel env --check`. Every part is checked, even if another one fails; the exit code is the highest of all: 3 if
    types break a contract, 2 if the configuration must be changed, 1 if files or the environment are not as they should
    be.
    """
    from wurzel.cli import render
    from wurzel.cli.templates import check_
    from wurzel.exceptions import WurzelError
    from wurzel.project.open import required_project

    project = required_project()
    found: list[Resolved] = []
    results: list[dict[str, Any]] = []

    def check(part: str, action: Callable[[], object], pipeline: str = "") -> None:
        if part in skip:
            return
        result: dict[str, Any] = {"part": part, "pipeline": pipeline or None, "exit_code": 0, "message": ""}
        try:
            with redirect_stdout(io.StringIO()) if as_json else nullcontext():
                action()
        except WurzelError as error:
            result |= {"exit_code": error.exit_code, "message": str(error)}
        results.append(result)
        if not as_json:
            fine = f"{pipeline}: ok" if pipeline and len(names) > 1 else "ok"
            click.echo(f"{part}: {result['message'] or fine}", err=True)

    names = project.names(environment)
    for name in names:
        check("pipelines", partial(_open, project, name, environment, found), name)
    check("templates", lambda: ctx.invoke(check_.command))
    if rendered := tuple(resolved.pipeline.name for resolved in found if resolved.options):
        check("files", lambda: _quietly(ctx, render.command.click, rendered, environment))
    for number, resolved in enumerate(found):
        pipeline = resolved.pipeline
        check("environment", partial(_check_environment, pipeline, program=number == 0), pipeline.name)
    if as_json:
        print_json(results)
    sys.exit(max((result["exit_code"] for result in results), default=0))


def _open(project: Project, name: str, environment: str | None, found: list[Resolved]) -> None:
    """Open a pipeline; without a chosen environment, also as each environment changes it and its targets."""
    from wurzel.exceptions import ConfigError, Problem
    from wurzel.project.jobs import Request, jobs_of
    from wurzel.project.open import open_in

    found.append(open_in(project, name, environment, ()))
    problems: dict[Problem, None] = {}
    for other in project.environments if environment is None else ():
        if name not in project.names(other):
            continue
        try:
            if open_in(project, name, other, ()).options:
                jobs_of(Request(pipelines=(name,), environment=other), project)
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(problems)


def _quietly(ctx: click.Context, command: click.Command, pipelines: tuple[str, ...], environment: str | None) -> None:
    """Check rendered files without printing the differences, which `wurzel render --diff` shows."""
    with redirect_stdout(io.StringIO()):
        ctx.invoke(command, pipelines=pipelines, check=True, environment=environment)


def _check_program() -> None:
    """Whether `wurzel` on the path, which rendered files start, is this one: the index of pip has another."""
    from wurzel.exceptions import CheckFailed
    from wurzel.version import __version__

    path = shutil.which("wurzel")
    if path is None:
        return
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    answer = (done.stdout + done.stderr).strip().split("\n")[-1]
    if done.returncode or answer != __version__:
        hint = f"Put this one first in PATH, or install wurzel=={__version__} there."
        text = f"is another program than this wurzel {__version__}: --version prints {answer!r}"
        raise CheckFailed(text, where=path, hint=hint)


def _check_environment(pipeline: Pipeline, *, program: bool) -> None:
    from wurzel.exceptions import CheckFailed
    from wurzel.invocation.variables import missing

    if program:
        _check_program()
    if problems := missing(pipeline, os.environ):
        raise CheckFailed("\n".join(map(str, problems)))
