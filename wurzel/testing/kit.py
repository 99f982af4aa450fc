"""Checks that a backend handles every feature that a pipeline can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.backends.options import TargetOptions
from wurzel.backends.registry import get
from wurzel.backends.support import unsupported_uses
from wurzel.exceptions import PreflightError
from wurzel.ir.features import FEATURES
from wurzel.testing.contexts import context_findings, undescribed
from wurzel.testing.variants import full_pipeline, variants

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
    from wurzel.ir.model import Pipeline

_LEVELS = ("native", "emulated", "unsupported")


def check_backend(target: str, **options: Any) -> int:
    """Check that a backend drops no feature of a pipeline silently, and that its declarations are true.

    Args:
        target: name of a built-in or installed backend.
        options: options of the target for the check.

    Returns:
        How many fields were changed and found in the rendered files or in a report.

    Raises:
        AssertionError: with all findings.
    """
    backend = get(target)
    chosen = backend.options_model(**options)
    base = full_pipeline()
    contexts = context_findings(backend, backend.files(base, chosen))
    findings = [*_table(backend), *_options(backend), *contexts, *undescribed(backend)]
    before = render_texts(base, target, chosen)
    count = 0
    for variant in variants():
        count += 1
        reports = unsupported_uses(backend, variant.pipeline, options=chosen)
        reported = any(report.feature == variant.feature for report in reports)
        if reported or variant.feature in backend.read_by_jobs(variant.pipeline, chosen):
            continue
        try:
            after = render_texts(variant.pipeline, target, chosen)
        except PreflightError:
            continue  # refusing a pipeline is not silent
        if after == before:
            findings.append(
                f"{target} silently drops {variant.path}: `{variant.feature}` is declared as"
                f" {backend.support_of(variant.feature).level}, but changing it changes no file"
            )
    if findings:
        raise AssertionError("\n".join(findings))
    return count


def render_texts(pipeline: Pipeline, target: str, options: TargetOptions | None = None) -> dict[str, str]:
    """The text of every file a target writes for a pipeline, by path, without the header."""
    from wurzel.backends.job import Job
    from wurzel.backends.rendering import render
    from wurzel.render import Renderer

    chosen = options or get(target).options_model()
    (result,) = render([Job(pipeline, target, chosen, "")], Renderer())
    return {file.output.path: file.rendered.text for file in result.files}


def _table(backend: Backend) -> list[str]:
    findings = []
    for name, support in backend.support.items():
        if name not in FEATURES:
            findings.append(f"{backend.name} declares {name!r}, which is not a feature")
        if support.level not in _LEVELS:
            findings.append(f"{backend.name}: the level of {name} is {support.level!r}")
        if support.level != "native" and not support.note:
            what = f"{backend.name}: {name} is {support.level} without a note on how"
            findings.append(f"{what}, or on why and what instead")
    return findings


def _options(backend: Backend) -> list[str]:
    if not issubclass(backend.options_model, TargetOptions):
        return [f"{backend.name}: options_model is not a subclass of TargetOptions"]
    return [
        f"{backend.name}: the option {name} has no description"
        for name, field in backend.options_model.model_fields.items()
        if not field.description
    ]
