"""`wurzel render`: writes, checks, diffs, prints or explains the files of pipelines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.cli.declare import argument, declared, option
from wurzel.cli.options import check_alone, check_choice, choosing_options, configuration_options
from wurzel.cli.saying import inform, say, write
from wurzel.exceptions import UsageError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.cli.changes import Changes
    from wurzel.project.jobs import Choice, Request
    from wurzel.render import Renderer
    from wurzel.render.output import File


class Options(NamedTuple):
    """What is done with the rendered files."""

    stdout: bool
    check: bool
    diff: bool
    explain: bool
    form: str
    force: bool
    prune: bool
    strict: bool
    validate: bool
    exit_code: bool

    @property
    def looks_back(self) -> bool:
        """Whether files that are no longer rendered count as well."""
        return self.check or self.prune


@declared("render")
@argument("pipelines", metavar="[PIPELINE]...", nargs=-1, type="PipelineName")
@option("-t", "--target", "targets", multiple=True, type="TargetName", help="Render for this target; repeatable.")
@option("-o", "--output", default=".", show_default=True, metavar="DIR", help="Write below this folder.")
@option("--stdout", is_flag=True, help="Print the files instead of writing them.")
@option("--check", is_flag=True, help="Write nothing; exit 1 if any rendered file is out of date.")
@option("--diff", is_flag=True, help="Write nothing; show what would change.")
@option("--explain", is_flag=True, help="Print each line with the template line and configuration behind it.")
@option(
    "--format",
    "form",
    type=("text", "json", "codequality"),
    default="text",
    help="Output format; codequality is GitLab's, for --check.",
)
@option("--force", is_flag=True, help="Also overwrite and remove files edited by hand or not written by wurzel.")
@option("--prune", is_flag=True, help="Remove rendered files that are no longer rendered.")
@option("--exit-code", is_flag=True, help="Exit 1 if a file was written or removed.")
@option("--strict", is_flag=True, help="Exit 2 if a target does not support a feature that is used.")
@option("--validate", is_flag=True, help="Run the platforms' own linters before writing.")
@option("--watch", is_flag=True, help="Re-render whenever wurzel.yaml, templates or modules change.")
@option("--from-ir", type=Path, help="Render an IR file, without the pipeline's code.")
@choosing_options("Render")
@configuration_options
def command(
    pipelines: tuple[str, ...],
    targets: tuple[str, ...],
    output: str,
    watch: bool,
    from_ir: Path | None,
    environment: str | None,
    sets: tuple[str, ...],
    only: tuple[str, ...],
    first: tuple[str, ...],
    last: tuple[str, ...],
    **options: Any,
) -> None:
    """Render pipelines into the native files of their targets.

    PIPELINE is a name in wurzel.yaml or module:attribute. With no arguments, every pipeline is rendered for every
    target that wurzel.yaml names for it. With --only, --from or --until, a file for one run of these steps is written.
    """
    from wurzel.cli import own_output
    from wurzel.lean import load_pydantic

    load_pydantic()
    from wurzel.project.jobs import Choice, Request

    own_output()
    chosen, choice = Options(**options), Choice(only, first, last)
    _check(chosen, choice, output)
    request = Request(pipelines, targets, environment, sets, from_ir, output, choice, chosen.looks_back)
    once = partial(_render, request, chosen)
    if watch:
        from wurzel.cli.watch import watch as again
        from wurzel.project.load import FILE

        again(once, inform, always=[from_ir or Path(FILE)])
    else:
        once()


def _check(options: Options, choice: Choice, output: str) -> None:
    """Refuse options that contradict each other."""
    check_alone({f"--{name}": getattr(options, name) for name in ("stdout", "check", "diff", "explain")})
    check_choice(*choice)
    if options.form == "codequality" and not options.check:
        raise UsageError("--format codequality requires --check")
    if not choice.options:
        return
    if options.looks_back:
        raise UsageError("--check and --prune do not apply to a run of some steps: its file is not kept")
    if not options.stdout and Path(output).resolve() == Path.cwd():
        raise UsageError(
            "the file of a run of some steps must not replace that of the whole pipeline",
            hint="Use --stdout, or another folder: -o DIR.",
        )


def _render(request: Request, options: Options) -> list[Path]:
    """Render, then write, check or print as the options say; returns the template folders that were read."""
    from wurzel.backends.rendering import render
    from wurzel.cli.changes import Changes, signed
    from wurzel.project.jobs import open_jobs
    from wurzel.project.open import renderer_of
    from wurzel.project.place import place_of

    jobs, project = open_jobs(request)
    renderer = renderer_of(project)
    results = render(jobs, renderer)
    for warning in renderer.layers.warnings:
        say("warning", warning)
    _warn(results, options.strict)
    if options.validate:
        _validate(results, renderer)
    if options.explain:
        _explain(results, renderer, options.form)
    elif options.stdout:
        _print(signed(results, renderer.layers.versions, place_of(project, request.output).folder))
    else:
        _finish(Changes(request, results, renderer, project, looks_back=options.looks_back), options)
    return [layer.folder for layer in renderer.layers.layers]


def _finish(changes: Changes, options: Options) -> None:
    changes.tell_meanings()
    if options.check:
        changes.check(options.form)
    elif options.diff:
        changes.show(options.form)
    else:
        written = changes.write(options.form, force=options.force)
        if written and options.exit_code:
            from wurzel.exceptions import CheckFailed

            raise CheckFailed("files were written", hint="Review them, and add them to the commit.")


def _warn(results: Sequence[JobResult], strict: bool) -> None:
    from wurzel.backends.rendering import lost, zone_problems
    from wurzel.backends.support import summary, total
    from wurzel.exceptions import PreflightError

    problems = [
        summary(result.reports, result.job.pipeline.name, result.job.locate) for result in results if result.reports
    ]
    if strict and (found := [*problems, *lost(results)]):
        raise PreflightError(found)
    if len(problems) > 1:
        problems = [total([result.reports for result in results])]
    for problem in dict.fromkeys([*zone_problems(results), *problems]):
        say("warning", problem)


def _validate(results: Sequence[JobResult], renderer: Renderer) -> None:
    from wurzel.backends.checking import validate
    from wurzel.exceptions import ValidationFailed

    problems, notes = validate(results, renderer.layers.schemas)
    for note in notes:
        inform(f"note: {note}")
    if problems:
        raise ValidationFailed(problems)


def _explain(results: Sequence[JobResult], renderer: Renderer, form: str) -> None:
    from wurzel.drift.explain import as_json, as_text, explain

    files = [file for result in results for file in explain(result, renderer)]
    write(as_json(files) if form == "json" else as_text(files))


def _print(files: Sequence[File]) -> None:
    for number, file in enumerate(files):
        if len(files) > 1:
            sys.stdout.flush()
            inform(f"{'' if number == 0 else chr(10)}# {file.path}")
        write(file.text or "")
