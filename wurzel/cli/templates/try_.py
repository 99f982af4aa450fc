"""`wurzel templates try`: how templates change rendered files, shown again at each save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.options import PipelineName, TargetName, configuration_options
from wurzel.cli.templates.names import TemplateName
from wurzel.cli.saying import say

if TYPE_CHECKING:
    from wurzel.project.trial import Trial

_PAUSE = 0.3
"""Seconds between two checks of the files."""


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

    First shows the difference that TEMPLATE (by default all templates of the project) makes, then what each save
    changes in the rendered files. Writes nothing. Stop it with Ctrl-C.
    """
    from wurzel.project.jobs import Request
    from wurzel.project.trial import Trial

    trial = Trial(Request(pipelines, targets, environment, sets), template)
    click.echo(trial.difference(), nl=False)
    if once:
        return
    click.echo("watching; stop with Ctrl-C", err=True)
    try:
        _watch(trial)
    except KeyboardInterrupt:
        click.echo("", err=True)


def _pause() -> None:
    from time import sleep

    sleep(_PAUSE)


def _watch(trial: Trial) -> None:
    from wurzel.exceptions import WurzelError

    while True:
        _pause()
        if not trial.has_changed():
            continue
        try:
            text = trial.difference()
        except WurzelError as error:
            say("error", error)
            continue
        click.echo(text, nl=False) if text else click.echo("rendered files are unchanged", err=True)
