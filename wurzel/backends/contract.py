"""The contract of a target with templates that extend its own: names with types and descriptions, blocks, macros.

It is derived from the templates and the classes of their contexts. Its snapshots show when the contract changes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from wurzel.backends.checking import contexts
from wurzel.render.check.described import members, summary
from wurzel.render.check.expressions import OF_JINJA
from wurzel.render.check.types import described_in, spell
from wurzel.render.contexts import Common
from wurzel.render.language import language_of

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
    from wurzel.render import Renderer
    from wurzel.render.check import Checker
    from wurzel.render.check.sources import Source

_COMMENT = re.compile(r"\A(?:#![^\n]*\n)?\{#-?(.*?)-?#\}", re.DOTALL)
_KEY = re.compile(r"( *)([A-Za-z][\w.-]*):")
_LISTING = re.compile(r"\s*Blocks to extend:.*", re.DOTALL)


def contract(backend: Backend, renderer: Renderer) -> dict[str, Any]:
    """The contract of a target, as JSON values in a fixed order, by its own templates alone."""
    if backend.templates is not None:
        renderer.layers.add(backend.name, backend.templates)
    known = contexts([backend])
    checker = renderer.checker(known)
    checker.follow(own=False)
    files = {name: checker.target_source(name) for name in _names(renderer, known)}
    types = list(dict.fromkeys(kind for kind in known.values() if kind is not None))
    return {
        "target": backend.name,
        "summary": backend.summary,
        "files": {name: _file(source, checker, known[name]) for name, source in files.items() if name in known},
        "parts": {name: _part(source, checker, types) for name, source in files.items() if name not in known},
        "types": {kind.__name__: _type(kind) for kind in reachable([Common, *types])},
        "renames": [each._asdict() for each in backend.renames],
    }


def filters(renderer: Renderer) -> dict[str, str]:
    """The filters that wurzel adds to Jinja's, or makes stricter, each with what it returns."""
    texts = {name: inspect.cleandoc(function.__doc__ or "") for name, function in renderer.filters.items()}
    return {name: text.partition("\n")[0] for name, text in texts.items()}


def _names(renderer: Renderer, known: Iterable[str]) -> list[str]:
    """The templates of a target and their parts: all those in the same folders."""
    folders = {name.partition("/")[0] for name in known}
    own = {name for layer in renderer.layers.not_own() for name in renderer.layers.names(layer)}
    return [*known, *sorted(name for name in own - set(known) if name.partition("/")[0] in folders)]


def _file(source: Source, checker: Checker, context: type | None) -> dict[str, Any]:
    made = checker.made(source)
    return {
        "summary": _summary(source),
        "context": context.__name__ if context is not None else None,
        "names": _spelled(made),
        "parts": _parts(source),
        "blocks": list(_blocks(source, checker, {*made, *members(Common), *(members(context) if context else ())})),
    }


def _part(source: Source, checker: Checker, types: Iterable[type]) -> dict[str, Any]:
    given, made = checker.surroundings(source), checker.made(source)
    common = {name for kind in (Common, *types) for name in members(kind)}
    macros = [node for node in source.tree.body if isinstance(node, nodes.Macro) and node.name[:1] != "_"]
    return {
        "summary": _summary(source),
        "sees": _spelled({name: kind for name, kind in given.items() if name not in common}),
        "names": _spelled({name: kind for name, kind in made.items() if name not in {macro.name for macro in macros}}),
        "parts": _parts(source),
        "macros": {macro.name: [argument.name for argument in macro.args] for macro in macros},
        "blocks": list(_blocks(source, checker, common | set(given) | set(made))),
    }


def _blocks(source: Source, checker: Checker, common: set[str]) -> Iterator[dict[str, Any]]:
    """Blocks in file order, each with its parent block and the names that only it sees."""
    for name, block in source.blocks.items():
        around = [other.name for other in source.blocks.values() if other is not block and _within(block, other)]
        sees = checker.seen_by(source, name)
        yield {
            "name": name,
            "within": around[-1] if around else None,
            "writes": _writes(source, block),
            "sees": _spelled({key: kind for key, kind in sees.items() if key not in common}),
        }


def _writes(source: Source, block: nodes.Block) -> str | None:
    """The key of a YAML file that a block fills, or writes itself, with its column; null for other text."""
    if language_of(source.found.relative) != "YAML":
        return None
    around = [each for each in source.tree.find_all(nodes.FilterBlock) if block in each.find_all(nodes.Block)]
    keys = [under[0] for each in around if (under := _under(each))]
    if keys:
        return f"lines of {keys[-1]}"
    for node in block.find_all((nodes.TemplateData, nodes.FilterBlock)):
        if isinstance(node, nodes.FilterBlock):
            under = _under(node)
            return f"{under[0]}: at column {under[1]}" if under else None
        lines = node.data.split("\n") if isinstance(node, nodes.TemplateData) else []
        if line := next((line for line in lines if line.strip() and line.strip()[0] != "#"), ""):
            found = _KEY.match(line)
            return f"{found[2]}: at column {len(found[1])}" if found else None
    return None


def _under(block: nodes.FilterBlock) -> tuple[str, int] | None:
    """Key and column of `{% filter under(key, column) %}`."""
    given = block.filter
    values = [each.value if isinstance(each, nodes.Const) else 0 for each in given.args]
    return (str(values[0]), int((*values, 0)[1])) if given.name == "under" and values else None


def _spelled(names: Mapping[str, Any]) -> dict[str, str]:
    return {name: spell(kind) for name, kind in names.items() if name not in OF_JINJA}


def _within(block: nodes.Block, other: nodes.Block) -> bool:
    return any(node is block for node in other.find_all(nodes.Block))


def _parts(source: Source) -> list[str]:
    return sorted({name for reference in source.references for name in reference.names})


def _summary(source: Source) -> str:
    """The comment on top of a template, without the list of its blocks."""
    found = _COMMENT.match(source.found.read())
    return " ".join(_LISTING.sub("", found.group(1)).split()) if found else ""


def reachable(types: Iterable[type]) -> list[type]:
    """These classes, and all others whose fields templates can read through them."""
    found: list[type] = []
    todo = list(types)
    while todo:
        kind = todo.pop(0)
        if kind not in found:
            found.append(kind)
            todo += [part for member in members(kind).values() for part in described_in(member.type)]
    return found


def _type(kind: type) -> dict[str, Any]:
    return {
        "summary": summary(kind),
        "fields": {
            member.name: {"type": spell(member.type), "description": member.description}
            for member in members(kind).values()
        },
    }
