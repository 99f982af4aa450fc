"""`wurzel inspect`: the resolved pipeline, for people or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.options import configuration_options, pipeline_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wurzel.ir.model import Pipeline, Setting, Step


@click.command("inspect")
@pipeline_argument
@click.option("--json", "as_json", is_flag=True, help="Print the IR as JSON, which `render --from-ir` reads.")
@click.option("--explain", is_flag=True, help="Say where each value comes from.")
@configuration_options
def command(
    pipeline: str,
    as_json: bool,
    explain: bool,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Show the resolved pipeline."""
    from wurzel.project.open import open_pipeline

    resolved = open_pipeline(pipeline, environment, sets)
    if as_json:
        from wurzel.ir.serialize import dump

        click.echo(dump(resolved.pipeline), nl=False)
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
    lines = [f"{step.id}  {step.run}"]
    if step.description:
        lines.append(f"  {step.description}")
    if step.needs:
        lines.append(f"  needs {', '.join(step.needs)}")
    asked = step.model_dump(
        exclude_defaults=True,
        exclude={"id", "run", "description", "needs", "settings", "input", "output", "sources", "variables"},
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
