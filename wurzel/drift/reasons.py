"""Why a file is out of date: which value of which step differs, and what set it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.datacontract.secrets import looks_like_key
from wurzel.drift.compare import Difference, differences, words_of
from wurzel.drift.influence import Evidence, add_unset, any_of, influence, is_shown
from wurzel.exceptions import shortened
from wurzel.ir.variation import ADDED, EXTRA
from wurzel.records import dataclass
from wurzel.render.header import body

if TYPE_CHECKING:
    from wurzel.backends.job import JobFile, JobResult
    from wurzel.drift.fields import Setting
    from wurzel.drift.packs import OfFile, PackChanges
    from wurzel.ir.model import Pipeline
    from wurzel.render import Renderer
    from wurzel.render.output import Change

MOST = 200
"""Most reasons listed for one file; the rest is counted."""

_NAMED = 3
_WIDEST = 60
_DIGEST = re.compile("[0-9a-f]{16}|[0-9a-f]{64}|.+-pipeline-[0-9a-f]{10}")
_HEADER_LINES = 1


@dataclass(frozen=True)
class Reason:
    """One value that differs."""

    step: str
    """Id of the step, or '' for the pipeline."""
    field: str
    """The dotted setting that the value comes from, e.g. `resources.memory`; '' if none was found."""
    path: str
    """Dotted path in the file; '' if only lines can be compared."""
    old: str | None
    """The value in the file; `None` if it has none."""
    new: str | None
    """The value that would be written; `None` if there is none."""
    line: int
    """Line in the file that would be written, from 1."""
    place: str
    """Where it was set: a place in wurzel.yaml, `--set KEY` or a class; otherwise the template and its line."""
    more: int = 0
    """How many further values were added or removed with it."""

    @property
    def name(self) -> str:
        """Name of the value in messages."""
        short = self.field.removeprefix("resources.").removeprefix("settings.")
        return short or self.path or f"line {self.line}"

    @property
    def change(self) -> str:
        """How the value changed; for a long one, only the words that differ."""
        rest = f" and {self.more} more" if self.more else ""
        if self.old is None or self.new is None:
            value = _value_text(self.new or self.old or "") if self.new or self.old else ""
            return f"{'added' if self.old is None else 'removed'}{' ' if value else ''}{value}{rest}"
        (start, end), (begin, stop) = Difference((), self.old, self.new, 0).words
        old, new = words_of(self.old)[start:end], words_of(self.new)[begin:stop]
        if not old or not new:
            option = " ".join(words_of(self.new)[begin - 1 : begin] + new if new else old)
            return f"{'added' if new else 'removed'} {_value_text(option)}" if old or new else "spaces"
        return f"{_value_text(' '.join(old))} → {_value_text(' '.join(new))}"

    def __str__(self) -> str:
        return reason_text([self])


def reason_text(group: Sequence[Reason]) -> str:
    """Reasons that are the same for several steps, as one text."""
    first = group[0]
    steps = list(dict.fromkeys(reason.step for reason in group if reason.step))
    whose = f"{', '.join(steps)}: " if 0 < len(steps) <= _NAMED else f"{len(steps)} steps: " if steps else ""
    place = f" ({first.place})" if first.place else ""
    return f"{whose}{first.name} {first.change}{place}"


@dataclass(frozen=True)
class Reasons:
    """The reasons for one file, and how many more there are."""

    found: Sequence[Reason]
    more: int = 0
    untried: int = 0
    """Number of settings that were not tried because there are too many."""

    def grouped(self) -> list[str]:
        """As texts; a reason that is the same for several steps appears once."""
        groups: dict[tuple[str, str, str], list[Reason]] = {}
        for reason in self.found:
            groups.setdefault((reason.name, reason.change, reason.place), []).append(reason)
        return [reason_text(group) for group in groups.values()]


def reasons(changes: Sequence[Change], result: JobResult, renderer: Renderer, packs: PackChanges) -> dict[str, Reasons]:
    """Why existing files of one job are out of date, by path; the reasons of each file in its order.

    The job is rendered again with one field changed at a time, for all files together. `packs` have changes in packs
    that are not those that wrote the files.
    """
    files = {file.output.path: file for file in result.files}
    ids = {step.id for step in result.job.pipeline.steps}
    found = {change.path: _differences(change, files[change.path]) for change in changes}
    if not any(found.values()):
        return dict.fromkeys(found, Reasons(()))
    effects = influence(result, renderer)
    evidence = Evidence(effects, found)
    if reset := {_step(each, ids) for each in _unexplained(found, files, evidence)}:
        add_unset(effects, result, renderer, reset)
        evidence = Evidence(effects, found)
    reasons = {}
    for path, differing in found.items():
        of_packs = packs.of(files[path]) if differing else None
        every = [_reason(each, files[path], evidence, ids, of_packs) for each in differing[:MOST]]
        untried = effects.untried if differing else 0
        reasons[path] = Reasons(list(dict.fromkeys(every)), max(0, len(differing) - MOST), untried)
    return reasons


def _unexplained(
    found: Mapping[str, Sequence[Difference]], files: Mapping[str, JobFile], evidence: Evidence
) -> Iterator[Difference]:
    """What no setting that is set explains, so that one may have been reset to its default; also each loss."""
    for path, differing in found.items():
        for each in differing[:MOST]:
            if _is_loss(each) or not (each.more or _is_digest(each) or _likely(each, files[path], evidence)):
                yield each


def _differences(change: Change, file: JobFile) -> list[Difference]:
    old = body(change.old or b"").decode(errors="replace").replace("\r\n", "\n")
    new = file.rendered.text
    return differences(change.path, old, new) if old != new else []


def _reason(difference: Difference, file: JobFile, evidence: Evidence, ids: set[str], packs: OfFile | None) -> Reason:
    likely = [] if difference.more or _is_digest(difference) else _likely(difference, file, evidence)
    setting = any_of(likely) if packs is None else next(iter(likely), None)
    entry = _entry(difference, file, evidence) if setting is None and difference.new is None else None
    setting, more = setting or entry, 0 if entry else difference.more
    origin = _origin(difference, file)
    place = setting.place if setting is not None and (setting.place or _is_loss(difference)) else origin
    by_packs = packs.explains(difference) if packs is not None else False
    if packs is not None and by_packs is not False and not packs.is_place(place):
        beside = not packs.is_place(origin)
        own = _of_packs(difference, file, evidence, packs, beside=beside)
        setting = own or (None if by_packs else setting)
        of_pack = own.place if own is not None else packs.label if beside else origin
        place = of_pack if by_packs else packs.of_unknown(place)
    step = _step(difference, ids)
    if setting is not None and not step and len(setting.steps) == 1:
        step = setting.steps[0]
    line = difference.line + _HEADER_LINES
    field = setting.field if setting is not None else ""
    path = ".".join(difference.path)
    return Reason(step, field, path, difference.old, difference.new, line, place, more)


def _origin(difference: Difference, file: JobFile) -> str:
    origins = file.rendered.origins
    return str(origins[min(difference.line, len(origins)) - 1]) if origins else ""


def _of_packs(
    difference: Difference, file: JobFile, evidence: Evidence, packs: OfFile, *, beside: bool
) -> Setting | None:
    """A default of a pack that changes the value, something in it, or else an item `beside` it in a list."""
    paths = evidence.paths(file.output.path)
    whole = difference.path
    within = [path for path in paths if whole and path[: len(whole)] == whole]
    if beside and whole and _unnumbered(whole) != whole:
        within += [path for path in paths if _unnumbered(path[: len(whole)]) == _unnumbered(whole)]
    found = (effect.setting for path in within for effect in paths[path])
    return next((setting for setting in found if packs.is_place(setting.place)), None)


def _unnumbered(path: tuple[str, ...]) -> tuple[str, ...]:
    """A path in a list, or among numbered names, as of all items."""
    return (*path[:-1], path[-1].rstrip("0123456789")) if path else ()


def _likely(difference: Difference, file: JobFile, evidence: Evidence) -> list[Setting]:
    """The settings that the value may come from: changing one changes the same words; the best matches if many do."""
    paths = evidence.paths(file.output.path)
    found = [effect for effect in paths.get(difference.path, ()) if is_shown(effect, difference)]
    if not found and difference.path and difference.new is not None:
        below = (path for path in paths if path[: len(difference.path)] == difference.path)
        found = [effect for path in below for effect in paths[path] if effect.line >= difference.line]
    found = [effect for effect in found if effect.setting.place or evidence.is_likely(effect.setting)]
    found = [effect for effect in found if not effect.setting.of_code] or found
    values = {difference.new, difference.old} - {None, ""}
    certain = not any(effect.extreme for effect in found)  # a deadline may be as long as what limits it
    same = [effect for effect in found if certain and str(_value_of(file.job.pipeline, effect.setting)) in values]
    return evidence.likeliest([effect.setting for effect in same or found], certain=bool(same))


def _entry(difference: Difference, file: JobFile, evidence: Evidence) -> Setting | None:
    """The entry of a mapping that was removed, if another one, or one that was tried, is written in the same way."""
    lost = difference.path
    for path, effects in evidence.paths(file.output.path).items():
        at = [number for number, pair in enumerate(zip(path, lost, strict=False)) if pair[0] != pair[1]]
        for effect in effects if len(path) >= len(lost) and len(at) == 1 else ():
            mapping, _, key = effect.setting.field.rpartition(".")
            if effect.brings == ADDED and path[at[0]].lower() == EXTRA:
                mapping, key = effect.setting.field, path[at[0]]
            if key == path[at[0]] and isinstance(_value_of(file.job.pipeline, effect.setting, mapping), dict):
                return effect.setting._replace(field=f"{mapping}.{lost[at[0]]}", place="")
    return None


def _is_digest(difference: Difference) -> bool:
    """Whether a digest has changed, such as that of the pipeline in another file: every setting would change it."""
    return all(_DIGEST.fullmatch(text or "") for text in (difference.old, difference.new))


def _is_loss(difference: Difference) -> bool:
    """Whether a value was removed, so that no setting that is still set can have written it."""
    _, (start, end) = difference.words
    return difference.new is None or (difference.old is not None and start == end)


def _value_of(pipeline: Pipeline, setting: Setting, field: str = "") -> object:
    prefix = f"steps.{setting.steps[0]}." if setting.steps else ""
    return _value_at(pipeline, prefix + (field or setting.field))


def _value_at(item: object, path: str) -> object:
    for part in path.split("."):
        if isinstance(item, tuple):
            item = next(
                (each for each in item if part in {getattr(each, "id", None), getattr(each, "name", None)}), None
            )
        elif isinstance(item, dict):
            item = item.get(part)
        else:
            item = getattr(item, part, None)
    return getattr(item, "value", item)


def _step(difference: Difference, ids: set[str]) -> str:
    return next((part for part in difference.path if part in ids), "")


def _value_text(text: str) -> str:
    if looks_like_key(text):
        return "(not shown)"
    line = " ".join(text.split())
    return shortened(line, _WIDEST) if line else repr(text)
