"""What tells of a failed run: the command that does, and the variables that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.ir.model import SecretRef

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline

WEBHOOK = "WURZEL_WEBHOOK"
"""Variable with the URL that is told of a failure."""
FAILURES = "WURZEL_FAILURES"
"""Variable with what the platform knows of the failed jobs, as JSON in its own form."""
LINK = "WURZEL_LINK"
"""Variable with the address of the run."""


def notice_references(pipeline: Pipeline) -> dict[str, SecretRef]:
    """Variables that tell of a failure takes from secrets, to where they are kept."""
    told = pipeline.on_failure
    if told is None:
        return {}
    hidden = {WEBHOOK: told.webhook} if isinstance(told.webhook, SecretRef) else {}
    return {**told.secrets, **hidden}


def notice_env(pipeline: Pipeline) -> dict[str, str]:
    """The other variables: a webhook that is not secret, and the address of the run."""
    told = pipeline.on_failure
    if told is None:
        return {}
    shown = {WEBHOOK: told.webhook} if isinstance(told.webhook, str) else {}
    return {**shown, **({LINK: told.link} if told.link else {})}


def notice_argv(pipeline: Pipeline) -> list[str]:
    """The command that tells of a failed run."""
    told = pipeline.on_failure
    assert told is not None  # noqa: S101 - narrows the type; callers have asked
    webhook = ["--webhook"] if told.webhook else []
    return ["wurzel", "notify", pipeline.name, *webhook, *(["--", *told.command] if told.command else [])]
