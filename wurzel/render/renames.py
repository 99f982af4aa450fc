"""Names that templates of others may still use for one major version after they were changed.

A backend lists what it renamed (`Backend.renames`). An old name in a template of a project or pack is read as the new
one, with a warning that names the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from wurzel.exceptions import Problem

if TYPE_CHECKING:
    from jinja2 import nodes

Kind = Literal["template", "block", "macro", "name", "attribute", "filter"]


class Rename(NamedTuple):
    """One name that was changed.

    `within`: the template that has the block, or whose context has the name; the class that has the attribute. It is
    empty for templates and filters.
    """

    kind: Kind
    old: str
    new: str
    since: str
    """The version that first knew the new name; the next major version does not know the old one any more."""
    within: str = ""
    owner: str = ""
    """The pack whose version `since` is; '' for the target's own."""

    def warning(self, where: str) -> Problem:
        """What to say where the old name is used."""
        until = f"{self.owner} {int(self.since.partition('.')[0]) + 1}.0".strip()
        since = f"{self.owner} {self.since}".strip()
        message = f"the {self.kind} {self.old!r} is called {self.new!r} since {since}"
        return Problem(message, where, f"Write the new name; {until} does not know the old one any more.")


def renamed(renames: Iterable[Rename], kind: Kind, old: str, within: Sequence[str] = ()) -> Rename | None:
    """The rename of a name, if there is one that holds within any of the places."""
    return next(
        (each for each in renames if (each.kind, each.old) == (kind, old) and (not within or each.within in within)),
        None,
    )


def rewrite(tree: nodes.Template, renames: Sequence[Rename], path: str) -> Iterator[tuple[Rename, int]]:
    """Put new names in the place of old ones; gives each with its line.

    Args:
        tree: the template, which is changed.
        renames: all there are.
        path: name of the template without the mark of a layer.
    """
    from jinja2 import nodes

    for reference in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        name = reference.template  # type: ignore[attr-defined] # all four have one
        old = renamed(renames, "template", _plain(name))
        if old is not None:
            name.value = name.value.replace(old.old, old.new)
            yield old, reference.lineno
    within = [path, *(_plain(node.template) for node in tree.find_all(nodes.Extends))]
    within += [each.new for each in renames if each.kind == "template" and each.old in within]
    yield from _macros(tree, renames)
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    kinds: tuple[type[nodes.Node], ...] = (nodes.Block, nodes.Name, nodes.Filter, nodes.Getattr)
    for node in tree.find_all(kinds):
        found = None
        if isinstance(node, nodes.Block):
            found = renamed(renames, "block", node.name, within)
        elif isinstance(node, nodes.Filter):
            found = renamed(renames, "filter", node.name)
        elif isinstance(node, nodes.Name) and node.name not in own:
            found = renamed(renames, "name", node.name, within)
        elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "self":
            found = renamed(renames, "block", node.attr, within)
        if found is not None:
            setattr(node, "attr" if isinstance(node, nodes.Getattr) else "name", found.new)
            yield found, node.lineno


def _macros(tree: nodes.Template, renames: Sequence[Rename]) -> Iterator[tuple[Rename, int]]:
    """Macros by their old names, imported one by one or called by the name of what was imported."""
    from jinja2 import nodes

    for imported in tree.find_all(nodes.FromImport):
        home = _plain(imported.template)
        names: list[str | tuple[str, str]] = []
        for item in imported.names:
            name, alias = (item, item) if isinstance(item, str) else item
            old = renamed(renames, "macro", name, [home])
            names.append(item if old is None else (old.new, alias))
            if old is not None:
                yield old, imported.lineno
        imported.names = names
    homes = {node.target: _plain(node.template) for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name in homes:
            old = renamed(renames, "macro", node.attr, [homes[node.node.name]])
            if old is not None:
                node.attr = old.new
                yield old, node.lineno


def _plain(node: nodes.Expr) -> str:
    name = getattr(node, "value", "")
    return name.rpartition("!")[2] if isinstance(name, str) else ""
