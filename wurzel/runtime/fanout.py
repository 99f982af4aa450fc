"""How many slices a step is cut into, once the data is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.opening import open_dataset
from wurzel.exceptions import WriteError
from wurzel.invocation.command import cut_edges, dataset
from wurzel.regular_file import write_file
from wurzel.runtime.calls import portions

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step


def slice_count(pipeline: Pipeline, step: Step, root: Path) -> int:
    """As many slices as its input has portions, at most `max`; always `max` where it has no portions.

    Its predecessors have run. Raises `DatasetError` when a dataset that it reads is missing or damaged.
    """
    folders = [root / dataset(pipeline, edge.step) / edge.output for edge in cut_edges(step)]
    return slices_for(step.shards.max, step.shards.items, lambda: items_in(folders))


def slices_for(most: int, portion: int | None, items: Callable[[], int]) -> int:
    """As many slices as there are portions, at most `most`; `items` counts what is cut, where that matters."""
    return most if portion is None or most == 1 else min(most, portions(items(), portion))


def items_in(folders: Iterable[Path]) -> int:
    """How many items some datasets have together. Raises `DatasetError` for a bad one."""
    return sum(open_dataset(folder).items for folder in folders)


def write_slices(path: str, count: int) -> None:
    """Write the slices as a JSON list of what `--shard` takes, such as `["1/2", "2/2"]`; `-` is standard output.

    Raises `WriteError` when the file cannot be written.
    """
    text = json.dumps([f"{number}/{count}" for number in range(1, count + 1)]) + "\n"
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_file(path, text.encode())
    except OSError as error:
        raise WriteError(f"the slices cannot be written: {error.strerror}", where=path) from error
