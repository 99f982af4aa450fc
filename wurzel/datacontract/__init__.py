"""What flows between steps: contracts, and how datasets are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.datacontract.common import MarkdownDataContract
from wurzel.datacontract.datacontract import DataModel, PydanticModel
from wurzel.datacontract.files import File, Folder

if TYPE_CHECKING:
    from wurzel.datacontract.dataframe import PanderaDataFrameModel

__all__ = ["DataModel", "File", "Folder", "MarkdownDataContract", "PanderaDataFrameModel", "PydanticModel"]


def __getattr__(name: str) -> Any:
    if name == "PanderaDataFrameModel":
        from wurzel.datacontract.dataframe import PanderaDataFrameModel

        return PanderaDataFrameModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
