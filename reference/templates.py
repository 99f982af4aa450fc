"""What templates of a target may rely on, as a page."""

from __future__ import annotations

from wurzel.backends import reference
from wurzel.backends.contract import contract, filters
from wurzel.backends.registry import BUILT_IN, get
from wurzel.render import Renderer


def listing() -> str:
    """Links to the pages of the built-in targets, for `docs/templates.md`."""
    return "\n".join(f"- [{name}](reference/templates-{name}.md)" for name in BUILT_IN)


def page(target: str) -> str:
    """The page of one target."""
    return reference.page(contract(get(target), Renderer()), filters(Renderer()))
