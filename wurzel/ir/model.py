"""The pipeline as data that no platform shapes: its steps, what they read and write, and what they need.

Every field a target must honour carries a `Feature` mark. Backends say in their support table what becomes of each
feature; `wurzel.ir.features` walks these marks, so no backend drops a new field in silence. Fields that jobs do not
read are marked `NOT_IN_JOBS`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from wurzel.ir.marks import NOT_IN_JOBS, Feature
from wurzel.ir.names import (
    ClassPath,
    EnvName,
    Folder,
    FreeText,
    Image,
    LabelKey,
    LabelValue,
    Name,
    ObjectName,
    PortName,
    SecretKey,
    SecretName,
    SourceFile,
    VariableName,
    Webhook,
)
from wurzel.ir.pods import MAX_COUNT, EnvFrom, Limits, Resources, Toleration, Volume
from wurzel.ir.schedule import Schedule, Triggers
from wurzel.ir.types import Duration
from wurzel.models import Model
from wurzel.store_url import Endpoint, StoreUrl

IR_VERSION: Final = 2
MAX_SHARDS: Final = 10_000
"""More would be jobs of no items; some targets write a line for each."""
MAX_OBJECT_BYTES: Final = 1024 * 1024
"""Bytes of one Kubernetes object: what a ConfigMap takes, and near what etcd takes in one request (1.5 MiB)."""


class DataType(Model):
    """The type of what flows over an edge: a contract class inside zero or more containers."""

    contract: str = Field(
        description="`module:Class` of the contract; those of a union in order, with ` | ` between them"
    )
    containers: tuple[Literal["list", "set", "dataframe"], ...] = Field((), description="outermost first")


class Edge(Model):
    """One `>>`: an output of an earlier step that an input of this step reads."""

    step: str = Field(description="id of the earlier step")
    output: str = Field("", description="name of its output; empty where it has one without a name")
    input: str = Field("", description="name of the input that reads it; empty where this step has one without a name")


class InputPort(Model):
    """What a step reads: a field of its `Inputs` class, or all that it takes."""

    name: Annotated[PortName, Feature("named_inputs")] = Field(
        "", description="of the field; empty for a step that takes one input without a name"
    )
    type: DataType = Field(description="what its datasets contain, all of them together")
    optional: bool = Field(False, description="may have no edge, or only skipped ones")


class OutputPort(Model):
    """What a step writes: a field of its `Outputs` class, or all that it gives."""

    name: Annotated[PortName, Feature("named_outputs")] = Field(
        "", description="of the field, and of the folder below the step's; empty for a single output without a name"
    )
    type: DataType = Field(description="what the dataset contains")


class Shards(Model):
    """How an input is cut into slices that run side by side."""

    items: Annotated[int | None, Feature("fan_out")] = Field(
        None, ge=1, le=MAX_COUNT, description="items of a portion: each is one call of `run`, whatever the slices"
    )
    max: Annotated[int, Feature("shards")] = Field(
        1, ge=1, le=MAX_SHARDS, description="most slices; their number, unless `items` gives fewer portions"
    )


class SecretRef(Model):
    """Where a secret value is kept. The value itself never enters the IR."""

    name: SecretName = Field(description="name of the secret object or variable group on the platform")
    key: SecretKey = Field(description="entry within it")


class Setting(Model):
    """One field of a step's settings class, with the value configuration gave it."""

    name: VariableName = Field(description="of the field, as the author wrote it")
    variable: VariableName = Field(description="environment variable that sets it, e.g. `SPLIT__BATCH_SIZE`")
    type: Annotated[str, NOT_IN_JOBS] = Field("str", description="the annotation as the author wrote it")
    description: Annotated[str, NOT_IN_JOBS] = Field("", description="what the author says of it")
    required: bool = Field(False, description="has no default")
    secret: bool = Field(False, description="holds a secret: by reference only, never a value")
    text: bool = Field(True, description="an environment variable holds the text itself; otherwise JSON")
    default: Any = Field(None, description="JSON form of the default; meaningless when `required` or `computed`")
    computed: bool = Field(False, description="the default is computed when the step runs, so it is unknown here")
    given: Annotated[bool, Feature("settings")] = Field(False, description="configuration gave `value`")
    value: Annotated[Any, Feature("settings")] = Field(None, description="JSON form of the configured value")
    parameter: Annotated[bool, Feature("parameters")] = Field(False, description="can be overridden for one run")
    bounds: Annotated[dict[str, Any], NOT_IN_JOBS] = Field(
        default_factory=dict, description="what a value must satisfy, as JSON Schema says it: `minimum`, `maxLength`, …"
    )
    input_path: bool = Field(False, description="names files or folders that the step reads: every text in the value")
    input_places: tuple[tuple[str, ...], ...] = Field(
        (),
        description="where files and folders that the step reads stand in the value, if not everywhere: keys and"
        " positions from the outside in, `*` for each of them",
    )

    @property
    def is_known(self) -> bool:
        """Whether its value is known before the step runs."""
        return self.given or not (self.required or self.computed)

    @property
    def chosen(self) -> Any:
        """The value that configuration gave, or else the default."""
        return self.value if self.given else self.default

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that a `Literal` allows; empty for any other annotation."""
        import ast

        try:
            return tuple(ast.literal_eval(self.type.removeprefix("Literal"))) if self.type[:8] == "Literal[" else ()
        except (SyntaxError, ValueError):
            return ()


class Retry(Model):
    """How often and how patiently a failed step is tried again."""

    limit: Annotated[int, Feature("retry")] = Field(0, ge=0, le=MAX_COUNT, description="tries after the first")
    backoff: Annotated[Duration, Feature("backoff")] = Field(0, description="seconds before the first retry")
    factor: Annotated[float, Feature("backoff")] = Field(1.0, ge=1, le=1000, description="multiplies each further wait")
    max: Annotated[Duration | None, Feature("backoff")] = Field(None, description="longest wait in seconds")


class OnFailure(Model):
    """Who is told when a run has failed, once a run: a webhook, a command, or both."""

    webhook: Annotated[Webhook | SecretRef | None, Feature("on_failure")] = Field(
        None, description="URL that the facts are sent to as JSON, or the secret that has it"
    )
    command: Annotated[tuple[FreeText, ...], Feature("on_failure")] = Field(
        (), description="program and arguments; the facts are in WURZEL_PIPELINE, _STEP, _REASON, _LINK and _RUN"
    )
    secrets: Annotated[dict[EnvName, SecretRef], Feature("on_failure")] = Field(
        default_factory=dict, description="variables of the command, by reference"
    )
    link: Annotated[FreeText | None, Feature("on_failure")] = Field(
        None, description="address of a run, `{run}` stands for its id; the platform's own where it has one"
    )


class StoreIdentity(Model):
    """Whom jobs are for the store: the platform's own identity, instead of keys."""

    role: FreeText = Field(description="that jobs assume, such as an ARN")
    untrusted_role: FreeText | None = Field(None, description="that jobs of untrusted branches assume")
    audience: FreeText | None = Field(None, description="that tokens of the platform are issued for")


