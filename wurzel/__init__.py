"""Write a data pipeline once, in typed Python; render the native files of the platforms that run it.

The names authors need most are importable from here; each is loaded when first used, so that `import wurzel` is free.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""True for type checkers. `typing` itself takes longer than the rest until the command ends quietly by Ctrl-C."""
if TYPE_CHECKING:
    from typing import Any

    from wurzel.calling import run
    from wurzel.core import CommandStep, Inputs, NoSettings, Outputs, SelfConsumingLeafStep, Settings, Step, TypedStep
    from wurzel.datacontract import (
        DataModel,
        File,
        Folder,
        MarkdownDataContract,
        PanderaDataFrameModel,
        PydanticModel,
    )
    from wurzel.exceptions import StaticTypeError, StepFailed, WurzelError
    from wurzel.utils import WZ
    from wurzel.version import __version__ as __version__

_HOMES = {
    "CommandStep": "wurzel.core",
    "DataModel": "wurzel.datacontract",
    "File": "wurzel.datacontract",
    "Folder": "wurzel.datacontract",
    "Inputs": "wurzel.core",
    "MarkdownDataContract": "wurzel.datacontract",
    "NoSettings": "wurzel.core",
    "Outputs": "wurzel.core",
    "PanderaDataFrameModel": "wurzel.datacontract",
    "PydanticModel": "wurzel.datacontract",
    "SelfConsumingLeafStep": "wurzel.core",
    "Settings": "wurzel.core",
    "StaticTypeError": "wurzel.exceptions",
    "Step": "wurzel.core",
    "StepFailed": "wurzel.exceptions",
    "TypedStep": "wurzel.core",
    "WZ": "wurzel.utils",
    "WurzelError": "wurzel.exceptions",
    "run": "wurzel.calling",
    "__version__": "wurzel.version",
}

__all__ = [
    "WZ",
    "CommandStep",
    "DataModel",
    "File",
    "Folder",
    "Inputs",
    "MarkdownDataContract",
    "NoSettings",
    "Outputs",
    "PanderaDataFrameModel",
    "PydanticModel",
    "SelfConsumingLeafStep",
    "Settings",
    "StaticTypeError",
    "Step",
    "StepFailed",
    "TypedStep",
    "WurzelError",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'wurzel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
