"""`wurzel show`: the data that a step wrote."""

from __future__ import annotations

import sys
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import configuration_options
from wurzel.cli.runs import RunName, state_dir_option
from wurzel.cli.text import one_line, size
from wurzel.cli.types import Completed, PipelineName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wurzel.datacontract.opening import Dataset
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.preview import Changes, Column

_FIRST = 10  # items that are shown unless options say otherwise
_DIGEST = 12  # characters of a digest that tell datasets apart
_LEAST = 8  # what a long value leaves of another column
_GAP = 2  # between columns
_WIDTH = 120  # columns of a table that goes into a file or a pipe


class OutputName(Completed):
    """`STEP`, or `STEP.OUTPUT`."""

    name = "output"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Outputs of the steps of the pipeline."""
        from wurzel.project.open import open_pipeline

        return _outputs(open_pipeline(ctx.params.get("pipeline")).pipeline)


@declared("show")
@click.argument("output", type=OutputName(), metavar="STEP[.OUTPUT]")
@click.option("--pipeline", type=PipelineName(), metavar="NAME", help="The pipeline, where there are several.")
@click.option("--head", type=click.IntRange(min=0), metavar="N", help="Show the first N items.  [default: 10]")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Show N items at equal distances.")
@click.option("--diff", type=RunName(), metavar="RUN", help="Show what differs from the data that this run had.")
@click.option("--schema", is_flag=True, help="Show the fields of all items, with types and counts.")
@click.option("--json", "as_json", is_flag=True, help="Print items as JSON, one on each line; all of them by default.")
@click.option("--data-dir", metavar="DIR", help="Where the datasets are, if not where the pipeline says.")
@state_dir_option
@configuration_options
def command(
    output: str,
    pipeline: str | None,
    head: int | None,
    sample: int | None,
    diff: str | None,
    schema: bool,
    as_json: bool,
    data_dir: str | None,
    state_dir: str,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Show the items, rows or files that a step wrote."""
    from wurzel.datacontract.dataset import open_dataset
    from wurzel.project.open import open_pipeline

    _check(head, sample, diff, schema=schema)
    if pipeline is None:
        _check_project(output)
    found = open_pipeline(pipeline, environment, sets).pipeline
    dataset = open_dataset(_folder(found, output, data_dir))
    if diff is not None:
        beside = Path(data_dir or found.data_dir, output.partition(".")[0])
        most = None if as_json else _FIRST if head is None else head
        _print_diff(dataset, beside, (Path(state_dir), found.name, output, diff), most)
        return
    if not as_json:
        click.echo(_summary(output, dataset))
    if not dataset.skipped:
        _print(dataset, head, sample, schema=schema, as_json=as_json)


def _print(dataset: Dataset, head: int | None, sample: int | None, *, schema: bool, as_json: bool) -> None:
    from wurzel.runtime.preview import chosen, columns, is_files

    if is_files(dataset):
        _print_files(dataset, head, as_json=as_json)
    elif schema:
        _print_columns(columns(dataset), as_json=as_json)
    elif as_json:
        for _, item in chosen(dataset, head, sample):
            _print_json(item)
    else:
        _print_items(dataset, _FIRST if head is None else head, sample)


def _check(head: int | None, sample: int | None, diff: str | None, *, schema: bool) -> None:
    from wurzel.exceptions import UsageError

    if sample is not None and head is not None:
        raise UsageError("--head and --sample are mutually exclusive")
    if diff is not None and (schema or sample is not None):
        raise UsageError("--diff compares all items; leave out --schema and --sample")


def _check_project(output: str) -> None:
    from wurzel.exceptions import UsageError
    from wurzel.project.load import FILE, find_project, parent_project
    from wurzel.project.open import pipeline_names

    if len(known := pipeline_names()) > 1:
        hint = f"Name one of {', '.join(known)}: wurzel show {output} --pipeline {known[0]}"
        raise UsageError(f"{FILE} has several pipelines", hint=hint)
    if find_project() is None:
        parent = parent_project()
        where = f"The nearest one is in {parent}: change to that folder, or name" if parent else "Name"
        hint = f"{where} the pipeline: wurzel show {output} --pipeline module:attribute"
        raise UsageError(f"there is no {FILE} here", hint=hint)


def _outputs(pipeline: Pipeline) -> list[str]:
    return [f"{step.id}.{port.name}" if port.name else step.id for step in pipeline.steps for port in step.outputs]


