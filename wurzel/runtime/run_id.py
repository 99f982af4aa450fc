"""What the jobs of one run have in common: an id that their platform gives all of them, also when one is retried."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = ("WURZEL_RUN_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID")
"""Variables that have the id, strongest first."""

_PLATFORMS = {"GITHUB_ACTIONS": "github", "GITLAB_CI": "gitlab"}
_LONGEST = 100


def given_id(environ: Mapping[str, str]) -> str | None:
    """The id that the platform, or whoever starts this, gives the run; `None` for a run of a person."""
    return next((value for name in _NAMES if (value := environ.get(name))), None)


def new_id() -> str:
    """An id for a run that has none: 8 random hexadecimal digits."""
    return os.urandom(4).hex()


def run_name(run_id: str, environ: Mapping[str, str], parameters: str = "") -> str:
    """The id as a name in a store: lower case letters, digits, `.`, `_` and `-`, with the platform first.

    Two ids never share a name: one that had to be changed ends in a short digest of it.

    Args:
        run_id: of the run.
        environ: tells which platform this is.
        parameters: digest of the parameters that this run was given, '' without any.
    """
    platform = next((name for variable, name in _PLATFORMS.items() if environ.get(variable) == "true"), "run")
    name = re.sub(r"[^a-z0-9._-]", "-", run_id.lower())[:_LONGEST]
    if name != run_id:
        name += f"-{sha256(run_id.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return f"{platform}-{name}" + (f"-{parameters[:8]}" if parameters else "")
