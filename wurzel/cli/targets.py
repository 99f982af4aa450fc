"""`wurzel targets`: the support table, as a table, in detail, or as JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from wurzel.cli.options import TargetName


@click.command("targets")
@click.argument("target", type=TargetName(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(target: str | None, as_json: bool) -> None:
    """Show what each target can and cannot express.

    native: the platform has it. emulated: wurzel does it. unsupported: using it is reported.
    """
    from wurzel.backends.registry import get, names

    backends = [get(name) for name in ([target] if target else names())]
    table: dict[str, Any] = {
        backend.name: {
            "summary": backend.summary,
            "features": {
                name: {"level": support.level, "note": support.note} for name, support in backend.support.items()
            },
        }
        for backend in backends
    }
    if as_json:
        click.echo(json.dumps(table, indent=2, ensure_ascii=False))
    elif target:
        _detail(table[target])
    else:
        _matrix(table)


def _detail(backend: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from wurzel.ir.features import FEATURES

    click.echo(backend["summary"])
    grid = Table("feature", "meaning", "level", "how, or what instead", box=None, pad_edge=False)
    for name, meaning in FEATURES.items():
        support = backend["features"][name]
        grid.add_row(name, meaning, _coloured(support["level"]), support["note"].replace("[", "\\["))
    Console().print(grid)


def _matrix(table: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from wurzel.ir.features import FEATURES

    grid = Table("feature", *table, box=None, pad_edge=False)
    for name in FEATURES:
        grid.add_row(name, *(_coloured(backend["features"][name]["level"]) for backend in table.values()))
    Console().print(grid)


def _coloured(level: str) -> str:
    colour = {"native": "green", "emulated": "yellow", "unsupported": "red"}[level]
    return f"[{colour}]{level}[/{colour}]"
