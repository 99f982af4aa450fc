"""`wurzel targets`: the support table, as a table, in detail, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.saying import print_json
from wurzel.cli.types import TargetName
from wurzel.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from wurzel.backends.base import Backend

_PIPE_WIDTH = 1000


@click.command("targets")
@click.argument("target", type=TargetName(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reports", is_flag=True, help="Show what pipelines here use that their targets do not support.")
@click.option("--versions", is_flag=True, help="Show what each version of TARGET's platform lacks.")
@click.option("-e", "--env", "environment", metavar="ENV", help="Apply this environment of wurzel.yaml, for --reports.")
def command(target: str | None, as_json: bool, reports: bool, versions: bool, environment: str | None) -> None:
    """Show which features each target supports.

    native: the platform has the feature. emulated: wurzel provides it. unsupported: using it is reported.
    """
    if reports:
        _reports(target, environment, as_json=as_json)
        return
    from wurzel.backends.registry import BUILT_IN, get, names
    from wurzel.ir.features import FEATURES
    from wurzel.project.load import project_names
    from wurzel.project.open import open_project

    named = project_names(open_project()) if target not in BUILT_IN else {}
    kind = named[target].target if target is not None and target in named else target
    backends = [get(name) for name in ([kind] if kind else names())]
    if versions:
        _versions(backends, as_json=as_json)
        return
    table: dict[str, Any] = {
        backend.name: {
            "summary": backend.summary,
            "features": {name: backend.support_of(name)._asdict() for name in FEATURES},
        }
        for backend in backends
    }
    if as_json:
        if target is None:
            table |= {each.name: {"target": each.target, "environment": each.environment} for each in named.values()}
        print_json(table)
    elif kind:
        _detail(table[kind])
    else:
        _matrix(table)
        for each in named.values():
            place = f" in the environment {each.environment}" if each.environment else ""
            click.echo(f"{each.name} is {each.target}{place} under another name.")


def _versions(backends: Sequence[Backend], *, as_json: bool) -> None:
    """What each version of a platform lacks, the one that files are written for by default marked."""
    found = [backend for backend in backends if backend.versions]
    if not found:
        raise UsageError(f"files of {backends[0].name} are the same for all versions of it")
    if as_json:
        print_json({backend.name: backend.versions for backend in found})
        return
    for backend in found:
        for version, lacks in backend.versions.items():
            option, value = backend.option_of_version(version)
            default = backend.options_model.model_fields[option].default
            what = "; ".join(lacks) if lacks else "has all that wurzel writes"
            mark = " (default)" if value == str(default).lower() else ""
            click.echo(f"{backend.name} {version}{mark}: {'lacks ' if lacks else ''}{what}")
    click.echo("What another version changes:")
    for backend in found:
        other = next(iter(backend.versions))
        click.echo(f"  wurzel render --diff --set targets.{backend.name}.{'='.join(backend.option_of_version(other))}")


def _reports(target: str | None, environment: str | None, *, as_json: bool) -> None:
    """What every pipeline uses that its targets do not support."""
    from wurzel.backends.rendering import reports_of
    from wurzel.backends.support import summary
    from wurzel.project.jobs import Request, open_jobs

    jobs, _ = open_jobs(Request(targets=[target] if target else [], environment=environment))
    found = [(job, reports) for job in jobs if (reports := reports_of(job))]
    if as_json:
        data = [{"pipeline": job.pipeline.name, **report._asdict()} for job, reports in found for report in reports]
        print_json(data)
        return
    for job, reports in found:
        click.echo(str(summary(reports, job.pipeline.name, job.locate)))
    if not found:
        click.echo("Every target supports what its pipelines use, or the rest is accepted.")


def _detail(backend: dict[str, Any]) -> None:
    from rich.table import Table

    from wurzel.ir.features import FEATURES

    click.echo(backend["summary"])
    grid = Table("feature", "meaning", "level", "how, or alternative", box=None, pad_edge=False)
    for name, meaning in FEATURES.items():
        support = backend["features"][name]
        grid.add_row(name, meaning, _coloured(support["level"]), support["note"].replace("[", "\\["))
    _console().print(grid)


def _matrix(table: dict[str, Any]) -> None:
    from rich.table import Table

    from wurzel.ir.features import FEATURES

    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("feature", *table):
        grid.add_column(heading, no_wrap=True)
    for name in FEATURES:
        levels = [backend["features"][name]["level"] for backend in table.values()]
        grid.add_row(name, *("-" if level == "unsupported" else _coloured(level) for level in levels))
    _console().print(grid)
    click.echo("- is unsupported: using it is reported. `wurzel targets TARGET` says why, and what to use instead.")


def _console() -> Console:
    """A console for the terminal; for anything else without colours, and wide enough not to wrap lines."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def _coloured(level: str) -> str:
    colour = {"native": "green", "emulated": "yellow", "unsupported": "red"}[level]
    return f"[{colour}]{level}[/{colour}]"
