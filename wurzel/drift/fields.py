"""A job with one field of its configuration changed, for every field that configuration can set."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from wurzel.ir.features import feature_of
from wurzel.ir.model import Edge, InputPort, OutputPort, Step
from wurzel.ir.model import Setting as StepSetting
from wurzel.ir.schedule import Schedule
from wurzel.ir.variation import extra_entry, other, other_value
from wurzel.models import Model
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import Job
    from wurzel.ir.model import Pipeline


_OF_CODE = (Step, Edge, InputPort, OutputPort)
"""What the code of a pipeline decides, and configuration cannot change."""

TIMES = {"timeout", "retry.backoff", "retry.factor", "retry.limit", "retry.max"}
"""What the deadline of a job depends on."""


class Setting(NamedTuple):
    """A value of the configuration."""

    field: str
    """Dotted, below a step or else the pipeline: `resources.memory`; for an option `targets.argo.namespace`."""
    place: str
    """The place that set it, or '' for a built-in default."""
    steps: tuple[str, ...] = ()
    """Ids of the steps it applies to; none for the pipeline and options."""
    of_code: bool = False
    """Whether the code of the pipeline says it: named only where no configuration shows."""


class Varied(NamedTuple):
    """A job with one value of its configuration changed, in every step it applies to."""

    setting: Setting
    job: Job


def varied(job: Job) -> Iterator[Varied]:
    """The job with each value of its configuration changed in turn, those of a step first.

    A value that `defaults` or the pipeline sets for several steps is one value: it is changed in all of them at once.
    """
    pipeline = job.pipeline
    groups: dict[tuple[str, str], dict[int, Step]] = {}
    for number, step in enumerate(pipeline.steps):
        for field, changed in _changes(step, "", unset=False):
            place = job.locate(f"steps.{step.id}.{field}")
            groups.setdefault((field, place or f" {step.id}"), {})[number] = changed
    whole = {(field, job.locate(field)): changed for field, changed in _changes(pipeline, "", unset=False)}
    for field, place in dict.fromkeys((*groups, *whole)):
        own = groups.get((field, place), {})
        yield _with_steps(job, field, place, own, whole.get((field, place)))
    for field, options in _options(job.options, f"targets.{job.label}.", unset=False):
        yield Varied(Setting(field, job.locate(field)), job._replace(options=options))
    yield from _unfed(job)


def varied_unset(job: Job, steps: Collection[str]) -> Iterator[Varied]:
    """The job with each field that is not set changed in turn: those of these steps (ids), and of the pipeline.

    With `""` among `steps`, also those of all steps at once, as `defaults` may have set them, and options.
    """
    pipeline = job.pipeline
    of_all: dict[str, dict[int, Step]] = {}
    for number, step in enumerate(pipeline.steps):
        for field, changed in _changes(step, "", unset=True) if "" in steps or step.id in steps else ():
            of_all.setdefault(field, {})[number] = changed
            if step.id in steps:
                yield _with_steps(job, field, "", {number: changed})
    for field, changed in _changes(pipeline, "", unset=True):
        yield _with_steps(job, field, "", {}, changed)
    if "" not in steps:
        return
    for field, own in of_all.items():
        if 1 < len(own) == len(pipeline.steps):
            yield _with_steps(job, field, "", own)
    for field, options in _options(job.options, f"targets.{job.label}.", unset=True):
        yield Varied(Setting(field, ""), job._replace(options=options))


def _with_steps(job: Job, field: str, place: str, own: dict[int, Step], pipeline: Pipeline | None = None) -> Varied:
    """The job with some steps changed, by their numbers, and perhaps the pipeline as well."""
    before = job.pipeline
    ids = tuple(before.steps[number].id for number in own)
    steps = tuple(own.get(number, step) for number, step in enumerate(before.steps))
    changed = (pipeline or before).model_copy(update={"steps": steps})
    return Varied(Setting(field, place if place[:1] != " " else "", ids), job._replace(pipeline=changed))


def times(job: Job, variant: Varied) -> Iterator[Job]:
    """The job with a far larger, and with the smallest value of a setting of steps that a deadline depends on."""
    field, _, ids, of_code = variant.setting
    if field not in TIMES or of_code:
        return
    for factor in (1000, 0):
        steps = tuple(
            _multiplied(step, field.split("."), factor) if step.id in ids else step for step in job.pipeline.steps
        )
        yield job._replace(pipeline=job.pipeline.model_copy(update={"steps": steps}))


def _multiplied(node: Any, names: list[str], factor: float) -> Any:
    """The model with the number at a path multiplied; as it was if there is none."""
    if not names:
        return node if node is None else max(type(node)(1), node * factor)
    changed = _multiplied(getattr(node, names[0]), names[1:], factor)
    return node.model_copy(update={names[0]: changed})


def _unfed(job: Job) -> Iterator[Varied]:
    """The job without what one input of a step reads; the code of the pipeline says it, in its arrows."""
    steps = job.pipeline.steps
    for number, step in enumerate(steps):
        for name in dict.fromkeys(edge.input for edge in step.needs):
            kept = tuple(edge for edge in step.needs if edge.input != name)
            changed = (*steps[:number], step.model_copy(update={"needs": kept}), *steps[number + 1 :])
            pipeline = job.pipeline.model_copy(update={"steps": changed})
            setting = Setting(f"inputs.{name}" if name else "needs", pipeline.entrypoint, (step.id,), of_code=True)
            yield Varied(setting, job._replace(pipeline=pipeline))


def _changes(node: BaseModel, path: str, *, unset: bool) -> Iterator[tuple[str, Any]]:
    for name in type(node).model_fields:
        value = getattr(node, name)
        place = _setting_place(path, name) if isinstance(node, StepSetting) else f"{path}{name}"
        if not place:
            continue
        if name == "variables" or feature_of(type(node), name) is not None:
            found = _others(node, name, value, place) if unset == _is_default(node, name) else iter(())
        else:
            found = _inner(name, value, place, unset=unset)
        for inner, changed in found:
            yield inner, node.model_copy(update={name: changed})


def _setting_place(path: str, name: str) -> str:
    """Where a setting's field is configured: its own path for the value, `parameters` for being one; '' otherwise."""
    if name == "parameter":
        return path.removesuffix(".").replace("settings.", "parameters.", 1)
    return path.removesuffix(".") if name == "value" else ""


