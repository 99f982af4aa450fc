"""Options below `targets.argo` in `wurzel.yaml`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from wurzel.backends.kubernetes.options import Claim, History, KeyRef, KubernetesOptions
from wurzel.backends.options import Part
from wurzel.ir.jobs import Layout
from wurzel.ir.names import EnvName, Image, LabelKey, LabelValue, Name, ObjectName, Text
from wurzel.ir.pods import Limits, Resources
from wurzel.ir.types import Duration, Quantity
from wurzel.models import Before
from wurzel.patterns import pattern

DAY = 86400
VERSIONS = ("3.6", "3.7", "4.0", "4.1")
"""Versions of Argo Workflows that this backend writes for."""


def _version(value: Any) -> str:
    text = str(value)
    if text not in VERSIONS:
        raise ValueError(f"{value!r} is not a supported version; write one of {', '.join(VERSIONS)}, in quotes")
    return text


def _key(value: Any) -> Any:
    if not isinstance(value, str) or not value or value.startswith("/") or value.endswith("/"):
        raise ValueError(f"{value!r} is not a key prefix; write for example pipelines/rag")
    return value


def _patch(value: Any) -> Any:
    """A patch that Argo can read; one with Argo expressions is not YAML until they are filled in."""
    if isinstance(value, str) and "{{" not in value:
        from wurzel.datacontract.plain_yaml import NotYaml, load_yaml

        try:
            read = load_yaml(value)
        except NotYaml as error:
            raise ValueError(f"is not valid YAML: {error.message} (line {error.line})") from None
        if not isinstance(read, dict):
            raise ValueError("is not a mapping; write for example {containers: [{name: main, tty: true}]}")
    return value


Prefix = Annotated[str, Before(_key)]
"""Prefix of all keys; may contain Argo expressions such as `{{workflow.namespace}}`."""

Bucket = Annotated[
    str,
    Before(Text(r"[a-z0-9][-a-z0-9._]{1,220}[a-z0-9]", "a bucket; write its name alone, such as acme-data")),
]


_ENDPOINT = pattern(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?)(:\d{1,5})?")


class S3(Part):
    """A bucket of Amazon S3 or anything that speaks its protocol."""

    bucket: Bucket
    endpoint: str = Field("s3.amazonaws.com", description="Host and port, without https://.")
    region: str | None = None
    insecure: bool = Field(False, description="Use http, not https.")
    prefix: Prefix | None = Field(None, description="Prefix of all keys.")
    access_key: KeyRef | None = Field(None, description="Secret with the access key id.")
    secret_key: KeyRef | None = Field(None, description="Secret with the secret access key.")
    session_token: KeyRef | None = Field(None, description="Secret with a session token.")
    role_arn: str | None = Field(None, description="Role to assume.")
    use_sdk_credentials: bool = Field(False, description="Use the pod's credentials, as with IRSA.")
    ca_certificate: KeyRef | None = Field(None, description="Secret with the authority's certificate.")

    def _check(self) -> None:
        if "://" in self.endpoint:
            raise ValueError(f"endpoint {self.endpoint!r} is a URL; write host and port, and `insecure: true` for http")
        if not _ENDPOINT.fullmatch(self.endpoint):
            raise ValueError(f"endpoint {self.endpoint!r} is not host:port; write for example minio.minio:9000")
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("give both `access_key` and `secret_key`, or neither")


class Gcs(Part):
    """A bucket of Google Cloud Storage."""

    bucket: Bucket
    prefix: Prefix | None = Field(None, description="Prefix of all keys.")
    service_account_key: KeyRef | None = Field(None, description="Secret with a key; workload identity if absent")


class Azure(Part):
    """A container of Azure Blob Storage."""

    endpoint: str = Field(description="Such as https://acme.blob.core.windows.net.")
    container: Bucket
    prefix: Prefix | None = Field(None, description="Prefix of all keys.")
    account_key: KeyRef | None = Field(None, description="Secret with the account's key.")
    use_sdk_credentials: bool = Field(False, description="Use the pod's credentials.")

    def _check(self) -> None:
        if not self.endpoint.startswith(("https://", "http://")):
            raise ValueError(f"endpoint {self.endpoint!r} is not a URL; write https://ACCOUNT.blob.core.windows.net")


class Oss(Part):
    """A bucket of Alibaba Cloud OSS; datasets are packed: `archive: tar` or `zip`."""

    endpoint: str = Field(description="Such as https://oss-eu-central-1.aliyuncs.com.")
    bucket: Bucket
    prefix: Prefix | None = Field(None, description="Prefix of all keys.")
    access_key: KeyRef | None = Field(None, description="Secret with the access key id.")
    secret_key: KeyRef | None = Field(None, description="Secret with the secret access key.")
    use_sdk_credentials: bool = Field(False, description="Use the pod's credentials.")

    def _check(self) -> None:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("give both `access_key` and `secret_key`, or neither")


class Repository(Part):
    """An artifact repository that the cluster's administrators have set up."""

    config_map: ObjectName | None = Field(None, description="ConfigMap; `artifact-repositories` when absent.")
    key: str | None = Field(None, description="Entry within it; its default when absent.")


class SharedVolume(Claim):
    """A volume that all pods of a run share."""

    per_run: bool = Field(True, description="Each run gets its own folder on an existing claim.")


