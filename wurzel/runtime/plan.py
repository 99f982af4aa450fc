"""What a run would do, without running anything: `wurzel run --plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from wurzel.invocation.command import dataset
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import always_runs
from wurzel.runtime.cache import Cache
from wurzel.runtime.decision import Decider
from wurzel.runtime.selection import chosen, found
from wurzel.runtime.state import digests_of

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.options import RunOptions


Action = Literal["run", "maybe", "cached", "unchanged"]


class Planned(NamedTuple):
    """What a run would do with one step."""

    step: str
    action: Action
    """`maybe`: a step before it will run; if that writes the same data again, this one is not run."""
    reason: str


def plan(pipeline: Pipeline, options: RunOptions) -> list[Planned]:
    """What `run_pipeline` would do with each of the chosen steps, in the order of the pipeline. Writes nothing.

    Raises:
        PreflightError: when a dataset of a step that is not chosen is missing or damaged.
        UsageError: when there is no such step.
    """
    pipeline = chosen(pipeline, options.only)
    state = options.root / options.state_dir / pipeline.name
    cache, digests = Cache(state), FileDigests(digests_of(state))
    decider = Decider(pipeline, options, cache, digests)
    data = found(pipeline, options.root)
    planned: dict[str, Planned] = {}
    for step in pipeline.steps:
        if options.force or (always := always_runs(step)):
            planned[step.id] = Planned(step.id, "run", "forced" if options.force else always)
            continue
        if anew := [need for need in _read(step) if need in planned and planned[need].action in {"run", "maybe"}]:
            planned[step.id] = Planned(step.id, "maybe", f"reads {', '.join(anew)}")
            continue
        folder = options.root / dataset(pipeline, step.id)
        decision = decider.of(step, folder, data)
        cached = decision.cached if decision.cached and cache.complete(decision.cached, folder) else None
        result = decision.unchanged or cached
        action: Action = "run" if result is None else "cached" if decision.unchanged is None else "unchanged"
        planned[step.id] = Planned(step.id, action, decision.why)
        if result is not None:
            data |= {(step.id, name): digest for name, digest in result.digests.items()}
    return list(planned.values())


def _read(step: Step) -> list[str]:
    return list(dict.fromkeys(edge.step for edge in step.needs))
