"""Contracts of data that is files: what a step wrote is stored as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from wurzel.datacontract.contract import Contract, MetricMap, no_metrics
from wurzel.exceptions import StaticTypeError


class Stored(Contract):
    """What `File` and `Folder` have in common."""

    suffix: ClassVar[str] = ""
    """What the name ends with, such as `.pdf`; any name will do if empty."""

    __slots__ = ("path",)

    path: Path
    """Where it is: below the `workdir` of the step that writes it, within its dataset for the steps that read it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    @no_metrics
    def metrics(self) -> MetricMap:
        """Numbers that describe it; those of all are summed and written to the report of the step."""
        return {}

    @classmethod
    def kt_file_extension(cls) -> str:
        """What names of its files end with."""
        return cls.suffix

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        raise StaticTypeError(
            f"{cls.__name__} is a {kind_of(cls)} and cannot be a field of an item that is stored as JSON",
            hint=f"Give it an output of the step: list[{cls.__name__}], or a field of its Outputs.",
        )


class File(Stored):
    """A file that `run` wrote below `self.workdir`; it is moved into the dataset, and never read into memory.

        class Pdf(File):
            suffix = ".pdf"

        class Scan(TypedStep[NoSettings, None, Pdf]):
            def run(self, inpt: None) -> Pdf:
                path = self.workdir / "a.pdf"
                path.write_bytes(…)
                return Pdf(path)

    The step that takes it finds the file at `.path`. `list[Pdf]` and `Iterator[Pdf]` are any number of files.
    """

    __slots__ = ()


class Folder(Stored):
    """A folder that `run` wrote below `self.workdir`, with all within; see `File`. Empty folders are kept."""

    __slots__ = ()


def kind_of(contract: type) -> str:
    """`file` or `folder`."""
    return "folder" if issubclass(contract, Folder) else "file"


def is_stored(contract: Any) -> bool:
    """Whether a contract is a `File` or `Folder`."""
    return isinstance(contract, type) and issubclass(contract, Stored)
