"""Which setting each rendered value comes from: found by changing one setting at a time and comparing the output.

This works for every backend and template, ours or not, since it needs nothing from them. See docs/decisions/drift.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from wurzel.drift.compare import Difference, Span, differences
from wurzel.drift.fields import Varied, times, varied
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import Job, JobResult
    from wurzel.drift.flat import Path
    from wurzel.render import Renderer

WORK = 4000
"""Most steps to render for one job; settings beyond that are not tried, and the report says so."""


class Setting(NamedTuple):
    """A value of the configuration; see `wurzel.drift.fields.Varied`."""

    field: str
    place: str
    steps: tuple[str, ...]


class Effect(NamedTuple):
    """What changing a setting does to one value of a file: the line it is on and the words that change."""

    setting: Setting
    line: int
    words: Span
    item: int | None
    """Which one it is of several at its path."""
    brings: str | None
    """The value, if it is not in the file yet and only the changed setting would add it."""


@dataclass
class Influence:
    """What the settings of one job change in its files; in each list, those that change least come first."""

    lines: dict[str, dict[int, list[Setting]]] = field(default_factory=dict)
    """By file and line, from 1, of the text without the header."""
    paths: dict[str, dict[Path, list[Effect]]] = field(default_factory=dict)
    """By file and path of a value, including values that only the changed setting would add."""
    untried: int = 0
    """Number of settings that were not tried because there are too many."""

    def add(self, variant: Varied, changed: Mapping[str, Sequence[Difference]]) -> None:
        """Record what one setting changes."""
        setting = Setting(variant.field, variant.place, variant.steps)
        for file, found in changed.items():
            by_line = self.lines.setdefault(file, defaultdict(list))
            by_path = self.paths.setdefault(file, defaultdict(list))
            for difference in found:
                if difference.new is not None and setting not in by_line[difference.line]:
                    by_line[difference.line].append(setting)
                brings = difference.old if difference.new is None else None
                effect = Effect(setting, difference.line, difference.words[1], difference.item, brings)
                by_path[difference.path].append(effect)


def influence(result: JobResult, renderer: Renderer, unset: Collection[str] = ()) -> Influence:
    """What each setting of a job changes in its files.

    `unset` has the ids of steps whose unset fields are tried as well.
    """
    most = max(1, WORK // max(1, len(result.job.pipeline.steps)))
    found = Influence()
    rounds = [varied(result.job)] + ([varied(result.job, unset, unset=True)] if unset else [])
    for variants in rounds:
        effects = [(variant, _any_effect(result, variant, renderer)) for variant in islice(variants, most)]
        for variant, changed in sorted(effects, key=lambda effect: (effect[0].of_code, _size(effect[1].values()))):
            found.add(variant, changed)
        found.untried += sum(1 for _ in variants)
    return found


def _any_effect(result: JobResult, variant: Varied, renderer: Renderer) -> dict[str, list[Difference]]:
    """What a changed setting changes; if nothing, what a far longer or the shortest time does.

    A `backoff` beyond the longest wait changes no deadline when it grows, nor does the `timeout` of a step beside a
    longer one; but both may have changed it.
    """
    changed = _effect(result, variant.job, renderer)
    tries = iter(() if any(changed.values()) else times(result.job, variant))
    while not any(changed.values()) and (job := next(tries, None)) is not None:
        changed = _effect(result, job, renderer)
    return changed


def _size(changed: Iterable[Sequence[Difference]]) -> int:
    return sum(map(len, changed))


def _effect(result: JobResult, job: Job, renderer: Renderer) -> dict[str, list[Difference]]:
    """By file, the differences between the rendered text and the text with the setting changed."""
    from wurzel.backends.rendering import variant

    try:
        changed = variant(result, job, renderer)
    except Exception:  # noqa: BLE001 - a made-up value that a backend refuses says nothing of the others
        return {}
    texts = {file.output.path: file.rendered.text for file in result.files}
    return {path: differences(path, text, texts[path]) for path, text in changed.items()}
