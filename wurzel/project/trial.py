"""`wurzel templates try`: what the templates of a project change in rendered files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.backends.registry import names
from wurzel.backends.rendering import render
from wurzel.exceptions import UsageError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import renderer_of
from wurzel.render.diff import unified

if TYPE_CHECKING:
    from wurzel.backends.job import Job
    from wurzel.render import Renderer


class Trial:
    """Renders pipelines with and without templates of the project: one of them, or all.

    A template is rendered for its own target unless the request has targets. Raises `UsageError` when the project has
    no such template, or there is nothing to render.
    """

    def __init__(self, request: Request, template: str | None) -> None:
        target = template.partition("/")[0] if template is not None else ""
        if not request.targets and target in names():
            request = request._replace(targets=(target,))
        self._jobs, project = open_jobs(request)
        self._with, self._without = renderer_of(project), renderer_of(project)
        own = [layer for layer in self._with.layers.layers if layer.kind == "project"]
        found = [each for layer in own for each in self._with.layers.of(layer) if template in {None, each.name}]
        if not found:
            what = f"{template!r} is not a template of the project" if template else "the project has no templates"
            raise UsageError(what, hint=f"Create one: wurzel templates eject {template or 'TEMPLATE'}")
        self._without.layers.hide(each.path for each in (found[:1] if template else found))
        self.folders = [layer.folder for layer in own]

    def difference(self) -> str:
        """What the templates change in rendered files. Raises `TemplateError` when one cannot be rendered."""
        before, now = _texts(self._jobs, self._without), _texts(self._jobs, self._with)
        paths = dict.fromkeys([*before, *now])
        return "".join(_difference(path, before.get(path), now.get(path)) for path in paths)


def _texts(jobs: Sequence[Job], renderer: Renderer) -> dict[str, str]:
    return {file.output.path: file.rendered.text for result in render(jobs, renderer) for file in result.files}


def _difference(path: str, before: str | None, now: str | None) -> str:
    old = "/dev/null" if before is None else f"a/{path}"
    new = "/dev/null" if now is None else f"b/{path}"
    return unified((before or "").splitlines(True), (now or "").splitlines(True), old, new)
