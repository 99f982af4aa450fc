"""Options that the Kubernetes targets share: names, security, volumes, pull secrets."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from wurzel.backends.options import TargetOptions
from wurzel.ir.names import EnvName, Name, ObjectName, SecretKey
from wurzel.ir.types import Quantity

DEFAULT_USER = 1000
"""User and group of containers: an arbitrary unprivileged id that works with any image."""


_SPECIAL = {"", ".", ".."}


def _mount_path(value: Any) -> str:
    if not isinstance(value, str) or ":" in value or not value.startswith("/") or _SPECIAL & set(value[1:].split("/")):
        raise ValueError(f"{value!r} is not a mount path; write an absolute path without ':', such as /etc/acme")
    return value


MountPath = Annotated[str, BeforeValidator(_mount_path)]
"""An absolute path in a container (Kubernetes: without a colon)."""


def _sub_path(value: Any) -> str:
    if not isinstance(value, str) or _SPECIAL & set(value.split("/")):
        raise ValueError(f"{value!r} is not a path within a volume; write a relative one without '..', such as de/docs")
    return value


SubPath = Annotated[str, BeforeValidator(_sub_path)]
"""A path inside a volume."""


class KubernetesModel(BaseModel):
    """Base of the parts of these options: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class KeyRef(KubernetesModel):
    """An entry of a Secret."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: SecretKey = Field(description="Entry within it.")


class EmptyDir(KubernetesModel):
    """Scratch space that lives as long as its pod."""

    size: Quantity | None = Field(None, description="Upper bound, e.g. 10Gi; the node's disk when absent.")
    memory: bool = Field(False, description="Keep it in memory; it counts as the pod's memory.")


class Claim(KubernetesModel):
    """A volume that outlives pods: an existing claim by name, or a new one by size."""

    name: ObjectName | None = Field(None, description="An existing PersistentVolumeClaim.")
    size: Quantity | None = Field(None, description="Size of a new claim, e.g. 10Gi.")
    storage_class: ObjectName | None = Field(None, description="Storage class of the new claim; the cluster's default.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"] = Field(
        "ReadWriteOnce", description="Access mode of the new claim; pods on several nodes need ReadWriteMany."
    )

    @model_validator(mode="after")
    def _one(self) -> "Claim":
        if (self.name is None) == (self.size is None):
            raise ValueError("give either `name` of an existing claim or `size` of a new one")
        return self


class ConfigMapVolume(KubernetesModel):
    """Files from a ConfigMap."""

    name: ObjectName
    """Name of the ConfigMap or Secret."""
    optional: bool = Field(False, description="Start without it when it does not exist.")


class ClaimVolume(KubernetesModel):
    """An existing claim, such as a tokenizer cache that many pipelines read."""

    name: ObjectName
    """Name of the claim."""


class Volume(KubernetesModel):
    """A volume that containers mount; one of `config_map`, `secret`, `claim`, `empty_dir`."""

    name: Name = Field(description="Name of the volume within the pod.")
    mount_path: MountPath = Field(description="Where containers see it.")
    sub_path: SubPath | None = Field(None, description="Folder or file within the volume.")
    read_only: bool = Field(True, description="Containers cannot write to it; default for all but `empty_dir`.")
    steps: tuple[str, ...] = Field((), description="Ids of the steps that get it; all when empty.")
    config_map: ConfigMapVolume | None = None
    """Files of a ConfigMap."""
    secret: ConfigMapVolume | None = None
    """Files of a Secret."""
    claim: ClaimVolume | None = None
    """An existing claim."""
    empty_dir: EmptyDir | None = None
    """A folder that ends with the pod."""

    @property
    def is_read_only(self) -> bool:
        """Whether containers cannot write to it; false for `empty_dir`, which only they can fill."""
        return self.read_only and (self.empty_dir is None or "read_only" in self.model_fields_set)

    @model_validator(mode="after")
    def _one(self) -> "Volume":
        if sum(kind is not None for kind in (self.config_map, self.secret, self.claim, self.empty_dir)) != 1:
            raise ValueError("give one of `config_map`, `secret`, `claim`, `empty_dir`")
        return self


class EnvFrom(KubernetesModel):
    """All entries of a ConfigMap or Secret as environment variables."""

    config_map: ObjectName | None = None
    """Name of a ConfigMap."""
    secret: ObjectName | None = None
    """Name of a Secret."""
    prefix: EnvName | None = Field(None, description="Prefix of every name.")

    @model_validator(mode="after")
    def _one(self) -> "EnvFrom":
        if (self.config_map is None) == (self.secret is None):
            raise ValueError("give one of `config_map`, `secret`")
        return self


class Security(KubernetesModel):
    """Who containers run as and what they may do; the defaults satisfy the "restricted" Pod Security Standard."""

    restricted: bool = Field(True, description="Set false to leave all of this to the cluster's defaults.")
    run_as_user: int | None = Field(DEFAULT_USER, ge=1, description="User id; null takes the image's, never root.")
    run_as_group: int | None = Field(DEFAULT_USER, ge=1, description="Group id; null takes the image's.")
    fs_group: int | None = Field(DEFAULT_USER, ge=1, description="Group that owns volumes; null leaves them unchanged.")
    read_only_root: bool = Field(
        True, description="Make the root file system read-only: only volumes and /tmp are writable."
    )


class KubernetesOptions(TargetOptions):
    """Options that the argo and the cronjob target share."""

    name: Name | None = Field(None, description="Name of the objects; the pipeline's when absent.")
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
    volumes: tuple[Volume, ...] = Field((), description="Further volumes: config maps, secrets, claims, scratch space.")
    env_from: tuple[EnvFrom, ...] = Field((), description="ConfigMaps and Secrets whose entries become variables.")
    priority_class: ObjectName | None = Field(None, description="Priority class of the pods.")
    affinity: dict[str, Any] = Field(default_factory=dict, description="As in the Kubernetes API.")
