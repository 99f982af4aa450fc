"""The bases of all contracts: `DataModel`, and `PydanticModel` for items stored as JSON."""

import hashlib
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from wurzel.datacontract.dataframe import PanderaDataFrameModel as PanderaDataFrameModel  # noqa: PLC0414 - what type checkers see

MetricMap = dict[str, float]

JSON_CONFIG = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
"""How values that JSON does not know are stored: as `NaN` and `Infinity`, and as base64."""


class DataModel:
    """What one item of a dataset must look like. Derive from `PydanticModel` or `PanderaDataFrameModel`."""

    @classmethod
    def kt_file_extension(cls) -> str:
        """Suffix of the files that hold data of this contract: `.json` or `.parquet`."""
        raise NotImplementedError

    @classmethod
    def get_metrics(cls, obj: Any) -> MetricMap:
        """Numbers that describe an object, from its own `metrics()`; those of a list or set are summed by name."""
        if isinstance(obj, list | tuple | set):
            total: MetricMap = {}
            for item in obj:
                for name, value in cls.get_metrics(item).items():
                    total[name] = total.get(name, 0.0) + value
            return total
        own = getattr(obj, "metrics", None)
        found = own() if callable(own) else None
        if not isinstance(found, dict):
            return {}
        return {name: float(value) for name, value in found.items() if isinstance(value, Real)}

    @classmethod
    def save_to_path(cls, path: Path, obj: Any) -> Path:
        """Write an object, or a list of them, to a file with the suffix of this contract; gives the file's path."""
        from wurzel.datacontract.parts import save

        return save(cls, path, obj)

    @classmethod
    def load_from_path(cls, path: Path, *args: Any) -> Any:
        """Read what `save_to_path` wrote; `args[0]` may be the whole type, such as `list[Model]`."""
        from wurzel.datacontract.parts import load

        return load(cls, path, args[0] if args else None)


class PydanticModel(BaseModel, DataModel):
    """An item that is stored as JSON.

    Two items are equal when their fields are. The hash is the same in every process, so that walking through a `set`
    of items is reproducible.
    """

    model_config = ConfigDict(defer_build=True, **JSON_CONFIG)

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
