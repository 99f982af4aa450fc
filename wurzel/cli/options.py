"""Options and arguments that several commands share, with their shell completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


class Completed(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """A text for which a shell is offered names."""

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names to offer for what was begun; those before a `WurzelError` count."""
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that start with what was typed."""
        from click.shell_completion import CompletionItem

        from wurzel.exceptions import WurzelError

        found = []
        with suppress(WurzelError):
            for name in self.names(ctx, incomplete):
                if name.startswith(incomplete):
                    found.append(CompletionItem(name))  # noqa: PERF401 - those before an error are kept
        return found


def typed(ctx: click.Context, name: str) -> str | None:
    """An argument of the command line; while a value is being completed, it is among the words that are left over."""
    return ctx.params.get(name) or next(iter(ctx.args), None)


class PipelineName(Completed):
    """A name in `wurzel.yaml`, or `module:attribute`."""

    name = "pipeline"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the pipelines in `wurzel.yaml`."""
        from wurzel.project.open import pipeline_names

        return pipeline_names()


class TargetName(Completed):
    """The name of a target."""

    name = "target"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the targets, including named targets of the project."""
        from wurzel.backends.registry import names
        from wurzel.project.load import project_names
        from wurzel.project.open import open_project

        yield from names()
        yield from project_names(open_project())


class StepName(Completed):
    """The id of a step of the pipeline that the command line names, or of the only one."""

    name = "step"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Ids of the steps; of texts such as `split,+ind`, which name several, the last one is completed."""
        from wurzel.project.open import open_pipeline

        head = begun[: max(begun.rfind(","), begun.rfind("+")) + 1]
        return (head + step.id for step in open_pipeline(typed(ctx, "pipeline")).pipeline.steps)


class ParameterText(Completed):
    """`STEP.SETTING=VALUE` for a step of the pipeline named earlier on the command line."""

    name = "parameter"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """`STEP.SETTING=` for each setting that is a parameter."""
        from wurzel.project.open import open_pipeline

        for step in open_pipeline(typed(ctx, "pipeline")).pipeline.steps:
            yield from (f"{step.id}.{setting.name}=" for setting in step.settings if setting.parameter)


class ShardText(click.ParamType):  # type: ignore[type-arg, unused-ignore] # not generic in older clicks
    """`I/N`: slice I, counted from 1, of N."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The two numbers."""
        number, slash, of = str(value).partition("/")
        if slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit():
            shard = int(number), int(of)
            if 1 <= shard[0] <= shard[1]:
                return shard
        return self.fail(f"{value!r} is not a slice; write I/N with I from 1 to N, such as 2/8.", param, ctx)


class DurationText(click.ParamType):  # type: ignore[type-arg, unused-ignore] # not generic in older clicks
    """Seconds, or a text such as `90s`, `10m`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds."""
        from wurzel.ir.types import LONGEST, parse_duration

        try:
            seconds = parse_duration(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)
        return seconds if seconds <= LONGEST else self.fail(f"{value!r} is longer than {LONGEST} seconds", param, ctx)


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


def check_alone(given: Mapping[str, bool]) -> None:
    """Refuse several options of which each says what is printed: all but one would be ignored."""
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        raise click.UsageError(f"{', '.join(names[:-1])} and {names[-1]} are mutually exclusive.")


def choosing_options(verb: str) -> Callable[[Command], Command]:
    """The options that choose steps, `--only`, `--from`, `--until`; `verb` is what the command does with them."""
    only = f"{verb} only these steps; their inputs must exist. STEP+ adds the steps after it, +STEP those before it."

    def add(command: Command) -> Command:
        for option, name, text in (
            ("--until", "last", f"{verb} these steps and all that come before them."),
            ("--from", "first", f"{verb} these steps and all that come after them."),
            ("--only", "only", only),
        ):
            command = click.option(option, name, type=StepName(), metavar="STEP,…", multiple=True, help=text)(command)
        return command

    return add


def check_choice(only: Sequence[str], first: Sequence[str], last: Sequence[str]) -> None:
    """Raise `UsageError` where these options contradict each other."""
    if only and (first or last):
        from wurzel.exceptions import UsageError

        raise UsageError("--only cannot be used with --from or --until", hint="Write --only STEP+ or --only +STEP.")


def env_file_option(command: Command) -> Command:
    """The option `--env-file`, whose variables are set before anything else happens, unless they are set already."""
    return click.option(
        "--env-file",
        metavar="FILE",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_set_variables,
        help="Read variables from this file, such as .env; those that are already set win.",
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
