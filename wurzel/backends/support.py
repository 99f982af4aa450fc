"""Features that a pipeline uses and its target does not support: found, grouped and reported, never dropped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.base import unsupported
from wurzel.exceptions import Problem, UsageError
from wurzel.ir.features import FEATURES, used
from wurzel.ir.model import Store
from wurzel.named_tuples import NamedTuple
from wurzel.store_url import BUCKETS, scheme_of
from wurzel.suggestion import did_you_mean

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
    from wurzel.backends.options import TargetOptions
    from wurzel.ir.model import Pipeline

_NO_LOGIN = "neither `identity` nor `secrets`: jobs log in with what their machine, pod or account happens to have"


class Report(NamedTuple):
    """One unsupported feature, the reason, and every place in the pipeline that uses it."""

    target: str
    feature: str
    note: str
    paths: tuple[str, ...]


def summary(reports: Sequence[Report], pipeline: str, locate: Callable[[str], str]) -> Problem:
    """All reports of one pipeline for one target as one finding: a line for each feature, and how to accept them.

    `locate` returns the place in the configuration that set a path, or ''.
    """
    rows = [(report.feature, _places(report, locate), report.note) for report in reports]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{feature:<{first}}  {places:<{second}}  {note}" for feature, places, note in rows]
    target = reports[0].target
    names = ", ".join(dict.fromkeys(report.feature for report in reports))
    return Problem(
        "\n  ".join([f"{target} cannot do what {pipeline} asks for:", *lines]),
        hint=f"To accept this: targets.{target}.ignore: [{names}]; or `ignore` of the pipeline, for all its targets",
    )


def total(found: Sequence[Sequence[Report]]) -> Problem:
    """The reports of several pipelines and targets as one line."""
    reports = [report for reports in found for report in reports]
    targets = {report.target for report in reports}
    things = sum(len({report.feature for report in reports}) for reports in found)
    many = f"{len(targets)} targets report" if len(targets) > 1 else f"{targets.pop()} reports"
    return Problem(f"{many} {things} things that they do not support: wurzel targets --reports")


def _places(report: Report, locate: Callable[[str], str]) -> str:
    places = list(dict.fromkeys(locate(path) or path for path in report.paths))
    return places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def unsupported_uses(
    backend: Backend,
    pipeline: Pipeline,
    ignore: Collection[str] = (),
    options: TargetOptions | None = None,
    where: str = "",
) -> list[Report]:
    """Reports for all unsupported features a pipeline uses on a target, in the order of `FEATURES`.

    Args:
        backend: the target.
        pipeline: the resolved pipeline.
        ignore: features that are known and accepted.
        options: the target's options, which may decide what it supports (default: its default options).
        where: place of `ignore` in the configuration, for messages.

    Raises:
        UsageError: when an entry of `ignore` is not a feature.
    """
    _check_names(backend, ignore, where)
    chosen = backend.options_model.model_construct() if options is None else options
    paths: dict[tuple[str, str], list[str]] = {}
    for use in used(pipeline):
        known = use.feature in backend.support
        support = backend.support_for(use, chosen) if known else backend.support_of(use.feature)
        if isinstance(use.value, Store) and support.level == "native" and not backend.runs_as_caller:
            support = unsupported(_NO_LOGIN) if _is_open(use.value) else support
        if support.level == "unsupported" and use.feature not in ignore:
            paths.setdefault((use.feature, support.note), []).append(use.path)
    order = {name: number for number, name in enumerate(FEATURES)}
    return [
        Report(backend.name, name, note, tuple(dict.fromkeys(found)))
        for (name, note), found in sorted(paths.items(), key=lambda item: order[item[0][0]])
    ]


def _is_open(store: Store) -> bool:
    """Whether a store in a bucket comes with nothing that jobs log in with."""
    return scheme_of(store.url) in BUCKETS and store.identity is None and store.secrets is None


def _check_names(backend: Backend, ignore: Collection[str], where: str) -> None:
    for name in ignore:
        if name not in FEATURES:
            advice = did_you_mean(name, FEATURES) or f"Features: {', '.join(FEATURES)}."
            what = f"targets.{backend.name}.ignore names an unknown feature {name!r}"
            raise UsageError(what, where=where, hint=advice)