def _is_default(node: BaseModel, name: str) -> bool:
    return bool(getattr(node, name) == type(node).model_fields[name].get_default(call_default_factory=True))


def _inner(name: str, value: Any, place: str, *, unset: bool) -> Iterator[tuple[str, Any]]:
    """Other values of a field that contains models, or may contain one."""
    if isinstance(value, BaseModel | Model):
        yield from _changes(value, f"{place}.", unset=unset)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            varies = isinstance(item, BaseModel | Model) and not isinstance(item, _OF_CODE) and not unset
            key = getattr(item, "name", number)
            for inner, changed in _changes(item, f"{place}.{key}.", unset=False) if varies else ():
                yield inner, (*value[:number], changed, *value[number + 1 :])
    elif value is None and unset and name == "schedule":
        yield place, Schedule.model_construct(cron=other_value(Schedule, "cron", None))


def _options(node: BaseModel, path: str, *, unset: bool) -> Iterator[tuple[str, Any]]:
    for name in type(node).model_fields:
        value = getattr(node, name)
        is_set = name in node.model_fields_set
        if name == "ignore" or (is_set == unset and not (unset and isinstance(value, BaseModel | Model))):
            continue
        if isinstance(value, BaseModel | Model):
            for inner, changed in _options(value, f"{path}{name}.", unset=unset):
                yield inner, node.model_copy(update={name: changed})
        else:
            for inner, other in _others(node, name, value, f"{path}{name}"):
                yield inner, node.model_copy(update={name: other})


def _others(node: BaseModel, name: str, value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Other values of one field: one for each entry of a mapping, otherwise a single one."""
    if not isinstance(value, dict):
        yield place, other_value(type(node), name, value)
        return
    for key, item in value.items():
        yield f"{place}.{key}", value | {key: other(item)}
    if not value:
        yield place, extra_entry(name)
