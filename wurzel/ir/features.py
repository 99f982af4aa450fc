"""The features a pipeline can ask for, read off the marks of the IR, and which of them a given pipeline uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from wurzel.ir import model
from wurzel.ir.marks import Feature
from wurzel.models import Model
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from wurzel.ir.model import Pipeline

FEATURES: Mapping[str, str] = {
    "description": "what the pipeline and its steps are for",
    "data_dir": "folder of all datasets",
    "store": "a store for the data of all targets",
    "settings": "settings of steps given in configuration",
    "parameters": "settings that can be overridden for one run",
    "env": "environment variables",
    "secrets": "environment variables taken from secrets, by reference",
    "group": "steps that share a job",
    "image": "container image of the pipeline",
    "step_image": "container image of a single step",
    "cpu": "processor cores requested",
    "memory": "memory requested",
    "gpu": "GPUs and other devices requested",
    "ephemeral_storage": "disk of the machine requested",
    "hugepages": "memory in huge pages requested",
    "limits": "upper bounds on cores, memory and disk",
    "retry": "tries after a failure",
    "backoff": "growing waits between tries",
    "timeout": "longest time for one try of a step",
    "pipeline_timeout": "longest time for a whole run",
    "shards": "slices of a step's input that run side by side",
    "fan_out": "as many slices as the data has portions of a given size",
    "when": "steps that decide at run time whether they run",
    "named_inputs": "steps with several inputs, each with a name",
    "named_outputs": "steps with several outputs, each a dataset in its own folder",
    "parallelism": "steps that run at one time",
    "schedule": "start by the clock",
    "timezone": "time zone of the schedule",
    "concurrency": "what happens when the previous run is still in progress",
    "deadline": "how late a scheduled run may start",
    "catch_up": "missed runs that are made up for",
    "push": "start by a commit",
    "after": "start by the end of another pipeline",
    "data_arrival": "start by data that has arrived",
    "webhook": "start by a request",
    "on_failure": "who is told when a run has failed",
    "polls": "sources that must be read at every run",
    "self_consuming": "steps that read their own last output",
    "node_selector": "machines a step may run on",
    "tolerations": "tainted machines a step may run on",
    "service_account": "identity a step runs as",
    "priority": "priority class of a step's pods",
    "volumes": "volumes that a step mounts",
    "env_from": "whole ConfigMaps and Secrets as variables",
    "labels": "labels for finding things",
    "annotations": "annotations for other tools",
}
"""Name of every feature, with what it means."""


class Use(NamedTuple):
    """A place in a pipeline that uses a feature; `path` is dotted, e.g. `steps.embed.resources.gpu`."""

    feature: str
    path: str
    has_store: bool = False
    """Whether the pipeline has a store, which keeps what platforms lose."""
    value: object = None
    """What is asked for."""


def used(pipeline: Pipeline) -> Iterator[Use]:
    """Every feature use of a pipeline: marked fields whose value is not the default, in the order of the fields."""
    has_store = pipeline.store is not None
    return (use._replace(has_store=has_store) for use in _uses(pipeline, ""))


def feature_of(cls: Any, field: str) -> str | None:
    """The name of the feature a field is marked with, if it is."""
    return _feature(cls.model_fields[field])


def _feature(field: FieldInfo) -> str | None:
    return next((mark.name for mark in field.metadata if isinstance(mark, Feature)), None)


@cache
def _plan(cls: type[Model]) -> tuple[tuple[str, str | None, object], ...]:
    return tuple(
        (name, _feature(field), field.get_default(call_default_factory=True))
        for name, field in cls.model_fields.items()
    )


def _uses(node: Model, path: str) -> Iterator[Use]:
    for name, feature, default in _plan(type(node)):
        value = getattr(node, name)
        if value is default or (feature is not None and value == default):
            continue
        place = f"{path}{name}"
        if feature is not None:
            yield Use(feature, _path(node, place), value=value)
        elif isinstance(value, Model):
            yield from _uses(value, f"{place}.")
        elif isinstance(value, tuple):
            for index, item in [(index, item) for index, item in enumerate(value) if isinstance(item, Model)]:
                key = getattr(item, "id", None) or getattr(item, "name", None) or index
                yield from _uses(item, f"{place}.{key}.")


def _path(node: Model, place: str) -> str:
    if isinstance(node, model.Setting):
        return place.rpartition(".")[0]  # the setting itself, not its `given` or `value`
    return place
