"""`wurzel render`: writes, checks, diffs, prints or explains the files of pipelines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.cli.declare import argument, declared, option
from wurzel.cli.options import check_alone, check_choice, choosing_options, configuration_options
from wurzel.cli.saying import inform, say, write
from wurzel.exceptions import UsageError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.drift.report import Report
    from wurzel.project.jobs import Request
    from wurzel.project.load import Project
    from wurzel.render import Renderer
    from wurzel.render.output import Change, File


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
    from wurzel.project.jobs import Choice, Request

    chosen = Options(**options)
    own_output()
    check_alone({f"--{name}": getattr(chosen, name) for name in ("stdout", "check", "diff", "explain")})
    if chosen.form == "codequality" and not chosen.check:
        raise UsageError("--format codequality requires --check")

    choice = Choice(only, first, last)
    check_choice(*choice)
    if choice.options:
        _check_one_off(chosen, output)

    def once() -> list[Path]:
        looks_back = chosen.check or chosen.prune
        return _render(Request(pipelines, targets, environment, sets, from_ir, output, choice, looks_back), chosen)

    if watch:
        from wurzel.cli.watch import watch as again
        from wurzel.project.load import FILE

        again(once, inform, always=[from_ir or Path(FILE)])
    else:
        once()


def _check_one_off(options: Options, output: str) -> None:
    """A file for one run stands beside no others, and is not kept up to date."""
    if options.check or options.prune:
        raise UsageError("A file for one run of some steps is not kept; leave out --check and --prune")
    if not options.stdout and Path(output).resolve() == Path.cwd():
        raise UsageError("A file for one run of some steps goes to --stdout, or to another folder: -o DIR")


def _render(request: Request, options: Options) -> list[Path]:
    """Render, then write, check or print as the options say; returns the template folders that were read."""
    from wurzel.backends.rendering import render
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
        _finish(_Run(request, options, results, renderer), project)
    return [layer.folder for layer in renderer.layers.layers]


class _Run(NamedTuple):
    """A request and its rendered results."""

    request: Request
    options: Options
    results: Sequence[JobResult]
    renderer: Renderer

    def report(self, changes: Sequence[Change]) -> Report:
        from wurzel.drift.report import report

        return report(changes, self.results, self.renderer, self.request)


def _finish(run: _Run, project: Project | None) -> None:
    from wurzel.exceptions import CheckFailed
    from wurzel.project.place import place_of
    from wurzel.render.output import File, apply, plan
    from wurzel.render.transaction import recover

    place = place_of(project, run.request.output)
    for home in dict.fromkeys((place.root, place.top)):
        if ended := recover(home):
            inform(f"{ended} an interrupted render")
    files = signed(run.results, run.renderer.layers.versions, place.folder)
    if project is not None and (run.options.check or run.options.prune):
        from wurzel.drift.orphans import orphans

        files += [File(path, None) for path in orphans(place, run.request, [file.path for file in files])]
    changes = plan(place.root, files, place.top)
    _tell_meanings(changes, run)
    if run.options.check:
        _check(changes, run)
    elif run.options.diff:
        _show(changes, run)
    else:
        if not run.options.force:
            _diff([change for change in changes if change.is_blocked])
            for line in _adoptable(changes, run):
                inform(line)
        written = apply(changes, force=run.options.force)
        _say(changes, written, run)
        if written and run.options.exit_code:
            raise CheckFailed("files were written", hint="Review them, and add them to the commit.")


def _tell_meanings(changes: Sequence[Change], run: _Run) -> None:
    layers = [layer for layer in run.renderer.layers.layers if layer.is_own]
    if len(layers) > 1 and any(change.state in {"outdated", "edited"} for change in changes):
        from wurzel.drift.meaning import changed_meanings  # only where there is a layer between

        for warning in changed_meanings(changes, run.results, run.renderer):
            say("warning", warning)


def signed(results: Sequence[JobResult], packs: str, folder: str) -> list[File]:
    """The files with their headers; those at the top of the repository name the project's `folder`."""
    from wurzel.render.header import sign, within
    from wurzel.render.output import File

    return [
        File(
            file.output.path,
            sign(
                file.rendered.text,
                command=within(folder if file.output.path.startswith("../") else "", file.job.command),
                source=file.job.pipeline.entrypoint,
                packs=packs,
                template=file.output.template,
            ),
            file.output.executable,
            file.output.instead,
        )
        for result in results
        for file in result.files
    ]


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


