"""Options that the Kubernetes targets share: names, security, volumes, pull secrets."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from wurzel.backends.options import Part, TargetOptions
from wurzel.ir.names import MountPath, Name, ObjectName, SecretKey
from wurzel.ir.pods import EmptyDir, EnvFrom, Volume
from wurzel.ir.types import Quantity
from wurzel.models import CONFIG

DEFAULT_USER = 1000
"""User and group of containers: an arbitrary unprivileged id that works with any image."""


class KeyRef(Part):
    """An entry of a Secret."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: SecretKey = Field(description="Entry within it.")


class Claim(Part):
    """A volume that outlives pods: an existing claim by name, or a new one by size."""

    name: ObjectName | None = Field(None, description="An existing PersistentVolumeClaim.")
    size: Quantity | None = Field(None, description="Size of a new claim, e.g. 10Gi.")
    storage_class: ObjectName | None = Field(None, description="Storage class of the new claim; the cluster's default.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"] = Field(
        "ReadWriteOnce", description="Access mode of the new claim; pods on several nodes need ReadWriteMany."
    )

    def _check(self) -> None:
        if (self.name is None) == (self.size is None):
            raise ValueError("give either `name` of an existing claim or `size` of a new one")


class StepVolume(Volume):
    """A volume of some steps, or of all."""

    steps: tuple[str, ...] = Field((), description="Ids of the steps that get it; all when empty.")

    def _check(self) -> None:
        if self.sources != 1:
            raise ValueError("give one of `config_map`, `secret`, `claim`, `empty_dir`")


class Variables(EnvFrom):
    """All entries of a ConfigMap or Secret as environment variables."""

    def _check(self) -> None:
        if (self.config_map is None) == (self.secret is None):
            raise ValueError("give one of `config_map`, `secret`")


class Security(Part):
    """Who containers run as and what they may do; the defaults satisfy the "restricted" Pod Security Standard."""

    restricted: bool = Field(True, description="Set false to leave all of this to the cluster's defaults.")
    run_as_user: int | None = Field(DEFAULT_USER, ge=1, description="User id; null takes the image's, never root.")
    run_as_group: int | None = Field(DEFAULT_USER, ge=1, description="Group id; null takes the image's.")
    fs_group: int | None = Field(DEFAULT_USER, ge=1, description="Group that owns volumes; null leaves them unchanged.")
    read_only_root: bool = Field(
        True, description="Make the root file system read-only: only volumes and /tmp are writable."
    )


class History(Part):
    """How many finished runs of a schedule are kept."""

    successful: int = Field(3, ge=0)
    failed: int = Field(3, ge=0)


class PodFields(BaseModel):
    """What all pods share, whatever starts them."""

    model_config = CONFIG

    namespace: Name | None = Field(None, description="Namespace of the objects; that of the caller when absent.")
    service_account: ObjectName | None = Field(
        None, description="Service account of all pods; overrides the pipeline's."
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="When images are pulled; the cluster decides by the tag when absent."
    )
    image_pull_secrets: tuple[ObjectName, ...] = Field((), description="Secrets for private registries.")
    mount: MountPath = Field("/wurzel", description="Folder in the containers below which the data folder lies.")
    tmp: EmptyDir = Field(default_factory=EmptyDir.model_construct, description="The folder /tmp of containers.")
    security: Security = Field(
        default_factory=Security.model_construct, description="Who containers run as; restricted by default."
    )
    volumes: tuple[StepVolume, ...] = Field(
        (), description="Further volumes: config maps, secrets, claims, scratch space."
    )
    env_from: tuple[Variables, ...] = Field((), description="ConfigMaps and Secrets whose entries become variables.")
    priority_class: ObjectName | None = Field(None, description="Priority class of the pods.")
    affinity: dict[str, Any] = Field(default_factory=dict, description="As in the Kubernetes API.")


class KubernetesOptions(PodFields, TargetOptions):
    """Options that the argo and the cronjob target share."""

    name: Name | None = Field(None, description="Name of the objects; the pipeline's when absent.")
