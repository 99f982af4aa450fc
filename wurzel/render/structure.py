"""Rules for the structure of templates: a render checks what it runs, `templates check` all templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jinja2 import Template, nodes

from wurzel.exceptions import Problem, TemplateError
from wurzel.named_tuples import NamedTuple
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


class Extending(NamedTuple):
    """A template that extends another."""

    name: str
    line: int
    """The line of its `extends`."""
    blocks: Sequence[tuple[str, int]]
    """Its own blocks, with their lines."""


class Chains:
    """Which templates of a file extend which, as far as it has been rendered."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = found
        self._above: dict[str, tuple[Extending, Template]] = {}

    def clear(self) -> None:
        """Start another file."""
        self._above.clear()

    def add(self, child: Extending, parent: Template) -> None:
        """Remember what a template extends. Raises `TemplateError` when that is, or extends, the template itself."""
        self._above[child.name] = (child, parent)
        own = str(self._found[child.name].path)
        seen = {own}
        for each in self._from(parent):
            if each.filename in seen:
                where = f"{child.name}:{child.line}"
                raise raised(circle(where, self._found[str(parent.name)], itself=parent.filename == own))
            seen.add(str(each.filename))

    def check_blocks(self) -> None:
        """Raise `TemplateError` for a block of a template that none of those which it extends has."""
        for child, parent in self._above.values():
            known = {block for each in self._from(parent) for block in each.blocks}
            for block, line in child.blocks:
                if block not in known:
                    raise raised(no_such_block(f"{child.name}:{line}", block, known))

    def places(self) -> set[tuple[str, int]]:
        """Name and line of each `extends`."""
        return {(child.name, child.line) for child, _ in self._above.values()}

    def _from(self, template: Template) -> Iterator[Template]:
        """A template, and those that it extends."""
        yield template
        while (found := self._above.get(str(template.name))) is not None:
            template = found[1]
            yield template


def raised(problem: Problem) -> TemplateError:
    """The finding as an error."""
    return TemplateError(problem.message, where=problem.where, hint=problem.hint)


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