def _check(changes: Sequence[Change], run: _Run) -> None:
    from wurzel.drift.formats import as_codequality, as_json, check_text, github_commands
    from wurzel.exceptions import CheckFailed

    report = run.report(changes)
    if run.options.form == "text":
        _diff([finding.change for finding in report.findings])
    else:
        write(as_json(report) if run.options.form == "json" else as_codequality(report))
    if not report.findings:
        inform(_up_to_date(len(changes)))
        return
    sys.stdout.flush()
    for line in github_commands(report):
        inform(line)
    raise CheckFailed(check_text(report), hint="\n  ".join([f"Run: {report.fix}", *_adoptable(changes, run)]))


def _adoptable(changes: Sequence[Change], run: _Run) -> list[str]:
    """What `wurzel adopt` would take from edited files, which --force would overwrite."""
    if all(change.state != "edited" for change in changes):
        return []
    from wurzel.drift.adopt import proposals

    found = [str(proposal) for proposal in proposals(changes, run.results)]
    return (
        ["Or take these values into wurzel.yaml, with: wurzel adopt", *(f"  {text}" for text in found)] if found else []
    )


def _show(changes: Sequence[Change], run: _Run) -> None:
    if run.options.form == "json":
        from wurzel.drift.formats import as_json

        write(as_json(run.report(changes)))
    else:
        _diff([change for change in changes if change.state != "same"])


def _diff(changes: Sequence[Change]) -> None:
    if not changes:
        return
    from wurzel.drift.formats import diff_lines

    colour = sys.stdout.isatty()
    for line in diff_lines(changes):
        write(f"{_coloured(line) if colour else line}\n")


def _coloured(line: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    from click import style  # only a terminal has colours

    return style(line, fg=colours[line[0]]) if line[:1] in colours else line


def _say(changes: Sequence[Change], written: Sequence[Change], run: _Run) -> None:
    for change in written:
        if change.old is None:
            inform(f"created {change.path}")
    created = [change for change in written if change.old is None]
    _note_unlisted(created, run.request)
    _note_includes(created, run.results)
    if replaced := [change for change in written if change.old is not None]:
        from wurzel.drift.formats import written_text

        for line in written_text(run.report(replaced)):
            inform(line)
    if run.options.form == "json":
        from wurzel.drift.formats import as_json

        done = {change.path: change for change in written}
        now = [done.get(change.path, change) for change in changes]
        write(as_json(run.report(now), written))
    same = len(changes) - len(written)
    if same:
        inform(_up_to_date(same))


def _note_unlisted(created: Sequence[Change], request: Request) -> None:
    if not created or request.output != ".":
        return
    from wurzel.drift.workflow import unlisted
    from wurzel.project.place import Place

    base, home = created[0].base, created[0].home
    folder = base.relative_to(home).as_posix().removeprefix(".")
    for command in unlisted(Place(base, home, folder), [change.path for change in created]):
        inform(f"note: the CI job that pushes rendered files does not list the new ones; run: {command}")


def _note_includes(created: Sequence[Change], results: Sequence[JobResult]) -> None:
    """What the author of GitLab's root file has to write there; other kinds of files are read without that."""
    files = [(file.output.path, result.job) for result in results for file in result.files]
    jobs = {path: job for path, job in files if path.endswith(".gitlab-ci.yml")}
    for change in created:
        if getattr(jobs[change.path].options if change.path in jobs else None, "kind", "") == "include":
            from wurzel.cli.ci import include

            inform(include(change))


def _up_to_date(count: int) -> str:
    return f"{count} {'file is' if count == 1 else 'files are'} up to date"