class StoreSecrets(Model):
    """Where the keys of the store are kept."""

    access_key_id: SecretRef = Field(description="reference to the id of the key")
    secret_access_key: SecretRef = Field(description="reference to the key")


class Store(Model):
    """Where the data of all jobs is stored by content, so that what one has computed no other computes again."""

    url: StoreUrl = Field(description="s3://bucket/prefix, file:///folder, or a folder relative to the project")
    endpoint: Endpoint | None = Field(None, description="URL of the server, if it is not the provider's own")
    region: FreeText | None = Field(None, description="of the bucket")
    cache: Literal["read-write", "read", "off"] = Field(
        "read-write",
        description="`read` for jobs that are not trusted: trusted jobs never read what they write; `off` looks"
        " nothing up",
    )
    identity: Annotated[StoreIdentity | None, NOT_IN_JOBS] = Field(
        None, description="the platform's own identity, which needs no keys"
    )
    secrets: Annotated[StoreSecrets | None, NOT_IN_JOBS] = Field(None, description="keys, by reference")


class Step(Model):
    """One step of the pipeline and everything its target needs to know to run it."""

    id: Name = Field(description="kebab-case, unique, names data folders, jobs, tasks and stages")
    run: ClassPath = Field(description="`module:Class`, what `wurzel step` executes")
    description: Annotated[str, Feature("description"), NOT_IN_JOBS] = ""
    needs: tuple[Edge, ...] = Field((), description="what it reads of earlier steps, in the order of the `>>`s")
    inputs: tuple[InputPort, ...] = Field((), description="what it takes; empty for a source")
    outputs: tuple[OutputPort, ...] = Field(min_length=1, description="what it gives")
    sources: Annotated[tuple[SourceFile, ...], NOT_IN_JOBS] = Field(
        (), description="source files of the step, relative to the project folder"
    )
    polls: Annotated[bool, Feature("polls")] = Field(False, description="reads an outside source that may change")
    self_consuming: Annotated[bool, Feature("self_consuming")] = Field(False, description="reads its own last output")
    cache: bool = Field(True, description="its output may be kept when nothing that it depends on has changed")
    cache_key: str = Field("", description="what else its output depends on, as its author says")
    when: Annotated[bool, Feature("when")] = Field(False, description="decides at run time whether it runs")
    settings: tuple[Setting, ...] = Field((), description="fields of its settings class, with configured values")
    group: Annotated[Name | None, Feature("group"), NOT_IN_JOBS] = Field(
        None, description="job that it shares with the other steps of this group, and with no others"
    )
    image: Annotated[Image | None, Feature("step_image"), NOT_IN_JOBS] = Field(
        None, description="when it differs from the pipeline's"
    )
    resources: Resources = Field(default_factory=Resources.model_construct, description="amounts requested")
    limits: Annotated[Limits, NOT_IN_JOBS] = Field(default_factory=Limits.model_construct, description="upper bounds")
    retry: Retry = Field(default_factory=Retry.model_construct, description="what happens after a failure")
    timeout: Annotated[Duration | None, Feature("timeout")] = Field(None, description="seconds for one try")
    shards: Shards = Field(
        default_factory=Shards.model_construct, description="slices of the input that run side by side"
    )
    shard_by: Annotated[PortName, Feature("named_inputs")] = Field(
        "", description="the input that is cut; empty for the only one that contains many items"
    )
    env: Annotated[dict[EnvName, FreeText], Feature("env")] = Field(default_factory=dict)
    secrets: Annotated[dict[EnvName, SecretRef], Feature("secrets")] = Field(
        default_factory=dict, description="environment variable to reference"
    )
    node_selector: Annotated[dict[LabelKey, LabelValue], Feature("node_selector"), NOT_IN_JOBS] = Field(
        default_factory=dict
    )
    tolerations: Annotated[tuple[Toleration, ...], NOT_IN_JOBS] = Field(
        (), description="tainted machines it may run on"
    )
    service_account: Annotated[ObjectName | None, Feature("service_account"), NOT_IN_JOBS] = None
    priority: Annotated[ObjectName | None, Feature("priority"), NOT_IN_JOBS] = Field(
        None, description="priority class of its pods"
    )
    volumes: Annotated[tuple[Volume, ...], NOT_IN_JOBS] = Field(
        (), description="config maps, secrets, claims and scratch space of its pods"
    )
    env_from: Annotated[tuple[EnvFrom, ...], NOT_IN_JOBS] = Field(
        (), description="ConfigMaps and Secrets whose entries become variables"
    )
    labels: Annotated[dict[LabelKey, LabelValue], Feature("labels"), NOT_IN_JOBS] = Field(default_factory=dict)
    annotations: Annotated[dict[LabelKey, FreeText], Feature("annotations"), NOT_IN_JOBS] = Field(default_factory=dict)
    variables: Annotated[dict[VariableName, Any], NOT_IN_JOBS] = Field(
        default_factory=dict, description="for templates, as packs declare them: the pipeline's, with its own on top"
    )

    @property
    def predecessors(self) -> tuple[str, ...]:
        """Ids of the steps it reads from, each once, in the order of the `>>`s."""
        return tuple(dict.fromkeys(edge.step for edge in self.needs))

    @property
    def types(self) -> tuple[DataType, ...]:
        """What it reads and what it writes, in this order."""
        return (*(port.type for port in self.inputs), *(port.type for port in self.outputs))


