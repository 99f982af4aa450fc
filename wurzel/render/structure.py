"""Rules for the structure of templates: the compiler checks what it runs, `templates check` all templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jinja2 import nodes

from wurzel.exceptions import Problem
from wurzel.render.language import language_of
from wurzel.render.layers import Found, label
from wurzel.render.lines import bare
from wurzel.suggestion import LOOSE, meant_or_all

OUTSIDE = "this template extends another, so text outside its blocks is dropped or misplaced"
ONE_NAME = "this tag needs the name of one template"
WITH_CONTEXT = "An imported template sees only its own names: write `import … with context`, or pass it as an argument."


def outside(tree: nodes.Template) -> Iterator[int]:
    """Lines of text outside blocks in a template that extends another, which Jinja drops or misplaces."""
    extends = [index for index, node in enumerate(tree.body) if isinstance(node, nodes.Extends)]
    if extends:
        yield from _outside(tree.body[extends[0] :])


def languages_differ(asking: str, asked: str) -> Problem | None:
    """The finding for a template that uses one of another language."""
    own, other = language_of(asking), language_of(asked)
    if own is None or other is None or own == other:
        return None
    return Problem(
        f"{asked!r} is {other}, but {asking!r} is {own}",
        hint="A file's values are quoted for one language; name parts for any file `name.j2`.",
    )


def no_such_block(where: str, block: str, known: Iterable[str]) -> Problem:
    """The finding for a block that is never written."""
    blocks = sorted(known)
    return Problem(
        f"no template that this one extends has a block {block!r}, so it has no effect",
        where,
        meant_or_all(block, blocks, "Blocks", cutoff=LOOSE),
    )


def circle(where: str, parent: Found, *, itself: bool) -> Problem:
    """The finding for a template that extends itself: at once, or by way of `parent`."""
    return Problem(
        "the template extends itself" if itself else f"the template extends {label(parent)!r}, which extends it back",
        where,
        f'Write `{{% extends "!{parent.relative}" %}}` for the next layer below that has the file.',
    )


def _outside(body: Sequence[nodes.Node]) -> Iterator[int]:
    for node in body:
        if isinstance(node, nodes.Output):
            yield from filter(None, map(_line, node.nodes))
        elif isinstance(node, nodes.Include | nodes.CallBlock | nodes.FilterBlock):
            yield node.lineno
        elif isinstance(node, nodes.If | nodes.For | nodes.With):
            for field in ("body", "elif_", "else_"):
                yield from _outside(getattr(node, field, None) or ())


def _line(part: nodes.Expr) -> int:
    """The line on which a part of an output writes something; 0 if it writes nothing."""
    text = bare(part.data) if isinstance(part, nodes.TemplateData) else "x"
    return part.lineno + text[: len(text) - len(text.lstrip())].count("\n") if text.strip() else 0
