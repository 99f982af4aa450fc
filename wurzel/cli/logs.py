"""`wurzel logs`: what steps printed in a past run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wurzel.cli.runs import RunName, state_dir_option
from wurzel.cli.types import Completed, PipelineName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wurzel.exceptions import UsageError
    from wurzel.runtime.history import PastRun

_SHOWN = 20
"""Steps that an error names."""


class LoggedStep(Completed):
    """A step that has a log."""

    name = "step"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Steps of the runs that were recorded here."""
        from wurzel.runtime.history import past_runs

        return sorted({step for run in past_runs(Path(ctx.params.get("state_dir") or ".wurzel")) for step in run.steps})


@click.command("logs")
@click.argument("step", type=LoggedStep(), required=False)
@click.option("--run", "run", type=RunName(), metavar="RUN", help="An id from `wurzel runs`.  [default: the last]")
@click.option("--pipeline", type=PipelineName(), metavar="NAME", help="A run of this pipeline.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each line: log and line.")
@state_dir_option
def command(step: str | None, run: str | None, pipeline: str | None, as_json: bool, state_dir: str) -> None:
    """Print what a step, or every step, logged in a past run.

    Without --run, this is the last run that has a log of STEP.
    """
    from wurzel.runtime.history import LATEST, find_run, past_runs

    runs = past_runs(Path(state_dir), pipeline)
    if not runs:
        find_run(runs, LATEST)
    found = list(_logs(runs, step, run))
    if not found:
        raise _no_log(step, runs)
    for title, path in found:
        if len(found) > 1 and not as_json:
            click.echo(f"==> {title} <==")
        _print(path, title if as_json else None)


def _no_log(step: str | None, runs: Sequence[PastRun]) -> UsageError:
    from wurzel.exceptions import UsageError
    from wurzel.suggestion import did_you_mean

    if step is None:
        hint = "Steps that are unchanged write none, and those of `wurzel run --in-process` log to the terminal."
        return UsageError("no step has a log in this run", hint=hint)
    known = list(dict.fromkeys(name for run in runs for name in run.steps))
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    hint = did_you_mean(step, known) or f"Steps that ran: {', '.join(known[:_SHOWN])}{more}."
    return UsageError(f"step {step!r} has no log here", hint=hint)


def _logs(runs: Sequence[PastRun], step: str | None, run: str | None) -> Iterator[tuple[str, Path]]:
    from wurzel.runtime.history import LATEST, find_run

    wanted = [find_run(runs, run or LATEST)] if run or not step else runs
    for past in wanted:
        paths = past.logs(step) if step else past.all_logs()
        named = [(path.name.removesuffix(".log"), path) for path in paths]
        if named:
            yield from named
            return


def _print(path: Path, title: str | None) -> None:
    """Print a log, with a `title` as JSON; without control characters on a terminal, which would obey them."""
    from wurzel.exceptions import UsageError
    from wurzel.regular_file import regular
    from wurzel.runtime.outcome import visible

    try:
        file = open(path, "rb", opener=regular)  # noqa: SIM115 - writing what was read has other errors
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    with file:
        if title is not None:
            for line in file:
                click.echo(json.dumps({"log": title, "line": line.decode(errors="replace").rstrip("\n")}))
            return
        if sys.stdout.isatty():
            for line in file:
                click.echo(visible(line.decode(errors="replace").rstrip("\n")))
            return
        while piece := file.read(1 << 16):  # it may be larger than memory
            click.echo(piece, nl=False)
