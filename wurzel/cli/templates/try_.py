"""`wurzel templates try`: how templates change rendered files, shown again at each save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wurzel.cli.options import PipelineName, TargetName, configuration_options
from wurzel.cli.templates.names import TemplateName

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("try")
@click.argument("template", type=TemplateName(), required=False)
@click.option("-p", "--pipeline", "pipelines", multiple=True, type=PipelineName(), help="Render this pipeline; repeatable.")
@click.option("-t", "--target", "targets", multiple=True, type=TargetName(), help="Render for this target; repeatable.")
@click.option("--once", is_flag=True, help="Show what the templates change now, and exit.")
@configuration_options
def command(
    template: str | None,
    pipelines: tuple[str, ...],
    targets: tuple[str, ...],
    once: bool,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Show how templates change rendered files, at each save.

    Shows the difference that TEMPLATE (by default all templates of the project) makes, again at each save. Writes
    nothing. Stop it with Ctrl-C.
    """

    def show() -> Iterator[Path]:
        from wurzel.project.jobs import Request
        from wurzel.project.trial import Trial

        trial = Trial(Request(pipelines, targets, environment, sets), template)
        yield from trial.folders
        text = trial.difference()
        click.echo(text, nl=False) if text else click.echo("rendered files are unchanged", err=True)

    if once:
        list(show())
        return
    from wurzel.cli.watch import watch
    from wurzel.project.load import FILE

    watch(show, lambda line: click.echo(line, err=True), always=[Path(FILE)])
