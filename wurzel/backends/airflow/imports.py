"""The imports of a DAG file, for Airflow 3 and for Airflow 2.11, sorted as isort does."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.airflow.options import AirflowOptions
    from wurzel.backends.airflow.parts import DagTask

_SDK = "airflow.sdk"
_HOMES = {
    "Asset": (_SDK, "airflow.datasets"),
    "AssetOrTimeSchedule": (_SDK, "airflow.timetables.datasets"),
    "BaseHook": (_SDK, "airflow.hooks.base"),
    "BashOperator": ("airflow.providers.standard.operators.bash", "airflow.operators.bash"),
    "CronTriggerTimetable": (_SDK, "airflow.timetables.trigger"),
    "DAG": (_SDK, "airflow"),
    "DeltaTriggerTimetable": (_SDK, "airflow.timetables.trigger"),
    "DeviceRequest": ("docker.types",) * 2,
    "DockerOperator": ("airflow.providers.docker.operators.docker",) * 2,
    "EmptyOperator": ("airflow.providers.standard.operators.empty", "airflow.operators.empty"),
    "KubernetesPodOperator": ("airflow.providers.cncf.kubernetes.operators.pod",) * 2,
    "Mount": ("docker.types",) * 2,
    "Param": (_SDK, "airflow.models.param"),
    "RetryDecision": (_SDK,) * 2,
    "RetryPolicy": (_SDK,) * 2,
    "Secret": ("airflow.providers.cncf.kubernetes.secret",) * 2,
    "TaskGroup": (_SDK, "airflow.utils.task_group"),
    "k8s": ("kubernetes.client",) * 2,
    "literal": (_SDK, "airflow.utils.template"),
    "mask_secret": ("airflow.sdk.log", "airflow.utils.log.secrets_masker"),
    "task": (_SDK, "airflow.decorators"),
}


@dataclass(frozen=True)
class Name:
    """An imported name, with an alias if the file calls it something else."""

    name: str
    """Name within the module."""
    alias: str = ""
    """Its alias in the file; empty if it has none."""


@dataclass(frozen=True)
class Import:
    """`from module import names`; `module` is split at its dots."""

    module: Sequence[str]
    """The module's name, split at its dots."""
    names: Sequence[Name]
    """The imported names."""


def used_names(fields: Mapping[str, Any], tasks: Sequence[DagTask], options: AirflowOptions) -> Iterator[str]:
    """The names that the file must import, by these fields of the DAG."""
    yield "DAG"
    kinds = {task.kind for task in tasks}
    pods = [task.pod for task in tasks if task.pod]
    timetable = fields["timetable"]
    conditions = {
        "Asset": any([*options.on_assets, *(task.outlets or task.inlets for task in tasks)]),
        "AssetOrTimeSchedule": timetable is not None and options.on_assets,
        "BaseHook": fields["reads_connections"],
        "BashOperator": "bash" in kinds,
        "CronTriggerTimetable": timetable is not None and timetable.cron,
        "DeltaTriggerTimetable": timetable is not None and timetable.every,
        "DeviceRequest": any(task.container and task.container.gpus for task in tasks),
        "DockerOperator": "docker" in kinds,
        "EmptyOperator": any(task.complete for task in tasks),
        "KubernetesPodOperator": "kubernetes" in kinds,
        "Mount": "docker" in kinds and options.docker.mounts,
        "Param": fields["params"],
        "RetryDecision": fields["final"],
        "RetryPolicy": fields["final"],
        "Secret": any(item.secrets for item in pods),
        "TaskGroup": any(group.id for group in fields["groups"]),
        "k8s": any(item.requests or item.limits or item.tolerations for item in pods),
        "literal": _uses_literal(fields, tasks),
        "mask_secret": fields["reads_connections"],
        "task": fields["late"],
    }
    yield from (name for name, needed in conditions.items() if needed)


def _uses_literal(fields: Mapping[str, Any], tasks: Sequence[DagTask]) -> bool:
    texts = [text for env in fields["shared"].values() for text in env.values()]
    for task in tasks:
        texts += task.env.values()
        texts += task.pod.annotations.values() if task.pod else ()
    return any(text.literal for text in texts)


def imports(used: Collection[str], version: str, on_failure: str | None) -> list[Import]:
    """The imports of a file that uses these names; `on_failure` is `module:function`."""
    homes: dict[str, list[Name]] = {}
    for name in used:
        current, old = _HOMES[name]
        homes.setdefault(old if version == "2.11" else current, []).append(_name(name, version))
    if on_failure:
        module, _, function = on_failure.partition(":")
        homes.setdefault(module, []).append(Name(function, "" if function == "on_failure" else "on_failure"))
    return [Import(module.split("."), sorted(homes[module], key=_isort)) for module in sorted(homes)]


def _name(name: str, version: str) -> Name:
    if name == "k8s":
        return Name("models", "k8s")
    return Name(name.replace("Asset", asset(version)))


def asset(version: str) -> str:
    """The class for data that other DAGs can wait for: `Asset`, or `Dataset` before Airflow 3."""
    return "Dataset" if version == "2.11" else "Asset"


def _isort(name: Name) -> tuple[int, str]:
    text = name.name
    return (0 if text.isupper() else 1 if text[0].isupper() else 2, text)
