"""What the template of a DAG file sees of its tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from wurzel.backends.airflow.environment import Text
from wurzel.backends.airflow.options import StepOptions
from wurzel.ir.model import SecretRef, Step
from wurzel.records import dataclass

_LONG = 48
"""Characters that fit on a line, wherever a command is."""


@dataclass(frozen=True)
class Span:
    """A duration, as in `timedelta(hours=1)`."""

    unit: str
    """`days`, `hours`, `minutes` or `seconds`."""
    count: int
    """How many of them."""


@dataclass(frozen=True)
class Policy:
    """Retries, waits and timeout of a task; `factor` is True where Airflow can only double the wait."""

    retries: int = 0
    """Number of retries."""
    delay: Span | None = None
    """Wait before the first retry; null for Airflow's default."""
    factor: float | bool | None = None
    """Factor for each further wait; True where Airflow can only double it."""
    longest: Span | None = None
    """Longest wait."""
    timeout: Span | None = None
    """Longest time of one attempt."""


@dataclass(frozen=True)
class Words:
    """The command of a pod; that of a mapped task ends where each instance adds its slice."""

    cmds: Sequence[str]
    """`cmds`: the program."""
    arguments: Sequence[str]
    """`arguments`: its arguments."""


@dataclass(frozen=True)
class Pod:
    """The pod of one task, without what all pods share."""

    image: str
    """Image of the step."""
    words: Words
    """What it runs."""
    requests: Mapping[str, str]
    """Amounts requested."""
    limits: Mapping[str, str]
    """Upper bounds."""
    labels: Mapping[str, str]
    """Labels of the pod."""
    annotations: Mapping[str, Text]
    """Annotations of the pod."""
    node_selector: Mapping[str, str]
    """Labels that the pod's node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """Fields of each toleration, named as in the Python client."""
    service_account: str | None
    """Its service account."""
    secrets: Mapping[str, SecretRef]
    """Variable to reference of a secret."""
    template: str
    """Name of the constant with the parts it shares with other pods."""
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    """`securityContext` of the container that Airflow adds to a pod whose result it reads."""


@dataclass(frozen=True)
class Container:
    """The Docker container of one task, without what all containers share."""

    image: str
    """Image of the step."""
    cpus: float | None
    """Cores it may use."""
    memory: int | None
    """Bytes it may use."""
    gpus: int | None
    """GPUs it gets."""
    labels: Mapping[str, str]
    """Labels of the container."""


@dataclass(frozen=True)
class DagTask:
    """One task of the DAG file.

    `script` is a POSIX shell line; pods have words instead, see `Pod`. Of a mapped task, it ends where each instance
    adds its slice.
    """

    id: str
    """Id of the task."""
    step_id: str
    """Id of its first step; '' for a task that runs none."""
    variable: str
    """Name of its variable."""
    kind: str
    """bash, kubernetes or docker."""
    doc: str
    """Text that the UI shows."""
    script: str
    """POSIX shell line that runs it, or what follows `run` in it; pods have `words` instead.

    That of a mapped container ends with `"$0"`, the slice, which follows it as a word.
    """
    run: str = ""
    """Constant that holds how its command begins, where tasks are `wurzel run`; empty where each is `wurzel step`."""
    shards: int = 0
    """Number of its slices, where that is fixed; 0 for one task."""
    counts: bool = False
    """It gives a list of slices: of the step that reads what it writes, or of its own, which it then does not run."""
    counter: str = ""
    """Variable of the task that gives a list of its slices; empty where their number is fixed."""
    env: Mapping[str, Text] = field(default_factory=dict)
    """Variables beyond those all tasks of its kind get."""
    policy: Policy = field(default_factory=Policy)
    """Its retry policy."""
    options: StepOptions = field(default_factory=StepOptions.model_construct)
    """Its options below `targets.airflow.steps`, with defaults."""
    one_at_a_time: bool = False
    """Whether two runs must not run it at the same time."""
    complete: str = ""
    """The task that updates the asset when all shards are done; a mapped task would update it once per shard."""
    inlets: Sequence[str] = ()
    """The assets that the task reads."""
    outlets: Sequence[str] = ()
    """The assets that the task updates."""
    pod: Pod | None = None
    """Its pod; null for other kinds."""
    container: Container | None = None
    """Its container; null for other kinds."""
    differs: Sequence[str] = ()
    """Fields of `policy` that differ from those of most tasks."""
    steps: Sequence[Step] = ()
    """Its steps, as the IR has them."""
    step: Step | None = None
    """Its only step; null for a task of several, or of none."""

    @property
    def long(self) -> bool:
        """Whether `run` and `script` are too long to be added on a line."""
        return len(self.run) + len(self.script) > _LONG

    @property
    def varies(self) -> str:
        """The argument of its operator that differs by slice."""
        return {"bash": "bash_command", "kubernetes": "arguments", "docker": "command"}[self.kind]

    @property
    def index(self) -> str:
        """Template that names an instance of a mapped task in the UI: its slice, which ends the command."""
        last = "" if self.kind == "bash" else "[-1]"
        return f"{{{{ task.{self.varies}{last}.split()[-1] }}}}"

    @property
    def operator(self) -> str:
        """The operator's class."""
        return {"bash": "BashOperator", "kubernetes": "KubernetesPodOperator", "docker": "DockerOperator"}[self.kind]
