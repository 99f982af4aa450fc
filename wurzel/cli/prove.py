"""`wurzel prove`: one pipeline in every engine of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import configuration_options, env_file_option, pipeline_argument
from wurzel.cli.types import DurationText, TargetName
from wurzel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wurzel.engines.cluster import Cluster
    from wurzel.engines.driver import Driver
    from wurzel.engines.page import Proof
    from wurzel.engines.proof import Row
    from wurzel.project.resolve import Resolved


@declared("prove")
@pipeline_argument
@click.option(
    "-t", "--target", "targets", multiple=True, type=TargetName(), help="Only engines of this target; repeatable."
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Only the first N items of every source.")
@click.option(
    "--timeout",
    type=DurationText(),
    default="10m",
    show_default=True,
    metavar="TIME",
    help="Longest time for each engine.",
)
@click.option(
    "--report", "reports", multiple=True, metavar="FILE", help="Write a report: .md, .json or .html; repeatable."
)
@click.option("--engines", metavar="DIR", help="Look for engines in DIR/ENGINE/bin before the PATH.")
@env_file_option
@configuration_options
def command(
    pipeline: str | None,
    targets: tuple[str, ...],
    sample: int | None,
    timeout: int,
    reports: tuple[str, ...],
    engines: str | None,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Run a pipeline in every engine here, and compare the data.

    Renders it for each target that wurzel.yaml names, runs it in copies of the project in dvc, act, gitlab-ci-local,
    Airflow and sh, and from its image in docker and on the cluster of KUBECONFIG, and compares every byte with `wurzel
    run`. Exits 1 if data differs or an engine fails; engines that are not installed are skipped. Steps really run, with
    their side effects.
    """
    import os
    import tempfile

    from wurzel.engines.cluster import Cluster
    from wurzel.engines.page import Proof
    from wurzel.engines.process import ENGINES
    from wurzel.engines.project import case_of
    from wurzel.engines.proof import proven
    from wurzel.project.jobs import check_known
    from wurzel.project.open import open_pipeline, open_project
    from wurzel.runtime.ending import ended_by_signals

    forms = {path: _form(path) for path in reports}
    if engines:
        os.environ[ENGINES] = os.path.abspath(engines)  # noqa: PTH100 - a link stays what it is
    for target in targets:
        check_known(target, open_project())
    resolved = open_pipeline(pipeline, environment, sets)
    cluster = Cluster(timeout)
    chosen = _drivers(resolved, targets, cluster, environment)
    width = max(len(driver.name) for drivers in chosen.values() for driver in drivers)
    rows: list[Row] = []
    for own, drivers in chosen.items():
        here = resolved if own == environment else open_pipeline(pipeline, own, sets)
        case = case_of(here.pipeline, pipeline or here.pipeline.name, Path.cwd(), own, sets, sample)
        steps = [step.id for step in here.pipeline.steps]
        with ended_by_signals(), cluster, tempfile.TemporaryDirectory(prefix="wurzel-prove-") as folder:
            found = proven(case, steps, drivers, Path(folder))
            rows += _printed(found, drivers, width, "" if own == environment else f" -e {own}")
    _conclude(Proof(resolved.pipeline.name, sample, __version__, rows), forms)


def _conclude(proof: Proof, forms: Mapping[str, str]) -> None:
    """Write the reports, each path in its form, and say what came of it all. Raises `CheckFailed` if data differs."""
    from wurzel.cli.writing import write_report
    from wurzel.engines.page import write
    from wurzel.exceptions import CheckFailed

    for path, form in forms.items():
        write_report(path, write(proof, form))
    for row in proof.rows:
        if row.log:
            click.echo(f"--- {row.engine}\n{row.log}", err=True)
    if not all(row.is_right for row in proof.rows):
        raise CheckFailed(proof.verdict)
    click.echo(proof.verdict, err=True)


def _form(path: str) -> str:
    from wurzel.engines.page import FORMATS
    from wurzel.exceptions import UsageError

    form = path.rpartition(".")[2]
    if form not in FORMATS:
        raise UsageError(f"--report {path}: the name must end in .md, .json or .html")
    return form


def _drivers(
    resolved: Resolved, targets: Sequence[str], cluster: Cluster, environment: str | None
) -> dict[str | None, list[Driver]]:
    """Engines of the targets that are asked for, or configured, or that all pipelines have; by environment."""
    from wurzel.engines.proof import TARGETS, drivers_of
    from wurzel.exceptions import UsageError
    from wurzel.project.targets import Named

    wanted = list(targets or resolved.options or TARGETS)
    found: dict[str | None, list[Driver]] = {}
    without = []
    for name in wanted:
        named = resolved.named.get(name) or Named("", name)
        if environment is not None and named.environment not in {None, environment} and name not in targets:
            continue
        version = str(resolved.options.get(name, {}).get("version") or "3")
        drivers = drivers_of(named.target, version, cluster, named.name)
        found.setdefault(named.environment or environment, []).extend(drivers)
        without += [] if drivers else [name]
    found = {own: drivers for own, drivers in found.items() if drivers}
    if without:
        click.echo(f"no engine here runs files for {', '.join(without)}", err=True)
    if not found:
        raise UsageError("there is no engine for these targets", hint=f"Targets: {', '.join(TARGETS)}.")
    return found


def _printed(found: Iterable[Row], drivers: Sequence[Driver], width: int, environment: str) -> list[Row]:
    """The rows in the order of their drivers, each printed as it comes; the reference names its environment."""
    from dataclasses import replace

    from wurzel.engines.page import cells

    rows: list[Row] = []
    for row in found:
        rows.append(row if rows else replace(row, engine=f"{row.engine}{environment}"))
        engine, _, version, verdict, digest, time, more = cells(rows[-1])
        facts = f"{engine:{width}}  {verdict:9}  {digest:8}  {time:>8}  {version}"
        click.echo("; ".join(filter(None, (facts.rstrip(), more))))
    order = [driver.name for driver in drivers]
    return sorted(rows, key=lambda row: order.index(row.engine) if row.engine in order else -1)
