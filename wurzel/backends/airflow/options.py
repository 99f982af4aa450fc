"""Options below `targets.airflow` in `wurzel.yaml`."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from wurzel.backends.kubernetes.options import PodFields
from wurzel.backends.options import Part, TargetOptions
from wurzel.ir.jobs import Layout
from wurzel.ir.names import EnvName, FreeText, MountPath, Name, ObjectName
from wurzel.ir.types import Duration
from wurzel.models import Before

Operator = Literal["bash", "kubernetes", "docker"]


def _version(value: Any) -> str:
    text = str(value)  # YAML reads a bare 2.11 as a number
    if text not in {"3", "2.11"}:
        raise ValueError(f"{value!r} is not a supported version; write '3', which is 3.3 and newer, or '2.11'")
    return text


Version = Annotated[Literal["3", "2.11"], Before(_version)]
"""Airflow's version."""
_DAY = 86400
Moment = Literal["logical_date", "data_interval_start", "data_interval_end"]
"""A date of a run."""

_FUNCTION = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
_DAG_ID = r"^[A-Za-z0-9_.-]{1,200}$"


class PodOptions(PodFields):
    """What all pods of the kubernetes operator share."""

    claim: ObjectName | None = Field(
        None, description="PersistentVolumeClaim that holds the data; ReadWriteMany when pods run on several nodes."
    )
    namespace: Name | None = Field(None, description="Namespace of the pods; that of the connection when absent.")
    startup_timeout: Duration = Field(600, description="Longest time for a pod to start, including pulling its image.")
    on_finish: Literal["delete_pod", "delete_succeeded_pod", "keep_pod"] = Field(
        "delete_pod", description="What happens to a pod that has ended."
    )
    deferrable: bool = Field(False, description="Wait in the triggerer, so that a waiting task takes no worker slot.")
    connection: str | None = Field(None, description="Airflow connection to the cluster; its default when absent.")
    in_cluster: bool | None = Field(None, description="Reach the cluster as the worker's own pod does.")


class Mount(Part):
    """A folder or a volume that containers of the docker operator see."""

    source: str = Field(description="Folder of the docker host, or name of a volume.")
    target: MountPath = Field(description="Where containers see it.")
    type: Literal["bind", "volume"] = Field("bind", description="Whether `source` is a folder or a volume.")
    read_only: bool = Field(False, description="Containers cannot write to it.")


class DockerOptions(Part):
    """What all containers of the docker operator share."""

    mount: MountPath = Field("/wurzel", description="Folder in the containers below which the data folder lies.")
    mounts: tuple[Mount, ...] = Field((), description="Folders and volumes; one must contain the data.")
    url: str | None = Field(None, description="Docker host; DOCKER_HOST or the local socket when absent.")
    connection: str | None = Field(None, description="Airflow connection for a private registry.")
    network: str | None = Field(None, description="Network mode of the containers.")
    user: str | None = Field(None, description="User of the containers; the image's when absent.")
    working_dir: str | None = Field(None, description="Folder where commands run; the image's when absent.")
    auto_remove: Literal["never", "success", "force"] = Field("force", description="Which containers are removed.")


class StepOptions(Part):
    """Options of the task of one step."""

    operator: Operator | None = Field(None, description="What runs this step.")
    pool: str | None = Field(None, description="Pool of the task.")
    pool_slots: int | None = Field(None, ge=1, description="Slots of the pool that the task takes.")
    queue: str | None = Field(None, description="Queue of the task.")
    priority_weight: int | None = Field(None, description="Which task goes first when slots are short.")


class AirflowOptions(TargetOptions):
    """Options of the airflow target; folders and names of Airflow objects may contain its `{{ }}` templates."""

    version: Version = Field("3", description="Airflow the file is written for: 3 (3.3 and newer) or 2.11.")
    dag_id: str | None = Field(None, pattern=_DAG_ID, description="Id of the DAG; the pipeline's name when absent.")
    operator: Operator = Field(
        "bash", description="What runs a step: a command on the worker, a Kubernetes pod or a Docker container."
    )
    layout: Layout = Field(
        "steps", description="What becomes a task: each step (`steps`), all of them (`single`), or what fits (`auto`)."
    )
    deployment: str | None = Field(
        None,
        pattern=r"^[^\x00-\x1f]+$",
        description="Name of this Airflow in the ids of runs, where several share a store.",
    )
    steps: dict[str, StepOptions] = Field(default_factory=dict, description="Options of single tasks, by step id.")
    command: tuple[str, ...] = Field(
        ("wurzel",), min_length=1, description="The command that starts wurzel, as a list."
    )
    project_dir: str | None = Field(
        None, description="Folder where bash tasks run; the project, as seen from the DAG file, when absent."
    )
    data_dir: str | None = Field(
        None, description="Folder of all data for bash tasks; overrides the pipeline's; relative to `project_dir`."
    )
    keep_days: int | None = Field(None, ge=1, description="Remove the data of runs after this many days.")
    start_date: date = Field(date(2024, 1, 1), description="First day of the schedule; past runs are never caught up.")
    data_interval: Duration | None = Field(
        None, ge=1, description="Length of the data interval that ends when a scheduled run starts; none when absent."
    )
    on_assets: tuple[FreeText, ...] = Field(
        (), description="Assets that start a run when all of them were updated, besides the schedule if there is one."
    )
    dates: dict[EnvName, Moment] = Field(
        default_factory=dict,
        description="Variables of settings that are a date of the run: {REPORT__AS_OF: data_interval_end}. A day if the"
        " setting is one, in the time zone of the schedule; otherwise ISO 8601.",
    )
    max_active_runs: int | None = Field(None, ge=1, description="Concurrent runs; overrides `schedule.concurrency`.")
    dagrun_timeout: Duration = Field(_DAY, ge=1, description="Longest time of a run if the pipeline has no `timeout`.")
    fail_fast: bool = Field(False, description="Stop the running tasks as soon as one fails.")
    paused: bool | None = Field(None, description="Whether a new DAG starts paused; Airflow's default when absent.")
    owner: str | None = Field(None, description="Owner of all tasks.")
    tags: tuple[str, ...] = Field(("wurzel",), description="Tags of the DAG, before the pipeline's labels.")
    pool: str | None = Field(None, description="Pool of all tasks.")
    queue: str | None = Field(None, description="Queue of all tasks.")
    max_map_length: int = Field(
        1024, ge=1, description="What a task can be mapped over at run time: the core.max_map_length of Airflow."
    )
    on_failure: str | None = Field(
        None, pattern=_FUNCTION, description="`module:function` that Airflow calls when a run has failed."
    )
    assets: Literal["last", "all", "none"] = Field("last", description="Steps whose data other DAGs can wait for.")
    task_groups: Literal["auto", "always", "never"] = Field(
        "auto", description="Show steps of one depth as a group; `auto` does so from 25 steps on."
    )
    secrets: Literal["connection", "environment"] = Field(
        "connection",
        description="Where bash and docker tasks get secrets: Airflow connections, or the worker's environment.",
    )
    kubernetes: PodOptions = Field(
        default_factory=PodOptions.model_construct, description="Pods of the kubernetes operator."
    )
    docker: DockerOptions = Field(
        default_factory=DockerOptions.model_construct, description="Containers of the docker operator."
    )