class Pipeline(Model):
    """A whole pipeline; `steps` stand in a deterministic topological order."""

    version: Literal[2] = Field(IR_VERSION, description="of the IR")
    name: Name = Field(description="a DNS label; names the pipeline everywhere")
    entrypoint: Annotated[str, NOT_IN_JOBS] = Field("", description="`module:attribute` it was read from")
    description: Annotated[str, Feature("description"), NOT_IN_JOBS] = ""
    image: Annotated[Image | None, Feature("image"), NOT_IN_JOBS] = None
    data_dir: Annotated[Folder, Feature("data_dir")] = Field("data", description="relative folder of all datasets")
    store: Annotated[Store | None, Feature("store")] = Field(
        None, description="where the data of all jobs is stored, for every target"
    )
    schedule: Annotated[Schedule | None, NOT_IN_JOBS] = Field(None, description="when it starts by itself")
    triggers: Annotated[Triggers, NOT_IN_JOBS] = Field(
        default_factory=Triggers.model_construct, description="what else starts it: a push, data, another pipeline"
    )
    parallelism: Annotated[int | None, Feature("parallelism")] = Field(
        None, ge=1, le=MAX_COUNT, description="steps at one time"
    )
    timeout: Annotated[Duration | None, Feature("pipeline_timeout")] = Field(
        None, description="seconds for a whole run"
    )
    on_failure: Annotated[OnFailure | None, NOT_IN_JOBS] = Field(None, description="who is told when a run has failed")
    env: Annotated[dict[EnvName, FreeText], Feature("env")] = Field(default_factory=dict)
    env_ignored: tuple[EnvName, ...] = Field(
        (), description="variables of `env` that change no data, so that a new value runs nothing again"
    )
    secrets: Annotated[dict[EnvName, SecretRef], Feature("secrets")] = Field(default_factory=dict)
    service_account: Annotated[ObjectName | None, Feature("service_account"), NOT_IN_JOBS] = None
    labels: Annotated[dict[LabelKey, LabelValue], Feature("labels"), NOT_IN_JOBS] = Field(default_factory=dict)
    annotations: Annotated[dict[LabelKey, FreeText], Feature("annotations"), NOT_IN_JOBS] = Field(default_factory=dict)
    variables: Annotated[dict[VariableName, Any], NOT_IN_JOBS] = Field(
        default_factory=dict, description="for templates, by the names that packs declare"
    )
    steps: tuple[Step, ...] = Field(description="in an order in which they can run")
