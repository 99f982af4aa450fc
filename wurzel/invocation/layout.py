"""The layout of a pipeline as one digest, so that a rendered file notices that its pipeline has other steps by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.exceptions import UsageError
from wurzel.invocation.digests import combine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wurzel.ir.model import Pipeline

VARIABLE = "WURZEL_LAYOUT"
"""Environment variable that a rendered job has the digest in."""

_LENGTH = 16


def layout_digest(pipeline: Pipeline) -> str:
    """Digest of step ids, edges and shards: what decides which jobs a rendered file has; 16 hexadecimal digits."""
    parts = []
    for step in pipeline.steps:
        edges = [combine(value for _, value in edge) for edge in step.needs]
        parts.append(combine([step.id, *edges, str(step.shards.items), str(step.shards.max), step.shard_by]))
    return combine(parts)[:_LENGTH]


def check_layout(pipeline: Pipeline, environ: Mapping[str, str]) -> None:
    """Make sure that the job was rendered from a pipeline of these steps; without the variable there is no check.

    Raises `UsageError` when it was not: a step that the file does not know would be left out.
    """
    expected = environ.get(VARIABLE)
    if expected and expected != (digest := layout_digest(pipeline)):
        raise UsageError(
            f"the job was rendered for the layout {expected}, but the pipeline {pipeline.name} has {digest}: steps,"
            " edges or shards have changed",
            where=VARIABLE,
            hint="Render the file again: wurzel render",
        )
