"""`wurzel templates try`: how changes of templates change rendered files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.backends.registry import names
from wurzel.backends.rendering import render
from wurzel.exceptions import UsageError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import renderer_of

if TYPE_CHECKING:
    from wurzel.backends.job import Job


class Trial:
    """Renders the same pipelines repeatedly; pipelines are read once, templates each time.

    Args:
        request: what to render; with a template and no targets, it is rendered for the target of the template.
        template: name of the project's template to try; `None` for all of them.

    Raises:
        UsageError: when the project has no such template, or there is nothing to render.
        TemplateError: when templates cannot be rendered.
    """

    def __init__(self, request: Request, template: str | None) -> None:
        target = template.partition("/")[0] if template is not None else ""
        if not request.targets and target in names():
            request = request._replace(targets=(target,))
        self._jobs, project = open_jobs(request)
        self._project = project
        tried = self._own(template)
        if not tried:
            what = f"{template!r} is not a template of the project" if template else "the project has no templates"
            raise UsageError(what, hint=f"Create one: wurzel templates eject {template or 'TEMPLATE'}")
        self._before = self._texts(hidden=tried)
        self._state: Mapping[Path, tuple[int, int, int]] = self._files()

    def has_changed(self) -> bool:
        """Whether a template was saved, added or removed since the last time."""
        state = self._files()
        changed, self._state = state != self._state, state
        return changed

    def difference(self) -> str:
        """What changed in the rendered files since the last call; the first call compares with no template at all.

        Raises `TemplateError` when templates cannot be rendered; the base of the comparison is kept.
        """
        before, now = self._before, self._texts()
        self._before = now
        paths = dict.fromkeys([*before, *now])
        return "".join(_difference(path, before.get(path), now.get(path)) for path in paths)

    def _own(self, template: str | None) -> list[Path]:
        layers = renderer_of(self._project).layers
        own = [found for layer in layers.layers if layer.kind == "project" for found in layers.of(layer)]
        if template is None:
            return [found.path for found in own]
        return [found.path for found in own if found.name == template][:1]

    def _texts(self, hidden: Sequence[Path] = ()) -> dict[str, str]:
        renderer = renderer_of(self._project)
        renderer.layers.hide(hidden)
        jobs: Sequence[Job] = self._jobs
        return {file.output.path: file.rendered.text for result in render(jobs, renderer) for file in result.files}

    def _files(self) -> dict[Path, tuple[int, int, int]]:
        found = {}
        for path in self._own(None):
            try:
                stat = path.stat()
            except FileNotFoundError:  # an editor is just replacing it
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return found


def _difference(path: str, before: str | None, now: str | None) -> str:
    from wurzel.render.diff import unified

    old = "/dev/null" if before is None else f"a/{path}"
    new = "/dev/null" if now is None else f"b/{path}"
    return unified((before or "").splitlines(True), (now or "").splitlines(True), old, new)
