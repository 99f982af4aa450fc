"""What a step asks of the machine or pod it runs on: amounts, tolerations, volumes, variables of the cluster."""

from typing import Annotated, Final, Literal

from pydantic import Field

from wurzel.ir.marks import Feature
from wurzel.ir.names import Device, EnvName, MountPath, Name, ObjectName, PageSize, SubPath
from wurzel.ir.types import Quantity
from wurzel.models import Model

MAX_COUNT: Final = 2**31 - 1
"""What Kubernetes, and so most targets, can count to."""
GPU: Final = "nvidia.com/gpu"
"""What a plain number of GPUs counts."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class Resources(Model):
    """Kubernetes-style amounts; `None` leaves the platform's default."""

    cpu: Annotated[Quantity | None, Feature("cpu")] = Field(None, description="cores, e.g. 500m or 2")
    memory: Annotated[Quantity | None, Feature("memory")] = Field(None, description="bytes, e.g. 512Mi or 8Gi")
    gpu: Annotated[Count | dict[Device, Count] | None, Feature("gpu")] = Field(
        None, description="whole devices of nvidia.com/gpu, or of each device by its name, e.g. {amd.com/gpu: 1}"
    )
    ephemeral_storage: Annotated[Quantity | None, Feature("ephemeral_storage")] = Field(
        None, description="bytes of the machine's own disk, e.g. 10Gi"
    )
    hugepages: Annotated[dict[PageSize, Quantity], Feature("hugepages")] = Field(
        default_factory=dict, description="bytes in pages of each size, e.g. {2Mi: 512Mi}; also the limit"
    )

    @property
    def devices(self) -> dict[str, int]:
        """Number of devices by name, without those of which there are none."""
        counts = self.gpu if isinstance(self.gpu, dict) else {GPU: self.gpu or 0}
        return {name: count for name, count in counts.items() if count}

    def without_devices(self) -> "Resources":
        """The amounts for a job that does not run the step itself."""
        return self.model_copy(update={"gpu": None, "hugepages": {}})


class Limits(Model):
    """Upper bounds a platform enforces; `None` sets none."""

    cpu: Annotated[Quantity | None, Feature("limits")] = None
    memory: Annotated[Quantity | None, Feature("limits")] = None
    ephemeral_storage: Annotated[Quantity | None, Feature("limits")] = None


class Toleration(Model):
    """A Kubernetes toleration; names as in the Kubernetes API, in snake_case."""

    key: Annotated[str | None, Feature("tolerations")] = None
    operator: Annotated[Literal["Exists", "Equal"], Feature("tolerations")] = "Equal"
    value: Annotated[str | None, Feature("tolerations")] = None
    effect: Annotated[Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None, Feature("tolerations")] = None
    toleration_seconds: Annotated[int | None, Feature("tolerations")] = None


class EmptyDir(Model):
    """Scratch space that lives as long as its pod."""

    size: Annotated[Quantity | None, Feature("volumes")] = Field(
        None, description="Upper bound, e.g. 10Gi; the node's disk when absent."
    )
    memory: Annotated[bool, Feature("volumes")] = Field(
        False, description="Keep it in memory; it counts as the pod's memory."
    )


class ConfigMapVolume(Model):
    """Files from a ConfigMap."""

    name: Annotated[ObjectName, Feature("volumes")] = Field(description="Name of the ConfigMap or Secret.")
    optional: Annotated[bool, Feature("volumes")] = Field(False, description="Start without it when it does not exist.")


class ClaimVolume(Model):
    """An existing claim, such as a tokenizer cache that many pipelines read."""

    name: Annotated[ObjectName, Feature("volumes")] = Field(description="Name of the claim.")


class Volume(Model):
    """A volume that containers mount; one of `config_map`, `secret`, `claim`, `empty_dir`."""

    name: Annotated[Name, Feature("volumes")] = Field(description="Name of the volume within the pod.")
    mount_path: Annotated[MountPath, Feature("volumes")] = Field(description="Where containers see it.")
    sub_path: Annotated[SubPath | None, Feature("volumes")] = Field(
        None, description="Folder or file within the volume."
    )
    read_only: Annotated[bool | None, Feature("volumes")] = Field(
        None, description="Containers cannot write to it; default for all but `empty_dir`."
    )
    config_map: ConfigMapVolume | None = Field(None, description="Files of a ConfigMap.")
    secret: ConfigMapVolume | None = Field(None, description="Files of a Secret.")
    claim: ClaimVolume | None = Field(None, description="An existing claim.")
    empty_dir: EmptyDir | None = Field(None, description="A folder that ends with the pod.")

    @property
    def is_read_only(self) -> bool:
        """Whether containers cannot write to it; false for `empty_dir`, which only they can fill."""
        return self.empty_dir is None if self.read_only is None else self.read_only

    @property
    def sources(self) -> int:
        """How many sources it names; a valid volume names one."""
        return sum(kind is not None for kind in (self.config_map, self.secret, self.claim, self.empty_dir))


class EnvFrom(Model):
    """All entries of a ConfigMap or Secret as environment variables."""

    config_map: Annotated[ObjectName | None, Feature("env_from")] = Field(None, description="Name of a ConfigMap.")
    secret: Annotated[ObjectName | None, Feature("env_from")] = Field(None, description="Name of a Secret.")
    prefix: Annotated[EnvName | None, Feature("env_from")] = Field(None, description="Prefix of every name.")
