"""Which tasks a DAG has: one for each step, or for several that `wurzel run` runs; their retries and timeouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes
from wurzel.backends.airflow.parts import Policy, Span
from wurzel.backends.grouped import Grouped
from wurzel.ir.requests import deadline

if TYPE_CHECKING:
    from wurzel.backends.airflow.options import AirflowOptions
    from wurzel.invocation.command import Emulated
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline, Step

_START = 300
"""Seconds that a task has beyond its steps, for its start and its data."""
_WAIT = Span("minutes", 1)
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))
_DOUBLES = 2
"""The only factor of waits that Airflow 2 has."""


def span(seconds: int | None) -> Span | None:
    """The duration in the largest unit that gives a whole number."""
    if seconds is None:
        return None
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds and seconds % size == 0), ("seconds", 1))
    return Span(unit, seconds // size)


def kind_of(step_id: str, options: AirflowOptions) -> str:
    """What runs a step: bash, kubernetes or docker."""
    special = options.steps.get(step_id)
    return (special.operator if special else None) or options.operator


def policy_of(step: Step, options: AirflowOptions) -> tuple[Policy, Sequence[Emulated]]:
    """The policy of a step, and what wurzel must do because this Airflow cannot."""
    retry = step.retry
    grows = retry.limit > 0 and retry.backoff > 0 and retry.factor != 1
    if grows and options.version == "2.11" and retry.factor != _DOUBLES:
        return Policy(), ("retry", "timeout")
    return (
        Policy(
            retries=retry.limit,
            delay=span(retry.backoff) if retry.limit else None,
            factor=(options.version == "2.11" or float(retry.factor)) if grows else None,
            longest=span(retry.max) if grows else None,
            timeout=span(step.timeout),
        ),
        (),
    )


class Jobs(Grouped):
    """The jobs of a pipeline, each a task or a mapped one, and what crosses between them."""

    def __init__(self, pipeline: Pipeline, options: AirflowOptions) -> None:
        """Group the steps as the options say."""
        super().__init__(pipeline, options.layout, partial(place, pipeline, options))
        self.options = options

    def kind(self, job: Job) -> str:
        """What runs a job: bash, kubernetes or docker."""
        return kind_of(job.steps[0].id, self.options)

    def needs(self, job: Job) -> list[Job]:
        """The jobs whose data it reads, in the order of the `>>`s."""
        homes = [self.home[need] for step in job.steps for need in step.predecessors]
        return list({other.name: other for other in homes if other is not job}.values())

    def counted(self, job: Job) -> bool:
        """Whether a task finds out, once the data is there, how many slices a job has."""
        return super().counted(job) and self.kind(job) != "docker"

    def may_count(self, job: Job) -> bool:
        """Whether a task can count the slices of another one along with its own work, and push their number."""
        return self.run and super().may_count(job) and self.kind(job) != "docker"

    def native(self, job: Job) -> bool:
        """Whether Airflow retries a job as its step asks; otherwise wurzel does within the task."""
        return self.single and not policy_of(job.steps[0], self.options)[1]

    @property
    def all_native(self) -> bool:
        """Whether Airflow retries all of them."""
        return all(map(self.native, self.all))

    def policy(self, job: Job) -> Policy:
        """Retries, waits and timeout of a task; where wurzel retries within, Airflow adds one try for a lost worker."""
        native = self.native(job)
        known = policy_of(job.steps[0], self.options)[0]
        if not self.run:
            return known
        # `wurzel run` ends its steps itself, and names them; a task that goes on must be stuck.
        stuck = span(deadline(job.steps, self.pipeline.timeout, setup=_START, native=native))
        return replace(known, timeout=stuck) if native else Policy(retries=1, delay=_WAIT, timeout=stuck)


def place(pipeline: Pipeline, options: AirflowOptions, step: Step) -> dict[str, Any]:
    """Fields of which a task has only one value; variables count, since templates may depend on them."""
    kind, special = kind_of(step.id, options), options.steps.get(step.id)
    found: dict[str, Any] = {"operator": kind, "variables": step.variables}
    found["options"] = special.model_dump(exclude={"operator"}, exclude_none=True) if special else {}
    if kind == "docker":
        found |= {"image": kubernetes.image_of(pipeline, step), "labels": step.labels}
    if kind == "kubernetes":
        pods = options.kubernetes
        found |= kubernetes.placed(pipeline, step, pods) | {
            "volumes": [
                *(extra.name for extra in pods.volumes if step.id in extra.steps),
                *(extra.model_dump(exclude_defaults=True) for extra in step.volumes),
            ],
            "env_from": [source.model_dump(exclude_defaults=True) for source in step.env_from],
        }
    return found
