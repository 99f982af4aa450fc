"""What the jobs of one run have in common: an id that their platform gives all of them, also when one is retried."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = ("WURZEL_RUN_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID")
"""Variables that have the id, strongest first."""

_RENDERED = ("argo-", "airflow-", "cronjob-", "local-")
"""What ids start with in files of targets that have to say which one they are."""

Platform = Literal["github", "gitlab"]


def given_id(environ: Mapping[str, str]) -> str | None:
    """The id that the platform, or whoever starts this, gives the run; `None` for a run of a person."""
    return next((value for name in _NAMES if (value := environ.get(name))), None)


def new_id() -> str:
    """An id for a run that has none: 8 random hexadecimal digits."""
    return os.urandom(4).hex()


def platform(environ: Mapping[str, str]) -> Platform | None:
    """The CI platform whose job we are in, if any."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environ.get("GITLAB_CI") == "true" else None


def target(environ: Mapping[str, str]) -> str:
    """What the name of a run in a store starts with; '' where its id says that already."""
    if found := platform(environ):
        return found
    return "" if (given_id(environ) or "").startswith(_RENDERED) else "run"
