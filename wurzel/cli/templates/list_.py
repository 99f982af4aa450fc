"""`wurzel templates list`: the templates and blocks to extend, and the names that templates see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.saying import print_json
from wurzel.cli.templates.names import open_renderer
from wurzel.cli.types import TargetName
from wurzel.render.layers import OURS
from wurzel.table import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wurzel.render.check.sources import Sources


@click.command("list")
@click.argument("target", type=TargetName(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(target: str | None, as_json: bool) -> None:
    """List templates with their blocks, parts and names.

    Without TARGET, lists the templates of all targets with the layers that change them. With TARGET, also lists their
    blocks with the layers that change them, the names they see with types and descriptions, and the filters.
    """
    from wurzel.backends.contract import contract, filters
    from wurzel.backends.registry import get, names
    from wurzel.project.load import project_names
    from wurzel.project.open import open_project

    project = open_project()
    named = project_names(project)
    target = named[target].target if target is not None and target in named else target
    renderer = open_renderer(project)
    packs = project.packs() if project is not None else ()
    variables = [each for pack in reversed(packs) for each in pack.variables.values()]
    sources = renderer.checker({}).sources
    contracts = [contract(get(name), renderer) for name in ([target] if target else names())]
    for each in contracts:
        for name, said in [*each["files"].items(), *each["parts"].items()]:
            _add_layers(said, name, sources)
    if as_json:
        said = {
            "targets": contracts,
            "filters": filters(renderer),
            "variables": {
                each.name: {"pack": each.pack, "rule": each.rule, "description": each.description} for each in variables
            },
        }
        print_json(said)
    elif target:
        rows = [(each.name, each.rule, each.description, each.pack) for each in variables]
        known = ["", "Variables:", *_table(rows)] if rows else []
        click.echo("\n".join([*_detail(contracts[0], filters(renderer)), *known]))
    else:
        click.echo("\n".join(_table(_rows(contracts))))


def _add_layers(said: dict[str, Any], name: str, sources: Sources) -> None:
    """Add the files that define a template and each of its blocks, most specific first, and the unused ones."""
    from wurzel.render.check.reach import taking_part, writing
    from wurzel.render.layers import Found, label

    chain = taking_part(sources, name)
    said["layers"] = [source.label for source in chain]
    own = [layer for layer in sources.layers.layers if layer.is_own and (layer.folder / name).is_file()]
    there = [label(Found(name, layer, layer.folder / name)) for layer in own]
    said["bypassed"] = [each for each in there if each not in said["layers"]]
    for block in said["blocks"]:
        block["layers"] = [source.label for source in writing(chain, block["name"])]


def _rows(contracts: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    yield "target", "template", "changed by"
    for contract in contracts:
        for name, said in [*contract["files"].items(), *contract["parts"].items()]:
            unused = [f"({label}: not used)" for label in said["bypassed"]]
            yield contract["target"], name, ", ".join([*_own(said["layers"]), *unused])


def _own(labels: Sequence[str]) -> list[str]:
    return [label for label in labels if not label.startswith(f"{OURS}!")]


def _detail(contract: Mapping[str, Any], filters: Mapping[str, str]) -> Iterator[str]:
    yield contract["summary"]
    for name, said in contract["files"].items():
        yield from ("", f"{name}: {said['summary']}", *_changed(said))
        yield from _context(contract["types"][said["context"]] if said["context"] else None)
        yield from _blocks(said)
    for name, said in contract["parts"].items():
        yield from ("", f"{name}: {said['summary']}", *_changed(said))
        yield from _names("sees", said["sees"])
        for macro, arguments in said["macros"].items():
            yield f"  macro {macro}({', '.join(arguments)})"
        yield from _blocks(said)
    contexts = {said["context"] for said in contract["files"].values()}
    for name, described in contract["types"].items():
        if name not in contexts:
            yield from ("", f"{name}: {described['summary']}", *_table(_fields(described)))
    yield from ("", "Filters:", *_table(filters.items()))


def _changed(said: Mapping[str, Any]) -> Iterator[str]:
    if own := _own(said["layers"]):
        yield f"  changed by {', '.join(own)}"
    if said["bypassed"]:
        yield f"  not used: {', '.join(said['bypassed'])}, which {said['layers'][0]} does not extend"


def _context(described: Mapping[str, Any] | None) -> Iterator[str]:
    if described is not None:
        yield from ("  names", *_table(_fields(described)))


def _fields(described: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for name, field in described["fields"].items():
        yield name, field["type"], field["description"]


def _names(what: str, names: Mapping[str, str]) -> Iterator[str]:
    if names:
        yield f"  {what} {', '.join(f'{name} ({kind})' for name, kind in names.items())}"


def _blocks(said: Mapping[str, Any]) -> Iterator[str]:
    depths: dict[str | None, int] = {None: 1}
    if said["blocks"]:
        yield "  blocks"
    for block in said["blocks"]:
        depth = depths[block["name"]] = depths.get(block["within"], 0) + 1
        sees = ", ".join(f"{name} ({kind})" for name, kind in block["sees"].items())
        changed = ", ".join(_own(block["layers"]))
        words = (block["name"], block["writes"], sees and f"sees {sees}", changed and f"changed by {changed}")
        yield f"{'  ' * depth}{'  '.join(filter(None, words))}"


def _table(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Rows as aligned columns."""
    return (f"    {line}" for line in aligned(list(map(str, row)) for row in rows))
