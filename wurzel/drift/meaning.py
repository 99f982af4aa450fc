"""Finds templates whose `!` meant wurzel's own template in 0.1.0, where it now means that of a layer in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem
from wurzel.render.header import packs_of
from wurzel.render.layers import label

if TYPE_CHECKING:
    from wurzel.backends.job import JobFile, JobResult
    from wurzel.render import Renderer
    from wurzel.render.layers import Found
    from wurzel.render.output import Change


def changed_meanings(changes: Iterable[Change], results: Iterable[JobResult], renderer: Renderer) -> Iterator[Problem]:
    """A warning for each `!…` that leads to a template which a file on disk was rendered without.

    Once the file is rendered again, it has what that template writes, so each is reported once.
    """
    outdated = {change.path: change.old or b"" for change in changes if change.state in {"outdated", "edited"}}
    files = [file for result in results for file in result.files if file.output.path in outdated]
    for name, layer, found in renderer.below() if files else ():
        paths = [file.output.path for file in files if _is_new(file, found, outdated[file.output.path])]
        for place in _places(name, renderer.layers.of(layer)) if paths else ():
            yield _problem(name, place, label(found), paths)


def _places(name: str, templates: Iterable[Found]) -> Iterator[str]:
    """The first line of each template that refers to another by this name."""
    for each in templates:
        lines = enumerate(each.read().split("\n"), 1)
        if line := next((number for number, text in lines if name in text and "{%" in text), 0):
            yield f"{label(each)}:{line}"


def _is_new(file: JobFile, found: Found, old: bytes) -> bool:
    """Whether the file on disk has nothing of what a template writes into it now."""
    if found.layer.is_pack and found.layer.name in packs_of(old):
        return False
    lines = zip(file.rendered.text.split("\n"), file.rendered.origins, strict=False)
    brings = {_key(line) for line, origin in lines if origin.template == label(found) and line.strip()}
    return bool(brings) and brings.isdisjoint(map(_key, old.decode(errors="replace").splitlines()))


def _key(line: str) -> str:
    """What stays of a line if only its value changes."""
    return line.strip().partition(": ")[0].partition("=")[0].rstrip(":")


def _problem(name: str, where: str, found: str, paths: Sequence[str]) -> Problem:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    were = "were" if more else "was"
    return Problem(
        f"`{name}` is {found}, which {paths[0]}{more} {were} rendered without",
        where,
        "`!` means the next layer below; in wurzel 0.1.0 it always meant wurzel's own template. Write"
        f" wurzel{name} to skip the layers between.",
    )
