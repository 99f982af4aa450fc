"""The `wurzel` command: one module per sub-command, each imported only when it is called.

`COMMANDS` repeats each command's one-line help, so that `wurzel --help` imports no command; a test compares them.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from contextlib import suppress
from typing import NoReturn

import click

from wurzel.cli.group import CommandGroup
from wurzel.cli.saying import say
from wurzel.version import __version__

COMMANDS = {
    "init": "Write a starting wurzel.yaml.",
    "new": "Write a project, a step, a target or a template pack.",
    "render": "Render pipelines into the native files of their targets.",
    "adopt": "Take values of edited files into wurzel.yaml.",
    "run": "Run a pipeline here, in parallel, skipping what is unchanged.",
    "step": "Run one step; this is what rendered files call.",
    "notify": "Report a failed run; this is what rendered files call.",
    "runs": "List past runs: when, what ran, how long, and how it ended.",
    "logs": "Print what a step, or every step, logged in a past run.",
    "show": "Show the items, rows or files that a step wrote.",
    "report": "Write a page about a run.",
    "prove": "Run a pipeline in every engine here, and compare the data.",
    "clean": "Remove earlier results, logs and records of runs.",
    "inspect": "Show the resolved pipeline.",
    "env": "List the variables and secrets a pipeline needs.",
    "graph": "Draw a pipeline.",
    "layout": "Show what other layouts and requests would save.",
    "targets": "Show which features each target supports.",
    "store": "Inspect a store, and keep it small.",
    "templates": "List, copy, check and update templates.",
    "check": "Check pipelines, templates, rendered files, environment.",
    "image": "Write a Dockerfile, and build and push the image.",
    "ci": "Write a CI file that checks rendered files on every commit.",
    "schema": "Print the JSON Schema of wurzel.yaml.",
}


_INTERRUPTED = 130
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO})


class MainGroup(CommandGroup):
    """The commands of wurzel."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Ctrl-C ends it as a signal would, without output; unknown options get a hint."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except click.NoSuchOption as error:
            raise _advised(error, ctx) from error
        except click.UsageError as error:
            params = error.ctx.command.params if error.ctx is not None else ()
            if "unexpected extra argument" not in error.message or not any("--only" in one.opts for one in params):
                raise
            raise click.UsageError(f"{error.message}. Choose steps with --only STEP,…", ctx=error.ctx) from error


_DESTROYS = frozenset({"--all", "--data", "--fix", "--force", "--prune", "--push"})
"""Options that overwrite, remove or publish: never suggested for a misspelled one."""
_MEANT = {
    "--dry-run": ("--diff", "--check", "--plan"),
    "--select": ("--only", "--target"),
    "--step": ("--only",),
    "--steps": ("--only",),
    "--to": ("--until",),
    "--workers": ("--jobs",),
    "--parallel": ("--jobs",),
    "--limit": ("--head",),
}
"""Names that other tools use for our options."""


def _advised(error: click.NoSuchOption, group: click.Context) -> click.NoSuchOption:
    name = error.option_name
    if name in {option for param in group.command.params for option in param.opts}:
        words = " ".join(["wurzel", name, group.invoked_subcommand or "COMMAND"])
        return click.NoSuchOption(name, f"{name} comes before the command: {words} …", ctx=error.ctx)
    params = [] if error.ctx is None else error.ctx.command.params
    hidden = {option for param in params if getattr(param, "hidden", False) for option in param.opts}
    close = [option for option in error.possibilities or () if option not in _DESTROYS | hidden]
    if name in _MEANT:
        close = [option for option in _MEANT[name] if any(option in param.opts for param in params)]
    advice = f" Did you mean {' or '.join(close)}?" if close else ""
    return click.NoSuchOption(name, f"No such option {name!r}.{advice}", ctx=error.ctx)


@click.group(
    cls=MainGroup,
    table=COMMANDS,
    home="wurzel.cli.{}",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(version)s")
@click.option("-C", "folder", metavar="DIR", help="Work in this folder, as if it were the current one.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Format of logs on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="Log details.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
@click.option("--allow-outside", is_flag=True, help="Allow wurzel.yaml to name template folders outside the project.")
@click.pass_context
def cli(
    ctx: click.Context, folder: str | None, log_format: str, verbose: bool, quiet: bool, allow_outside: bool
) -> None:
    """Write a pipeline once, in typed Python; render the native files of the platforms that run it."""
    if folder is not None and not ctx.resilient_parsing:
        _change_folder(folder)
    if allow_outside:
        os.environ["WURZEL_ALLOW_OUTSIDE"] = "1"  # an environment variable, so that child processes read it too
    level = "DEBUG" if verbose else "WARNING" if quiet else "INFO"
    ctx.ensure_object(dict).update(log_format=log_format, level=level)


def _change_folder(folder: str) -> None:
    from wurzel.exceptions import UsageError

    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"cannot work in this folder: {error.strerror}", where=folder) from None


def _check_folder() -> None:
    from wurzel.exceptions import UsageError

    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not imported yet
    except OSError:
        raise UsageError("the current folder no longer exists", hint="Change to one that does.") from None


def _end_output() -> None:
    """Send what modules of the user print at the end of the process to standard error: our output may be a document."""
    if owns_process and sys.stdout is not None and "wurzel.runtime.step" not in sys.modules:
        sys.stdout.flush()
        if sys.stdout.fileno() == 1:
            os.dup2(2, 1)
        else:
            sys.stdout, ours = sys.stderr, sys.stdout
            ours.close()


def own_output() -> None:
    """Keep what modules of the user print, in threads too, out of the document that a command prints."""
    from wurzel.standard_streams import own_standard_output

    if owns_process:
        own_standard_output()


owns_process = False
"""Whether the process is a command `wurzel`, not a program that calls our command line: only then may it be forked."""
collection: tuple[int, int, int] | None = None
"""When Python collects garbage by default, in a command, which imports with less of it."""


def collect_as_usual() -> None:
    """Collect garbage as Python does by default; to be called before code of steps runs, which may make a lot."""
    if collection is not None:
        import gc

        gc.set_threshold(*collection)


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 success, 1 a step or check failed, 2 the user must act; or a bug's traceback."""
    from wurzel.exceptions import WurzelError, WurzelWarning
    from wurzel.standard_streams import open_standard_streams

    open_standard_streams()
    show = warnings.showwarning
    warnings.showwarning = lambda message, category, *place: (
        say("warning", message) if issubclass(category, WurzelWarning) else show(message, category, *place)
    )
    try:
        _check_folder()
        try:
            cli.main(args=args, prog_name="wurzel", standalone_mode=True)
        finally:
            _end_output()
    except WurzelError as error:
        say("error", error)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        sys.stdout = sys.__stdout__ = None  # type: ignore[misc] # nothing is flushed into it at the end
        with suppress(OSError):
            say("error", f"cannot write the output: {error.strerror}")
        sys.exit(1)
    raise AssertionError("click ends the process")
