"""The contract of items stored as JSON, and the names that authors import from here."""

import hashlib
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

from wurzel.datacontract.contract import JSON_CONFIG, MetricMap, no_metrics
from wurzel.datacontract.model import DataModel

__all__ = ["DataModel", "MetricMap", "PanderaDataFrameModel", "PydanticModel"]

if TYPE_CHECKING:
    from wurzel.datacontract.dataframe import PanderaDataFrameModel as PanderaDataFrameModel  # noqa: PLC0414 - what type checkers see


class PydanticModel(BaseModel, DataModel):
    """An item that is stored as JSON.

    Two items are equal when their fields are. The hash is the same in every process, so that walking through a `set`
    of items is reproducible.
    """

    model_config = ConfigDict(defer_build=True, **JSON_CONFIG)

    @no_metrics
    def metrics(self) -> MetricMap:
        """Numbers that describe this item; those of all items are summed and written to the report of the step."""
        return {}

    @classmethod
    def kt_file_extension(cls) -> str:
        """`.json`."""
        return ".json"

    def __eq__(self, other: object) -> bool:
        names = type(self).model_fields
        if isinstance(other, dict):
            return all(getattr(self, name) == other.get(name) for name in names)
        if not isinstance(other, BaseModel) or self.model_extra != other.model_extra:
            return False
        return all(getattr(self, name) == getattr(other, name, None) for name in names)

    def __hash__(self) -> int:
        digest = hashlib.sha256()
        for name in type(self).model_fields:
            digest.update(_token(getattr(self, name)))
        return int.from_bytes(digest.digest()[:8], "big", signed=True)

    def __lt__(self, other: Self) -> bool:
        return self.model_dump_json() < other.model_dump_json()


def _token(value: Any) -> bytes:
    """Bytes that are equal for equal values; values of types without a stable text share one."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass") + b"\0"
    is_number = isinstance(value, int | float) and value == value  # noqa: PLR0124 - no NaN: its hash is an address
    return b"%d\0" % hash(value) if is_number or isinstance(value, PydanticModel) else b"?\0"


def __getattr__(name: str) -> Any:
    if name == "PanderaDataFrameModel":
        from wurzel.datacontract.dataframe import PanderaDataFrameModel

        return PanderaDataFrameModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
