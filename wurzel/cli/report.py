"""`wurzel report`: a page about a run."""

from __future__ import annotations

import click

from wurzel.cli.runs import RunName, state_dir_option
from wurzel.cli.types import PipelineName


@click.command("report")
@click.argument("run", type=RunName(), default="latest")
@click.option("--with", "other", type=RunName(), metavar="RUN", help="Show this run beside it.")
@click.option("--pipeline", type=PipelineName(), metavar="NAME", help="A run of this pipeline.")
@click.option(
    "-o", "--output", default="report.html", show_default=True, metavar="FILE", help="`-` for standard output."
)
@state_dir_option
def command(run: str, other: str | None, pipeline: str | None, output: str, state_dir: str) -> None:
    """Write a page about a run.

    RUN is the last one by default. One HTML file shows the graph, the schedule, and each step's state, settings,
    metrics, data and log. It contains items of the data and needs no network.
    """
    from pathlib import Path

    from wurzel.cli.writing import write_report
    from wurzel.report import content, page
    from wurzel.runtime.history import find_run, past_runs

    runs = past_runs(Path(state_dir), pipeline)
    found = find_run(runs, run)
    beside = None if other is None else find_run([one for one in runs if one.pipeline == found.pipeline], other)
    text = page(content(found, beside), f"{found.pipeline} {found.id}")
    if output == "-":
        click.echo(text, nl=False)
        return
    write_report(output, text)
