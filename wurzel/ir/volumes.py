"""What pods bring to a step besides data: volumes, and variables from whole ConfigMaps and Secrets."""

from typing import Annotated

from pydantic import Field

from wurzel.ir.marks import Feature
from wurzel.ir.names import EnvName, MountPath, Name, ObjectName, SubPath
from wurzel.ir.types import Quantity
from wurzel.models import Model


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
