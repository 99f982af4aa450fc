"""Marks of fields of the IR: what a target must honour, and what jobs do not read."""

from __future__ import annotations

from wurzel.named_tuples import NamedTuple


class Feature(NamedTuple):
    """Marks a field of the IR as something a target must render, emulate or report."""

    name: str


class NotInJobs:
    """Marks a field that only renderers read, so the pipeline that jobs read as a file does not have it."""


NOT_IN_JOBS = NotInJobs()
