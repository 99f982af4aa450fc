"""`wurzel graph`: the picture of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import configuration_options, pipeline_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.ir.jobs import Job


@declared("graph")
@pipeline_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot", "svg"]), default="text", show_default=True
)
@click.option("-t", "--target", metavar="TARGET", help="Draw the jobs of this target as boxes around their steps.")
@configuration_options
def command(
    pipeline: str | None, form: str, target: str | None, environment: str | None, sets: tuple[str, ...]
) -> None:
    """Draw a pipeline.

    As text, for Mermaid or Graphviz, or as an SVG picture.
    """
    from wurzel.cli import own_output
    from wurzel.ir import graph
    from wurzel.project.open import open_pipeline

    own_output()
    resolved = open_pipeline(pipeline, environment, sets).pipeline
    jobs = _jobs(pipeline or resolved.name, target, environment, sets) if target is not None else []
    click.echo(graph.FORMATS[form](resolved, jobs), nl=False)


def _jobs(pipeline: str, target: str, environment: str | None, sets: tuple[str, ...]) -> Sequence[Job]:
    """The jobs that a target makes of a pipeline."""
    from wurzel.backends.registry import get
    from wurzel.project.jobs import Request, open_jobs

    ((asked, *_), _) = open_jobs(Request([pipeline], [target], environment, sets))
    return get(asked.target).jobs(asked.pipeline, asked.options)
