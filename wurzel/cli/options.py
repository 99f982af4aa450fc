"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from wurzel.cli.declare import argument, option

if TYPE_CHECKING:
    from click import Context, Parameter

Command = TypeVar("Command", bound=Callable[..., Any])


def pipeline_argument(command: Command) -> Command:
    """The argument PIPELINE, which may be left out where a project has only one."""
    return argument("pipeline", type="PipelineName", required=False)(command)


def configuration_options(command: Command) -> Command:
    """The options `-e/--env` and `--set`."""
    command = option(
        "--set", "sets", metavar="KEY=VALUE", multiple=True, help="Override one value of the pipeline's configuration."
    )(command)
    return option("-e", "--env", "environment", metavar="ENV", help="Apply this environment of wurzel.yaml.")(command)


def check_alone(given: Mapping[str, bool]) -> None:
    """Refuse several options of which each says what is printed: all but one would be ignored."""
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        from wurzel.exceptions import UsageError

        raise UsageError(f"{', '.join(names[:-1])} and {names[-1]} are mutually exclusive")


def choosing_options(verb: str) -> Callable[[Command], Command]:
    """The options that choose steps, `--only`, `--from`, `--until`; `verb` is what the command does with them."""
    only = f"{verb} only these steps; their inputs must exist. STEP+ adds the steps after it, +STEP those before it."

    def add(command: Command) -> Command:
        for word, name, text in (
            ("--until", "last", f"{verb} these steps and all that come before them."),
            ("--from", "first", f"{verb} these steps and all that come after them."),
            ("--only", "only", only),
        ):
            command = option(word, name, type="StepName", metavar="STEP,…", multiple=True, help=text)(command)
        return command

    return add


def check_choice(only: Sequence[str], first: Sequence[str], last: Sequence[str]) -> None:
    """Raise `UsageError` where these options contradict each other."""
    if only and (first or last):
        from wurzel.exceptions import UsageError

        raise UsageError("--only cannot be used with --from or --until", hint="Write --only STEP+ or --only +STEP.")


def env_file_option(command: Command) -> Command:
    """The option `--env-file`, whose variables are set before anything else happens, unless they are set already."""
    return option(
        "--env-file",
        metavar="FILE",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_set_variables,
        help="Read variables from this file, such as .env; those that are already set win.",
    )(command)


def _set_variables(ctx: Context, param: Parameter, files: tuple[str, ...]) -> None:
    import os
    from pathlib import Path

    if ctx.resilient_parsing or not files:
        return
    from wurzel.runtime.env_file import read_env_file

    given = dict(os.environ)
    for file in files:
        os.environ.update(read_env_file(Path(file)))
    os.environ.update(given)
