"""Ready-made steps; each is loaded when first used, so that one step does not bring the libraries of another."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wurzel.steps.duplication import DropDuplicationStep, DropSettings
    from wurzel.steps.manual_markdown import ManualMarkdownSettings, ManualMarkdownStep
    from wurzel.steps.splitter import SimpleSplitterStep, SplitterSettings

_HOMES = {
    "DropDuplicationStep": "wurzel.steps.duplication",
    "DropSettings": "wurzel.steps.duplication",
    "ManualMarkdownSettings": "wurzel.steps.manual_markdown",
    "ManualMarkdownStep": "wurzel.steps.manual_markdown",
    "SimpleSplitterStep": "wurzel.steps.splitter",
    "SplitterSettings": "wurzel.steps.splitter",
}

__all__ = [
    "DropDuplicationStep",
    "DropSettings",
    "ManualMarkdownSettings",
    "ManualMarkdownStep",
    "SimpleSplitterStep",
    "SplitterSettings",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
