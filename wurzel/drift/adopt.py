"""Values that somebody changed in a rendered file, and that configuration could have: of a DVC experiment, of pins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends.registry import get
from wurzel.exceptions import ConfigError, Problem, UsageError, shortened
from wurzel.named_tuples import NamedTuple
from wurzel.project.edit import Place, edited, setting_place
from wurzel.project.load import FILE

if TYPE_CHECKING:
    from wurzel.backends.base import Adoptable
    from wurzel.backends.job import Job, JobResult
    from wurzel.render.output import Change


class Proposal(NamedTuple):
    """A value of a rendered file that wurzel.yaml could have."""

    job: Job
    file: str
    value: Adoptable

    @property
    def place(self) -> Place:
        """Keys below the pipeline; an option is that of the target as wurzel.yaml calls it."""
        first, *rest = self.value.place
        return self.value.place if self.value.setting else (first, self.job.label, *rest[1:])

    def __str__(self) -> str:
        """What would change, and why."""
        name = ".".join((self.job.pipeline.name, *self.place))
        return f"{name}: {_value_text(self.value.old)} → {_value_text(self.value.new)} ({self.file})"


def proposals(changes: Sequence[Change], results: Sequence[JobResult]) -> list[Proposal]:
    """What could be taken from the files that were edited, in the order of the files."""
    edited_files = {change.path: change.old or b"" for change in changes if change.state == "edited"}
    return [
        Proposal(result.job, file.output.path, value)
        for result in results
        for file in result.files
        if file.output.path in edited_files
        for value in get(result.job.target).adoptable(
            result.job.pipeline,
            result.job.options,
            file.output.path,
            edited_files[file.output.path].decode(errors="replace"),
        )
    ]


def adopted(text: str, found: Sequence[Proposal]) -> str:
    """The text of wurzel.yaml with the proposed values.

    Raises `UsageError` when a pipeline is not in the file, or two files want different values; `ConfigError` when a
    value is null or does not fit its setting, or its place cannot be changed.
    """
    changes: dict[Place, Any] = {}
    owners: dict[Place, str] = {}
    problems: list[Problem] = []
    for proposal in found:
        place = _place(text, proposal)
        problems += _unfit(proposal)
        if place in changes and changes[place] != proposal.value.new:
            raise UsageError(
                f"{owners[place]} and {proposal.file} have different values for {'.'.join(place)}",
                hint="Name one target: wurzel adopt -t TARGET.",
            )
        changes[place], owners[place] = proposal.value.new, proposal.file
    if problems:
        raise ConfigError(problems)
    return edited(text, changes, FILE)


def _place(text: str, proposal: Proposal) -> Place:
    environment, job = proposal.job.environment, proposal.job
    start: Place = ("environments", environment) if environment is not None else ()
    owner, value = (*start, "pipelines", job.pipeline.name), proposal.value
    if value.setting:
        return setting_place(text, (*owner, *value.place[:-1]), value.place[-1], FILE)
    return (*owner, *proposal.place)


def _unfit(proposal: Proposal) -> list[Problem]:
    from wurzel.project.typecheck import check_settings

    value = proposal.value
    place = f"{proposal.file}: {'.'.join(proposal.place)}"
    if _has_null(value.new):
        return [Problem(f"{place} is null or contains it, which cannot be taken over", FILE, "Set it by hand.")]
    if not value.setting:
        return []
    step = next(step for step in proposal.job.pipeline.steps if step.id == value.place[1])
    return [Problem(f"{place}: {reason}", FILE) for _, reason in check_settings(step, {value.place[-1]: value.new})]


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))


def _value_text(value: Any) -> str:
    from pydantic_core import to_json

    return shortened(to_json(value).decode(), 60)
