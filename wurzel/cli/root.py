"""The group of all commands, for click: its own options, and hints for unknown ones.

`COMMANDS` repeats each command's one-line help, so that `wurzel --help` imports no command; a test compares them.
"""

from __future__ import annotations

import os

import click

from wurzel.cli.group import CommandGroup
from wurzel.exceptions import INTERRUPTED
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


class MainGroup(CommandGroup):
    """The commands of wurzel."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Ctrl-C ends it as a signal would, without output; unknown options get a hint."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
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
