"""What a run would do, without running anything: `wurzel run --plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import always_runs
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.decision import Decider
from wurzel.runtime.fanout import slice_count, slices_for
from wurzel.runtime.history import folders
from wurzel.runtime.selection import chosen
from wurzel.runtime.state import digests_of
from wurzel.runtime.store_choice import open_archive

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

    Raises `PreflightError` when a dataset of a step that is not chosen is missing or damaged, `UsageError` when there
    is no such step, or the user may not read the state folder.
    """
    whole, pipeline = pipeline, chosen(pipeline, options.only)
    state = options.root / options.state_dir / pipeline.name
    folders(state)  # one that cannot be read looks like a first run
    digests = FileDigests(digests_of(state))
    archive = open_archive(whole, options, state, digests, plan=True)
    decider = Decider(whole, options, archive, digests)
    data = archive.found(pipeline.steps, decider.key)
    planned: dict[str, Planned] = {}
    for step in pipeline.steps:
        if options.force or (always := always_runs(step)):
            planned[step.id] = Planned(step.id, "run", "forced" if options.force else always)
            continue
        if rerun := [need for need in _read(step) if need in planned and planned[need].action in {"run", "maybe"}]:
            planned[step.id] = Planned(step.id, "maybe", f"reads {', '.join(rerun)}")
            continue
        decision = decider.decide(decider.ask(step, data))
        here = decision.entry is not None and not decision.why
        result = decision.entry if decision.entry and (here or archive.is_complete(step, decision.entry)) else None
        action: Action = "run" if result is None else "unchanged" if here else "cached"
        planned[step.id] = Planned(step.id, action, decision.why or decider.not_seen(step))
        if result is not None:
            data |= {(step.id, name): digest for name, digest in result.digests.items()}
    return list(planned.values())


def slices_of(pipeline: Pipeline, step: Step, options: RunOptions) -> int:
    """How many slices a step has, once the steps that it reads have run; with a store, they need not be here.

    Raises `PreflightError` when a dataset that it reads is missing, `DatasetError` when one is damaged.
    """
    if options.store is None:
        return slice_count(pipeline, step, options.root)
    from wurzel.runtime.store_archive import StoreArchive

    state = options.root / options.state_dir / pipeline.name
    digests = FileDigests(digests_of(state))
    archive = StoreArchive(options.store, pipeline, options, state, digests, plan=not options.engine)
    archive.found([step], Decider(pipeline, options, archive, digests).key)
    return slices_for(step.shards.max, step.shards.items, lambda: archive.items(step))


def _read(step: Step) -> list[str]:
    return list(dict.fromkeys(edge.step for edge in step.needs))
