"""Features of a pipeline that `wurzel run` ignores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.backends.local import LocalBackend
from wurzel.backends.support import unsupported_uses
from wurzel.project.options import validate_options
from wurzel.runtime.outcome import Note

if TYPE_CHECKING:
    from wurzel.project.resolve import Resolved


_DONE_HERE = (*("concurrency", "cpu", "fan_out", "group", "memory", "named_inputs", "named_outputs", "store", "when"),)
"""What a run does, though the script of the target local does not; its data folder is locked while it goes on."""


def left_out(resolved: Resolved) -> list[Note]:
    """A note about ignored features of a pipeline, unless `targets.local.ignore` accepts them."""
    options = validate_options(resolved, LocalBackend.name, LocalBackend.options_model)
    reports = unsupported_uses(LocalBackend(), resolved.pipeline, options.ignore)
    names = [report.feature for report in reports if report.feature not in _DONE_HERE]
    if not names:
        return []
    what = f"ignored when run locally: {', '.join(names)} (`wurzel targets local` says why)"
    return [Note(f"{resolved.pipeline.name}: {what}")]
