"""Options and arguments that several commands share, with their shell completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


class PipelineName(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """A name in `wurzel.yaml`, or `module:attribute`."""

    name = "pipeline"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,
        incomplete: str,
    ) -> list[CompletionItem]:
        """Names of the pipelines in `wurzel.yaml`."""
        from wurzel.project.open import pipeline_names

        return [CompletionItem(name) for name in pipeline_names() if name.startswith(incomplete)]


class TargetName(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """The name of a target."""

    name = "target"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,
        incomplete: str,
    ) -> list[CompletionItem]:
        """Names of the targets, including named targets of the project."""
        from wurzel.backends.registry import names
        from wurzel.exceptions import WurzelError
        from wurzel.project.load import project_names
        from wurzel.project.open import open_project

        try:
            named = project_names(open_project())
        except WurzelError:
            named = {}
        return [CompletionItem(name) for name in [*names(), *named] if name.startswith(incomplete)]


class ParameterText(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """`STEP.SETTING=VALUE` for a step of the pipeline named earlier on the command line."""

    name = "parameter"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,
        incomplete: str,
    ) -> list[CompletionItem]:
        """`STEP.SETTING=` for each setting that is a parameter; nothing if the pipeline cannot be read."""
        from wurzel.exceptions import WurzelError
        from wurzel.project.open import open_pipeline

        # While a value is being completed, click has not parsed arguments yet: PIPELINE is among the leftover ones.
        name = ctx.params.get("pipeline") or next(iter(ctx.args), "")
        try:
            pipeline = open_pipeline(name).pipeline
        except WurzelError:
            return []
        names = [
            f"{step.id}.{setting.name}=" for step in pipeline.steps for setting in step.settings if setting.parameter
        ]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def pipeline_argument(command: Command) -> Command:
    """The argument PIPELINE, which may be left out where a project has only one."""
    return click.argument("pipeline", type=PipelineName(), required=False)(command)


def configuration_options(command: Command) -> Command:
    """The options `-e/--env` and `--set`."""
    command = click.option(
        "--set", "sets", metavar="KEY=VALUE", multiple=True, help="Override one value of the pipeline's configuration."
    )(command)
    return click.option("-e", "--env", "environment", metavar="ENV", help="Apply this environment of wurzel.yaml.")(
        command
    )


def env_file_option(command: Command) -> Command:
    """The option `--env-file`, whose variables are set before anything else happens, unless they are set already."""
    return click.option(
        "--env-file",
        metavar="FILE",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_set_variables,
        help="Set the variables of this file, such as .env, that are not set already.",
    )(command)


def _set_variables(ctx: click.Context, param: click.Parameter, files: tuple[str, ...]) -> None:
    import os
    from pathlib import Path

    if ctx.resilient_parsing or not files:
        return
    from wurzel.runtime.env_file import read_env_file

    given = dict(os.environ)
    for file in files:
        os.environ.update(read_env_file(Path(file)))
    os.environ.update(given)
