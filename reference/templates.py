"""What templates of a target may rely on, as a page."""

from __future__ import annotations

from wurzel.backends import reference
from wurzel.backends.contract import contract, filters
from wurzel.backends.registry import get
from wurzel.render import Renderer


def page(target: str) -> str:
    """The page of one target."""
    return reference.page(contract(get(target), Renderer()), filters(Renderer()))
