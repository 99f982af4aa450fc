"""`wurzel show --diff`: what differs between the data of a step and that of a past run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wurzel.datacontract.opening import Dataset
    from wurzel.runtime.preview import Changes


def print_diff(dataset: Dataset, beside: Path, about: tuple[Path, str, str, str], most: int | None) -> None:
    """Print the items that only the data of a past run has, and those that only this dataset has.

    `about` is the folder of states, pipeline, output and run; without `most` all of them are printed, as JSON.
    """
    from wurzel.runtime.outcome import visible

    found = _changes(dataset, beside, about)
    for sign, kind, texts in (("-", "removed", found.removed), ("+", "added", found.added)):
        for text in texts[:most]:
            click.echo(f"{sign} {visible(text)}" if most is not None else f'{{"{kind}":{text}}}')
        if most is not None and len(texts) > most:
            click.echo(f"{sign} … {len(texts) - most:,} more")
    if most is not None:
        counts = f"{len(found.removed):,} removed, {len(found.added):,} added, {found.same:,} the same"
        click.echo(f"{about[2]}: {counts}")


def _changes(dataset: Dataset, beside: Path, about: tuple[Path, str, str, str]) -> Changes:
    from wurzel.datacontract.dataset import open_dataset
    from wurzel.exceptions import UsageError
    from wurzel.runtime.cache import Cache
    from wurzel.runtime.history import find_run, past_runs
    from wurzel.runtime.preview import Changes, changes

    state, pipeline, output, name = about
    step, _, port = output.partition(".")
    runs = [run for run in past_runs(state, pipeline) if port in run.steps.get(step, {}).get("datasets", {})]
    run = find_run(runs, name)
    digest = run.steps[step]["datasets"][port]
    if digest == dataset.digest:
        return Changes([], [], dataset.items)
    with TemporaryDirectory(prefix="wurzel-") as folder:
        before = Path(folder, "before")
        if not Cache(state / pipeline).copy((step, port, digest), beside, before):
            hint = "`.wurzel` keeps the last 20 results of a step; a store keeps them longer."
            raise UsageError(f"the data that {output} had in the run {run.id} is no longer kept", hint=hint)
        return changes(open_dataset(before), dataset)
