"""The files that an image is built from, with our header: `Dockerfile` and `.dockerignore`."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import UsageError
from wurzel.image.sources import VERSIONS, Sources, sources_of
from wurzel.named_tuples import NamedTuple
from wurzel.project.kinds import Context
from wurzel.project.model import Container
from wurzel.project.nodes import Findings
from wurzel.project.open import project_variables
from wurzel.project.place import place_of
from wurzel.project.read import read
from wurzel.render.header import sign
from wurzel.render.output import File

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.render import Renderer

FILES = {"Dockerfile": "image/Dockerfile.j2", ".dockerignore": "image/dockerignore.j2"}
"""Path of each file, and its template."""
COMMAND = "wurzel image"


class Image(NamedTuple):
    """The image of a project."""

    files: Sequence[File]
    name: str | None
    """What it is built and pushed as."""
    reports: Sequence[str]
    """What makes two builds differ, or is not as it should be."""


def image_of(project: Project, renderer: Renderer, data: Sequence[str]) -> Image:
    """The files of an image.

    `data` are folders of datasets, which are left out of it. Raises `UsageError` when `container` is missing, or a
    local wurzel is outside the project.
    """
    container = container_of(project)
    sources = sources_of(place_of(project), project.requires, project.file)
    context = _context(project, container, sources, data)
    files = [
        File(
            path,
            sign(
                renderer.render(template, context).text,
                command=COMMAND,
                source=project.file,
                packs=renderer.layers.versions,
            ),
        )
        for path, template in FILES.items()
    ]
    return Image(
        files,
        container.image,
        [*_reports(container, sources, str(project.container.origin if project.container else ""))],
    )


def _context(project: Project, container: Container, sources: Sources, data: Sequence[str]) -> dict[str, Any]:
    """What the templates of an image see."""
    return {
        "variables": project_variables(project, None),
        "environment": None,
        "base": container.base,
        "packages": sorted(container.packages),
        "base_name": container.base.partition("@")[0],
        "labels": _labels(container),
        "manager": sources.manager,
        "files": sources.files,
        "requirements": sources.requirements,
        "folders": sources.folders,
        "extras": sources.extras,
        "requires": sources.requires,
        "python_path": sources.python_path,
        "versions": VERSIONS,
        "data": [_pattern(path) for path in sorted(set(data))],
    }


def container_of(project: Project) -> Container:
    """What the file says about the image; raises `UsageError` when it says nothing."""
    if project.container is None or project.container.value is None:
        hint = "For example: container: {base: 'python:3.12-slim-bookworm@sha256:…', image: 'ghcr.io/acme/rag:1.0'}."
        raise UsageError("there is no `container`", where=project.file, hint=hint)
    container: Container = read(project.container, Container, "container", Context(Findings()))
    return container


def _labels(container: Container) -> dict[str, list[str]]:
    """The words of each label; names are https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
    digest = container.base.partition("@")[2]
    found = ({"org.opencontainers.image.base.digest": digest} if digest else {}) | container.labels
    return {key: text.split(" ") for key, text in sorted(found.items())}


def _pattern(path: str) -> list[str]:
    """The parts of a path between what .dockerignore would read as a pattern, a comment or the end of it."""
    return re.split(r"[^\w.,:/@%+=~-]", posixpath.normpath(path), flags=re.ASCII)


def _reports(container: Container, sources: Sources, where: str) -> list[str]:
    found = []
    if "@sha256:" not in container.base:
        how = shlex.join(["docker", "buildx", "imagetools", "inspect", container.base])
        what = "has no digest, so each build may start from another image"
        found.append(f"{where}: container.base: {container.base!r} {what}; `{how}` prints it")
    return [*found, *sources.reports]
