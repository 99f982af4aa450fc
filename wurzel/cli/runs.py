"""`wurzel runs`: past runs of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.group import CommandGroup
from wurzel.cli.saying import print_json
from wurzel.cli.types import Completed, PipelineName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wurzel.runtime.history import PastRun

_DIGEST = 12  # characters of a digest that tell datasets apart
_LACKING = {"setting": "default", "dataset": "none", "step": "not in this run"}


class RunName(Completed):
    """The id of a past run, the beginning of one, `latest`, or `latest~1` for the one before."""

    name = "run"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Ids of the runs that were recorded here."""
        from wurzel.runtime.history import LATEST, past_runs

        return [LATEST, *dict.fromkeys(run.id for run in past_runs(Path(ctx.params.get("state_dir") or ".wurzel")))]


def state_dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--state-dir`."""
    text = "Where `wurzel run` kept logs and states."
    return click.option("--state-dir", metavar="DIR", default=".wurzel", show_default=True, help=text)(command)


COMMANDS = {
    "show": "Show what became of each step of RUN, the last one by default.",
    "diff": "Show which datasets and settings differ between two runs.",
}


@click.group("runs", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.runs:{}", invoke_without_command=True)
@click.option("--pipeline", type=PipelineName(), metavar="NAME", help="List runs of this pipeline only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@state_dir_option
@click.pass_context
def command(ctx: click.Context, pipeline: str | None, as_json: bool, state_dir: str) -> None:
    """List past runs: when, what ran, how long, and how it ended.

    `wurzel run` records the last 50 runs of a pipeline below .wurzel, with their logs.
    """
    from wurzel.cli.text import table
    from wurzel.runtime.history import past_runs

    ctx.ensure_object(dict).update(state_dir=state_dir, pipeline=pipeline, as_json=as_json)
    if ctx.invoked_subcommand is not None:
        return
    runs = past_runs(Path(state_dir), pipeline)
    if as_json:
        print_json([_summary(run) for run in runs])
        return
    if not runs:
        click.echo("no run has been recorded here", err=True)
    rows = []
    for run in runs:
        steps = ", ".join(f"{count} {what}" for what, count in run.counts.items() if count) or "-"
        rows.append((run.id, run.pipeline, _when(run), steps, _took(run.seconds), run.ended))
    for line in table([("RUN", "PIPELINE", "STARTED", "STEPS", "TOOK", "ENDED"), *rows]) if rows else ():
        click.echo(line)


@click.command("show")
@click.argument("run", type=RunName(), default="latest")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(obj: dict[str, Any], run: str, as_json: bool) -> None:
    """Show what became of each step of RUN, the last one by default."""
    from wurzel.cli.text import table
    from wurzel.runtime.history import find_run, past_runs
    from wurzel.runtime.outcome import visible

    found = find_run(past_runs(Path(obj["state_dir"]), obj["pipeline"]), run)
    if as_json or obj["as_json"]:
        print_json({**found.record, "ended": found.ended})
        return
    title = f"{found.pipeline} {found.id}: started {_when(found)}, took {_took(found.seconds)}, {found.ended}"
    click.echo(visible(title))
    rows = []
    for step, about in found.steps.items():
        spent = about["end"] - about["begin"] if "begin" in about and "end" in about else None
        items = str(about.get("report", {}).get("items_out", "-"))
        memory = f"{about['memory'] / 1e6:.0f} MB" if "memory" in about else "-"
        rows.append((step, about["state"], _took(spent), memory, items, about.get("reason") or about.get("text", "")))
    for line in table([("STEP", "STATE", "TOOK", "MEMORY", "ITEMS", "WHY"), *rows]) if rows else ():
        click.echo(line)


@click.command("diff")
@click.argument("before", type=RunName(), default="latest~1")
@click.argument("after", type=RunName(), default="latest")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def diff(obj: dict[str, Any], before: str, after: str, as_json: bool) -> None:
    """Show which datasets and settings differ between two runs, by default between the last one and the one before.

    BEFORE is by default the previous run of the same pipeline.
    """
    from wurzel.exceptions import UsageError
    from wurzel.runtime.history import LATEST, changes, find_run, past_runs
    from wurzel.runtime.outcome import visible

    runs = past_runs(Path(obj["state_dir"]), obj["pipeline"])
    other = find_run(runs, after)
    same = [run for run in runs if run.pipeline == other.pipeline]
    one = find_run(same if before.startswith(LATEST) else runs, before)
    if one.pipeline != other.pipeline:
        raise UsageError(f"{one.id} is a run of {one.pipeline}, {other.id} one of {other.pipeline}")
    found = list(changes(one, other))
    if as_json or obj["as_json"]:
        print_json([change._asdict() for change in found])
        return
    for change in found:
        name = f"{change.step}.{change.name}" if change.name else change.step
        cut = _DIGEST if change.what == "dataset" else None
        old, new = (
            (text[:cut] if text is not None else _LACKING[change.what]) for text in (change.before, change.after)
        )
        click.echo(visible(f"{name}: {change.what} {old} → {new}"))
    if not found:
        click.echo("the same datasets and settings", err=True)


def _summary(run: PastRun) -> dict[str, Any]:
    about = {key: value for key, value in run.record.items() if key != "steps"}
    return {**about, "ended": run.ended}


def _when(run: PastRun) -> str:
    return run.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:.1f}s" if not minutes else f"{minutes:.0f}m{rest:02.0f}s"
