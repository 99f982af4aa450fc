"""What a pipeline is written with: steps, settings and the contracts between steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.core.fields import Inputs, Outputs
from wurzel.core.self_consuming_step import SelfConsumingLeafStep
from wurzel.core.settings import NoSettings, Settings
from wurzel.core.step import Step
from wurzel.core.typed_step import TypedStep
from wurzel.datacontract import MarkdownDataContract, PydanticModel

if TYPE_CHECKING:
    from wurzel.core.command_step import CommandStep
    from wurzel.datacontract.dataframe import PanderaDataFrameModel

__all__ = [
    "CommandStep",
    "Inputs",
    "MarkdownDataContract",
    "NoSettings",
    "Outputs",
    "PanderaDataFrameModel",
    "PydanticModel",
    "SelfConsumingLeafStep",
    "Settings",
    "Step",
    "TypedStep",
]


def __getattr__(name: str) -> Any:
    if name == "CommandStep":
        from wurzel.core.command_step import CommandStep

        return CommandStep
    if name == "PanderaDataFrameModel":
        from wurzel.datacontract.dataframe import PanderaDataFrameModel

        return PanderaDataFrameModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
