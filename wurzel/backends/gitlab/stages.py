"""Stages that make GitLab's graph readable: jobs that can run at the same time share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.ir.jobs import Job

_LONGEST = 60


def stages(jobs: Sequence[Job]) -> dict[str, str]:
    """The stage of each job by its name: behind that of the last job that it needs, called after the jobs in it."""
    depth: dict[str, int] = {}
    for job in jobs:
        depth[job.name] = max((depth[need] + 1 for need in job.needs if need in depth), default=0)
    levels: dict[int, list[str]] = {}
    for name, level in depth.items():
        levels.setdefault(level, []).append(name)
    called = {level: _called(names) for level, names in levels.items()}
    return {name: called[level] for name, level in depth.items()}


def _called(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _LONGEST else f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
