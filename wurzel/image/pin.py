"""Writes the digest of a pushed image into wurzel.yaml, wherever that names the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.exceptions import UsageError
from wurzel.image.build import repository
from wurzel.project.edit import Place, edited
from wurzel.project.load import FILE

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.project.nodes import Node


def pinned_file(project: Project, image: str, environment: str | None) -> str:
    """The text of wurzel.yaml with `image`, a name with a digest, in place of every name of the same repository.

    What an environment gets is written to the environment, also where it stands for all of them. Raises `UsageError`
    when no pipeline names the image, or for an unknown environment; `ConfigError` when a place cannot be changed.
    """
    start: Place = ("environments", environment) if environment is not None else ()
    overrides = project.overrides(environment)
    found: dict[Place, str] = {}
    for name in project.names(environment):
        given: dict[Place, str] = {}
        for layer in filter(None, (project.pipelines[name], overrides.get(name))):
            given |= dict(_images(layer))
        same = [place for place, old in given.items() if repository(old) == repository(image)]
        found |= {(*start, "pipelines", name, *place): image for place in same}
    if not found:
        hint = f"Set it where steps run in it: image: {repository(image)}:TAG."
        raise UsageError(f"no pipeline has {repository(image)} as its `image`", where=project.file, hint=hint)
    return edited((project.root / FILE).read_bytes().decode(), found, FILE)


def _images(node: Node) -> Iterator[tuple[Place, str]]:
    """The images of a pipeline, its steps and targets."""
    for key, inner in node.fields.items():
        if key == "image" and isinstance(inner.value, str):
            yield (key,), inner.value
        yield from (((key, *place), text) for place, text in _images(inner))
