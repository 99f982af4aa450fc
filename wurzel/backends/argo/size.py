"""How large a workflow grows while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.backends.argo.spec import Specs

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline

RECORD_BYTES = 200
"""Bytes of Argo's record of a finished pod, compressed (gzip in base64); 120 to 165 were measured."""


def status_bytes(pipeline: Pipeline, options: ArgoOptions) -> int:
    """About how large a workflow of several parts grows while it runs.

    Argo copies every template that a `templateRef` leads to into the status of the workflow, merged with
    `templateDefaults`, and adds a record for each pod, which it compresses when the whole is too large.
    """
    specs = Specs(pipeline, options)
    main = specs.spec()
    merged = _json_bytes(main.defaults)
    total = _json_bytes([main.parameters, main.volumes, main.tasks])
    for part in specs.dag.parts:
        templates = specs.of_jobs(part.jobs)
        total += _json_bytes(specs.dag.within(part)) + _json_bytes(templates) + merged * len(templates)
    pods = sum(specs.dag.pods.slices(job) for job in specs.dag.pods.all) + len(specs.dag.counters)
    return total + RECORD_BYTES * pods


def _json_bytes(value: object) -> int:
    """Size of plain data and parts of a manifest as JSON, in bytes; steps are not counted."""
    import json

    def filled_fields(part: object) -> object:
        return {key: item for key, item in vars(part).items() if item and key not in {"step", "steps"}}

    return len(json.dumps(value, default=filled_fields, ensure_ascii=False, separators=(",", ":")).encode())