def _folder(pipeline: Pipeline, output: str, data_dir: str | None) -> Path:
    from wurzel.exceptions import UsageError
    from wurzel.suggestion import did_you_mean

    known = _outputs(pipeline)
    if output in known:
        folder = Path(data_dir or pipeline.data_dir, *output.split(".", 1))
        if pipeline.store is not None and not folder.exists():
            hint = f"Get it from the store: wurzel store get {pipeline.name}/{output} -o DIR"
            raise UsageError("there is no such dataset in the data folder", where=str(folder), hint=hint)
        return folder
    named = [name for name in known if name.startswith(f"{output}.")]
    hint = f"Its outputs: {', '.join(named)}." if named else did_you_mean(output, known)
    hint = hint or f"Outputs: {', '.join(known)}."
    raise UsageError(f"{output!r} is not an output of {pipeline.name}", hint=hint)


def _summary(output: str, dataset: Dataset) -> str:
    from wurzel.datacontract.manifest import type_name

    contract = type_name(dataset.contract, dataset.containers)
    if dataset.skipped:
        return f"{output}: {contract}, skipped"
    items = "1 item" if dataset.items == 1 else f"{dataset.items:,} items"
    return f"{output}: {items} of {contract}, {size(dataset.size)}, sha256 {dataset.digest[:_DIGEST]}…"


def _print_files(dataset: Dataset, head: int | None, *, as_json: bool) -> None:
    for part in dataset.parts[:head]:
        if as_json:
            _print_json({"path": part.name, "bytes": part.size, "sha256": part.sha256, "executable": part.executable})
        else:
            click.echo(f"{size(part.size):>10}  {one_line(part.name)}{'*' if part.executable else ''}")
    if not as_json:
        for folder in dataset.manifest.folders:
            click.echo(f"{'empty':>10}  {one_line(folder.name)}/")


def _print_columns(columns: Iterable[Column], *, as_json: bool) -> None:
    if as_json:
        for column in columns:
            _print_json(column._asdict())
        return
    rows = [
        (column.name, " or ".join(column.types), f"{column.present:,}", f"{column.missing:,}") for column in columns
    ]
    _print_table(("FIELD", "TYPE", "PRESENT", "MISSING"), rows)


def _print_items(dataset: Dataset, head: int, sample: int | None) -> None:
    from wurzel.runtime.preview import chosen, text_of

    shown = list(chosen(dataset, head, sample))
    names = list(dict.fromkeys(name for _, item in shown for name in item))
    rows = [(str(number), *(text_of(item[name]) if name in item else "" for name in names)) for number, item in shown]
    if names:
        _print_table(("#", *names), rows)
    if left := dataset.items - len(shown):
        click.echo(f"… {left:,} more")


def _print_diff(dataset: Dataset, beside: Path, about: tuple[Path, str, str, str], most: int | None) -> None:
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
    from tempfile import TemporaryDirectory

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


def _print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """As rich cuts it to the terminal; what looks like markup or a control sequence is shown as text."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    columns = [
        [Text(one_line(cell[: console.width])[: console.width]) for cell in column]
        for column in zip(head, *rows, strict=True)
    ]
    widths = _widths([max(cell.cell_len for cell in column) for column in columns], console.width)
    fitting = len(widths)
    table = Table(box=None, pad_edge=False)
    for (name, *_), width in zip(columns, widths, strict=False):
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    for row in list(zip(*columns[:fitting], strict=True))[1:]:
        table.add_row(*row)
    console.print(table)
    if left := [one_line(name) for name in head[fitting:]]:
        click.echo(f"… {len(left)} more columns; --json prints all: {', '.join(left)[: console.width]}")


def _widths(wanted: list[int], room: int) -> list[int]:
    """Widths of the first columns, as many as there is room for: what is left is shared by those that want more."""
    widths = [min(_LEAST, want) for want in wanted]
    fitting = max(1, sum(far - _GAP <= room for far in accumulate(width + _GAP for width in widths)))
    widths = widths[:fitting]
    room -= sum(widths) + _GAP * (fitting - 1)
    for number, index in enumerate(sorted(range(fitting), key=wanted.__getitem__)):
        more = max(0, min(wanted[index] - widths[index], room // (fitting - number)))
        widths[index] += more
        room -= more
    return widths


def _print_json(item: object) -> None:
    from wurzel.runtime.preview import json_of

    click.echo(json_of(item))
