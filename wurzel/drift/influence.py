"""Which setting each rendered value comes from: found by changing one setting at a time and comparing the output.

Several settings may change the same words: the deadline of a job depends on `timeout` and on `retry.limit`. But a
changed `timeout` also changes the command of the step, a changed `retry.limit` its number of attempts. So all that
differs is compared with all that each would change.

This works for every backend and template, ours or not, since it needs nothing from them. See docs/decisions/drift.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from wurzel.drift.compare import Difference, Span, differences
from wurzel.drift.fields import TIMES, Setting, Varied, times, varied, varied_unset
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import Job, JobResult
    from wurzel.drift.compare import Path
    from wurzel.render import Renderer

WORK = 4000
"""Most steps to render for one job; settings beyond that are not tried, and the report says so."""


class Effect(NamedTuple):
    """What changing a setting does to one value of a file: the line it is on and the words that change."""

    setting: Setting
    line: int
    words: Span
    item: int | None
    """Which one it is of several at its path."""
    brings: str | None
    """The value, if it is not in the file yet and only the changed setting would add it."""
    extreme: bool = False
    """Whether only a far longer or the shortest time does it, so that a change need not have done it."""


@dataclass
class Influence:
    """What the settings of one job change in its files; in each list, those that change least come first."""

    lines: dict[str, dict[int, list[Setting]]] = field(default_factory=dict)
    """By file and line, from 1, of the text without the header."""
    paths: dict[str, dict[Path, list[Effect]]] = field(default_factory=dict)
    """By file and path of a value, including values that only the changed setting would add."""
    untried: int = 0
    """Number of settings that were not tried because there are too many."""

    def add(self, variant: Varied, changed: Mapping[str, Sequence[Difference]], *, extreme: bool = False) -> None:
        """Record what one setting changes; `extreme` as in `Effect`."""
        setting = variant.setting
        for file, found in changed.items():
            by_line = self.lines.setdefault(file, defaultdict(list))
            by_path = self.paths.setdefault(file, defaultdict(list))
            for difference in found:
                if difference.new is not None and setting not in by_line[difference.line]:
                    by_line[difference.line].append(setting)
                brings = difference.old if difference.new is None else None
                effect = Effect(setting, difference.line, difference.words[1], difference.item, brings, extreme)
                by_path[difference.path].append(effect)


def influence(result: JobResult, renderer: Renderer) -> Influence:
    """What each setting of a job changes in its files."""
    found = Influence()
    _try(found, varied(result.job), result, renderer)
    return found


def add_unset(found: Influence, result: JobResult, renderer: Renderer, steps: Collection[str]) -> None:
    """Try fields that are not set as well; see `varied_unset`."""
    _try(found, varied_unset(result.job, steps), result, renderer)


def _try(found: Influence, variants: Iterator[Varied], result: JobResult, renderer: Renderer) -> None:
    most = max(1, WORK // max(1, len(result.job.pipeline.steps)))
    effects = [(variant, _effect(result, variant.job, renderer)) for variant in islice(variants, most)]
    for variant, changed in sorted(
        effects, key=lambda effect: (effect[0].setting.of_code, sum(map(len, effect[1].values())))
    ):
        found.add(variant, changed)
        found.add(variant, _of_times(result, variant, renderer, changed), extreme=True)
    found.untried += sum(1 for _ in variants)


def _of_times(
    result: JobResult, variant: Varied, renderer: Renderer, changed: Mapping[str, Sequence[Difference]]
) -> dict[str, list[Difference]]:
    """What a far longer or the shortest time changes of values that a changed one leaves as they are.

    A `backoff` beyond the longest wait changes no deadline when it grows, nor does the `timeout` of a step beside a
    longer one, or beyond that of the pipeline; but each may have changed it.
    """
    found: dict[str, list[Difference]] = {}
    for job in times(result.job, variant):
        for path, differing in _effect(result, job, renderer).items():
            known = {_value(each) for each in (*changed.get(path, ()), *found.get(path, ()))}
            found.setdefault(path, []).extend(each for each in differing if _value(each) not in known)
    return found


def _value(difference: Difference) -> tuple[object, ...]:
    return difference.path, difference.line, difference.item


def _effect(result: JobResult, job: Job, renderer: Renderer) -> dict[str, list[Difference]]:
    """By file, the differences between the rendered text and the text with the setting changed."""
    from wurzel.backends.rendering import variant

    try:
        changed = variant(result, job, renderer)
    except Exception:  # noqa: BLE001 - a made-up value that a backend refuses says nothing of the others
        return {}
    texts = {file.output.path: file.rendered.text for file in result.files}
    return {path: differences(path, text, texts[path]) for path, text in changed.items()}


_PLACES = 8


class Evidence:
    """What the settings of a job would change in its files, beside what differs there."""

    def __init__(self, effects: Influence, differing: Mapping[str, Sequence[Difference]]) -> None:
        """`differing` has the differences by file."""
        self._paths = effects.paths
        self._differing: dict[tuple[object, ...], list[Difference]] = defaultdict(list)
        for file, found in differing.items():
            for each in found:
                self._differing[_place(file, each.path, each, is_gone=each.new is None)].append(each)
        self._effects: dict[Setting, list[tuple[str, Path, Effect]]] = defaultdict(list)
        for file, paths in effects.paths.items():
            for path, there in paths.items():
                for effect in there:
                    self._effects[effect.setting].append((file, path, effect))
        self._known: dict[Setting, tuple[int, int]] = {}

    def paths(self, file: str) -> Mapping[Path, Sequence[Effect]]:
        """What the settings would change in one file, by path; those that change least come first."""
        return self._paths.get(file, {})

    def likeliest(self, settings: Sequence[Setting], *, certain: bool) -> list[Setting]:
        """Those of several settings that explain best what differs: all that explain it equally well.

        If each of them, unless `certain`, would change what does not differ, it is the only other one that would not:
        a `retry.max` beyond all waits changes no deadline when it grows, but has changed it by growing so far.
        """
        best = min(map(self._against, settings), default=(0, 0))
        if best[0] and not certain:
            proven = [each for each in self._effects if each.field in TIMES and self._is_proven(each)]
            if len(proven) == 1:
                return proven
        return [each for each in dict.fromkeys(settings) if self._against(each) == best]

    def is_likely(self, setting: Setting) -> bool:
        """Whether most of what the setting would change differs; a store, say, would change much more."""
        missing, explained = self._against(setting)
        return missing + explained <= 0

    def _is_proven(self, setting: Setting) -> bool:
        missing, explained = self._against(setting)
        return not missing and explained < 0

    def _against(self, setting: Setting) -> tuple[int, int]:
        """A key to sort by, the likeliest first: what it would change and does not differ, less what it explains."""
        if setting not in self._known:
            found = [(self._is_shown(*each), each[2].extreme) for each in self._effects[setting]]
            missing = sum(1 for each, extreme in found if each is None and not extreme)
            self._known[setting] = (missing, -sum(bool(each) for each, _ in found))
        return self._known[setting]

    def _is_shown(self, file: str, path: Path, effect: Effect) -> bool | None:
        """Whether the very words of an effect differ, or others with them; `None` if they are as they were."""
        place = _place(file, path, effect, is_gone=effect.brings is not None)
        found = [each for each in self._differing.get(place, ()) if is_shown(effect, each)]
        return any(each.words[1] == effect.words for each in found) if found else None


def _place(file: str, path: Path, item: Difference | Effect, *, is_gone: bool) -> tuple[object, ...]:
    """Where an effect and a difference must both be; values that are gone have no line."""
    return (file, path, *((None, None) if is_gone else (item.line, item.item)))


def any_of(settings: Sequence[Setting]) -> Setting | None:
    """One of several settings, as messages name it; what they do not have in common is empty."""
    if not settings:
        return None
    fields, steps = list(dict.fromkeys(each.field for each in settings)), {each.steps for each in settings}
    places = list(dict.fromkeys(each.place for each in settings if each.place))
    more = f" or {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return Setting(
        " or ".join(fields) if len(fields) == 1 or not places else "",
        " or ".join(places[:_PLACES]) + more,
        settings[0].steps if len(steps) == 1 else (),
    )


def is_shown(effect: Effect, difference: Difference) -> bool:
    """Whether changing the setting changes what differs: the same words of the same line, or the removed value."""
    if difference.new is None or effect.brings is not None:
        return difference.new is None and effect.brings is not None and _may_be(difference, effect.brings)
    is_there = (effect.line, effect.item) == (difference.line, difference.item)
    return is_there and (difference.old is None or _overlap(effect.words, difference.words[1]))


def _may_be(difference: Difference, other: str) -> bool:
    """Whether a removed value may come from a setting that would add `other`; in a list, only if the two look alike."""
    if difference.item is None:
        return True
    old = difference.old or ""
    if old.startswith("-"):
        return old.split()[0] == other.partition(" ")[0]
    alike = next((at for at, pair in enumerate(zip(old, other, strict=False)) if pair[0] != pair[1]), len(other))
    shorter = min(len(old), len(other))
    return 0 < shorter <= 2 * min(alike, len(old))


def _overlap(one: Span, other: Span) -> bool:
    return one == other or max(one[0], other[0]) < min(one[1], other[1])
