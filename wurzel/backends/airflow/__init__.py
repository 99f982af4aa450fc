"""Apache Airflow: one DAG file per pipeline, one task per step: a command, a Kubernetes pod or a Docker container.

Facts: https://airflow.apache.org/docs/apache-airflow/stable/ and the operators' own code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from wurzel.backends.airflow.dag import dag, path, with_triggers
from wurzel.backends.airflow.layout import Jobs, kind_of
from wurzel.backends.airflow.options import AirflowOptions
from wurzel.backends.base import PLACEMENT, Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.ir_file import IrContext, ir_file
from wurzel.ir.jobs import Job, are_runs
from wurzel.ir.model import Pipeline, Store
from wurzel.ir.pods import GPU
from wurzel.store_url import BUCKETS, scheme_of

if TYPE_CHECKING:
    from wurzel.backends.losses import Loss
    from wurzel.exceptions import Problem
    from wurzel.ir.features import Use

_PODS = "set `operator: kubernetes` for the pipeline or for this step"
_BASH = f"a bash task runs in the worker's own environment; {_PODS}"
_DOCKER = f"the docker operator has no such argument; {_PODS}"
_IN_PODS = frozenset({"image", "step_image", "cpu", "memory", "gpu", "limits"})
_ONLY_IN_PODS = frozenset({*PLACEMENT, "service_account", "ephemeral_storage", "hugepages"})
_IDENTITY = (
    "only pods get a token for `identity`; other tasks use the identity that their worker has. Give `secrets`, or"
    f" {_PODS}"
)
_WORKERS_DISK = (
    "the store is a folder: bash tasks share it, and later runs find it, only on a disk that all workers have at this"
    " path; use a bucket"
)
_DISK = ["limits", "ephemeral_storage"]


class AirflowBackend(Backend):
    """A DAG file as an Airflow engineer writes it, formatted as `ruff format` does."""

    name = "airflow"
    summary = "dags/<pipeline>.py, run by Apache Airflow"
    options_model = AirflowOptions
    versions: ClassVar[Mapping[str, Sequence[str]]] = {
        "2.11": (
            "factors of waits other than 1 and 2 (`retry.factor`): tries are within the task, by `wurzel step`",
            "`parallelism` of one run: it counts for all runs of the DAG together",
            "assets: they are datasets",
        ),
        "3": (),
    }
    some_steps = "Clear the tasks in a run of the DAG, and Airflow runs them again."
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("`description` and `doc_md` of the DAG, `doc_md` of tasks"),
        "data_dir": native(
            "the folder `<data_dir>/<dag id>/run_<run id>`: runs never share data. All workers must see it, unless"
            " there is a store"
        ),
        "store": native(
            "tasks are `wurzel run` and share nothing else; keys are connections, or Kubernetes secrets in pods, an"
            " identity is a projected token of the pod's account"
        ),
        "settings": native("environment variables of tasks"),
        "parameters": native("typed `params` of the DAG, in the form and in `--conf`"),
        "env": native("environment variables of tasks"),
        "secrets": native("Kubernetes secrets in pods; Airflow connections for bash and docker"),
        "image": native("with the kubernetes and the docker operator"),
        "group": native("a task for the group"),
        "step_image": native("with the kubernetes and the docker operator"),
        "cpu": native("requests of pods; CPU shares of docker containers; not with bash"),
        "memory": native("requests of pods; not with bash and docker"),
        "gpu": native("limits of pods, any device by its name; NVIDIA's in docker containers; not with bash"),
        "ephemeral_storage": native("requests of pods; not with bash and docker"),
        "hugepages": native("limits of pods; not with bash and docker"),
        "limits": native("limits of pods; memory of docker containers; not with bash"),
        "retry": native("`retries`"),
        "backoff": native(
            "`retry_delay`, `retry_exponential_backoff` (Airflow adds up to as much again by chance) and"
            " `max_retry_delay`; by `wurzel step` on Airflow 2.11 with a factor that is not 2"
        ),
        "timeout": native("`execution_timeout`"),
        "pipeline_timeout": native("`dagrun_timeout`"),
        "shards": native("one mapped task with an instance for each slice"),
        "fan_out": native(
            "a task counts the slices once the data is there, and the step is mapped over its XCom; `max` containers"
            " with the docker operator, of which those without a portion end at once"
        ),
        "when": emulated(
            "`wurzel step` asks; a skipped step writes an empty dataset, so its task succeeds; noted in `doc_md`"
        ),
        "named_inputs": native("`-i NAME=DIR`"),
        "named_outputs": native("a dataset for each output, in the folder of its step"),
        "parallelism": native("`max_active_tasks`"),
        "schedule": native("`CronTriggerTimetable`; `@every` is a `DeltaTriggerTimetable`"),
        "timezone": native("time zone of the timetable and of `start_date`"),
        "concurrency": native("`max_active_runs`; `forbid` lets a run wait; `replace` is refused"),
        "deadline": emulated("a first task skips a scheduled run that starts too late"),
        "catch_up": native("`catchup`, from `start_date` on"),
        "push": unsupported("Airflow does not watch repositories; let the CI platform call the webhook"),
        "after": native("the assets of its steps: `NAME/STEP`"),
        "data_arrival": native("assets"),
        "webhook": native("the REST API: POST /api/v2/dags/DAG_ID/dagRuns"),
        "on_failure": native(
            "`on_failure_callback` of the DAG: Airflow calls it where it parses DAGs, so a command must be there, and a"
            " secret is a connection whatever the operator"
        ),
        "polls": native("every step runs in every run; noted in `doc_md`"),
        "self_consuming": native("its data is kept beside those of runs; one instance at a time"),
        **dict.fromkeys(
            ("node_selector", "tolerations", "service_account", "env_from"), native("of pods; not with bash and docker")
        ),
        "priority": native("priority class of pods; not with bash and docker"),
        "volumes": native("of pods; not with bash and docker, whose mounts are an option"),
        "labels": native("tags of the DAG; labels of pods and docker containers; `doc_md` of bash tasks"),
        "annotations": native("annotations of pods; `doc_md` of the DAG and of other tasks"),
    }

    def files(self, pipeline: Pipeline, options: AirflowOptions) -> Sequence[OutputFile]:
        """The DAG file, and the pipeline beside it if tasks are `wurzel run`."""
        options = with_triggers(pipeline, options)
        context = {"dag": dag(pipeline, options), "options": options, "pipeline": pipeline}
        main = path(pipeline, options)
        files = [OutputFile(main, "airflow/dag.py.j2", context, finish=_folded)]
        return [*files, ir_file(pipeline, options, main, self.name)] if are_runs(pipeline, options.layout) else files

    def jobs(self, pipeline: Pipeline, options: AirflowOptions) -> Sequence[Job]:
        """The tasks, by layout and groups."""
        return Jobs(pipeline, options).all

    def contexts(self) -> Mapping[str, type]:
        """The contexts of the DAG file and of the file with the pipeline."""
        from wurzel.backends.airflow.context import FileContext

        return {"airflow/dag.py.j2": FileContext, "airflow/ir.json.j2": IrContext}

    def support_for(self, use: Use, options: AirflowOptions) -> Support:
        """What the operator of a step supports; for the whole pipeline, one operator that supports it is enough."""
        parts = use.path.split(".")
        kind = kind_of(parts[1], options) if parts[0] == "steps" else options.operator
        kinds = {kind, *(kind_of(step, options) for step in options.steps)} if parts[0] != "steps" else {kind}
        if isinstance(use.value, Store) and (lacks := _lacks(use.value, kinds)):
            return unsupported(lacks)
        if use.feature not in _IN_PODS | _ONLY_IN_PODS or "kubernetes" in kinds:
            return self.support_of(use.feature)
        if "docker" not in kinds:
            return unsupported(_BASH)
        if use.feature == "gpu" and isinstance(use.value, dict) and set(use.value) - {GPU}:
            return unsupported(f"docker containers can only get {GPU}; {_PODS}")
        missing = use.feature in _ONLY_IN_PODS | {"memory"} or parts[-2:] in (["limits", "cpu"], _DISK)
        return unsupported(_DOCKER) if missing else self.support_of(use.feature)

    def preflight(self, pipeline: Pipeline, options: AirflowOptions) -> Sequence[Problem]:
        """Reasons why the DAG could not be imported, or its tasks would lack settings, images or data."""
        from wurzel.backends.airflow.preflight import preflight

        return list(preflight(pipeline, with_triggers(pipeline, options)))

    def losses(self, text: str) -> Iterable[Loss]:
        """Inherited values that tasks do not get."""
        from wurzel.backends.airflow.losses import losses

        return losses(text)

    def validate(self, files: Mapping[str, str], options: AirflowOptions) -> Sequence[Problem]:
        """Findings of Python, ruff's Airflow rules and, if it is installed, Airflow itself on the DAG file."""
        from wurzel.backends.airflow.validation import validate

        return validate(files, options.version)


def _folded(text: str) -> tuple[str, list[int]]:
    from wurzel.backends.airflow.folding import folded

    return folded(text)


def _lacks(store: Store, kinds: Collection[str]) -> str:
    """Why tasks of these kinds cannot share a store, or use its identity; empty if they can."""
    if scheme_of(store.url) not in BUCKETS:
        return _WORKERS_DISK if "bash" in kinds else ""  # of pods and containers, a volume there is required
    if store.secrets is not None or store.identity is None:
        return ""
    return "" if set(kinds) == {"kubernetes"} else _IDENTITY
