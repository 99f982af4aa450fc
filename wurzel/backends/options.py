"""What every backend can be told under `targets.<name>` in `wurzel.yaml`."""

from pydantic import BaseModel, ConfigDict, Field


class TargetOptions(BaseModel):
    """Base of every backend's options: what stands under `targets.<name>` in `wurzel.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    output: str | None = Field(None, description="Where the main file is written, relative to the project folder.")
    ignore: tuple[str, ...] = Field((), description="Unsupported features that are known and accepted.")
