"""Options below `targets.cronjob` in `wurzel.yaml`."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from wurzel.backends.kubernetes.options import Claim, History, KubernetesOptions
from wurzel.backends.options import Part
from wurzel.ir.jobs import Layout
from wurzel.ir.names import ObjectName
from wurzel.ir.pods import EmptyDir
from wurzel.ir.types import Duration, Quantity

DAY = 86400


class Ephemeral(Part):
    """A claim that is created for each pod and deleted with it."""

    size: Quantity = Field(description="Size of the claim, e.g. 10Gi.")
    storage_class: ObjectName | None = Field(None, description="Storage class; the cluster's default when absent.")


class Data(Part):
    """Where datasets are kept: at most one of these; by default scratch space on the node."""

    empty_dir: EmptyDir | None = Field(None, description="Scratch space on the node; a new pod starts over.")
    ephemeral: Ephemeral | None = Field(None, description="A claim created for each pod; a new pod starts over.")
    claim: Claim | None = Field(None, description="A persistent claim: a new pod resumes where the last one stopped.")

    def _check(self) -> None:
        if sum(kind is not None for kind in (self.empty_dir, self.ephemeral, self.claim)) > 1:
            raise ValueError("give one of `empty_dir`, `ephemeral`, `claim`")


class Companions(Part):
    """Objects to write beside the CronJob. A claim is also written if `data.claim.size` is set."""

    service_account: bool = Field(False, description="A ServiceAccount without a token.")
    network_policy: bool = Field(False, description="A NetworkPolicy that blocks all incoming traffic.")
    egress: tuple[dict[str, Any], ...] | None = Field(
        None,
        description="Where pods may connect to, besides DNS, as in the Kubernetes API; adds to the NetworkPolicy."
        " Anywhere when absent.",
    )

    def _check(self) -> None:
        if self.egress is not None and not self.network_policy:
            raise ValueError("egress is a part of the network policy; set network_policy: true as well")


class CronJobOptions(KubernetesOptions):
    """Options below `targets.cronjob`."""

    old_forms: ClassVar[Mapping[str, Mapping[str, tuple[str, str]]]] = {
        "mode": {
            "single-pod": ("layout", "single"),
            "init-chain": ("layout", "steps"),
            "auto": ("layout", "auto"),
        },
        "layout": {"file": ("manifests", "file"), "kustomize": ("manifests", "kustomize")},
    }

    layout: Layout = Field(
        "steps",
        description="steps: a container for each step, one after the other. single: one container runs all steps,"
        " branches in parallel. auto: steps of one image share a container, as far as their order allows.",
    )
    data: Data = Field(default_factory=Data.model_construct, description="Where datasets are kept.")
    backoff_limit: int = Field(1, ge=0, description="Further pods to start when one fails or is lost.")
    active_deadline: Duration = Field(DAY, ge=1, description="Longest time for a run if the pipeline has no `timeout`.")
    anchors: bool = Field(
        True,
        description="Write what containers have in common only once, with YAML anchors, after patches and blocks.",
    )
    ttl: Duration | None = Field(3 * DAY, description="How long a finished Job is kept; null keeps it.")
    history: History = Field(default_factory=History.model_construct, description="Finished jobs to keep.")
    suspend: bool = Field(False, description="Render the schedule switched off.")
    grace_period: Duration = Field(30, description="Time for a step to stop when its pod is deleted.")
    token: bool = Field(False, description="Mount the service account's token in pods.")
    disruption_budget: bool = Field(
        False,
        description="Write a PodDisruptionBudget, so that no node is drained while a run goes on; for one container"
        " (`layout: single`).",
    )
    gitops: Literal["argocd", "flux"] | None = Field(
        None,
        description="The tool that applies a Job without a schedule: argocd runs it as a hook at every sync, flux runs"
        " it once for each change; neither again after `ttl`.",
    )
    companions: Companions = Field(
        default_factory=Companions.model_construct, description="Objects to write beside the CronJob."
    )
    manifests: Literal["file", "kustomize"] = Field(
        "file", description="file: one file with all objects. kustomize: a folder with a kustomization.yaml."
    )
