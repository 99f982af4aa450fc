"""`wurzel graph`: the picture of a pipeline."""

from __future__ import annotations

import click

from wurzel.cli.options import configuration_options, pipeline_argument


@click.command("graph")
@pipeline_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot", "svg"]), default="text", show_default=True
)
@configuration_options
def command(pipeline: str | None, form: str, environment: str | None, sets: tuple[str, ...]) -> None:
    """Draw a pipeline.

    As text, for Mermaid or Graphviz, or as an SVG picture.
    """
    from wurzel.ir import graph
    from wurzel.project.open import open_pipeline

    resolved = open_pipeline(pipeline, environment, sets).pipeline
    click.echo(graph.FORMATS[form](resolved), nl=False)
