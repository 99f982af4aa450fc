"""One pipeline for one target, and the result of rendering it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.base import OutputFile
    from wurzel.backends.support import Report
    from wurzel.exceptions import Problem
    from wurzel.ir.model import Pipeline
    from wurzel.render import Rendered


class Job(NamedTuple):
    """One pipeline for one target, in an environment of `wurzel.yaml` if any.

    `locate` returns the place in the configuration that set a path of the IR, or ''.
    """

    pipeline: Pipeline
    target: str
    options: Any
    command: str
    locate: Callable[[str], str] = lambda _path: ""
    environment: str | None = None
    name: str = ""
    """The target's name in `wurzel.yaml`, if that differs."""
    warnings: Sequence[Problem] = ()
    """What to say of its configuration, though it can be rendered."""

    @property
    def label(self) -> str:
        """The name of the target for users."""
        return self.name or self.target


class JobFile(NamedTuple):
    """A rendered file of a job."""

    job: Job
    output: OutputFile
    rendered: Rendered


class JobResult(NamedTuple):
    """The result of rendering one job: its files, and reports of unsupported features."""

    job: Job
    files: Sequence[JobFile]
    reports: Sequence[Report]
