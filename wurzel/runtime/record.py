"""What stands in the record of a run, checked where it is read: whoever shows it may rely on it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")]
_Folder = Annotated[str, Field(pattern=r"^[^\x00]*$")]
_Seconds = Annotated[float, Field(allow_inf_nan=False)]
_CONFIG = ConfigDict(strict=True, extra="allow")


class _Step(BaseModel):
    model_config = _CONFIG

    state: str
    tries: int = 0
    reason: str = ""
    text: str = ""
    begin: _Seconds = 0
    end: _Seconds = 0
    memory: int = 0
    datasets: dict[_Name, str] = {}
    report: dict[str, Any] = {}
    settings: dict[str, str] = {}


class _Record(BaseModel):
    model_config = _CONFIG

    id: str
    pipeline: str
    started: str
    ended: str | None = None
    seconds: _Seconds | None = None
    counts: dict[str, int] = {}
    data_dir: _Folder = ""
    graph: dict[_Name, list[_Name]] = {}
    steps: dict[_Name, _Step] = {}


def check_record(record: object) -> None:
    """Raise `ValueError` unless all that is shown of a run is there and what it should be."""
    known: set[str] = set()
    for step, needs in _Record.model_validate(record).graph.items():
        if not known.issuperset(needs):
            raise ValueError(f"{step} needs a step that is not before it")
        known.add(step)
