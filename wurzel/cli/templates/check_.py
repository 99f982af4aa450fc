"""`wurzel templates check`: errors in the templates of the project and its packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import print_json, say
from wurzel.cli.templates.names import open_renderer
from wurzel.cli.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.exceptions import Problem


@click.command("check")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output format.")
def command(form: str) -> None:
    """Find errors in templates without rendering.

    Checks every template of the project and its packs, including branches that no pipeline reaches, and finds
    templates of packs that are never used because one above does not extend them. Exits 1 if there are findings.
    `wurzel render` checks the templates of the targets it renders in the same way.
    """
    from wurzel.backends.checking import check_all
    from wurzel.exceptions import CheckFailed

    renderer = open_renderer()
    problems = check_all(renderer)
    for warning in renderer.layers.warnings:
        say("warning", warning)
    if form == "json":
        print_json([_json(problem) for problem in problems])
    if problems:
        raise CheckFailed("\n".join([_count(problems), *map(str, problems)]) if form == "text" else _count(problems))
    count = sum(len(renderer.layers.names(layer)) for layer in renderer.layers.layers if layer.is_own)
    click.echo(f"{count} {'template is' if count == 1 else 'templates are'} fine", err=True)


def _count(problems: Sequence[Problem]) -> str:
    files = len({problem.where.rpartition(":")[0] for problem in problems})
    return f"{counted(len(problems), 'finding')} in {counted(files, 'template')}"


def _json(problem: Problem) -> dict[str, str | int]:
    template, _, line = problem.where.rpartition(":")
    return {"template": template, "line": int(line), "message": problem.message, "hint": problem.hint}
