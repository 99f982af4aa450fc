"""Warns if a platform drops what a layer wrote for all jobs because one of them sets the same key itself.

Platforms merge some of what jobs, tasks or templates inherit, and replace the rest. Where a template of wurzel repeats
what layers wrote, nothing is lost; what layers add elsewhere is compared here, in the files as they are rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem
from wurzel.render.language import language_of
from wurzel.render.layers import OURS

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
    from wurzel.backends.job import JobFile, JobResult
    from wurzel.backends.losses import Loss
    from wurzel.render.trace import Origin


def warnings(results: Iterable[JobResult], backends: Mapping[str, Backend]) -> list[Problem]:
    """Values that layers wrote for all jobs and one of them does not get, each with both places."""
    found: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for file in [file for result in results for file in result.files]:
        for loss in _losses(backends[file.job.target], file):
            if places := _places(loss, file.rendered.origins):
                found.setdefault((*places, loss.key, loss.why), {})[loss.owner] = None
    return [_problem(*places, list(owners)) for places, owners in found.items()]


def _losses(backend: Backend, file: JobFile) -> Iterator[Loss]:
    if language_of(file.output.template) in {"YAML", "Python"} and not file.output.optional:
        yield from backend.losses(file.rendered.text)


def _places(loss: Loss, origins: Sequence[Origin]) -> tuple[str, str] | None:
    """Where the lost lines and the replacing value come from; `None` if that is as their authors want it."""
    lost = [origins[line - 1] for line in loss.lost]
    key, *values = [origins[line - 1] for line in loss.own]
    missed = [origin for origin in lost if loss.needed or _is_own(origin)]
    # A block that is overridden without `super()` is meant to replace; its key is still wurzel's.
    meant = not _is_own(key) and any(map(_is_own, values))
    other = [origin for origin in missed if _layer(origin) != _layer(key)]
    return (str(other[0]), str(key)) if other and not meant else None


def _is_own(origin: Origin) -> bool:
    return not origin.template.startswith(f"{OURS}!")


def _layer(origin: Origin) -> str:
    """The pack or folder that a template belongs to."""
    pack, mark, _ = origin.template.partition("!")
    return pack if mark else origin.template.partition("/")[0]


def _problem(lost: str, own: str, key: str, why: str, owners: Sequence[str]) -> Problem:
    have = f" and {len(owners) - 1} more have their" if len(owners) > 1 else " has its"
    message = f"{owners[0]}{have} own `{key}`, which replaces that of {lost}"
    return Problem(message, own, f"{why} Write what is needed of both here.")
