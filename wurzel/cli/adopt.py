"""`wurzel adopt`: take values of rendered files that were edited into wurzel.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.backends.job import JobResult
    from wurzel.drift.adopt import Proposal
    from wurzel.project.jobs import Request
    from wurzel.render.output import Change


@click.command("adopt")
@click.argument("pipelines", nargs=-1, metavar="[PIPELINE]...")
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="Take values only from files of this target; repeatable.",
)
@click.option("-e", "--env", "environment", metavar="ENV", help="Write values to this environment of wurzel.yaml.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if there is something to take.")
def command(pipelines: tuple[str, ...], targets: tuple[str, ...], environment: str | None, check: bool) -> None:
    """Take values of edited files into wurzel.yaml.

    These are settings in the params.yaml of DVC, as `dvc exp run -S` and `dvc exp apply` leave them, and pinned actions
    in workflows of GitHub, as bots update them. Comments and layout of wurzel.yaml are kept.
    """
    from wurzel.drift.adopt import adopted, proposals
    from wurzel.exceptions import CheckFailed
    from wurzel.new_file import write_file
    from wurzel.project.jobs import Request
    from wurzel.project.load import FILE
    from wurzel.project.open import required_project

    project = required_project()
    request = Request(pipelines, targets, environment)
    results, changes = _rendered(request)
    found = proposals(changes, results)
    for proposal in found:
        click.echo(str(proposal), err=not check)
    if not found:
        click.echo("nothing to adopt: no rendered file has a value that wurzel.yaml could have", err=True)
        return
    path = project.root / FILE
    before = path.read_bytes().decode()
    text = adopted(before, found)
    if check:
        raise CheckFailed(f"{_count(found)} only in rendered files", hint=f"Run: {_words(request)}")
    write_file(path, text)
    try:
        results, changes = _rendered(request)
    except BaseException:
        write_file(path, before)
        raise
    click.echo(f"updated {FILE}", err=True)
    _write({proposal.file for proposal in found}, changes)


def _rendered(request: Request) -> tuple[Sequence[JobResult], list[Change]]:
    from wurzel.backends.rendering import render
    from wurzel.cli.changes import signed
    from wurzel.project.jobs import open_jobs
    from wurzel.project.open import renderer_of
    from wurzel.project.place import place_of
    from wurzel.render.output import plan

    jobs, project = open_jobs(request)
    renderer = renderer_of(project)
    results = render(jobs, renderer)
    place = place_of(project)
    files = signed(results, renderer.layers.versions, place.folder)
    return results, plan(place.root, files, place.top)


def _write(paths: set[str], changes: Sequence[Change]) -> None:
    """Write the files whose values were taken, where that loses nothing else."""
    from wurzel.render.documents import parsed
    from wurzel.render.output import apply

    own = [change for change in changes if change.path in paths and change.state != "same"]
    same = [change for change in own if parsed((change.old or b"").decode()) == parsed((change.new or b"").decode())]
    for change in apply(same, force=True):
        click.echo(f"updated {change.path}", err=True)
    for change in own:
        if change not in same:
            click.echo(f"note: {change.path} has other changes as well; see: wurzel render --diff", err=True)


def _count(found: Sequence[Proposal]) -> str:
    return "1 value is" if len(found) == 1 else f"{len(found)} values are"


def _words(request: Request) -> str:
    import shlex

    from wurzel.invocation.call import options

    words = options(t=request.targets, e=request.environment)
    return shlex.join(["wurzel", "adopt", *request.pipelines, *words])