class Artifacts(Part):
    """Where datasets are kept between pods: at most one of these; by default the cluster's artifact repository."""

    repository: Repository | None = None
    s3: S3 | None = None
    gcs: Gcs | None = None
    azure: Azure | None = None
    oss: Oss | None = None
    volume: SharedVolume | None = None
    archive: Literal["none", "tar", "zip"] = Field(
        "none", description="How datasets are packed; none keeps their files as they are."
    )

    def _check(self) -> None:
        stores = (self.repository, self.s3, self.gcs, self.azure, self.oss, self.volume)
        if sum(store is not None for store in stores) > 1:
            raise ValueError("give one of `repository`, `s3`, `gcs`, `azure`, `oss`, `volume`")
        if self.oss and self.archive == "none":
            raise ValueError("`oss` keeps packed datasets; write `archive: tar` as well")


class Ttl(Part):
    """How long finished workflows are kept in the cluster."""

    success: Duration | None = Field(3 * DAY, description="After success.")
    failure: Duration | None = Field(7 * DAY, description="After a failure.")


class ArtifactGC(Part):
    """When datasets are removed from the store. Its pods need additional permissions: see Argo's documentation."""

    strategy: Literal["OnWorkflowCompletion", "OnWorkflowDeletion", "Never"] = "OnWorkflowDeletion"
    service_account: ObjectName | None = Field(None, description="Service account of the pods that remove them.")
    keep_results: bool = Field(True, description="Keep the datasets of the last steps.")


class Mutex(Part):
    """A lock that one workflow can have at a time."""

    name: Name
    namespace: Name | None = None


class Semaphore(Part):
    """A lock that several workflows can have at a time; an entry of a ConfigMap says how many."""

    config_map: ObjectName
    key: str
    namespace: Name | None = None


class Synchronization(Part):
    """Locks that a workflow takes before it starts."""

    mutexes: tuple[Mutex, ...] = ()
    semaphores: tuple[Semaphore, ...] = ()


class ExitHandler(Part):
    """A container that runs when a workflow has ended, to notify somebody.

    It gets WORKFLOW_NAME, WORKFLOW_NAMESPACE, WORKFLOW_STATUS (Succeeded, Failed, Error) and WORKFLOW_FAILURES (JSON).
    """

    when: Literal["failure", "success", "always"] = "failure"
    image: Image | None = Field(None, description="The pipeline's when absent.")
    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments; no shell reads them.")
    env: dict[EnvName, str] = Field(default_factory=dict)
    secrets: dict[EnvName, KeyRef] = Field(default_factory=dict)
    resources: Resources = Field(default_factory=Resources, description="Resource requests; a quota may require them.")
    limits: Limits = Field(default_factory=Limits, description="Resource limits.")


class ArgoOptions(KubernetesOptions):
    """Options below `targets.argo`."""

    version: Annotated[str, Before(_version)] = Field("4.0", description=f"One of {', '.join(VERSIONS)}.")
    layout: Layout = Field(
        "steps",
        description="steps: a pod for each step. single: one pod runs all steps, branches in parallel. auto: steps of"
        " equal image, account and placement share a pod, as far as their order allows.",
    )
    workflow_template: bool | Literal["cluster"] = Field(
        False,
        description="Write a WorkflowTemplate, and a CronWorkflow that refers to it when there is a schedule;"
        " `cluster` for a ClusterWorkflowTemplate, which all namespaces can refer to.",
    )
    artifacts: Artifacts = Field(
        default_factory=Artifacts.model_construct, description="Where datasets are kept between pods."
    )
    active_deadline: Duration | None = Field(
        DAY, ge=1, description="Longest time for a run if the pipeline has no `timeout`; null for no limit."
    )
    ttl: Ttl = Field(default_factory=Ttl.model_construct, description="How long finished workflows are kept.")
    pod_gc: Literal["OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"] | None = Field(
        None, description="When pods are removed; their logs go with them. With the workflow when absent."
    )
    anchors: bool = Field(
        True, description="Write equal retries of templates only once, with a YAML anchor, after patches and blocks."
    )
    retry_on_other_nodes: bool = Field(
        False, description="A try after a failure runs on a node where the step has not failed."
    )
    artifact_gc: ArtifactGC | None = Field(None, description="When datasets are removed; never when absent.")
    archive_logs: bool | None = Field(None, description="Keep logs in the artifact repository.")
    token: bool = Field(
        False, description="Give steps the token of their service account, for code that talks to the cluster."
    )
    executor_service_account: ObjectName | None = Field(
        None, description="Service account of Argo's own containers, when it is not that of the pods."
    )
    synchronization: Synchronization | None = Field(None, description="Locks that workflows share.")
    on_exit: ExitHandler | None = Field(None, description="A container that reports how a run ended.")
    pod_spec_patch: Annotated[str | dict[str, Any] | None, Before(_patch)] = Field(
        None, description="Strategic merge patch for every pod."
    )
    history: History = Field(
        default_factory=History.model_construct, description="Finished runs of a schedule to keep."
    )
    suspend: bool = Field(False, description="Render the schedule switched off.")
    max_workflow_size: Quantity = Field(
        "1Mi", description="Largest workflow, including its status, that the controller accepts: its MAX_WORKFLOW_SIZE."
    )
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="For all pods.")

    def _check(self) -> None:
        if self.workflow_template == "cluster" and self.namespace:
            raise ValueError(
                "`namespace`: a ClusterWorkflowTemplate has none; remove it, and give it to `kubectl apply -n`"
            )
        kept = self.artifacts
        folders = kept.archive == "none" and not (kept.s3 or kept.azure or kept.volume)
        if folders and self.artifact_gc and self.artifact_gc.strategy != "Never":
            where = "a bucket of gcs" if kept.gcs else "a repository of the cluster"
            raise ValueError(
                f"`artifact_gc`: Argo cannot remove a folder from {where};"
                " write `artifacts: {archive: tar}` as well, or choose s3 or azure"
            )
