"""Options of the dvc target."""

from pydantic import Field

from wurzel.backends.options import TargetOptions


class DvcOptions(TargetOptions):
    """What can be said under `targets.dvc`."""

    params: str = Field("params.yaml", description="File for the settings of steps, relative to the project folder.")
    metrics_dir: str = Field("metrics", description="Folder for one metrics file per step.")
