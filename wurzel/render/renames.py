"""Renamed parts, which others' templates may still use by their old names for one major version.

A backend lists its renames (`Backend.renames`). An old name in a template of a project or pack is read as the new one,
with a warning that shows the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from wurzel.exceptions import Problem
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from jinja2 import nodes

Kind = Literal["template", "block", "macro", "name", "attribute", "filter"]


class Rename(NamedTuple):
    """One rename.

    `within`: the template with the block or context name, or the class with the attribute; empty for templates and
    filters.
    """

    kind: Kind
    old: str
    new: str
    since: str
    """The first version with the new name; the next major version no longer accepts the old one."""
    within: str = ""
    owner: str = ""
    """The pack whose version `since` is; '' for the target's own."""

    def warning(self, where: str) -> Problem:
        """The warning for a use of the old name."""
        until = f"{self.owner} {int(self.since.partition('.')[0]) + 1}.0".strip()
        since = f"{self.owner} {self.since}".strip()
        message = f"the {self.kind} {self.old!r} was renamed to {self.new!r} in {since}"
        return Problem(message, where, f"Use the new name; {until} will no longer accept the old one.")


def renamed(renames: Iterable[Rename], kind: Kind, old: str, within: Sequence[str] = ()) -> Rename | None:
    """The rename of a name to its current one, through several if need be, if there is one in these places."""
    known = [each for each in renames if each.kind == kind and (not within or each.within in within)]
    first = step = next((each for each in known if each.old == old), None)
    seen = {old}
    while first is not None and step is not None and step.new not in seen:
        first = first._replace(new=step.new)
        seen.add(step.new)
        name = step.new
        step = next((each for each in known if each.old == name), None)
    return first


def rewrite(tree: nodes.Template, renames: Sequence[Rename], path: str) -> Iterator[tuple[Rename, int]]:
    """Replace old names by new ones; yields each with its line. The tree is changed in place."""
    from jinja2 import nodes

    for reference in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        name = reference.template  # type: ignore[attr-defined] # all four have one
        old = renamed(renames, "template", _bare_name(name))
        if old is not None:
            name.value = name.value.replace(old.old, old.new)
            yield old, reference.lineno
    within = [path, *(_bare_name(node.template) for node in tree.find_all(nodes.Extends))]
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
    """Macros used by their old names, imported one by one or called through an imported module."""
    from jinja2 import nodes

    for imported in tree.find_all(nodes.FromImport):
        home = _bare_name(imported.template)
        names: list[str | tuple[str, str]] = []
        for item in imported.names:
            name, alias = (item, item) if isinstance(item, str) else item
            old = renamed(renames, "macro", name, [home])
            names.append(item if old is None else (old.new, alias))
            if old is not None:
                yield old, imported.lineno
        imported.names = names
    homes = {node.target: _bare_name(node.template) for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name in homes:
            old = renamed(renames, "macro", node.attr, [homes[node.node.name]])
            if old is not None:
                node.attr = old.new
                yield old, node.lineno


def _bare_name(node: nodes.Expr) -> str:
    name = getattr(node, "value", "")
    return name.rpartition("!")[2] if isinstance(name, str) else ""
