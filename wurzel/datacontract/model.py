"""The base of all contracts."""

from pathlib import Path
from typing import Any

from wurzel.datacontract.contract import Contract


class DataModel(Contract):
    """What one item of a dataset must look like. Derive from `PydanticModel` or `PanderaDataFrameModel`."""

    @classmethod
    def save_to_path(cls, path: Path, obj: Any) -> Path:
        """Write an object, or a list of them, to a file with the suffix of this contract; gives the file's path."""
        from wurzel.datacontract import parts  # only those who store by hand pay for it

        return parts.save(cls, path, obj)

    @classmethod
    def load_from_path(cls, path: Path, *args: Any) -> Any:
        """Read what `save_to_path` wrote; `args[0]` may be the whole type, such as `list[Model]`."""
        from wurzel.datacontract import parts  # only those who store by hand pay for it

        return parts.load(cls, path, args[0] if args else None)
