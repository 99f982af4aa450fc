"""Where a DAG file finds what it uses, in Airflow 3 and in Airflow 2.11, in the order isort gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_WIDTH = 88
_SDK = "airflow.sdk"
_HOMES = {
    "Asset": (_SDK, "airflow.datasets"),
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
    "Secret": ("airflow.providers.cncf.kubernetes.secret",) * 2,
    "TaskGroup": (_SDK, "airflow.utils.task_group"),
    "k8s": ("kubernetes.client",) * 2,
    "literal": (_SDK, "airflow.utils.template"),
    "mask_secret": ("airflow.sdk.log", "airflow.utils.log.secrets_masker"),
    "task": (_SDK, "airflow.decorators"),
}


@dataclass(frozen=True)
class Name:
    """A name of a module, and what the file calls it when that differs."""

    name: str
    """Name within the module."""
    alias: str = ""
    """What the file calls it; empty when that is the same."""


@dataclass(frozen=True)
class Import:
    """`from module import names`; `module` is in its parts, `short` when it fits on a line."""

    module: Sequence[str]
    """The parts of the name of the module."""
    names: Sequence[Name]
    """What is taken from it."""
    short: bool
    """It fits on a line."""


def imports(used: Collection[str], version: str, on_failure: str | None) -> list[Import]:
    """The imports of a file that uses these names; `on_failure` is `module:function`."""
    homes: dict[str, list[Name]] = {}
    for name in used:
        current, old = _HOMES[name]
        homes.setdefault(old if version == "2.11" else current, []).append(_name(name, version))
    if on_failure:
        module, _, function = on_failure.partition(":")
        homes.setdefault(module, []).append(Name(function, "" if function == "on_failure" else "on_failure"))
    return [_import(module, sorted(homes[module], key=_isort)) for module in sorted(homes)]


def _import(module: str, names: Sequence[Name]) -> Import:
    listed = ", ".join(f"{name.name} as {name.alias}" if name.alias else name.name for name in names)
    return Import(module.split("."), names, len(names) == 1 or len(f"from {module} import {listed}") <= _WIDTH)


def _name(name: str, version: str) -> Name:
    if name == "k8s":
        return Name("models", "k8s")
    return Name(asset(version) if name == "Asset" else name)


def asset(version: str) -> str:
    """What Airflow calls data that other DAGs can wait for."""
    return "Dataset" if version == "2.11" else "Asset"


def _isort(name: Name) -> tuple[int, str]:
    text = name.name
    return (0 if text.isupper() else 1 if text[0].isupper() else 2, text)
