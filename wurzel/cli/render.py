"""`wurzel render`: from pipelines to files; written, checked, shown as a difference, or printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wurzel.cli.options import PipelineName, TargetName, configuration_options

if TYPE_CHECKING:
    from wurzel.backends.rendering import JobResult
    from wurzel.exceptions import Problem
    from wurzel.render.output import Change, File

_SAID = {
    "new": "missing",
    "outdated": "out of date",
    "edited": "edited by hand",
    "foreign": "not written by wurzel",
}


@click.command("render")
@click.argument("pipelines", metavar="[PIPELINE]...", nargs=-1, type=PipelineName())
@click.option("-t", "--target", "targets", multiple=True, type=TargetName(), help="Render for it; repeatable.")
@click.option("-o", "--output", default=".", show_default=True, metavar="DIR", help="Write below this folder.")
@click.option("--stdout", is_flag=True, help="Print the files instead of writing them.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not what would be written.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or are not ours.")
@click.option("--strict", is_flag=True, help="Exit 2 when a target cannot do what a pipeline asks for.")
@click.option("--validate", is_flag=True, help="Hold the files to the platforms' own checks before writing them.")
@click.option("--explain", is_flag=True, help="Print each line with the template line and the values that made it.")
@click.option("--watch", is_flag=True, help="Do it again whenever wurzel.yaml, templates or modules change.")
@click.option(
    "--from-ir", type=click.Path(path_type=Path), help="Render an IR file; no code of the pipeline is needed."
)
@configuration_options
def command(
    pipelines: tuple[str, ...],
    targets: tuple[str, ...],
    output: str,
    stdout: bool,
    check: bool,
    diff: bool,
    force: bool,
    strict: bool,
    validate: bool,
    explain: bool,
    watch: bool,
    from_ir: Path | None,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Render pipelines into the native files of their targets.

    PIPELINE is a name in wurzel.yaml or module:attribute. With no arguments, every pipeline is rendered for every
    target that wurzel.yaml names for it.
    """
    if sum((stdout, check, diff, explain)) > 1:
        raise click.UsageError("--stdout, --check, --diff and --explain exclude each other.")

    def once() -> list[Path]:
        from wurzel.backends.rendering import render
        from wurzel.project.jobs import Request, open_jobs
        from wurzel.render import Renderer

        jobs, project = open_jobs(Request(pipelines, targets, environment, sets, from_ir))
        renderer = Renderer(project.templates if project else (), root=project.root if project else ".")
        results = render(jobs, renderer)
        _warn(renderer.layers.warnings)
        _report(results, strict)
        if validate:
            _validate(results)
        if explain:
            _explain(results)
        else:
            _finish(results, output, stdout=stdout, check=check, diff=diff, force=force)
        return [layer.folder for layer in renderer.layers.layers]

    if watch:
        _watch(once, from_ir)
    else:
        once()


def _watch(once: Callable[[], list[Path]], from_ir: Path | None) -> None:
    from wurzel.project.load import FILE
    from wurzel.render.watch import watch

    watch(once, lambda line: click.echo(line, err=True), always=[from_ir or Path(FILE)])


def _finish(results: Sequence[JobResult], output: str, *, stdout: bool, check: bool, diff: bool, force: bool) -> None:
    from wurzel.render.output import apply, plan
    from wurzel.render.transaction import recover

    files = _signed(results)
    if stdout:
        _print(files)
        return
    if ended := recover(Path(output).resolve()):
        click.echo(f"{ended} what an interrupted render left half done", err=True)
    changes = plan(output, files)
    if check:
        _check(changes, results)
    elif diff:
        _show(changes)
    else:
        if not force:
            _show([change for change in changes if change.is_blocked])
        _say(changes, apply(changes, force=force))


def _signed(results: Sequence[JobResult]) -> list[File]:
    from wurzel.render.header import sign
    from wurzel.render.output import File

    return [
        File(
            file.output.path,
            sign(file.rendered.text, command=file.job.command, source=file.job.pipeline.entrypoint),
            file.output.executable,
        )
        for result in results
        for file in result.files
    ]


def _warn(warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def _report(results: Sequence[JobResult], strict: bool) -> None:
    from wurzel.backends.support import summary
    from wurzel.exceptions import PreflightError

    problems = [
        summary(result.reports, result.job.pipeline.name, result.job.locate) for result in results if result.reports
    ]
    if problems and strict:
        raise PreflightError(problems)
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)


def _validate(results: Sequence[JobResult]) -> None:
    from wurzel.backends.rendering import validate
    from wurzel.exceptions import ValidationFailed

    problems = validate(results)
    if problems:
        raise ValidationFailed(problems)


def _explain(results: Sequence[JobResult]) -> None:
    for file in (file for result in results for file in result.files):
        click.echo(f"# {file.output.path}")
        lines = list(zip(file.rendered.text.splitlines(), map(str, file.rendered.origins), strict=False))
        width = max((len(origin) for _, origin in lines), default=0)
        for (text, origin), where in zip(lines, file.rendered.origins, strict=False):
            values = f"  <- {', '.join(where.values)}" if where.values else ""
            click.echo(f"{origin:<{width}} | {text}{values}")


def _print(files: Sequence[File]) -> None:
    for number, file in enumerate(files):
        if len(files) > 1:
            sys.stdout.flush()
            click.echo(f"{'' if number == 0 else chr(10)}# {file.path}", err=True)
        click.echo(file.text, nl=False)


def _check(changes: Sequence[Change], results: Sequence[JobResult]) -> None:
    from wurzel.exceptions import CheckFailed

    wrong = [change for change in changes if change.state != "same"]
    if not wrong:
        click.echo(f"{len(changes)} files are up to date", err=True)
        return
    _show(wrong)
    commands = {file.output.path: file.job.command for result in results for file in result.files}
    lines = [f"{change.path}: {_SAID[change.state]}" for change in wrong]
    mend = list(dict.fromkeys(commands[change.path] + _force(change) for change in wrong))
    raise CheckFailed("\n  ".join(["files are not what would be written", *lines]), hint="Run: " + "\n  ".join(mend))


def _force(change: Change) -> str:
    return " --force" if change.is_blocked else ""


def _show(changes: Sequence[Change]) -> None:
    colour = sys.stdout.isatty()
    for change in changes:
        for line in change.diff().splitlines():
            click.echo(_coloured(line) if colour else line)


def _coloured(line: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return click.style(line, fg=colours[line[0]]) if line[:1] in colours else line


def _say(changes: Sequence[Change], written: Sequence[Change]) -> None:
    for change in written:
        click.echo(f"{'created' if change.old is None else 'updated'} {change.path}", err=True)
    same = len(changes) - len(written)
    if same:
        click.echo(f"{same} {'file is' if same == 1 else 'files are'} up to date", err=True)
