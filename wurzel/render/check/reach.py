"""Which templates are used in a render, layer by layer, and which are bypassed by one above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING

from jinja2 import nodes

from wurzel.render.check.sources import Source, Sources

if TYPE_CHECKING:
    from wurzel.render.environment import Environment
    from wurzel.render.layers import Layer


class Reach:
    """The templates that some templates, the `roots`, lead to by `extends`, `include` and `import`."""

    def __init__(self, sources: Sources, roots: Iterable[str]) -> None:
        self._sources = sources
        self._from: dict[Source, Source | None] = {}
        self.is_open = False
        """Whether some template computes the name of another, so that any may be reached."""
        waiting: list[tuple[str, Source | None]] = [(name, None) for name in roots]
        while waiting:
            name, asking = waiting.pop()
            source = sources.get(name, asking.found.layer if asking else None)
            if source is None or source in self._from:
                continue
            self._from[source] = asking
            for reference in source.references:
                self.is_open = self.is_open or not reference.names
                waiting += [(each, source) for each in reference.names]
            waiting += [(each, source) for each in source.mentions]

    def __contains__(self, source: Source) -> bool:
        return source in self._from

    def way(self, source: Source) -> list[Source]:
        """The path to a template, from a rendered one down to itself."""
        found: list[Source] = []
        step: Source | None = source
        while step is not None:
            found.append(step)
            step = self._from[step]
        return found[::-1]

    def bypasses(
        self, sources: Iterable[Source], roots: Iterable[str], environment: Environment
    ) -> Iterator[tuple[Source, Source]]:
        """Each template that would be reached if one above did not replace it, after that one."""
        if self.is_open:
            return
        views: dict[Layer, Reach] = {}
        for source in sources:
            layer = source.found.layer
            if source in self:
                continue
            if layer not in views:
                below = copy(environment.layers)
                below.layers = (layer, *below.under(layer))
                views[layer] = Reach(Sources(below, environment), roots)
            above = self._above(views[layer], source)
            if above is not None and not above.is_copy:
                yield above, source

    def _above(self, view: Reach, source: Source) -> Source | None:
        """The replacement of the first unreached template on the path to `source`."""
        same = next((each for each in view._from if each.found.path == source.found.path), None)
        known = {each.found.path for each in self._from}
        for step in view.way(same) if same is not None else ():
            if step.found.path not in known:
                return self._sources.get(step.found.relative)
        return None


def taking_part(sources: Sources, name: str) -> list[Source]:
    """The template of that name and those it extends, most specific first."""
    first = sources.get(name)
    return sources.chain(first)[0] if first is not None else []


def writing(chain: Iterable[Source], block: str) -> list[Source]:
    """The templates of a chain that write a block: down to the first one that does not call `super()`."""
    found = []
    for source in chain:
        node = source.blocks.get(block)
        if node is None:
            continue
        found.append(source)
        if not _calls_super(node):
            break
    return found


def _calls_super(block: nodes.Block) -> bool:
    calls = (call.node for call in block.find_all(nodes.Call))
    return any(isinstance(called, nodes.Name) and called.name == "super" for called in calls)
