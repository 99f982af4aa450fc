"""What a render would change among the files that are there: checked, shown or written, and told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.cli.saying import inform, say, write
from wurzel.render.output import File, plan

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.drift.report import Report
    from wurzel.project.jobs import Request
    from wurzel.project.load import Project
    from wurzel.render import Renderer
    from wurzel.render.output import Change


class Changes:
    """What writing the rendered files of a request would change."""

    def __init__(
        self,
        request: Request,
        results: Sequence[JobResult],
        renderer: Renderer,
        project: Project | None,
        *,
        looks_back: bool,
    ) -> None:
        """With `looks_back`, files count as well that the project no longer renders."""
        from wurzel.project.place import place_of
        from wurzel.render.transaction import recover

        self._request = request
        self._results = results
        self._renderer = renderer
        place = place_of(project, request.output)
        for home in dict.fromkeys((place.root, place.top)):
            if ended := recover(home):
                inform(f"{ended} an interrupted render")
        files = signed(results, renderer.layers.versions, place.folder)
        if project is not None and looks_back:
            from wurzel.drift.orphans import orphans

            files += [File(path, None) for path in orphans(place, request, [file.path for file in files])]
        self._all = plan(place.root, files, place.top)

    def tell_meanings(self) -> None:
        """Warn where a layer of templates between has changed what others mean."""
        layers = [layer for layer in self._renderer.layers.layers if layer.is_own]
        if len(layers) > 1 and any(change.state in {"outdated", "edited"} for change in self._all):
            from wurzel.drift.meaning import changed_meanings  # only where there is a layer between

            for warning in changed_meanings(self._all, self._results, self._renderer):
                say("warning", warning)

    def check(self, form: str) -> None:
        """Show what is out of date. Raises `CheckFailed` if anything is."""
        from wurzel.drift.formats import as_codequality, as_json, check_text, github_commands
        from wurzel.exceptions import CheckFailed

        report = self._report(self._all)
        if form == "text":
            _diff([finding.change for finding in report.findings])
        else:
            write(as_json(report) if form == "json" else as_codequality(report))
        if not report.findings:
            inform(_up_to_date(len(self._all)))
            return
        sys.stdout.flush()
        for line in github_commands(report):
            inform(line)
        raise CheckFailed(check_text(report), hint="\n  ".join([f"Run: {report.fix}", *self._adoptable()]))

    def show(self, form: str) -> None:
        """Show what would change."""
        if form == "json":
            from wurzel.drift.formats import as_json

            write(as_json(self._report(self._all)))
        else:
            _diff([change for change in self._all if change.state != "same"])

    def write(self, form: str, *, force: bool) -> bool:
        """Write and remove files, and tell which; whether there were any. With `force`, edited ones as well."""
        from wurzel.render.output import apply

        if not force:
            _diff([change for change in self._all if change.is_blocked])
            for line in self._adoptable():
                inform(line)
        written = apply(self._all, force=force)
        self._tell(written)
        if form == "json":
            from wurzel.drift.formats import as_json

            done = {change.path: change for change in written}
            now = [done.get(change.path, change) for change in self._all]
            write(as_json(self._report(now), written))
        if same := len(self._all) - len(written):
            inform(_up_to_date(same))
        return bool(written)

    def _tell(self, written: Sequence[Change]) -> None:
        created = [change for change in written if change.old is None]
        for change in created:
            inform(f"created {change.path}")
        self._note_unlisted(created)
        self._note_includes(created)
        if replaced := [change for change in written if change.old is not None]:
            from wurzel.drift.formats import written_text

            for line in written_text(self._report(replaced)):
                inform(line)

    def _report(self, changes: Sequence[Change]) -> Report:
        from wurzel.drift.report import report

        return report(changes, self._results, self._renderer, self._request)

    def _adoptable(self) -> list[str]:
        """What `wurzel adopt` would take from edited files, which --force would overwrite."""
        if all(change.state != "edited" for change in self._all):
            return []
        from wurzel.drift.adopt import proposals

        found = [f"  {proposal}" for proposal in proposals(self._all, self._results)]
        return ["Or take these values into wurzel.yaml, with: wurzel adopt", *found] if found else []

    def _note_unlisted(self, created: Sequence[Change]) -> None:
        if not created or self._request.output != ".":
            return
        from wurzel.drift.workflow import unlisted
        from wurzel.project.place import Place

        base, home = created[0].base, created[0].home
        folder = base.relative_to(home).as_posix().removeprefix(".")
        for command in unlisted(Place(base, home, folder), [change.path for change in created]):
            inform(f"note: the CI job that pushes rendered files does not list the new ones; run: {command}")

    def _note_includes(self, created: Sequence[Change]) -> None:
        """What the author of GitLab's root file has to write there; other kinds of files are read without that."""
        files = [(file.output.path, result.job) for result in self._results for file in result.files]
        jobs = {path: job for path, job in files if path.endswith(".gitlab-ci.yml")}
        for change in created:
            if getattr(jobs[change.path].options if change.path in jobs else None, "kind", "") == "include":
                from wurzel.cli.ci import include

                inform(include(change))


def signed(results: Sequence[JobResult], packs: str, folder: str) -> list[File]:
    """The files with their headers; those at the top of the repository name the project's `folder`."""
    from wurzel.render.header import sign, within

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


def _up_to_date(count: int) -> str:
    return f"{count} {'file is' if count == 1 else 'files are'} up to date"
