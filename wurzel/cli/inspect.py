"""`wurzel inspect`: the resolved pipeline, for people or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import check_alone, configuration_options, pipeline_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wurzel.ir.model import Pipeline, Setting, Step


@declared("inspect")
@pipeline_argument
@click.option("--json", "as_json", is_flag=True, help="Print the IR as JSON, for `render --from-ir`.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: the packs, pipelines, targets and environments of the project, and the IR of PIPELINE.",
)
@click.option("--explain", is_flag=True, help="Show where each value comes from.")
@configuration_options
def command(
    pipeline: str | None,
    as_json: bool,
    form: str,
    explain: bool,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Show the resolved pipeline.

    Without PIPELINE, list the project's pipelines, targets, environments and packs.
    """
    from wurzel.cli import own_output
    from wurzel.project.open import open_in, open_project

    own_output()
    check_alone({"--json": as_json, "--format json": form == "json", "--explain": explain})
    project = open_project()
    one = pipeline is not None or as_json or explain
    resolved = open_in(project, pipeline, environment, sets) if one else None
    if form == "json" or resolved is None:
        from wurzel.project.overview import as_json as whole
        from wurzel.project.overview import as_text, overview

        found = overview(project, environment)
        click.echo(whole(found, resolved) if form == "json" else as_text(found), nl=False)
    elif as_json:
        from pathlib import Path

        from wurzel.invocation.sources import with_sources
        from wurzel.ir.serialize import dump

        click.echo(dump(with_sources(resolved.pipeline, Path())), nl=False)
    elif explain:
        from wurzel.project.explain import explain as rows

        for row in rows(resolved):
            click.echo(row)
    else:
        click.echo(_summary(resolved.pipeline), nl=False)


def _summary(pipeline: Pipeline) -> str:
    from wurzel.project.explain import own_variables

    lines = [pipeline.name + (f": {pipeline.description}" if pipeline.description else "")]
    if pipeline.schedule:
        lines.append(f"  schedule {pipeline.schedule.cron} {pipeline.schedule.timezone}")
    if pipeline.variables:
        lines.append(f"  variables {_flat(pipeline.variables)}")
    for step in pipeline.steps:
        lines += ["", *_step(step, own_variables(pipeline, step))]
    return "\n".join(lines) + "\n"


def _step(step: Step, variables: Mapping[str, Any]) -> list[str]:
    from wurzel.ir.graph import named_ports, source

    lines = [f"{step.id}  {step.run}"]
    if step.description:
        lines.append(f"  {step.description}")
    if step.needs:
        lines.append(f"  needs {', '.join(map(source, step.needs))}")
    lines += [f"  {name} {', '.join(ports)}" for name, ports in named_ports(step).items()]
    asked = step.model_dump(
        exclude_defaults=True,
        exclude={"id", "run", "description", "needs", "settings", "inputs", "outputs", "sources", "variables"},
    )
    asked |= {"variables": variables} if variables else {}
    lines += [f"  {name} {_flat(value)}" for name, value in asked.items()]
    for setting in step.settings:
        lines.append(f"  {setting.name} = {_value(setting)}")
    return lines


def _value(setting: Setting) -> str:
    if setting.secret:
        return "(secret)"
    if setting.given:
        return _flat(setting.value)
    return "(required)" if setting.required else "(computed)" if setting.computed else _flat(setting.default)


def _flat(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
