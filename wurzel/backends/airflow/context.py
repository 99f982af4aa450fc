"""What the template of a DAG file sees."""

from collections.abc import Mapping, Sequence
from typing import Any

from wurzel.backends.airflow.environment import DagParam, Text
from wurzel.backends.airflow.imports import Import
from wurzel.backends.airflow.names import POD
from wurzel.backends.airflow.options import AirflowOptions
from wurzel.backends.airflow.parts import DagTask, Policy, Span
from wurzel.backends.base import PipelineContext
from wurzel.records import dataclass

_LONG = 80
"""Characters of two names that fit on a line, with an arrow between them."""


@dataclass(frozen=True)
class Start:
    """First day of the schedule, and the zone its times are in."""

    year: int
    """Year of the first day."""
    month: int
    """Its month."""
    day: int
    """Its day."""
    timezone: str
    """IANA name."""


@dataclass(frozen=True)
class Timetable:
    """When runs start: a cron expression, or an interval."""

    cron: str = ""
    """The cron expression; empty for an interval."""
    every: Span | None = None
    """The interval."""
    data: Span | None = None
    """Length of the data interval of a run; null for none."""


@dataclass(frozen=True)
class Group:
    """A task group, or with an empty `id` the tasks that are in no group."""

    id: str
    """Id of the group; empty for tasks that are in no group."""
    tasks: Sequence[DagTask]
    """Its tasks."""


@dataclass(frozen=True)
class Dependency:
    """Tasks that must end before others start; one side is a single task."""

    before: Sequence[str]
    """Variables of the tasks that must end before."""
    after: Sequence[str]
    """Variables of the tasks that start after them."""

    @property
    def long(self) -> bool:
        """Whether two names do not fit on a line, so that the second is in a list, which may have several lines."""
        return len(self.before) == len(self.after) == 1 and len(self.before[0]) + len(self.after[0]) > _LONG


@dataclass(frozen=True)
class Dag:
    """Everything in a DAG file."""

    id: str
    """Id of the DAG."""
    asset: str
    """Name of the class of assets."""
    imports: Sequence[Import]
    """What the file imports."""
    uses_json: bool
    """It needs `json`."""
    final: bool
    """Whether tasks that would fail again are told from others, so that Airflow does not retry them."""
    ir: str
    """Name of the file with the pipeline, if tasks of this file read it by a function; empty otherwise."""
    description: str
    """What the pipeline is for."""
    doc: str
    """Text that the UI shows."""
    timetable: Timetable | None
    """When runs start; null when only people start them."""
    catch_up: bool
    """Whether missed runs are made up for."""
    on_assets: Sequence[str]
    """Assets whose update starts a run as well."""
    start: Start
    """First day of the schedule."""
    max_active_runs: int | None
    """Concurrent runs; null for Airflow's default."""
    max_active_tasks: int | None
    """Concurrent tasks; null for Airflow's default."""
    timeout: Span
    """Longest time of a whole run."""
    late: Span | None
    """How late a scheduled run may start."""
    params: Sequence[DagParam]
    """Parameters of a run."""
    tags: Sequence[str]
    """Tags of the DAG."""
    reads_connections: bool
    """Whether secrets are read from connections."""
    macros: Sequence[str]
    """Functions of the file that templates of arguments call."""
    slices: Sequence[str]
    """Kinds of the tasks that have a fixed number of slices."""
    exact_secrets: bool
    """Whether a variable that holds a secret has lower-case letters in its name."""
    usual: Policy
    """The retry policy of most tasks."""
    kinds: Sequence[str]
    """Kinds of the tasks: bash, kubernetes, docker."""
    envs: Mapping[str, str]
    """Kind of task to the name of the constant that holds its variables."""
    shared: Mapping[str, Mapping[str, Text]]
    """Name of each such constant to the variables."""
    runs: Mapping[str, str | Sequence[str]]
    """Name of a constant to how commands of tasks begin, where these are `wurzel run`: a shell line, or words."""
    pods: Mapping[str, Mapping[str, Any]]
    """Name of a constant to the pod it holds."""
    cwd: str
    """The folder in which bash tasks run."""
    depth: int
    """How many folders the project is above that of the DAG file."""
    groups: Sequence[Group]
    """The tasks, by group."""
    edges: Sequence[Dependency]
    """Which tasks must end before which."""

    @property
    def changes(self) -> Mapping[str, Mapping[str, Any]]:
        """Name of a constant to what its pod has in `spec` instead of what `POD` has there."""
        own = {name: pod["spec"] for name, pod in self.pods.items() if name != POD}
        shared = self.pods[POD]["spec"] if own else {}
        return {name: {key: spec[key] for key in spec if shared.get(key) != spec[key]} for name, spec in own.items()}


class FileContext(PipelineContext):
    """What the template of the DAG file sees."""

    options: AirflowOptions
    """The options below `targets.airflow`, with defaults."""
    dag: Dag
    """The DAG, ready for the template."""
