"""The workflow for pull requests, whose code nobody has reviewed: without secrets, and nothing that it writes is read.

A pull request of a fork gets no secrets and no identity: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem
from wurzel.invocation.variables import identity_of

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.model import Pipeline

SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
"""The condition of a job that needs what pull requests of forks do not get."""


def path_beside(main: str) -> str:
    """Where the workflow for pull requests is written."""
    stem, suffix = posixpath.splitext(main)
    return f"{stem}-pull-request{suffix}"


def without_secrets(pipeline: Pipeline) -> Pipeline:
    """The steps that need no secret and read only such steps."""
    left: dict[str, None] = {}
    for step in pipeline.steps:
        if pipeline.secrets or step.secrets or any(need in left for need in step.predecessors):
            left[step.id] = None
    return pipeline.model_copy(update={"steps": tuple(step for step in pipeline.steps if step.id not in left)})


def restricted(options: GithubOptions) -> GithubOptions:
    """The options of jobs that run unreviewed code: their token may only read, and no environment opens."""
    chosen = {} if options.pull_request is True else options.pull_request
    jobs = {
        name: job.model_copy(update={"environment": None, "oidc": None, "permissions": _reading(job.permissions)})
        for name, job in options.jobs.items()
    }
    changes = {
        "triggers": {"pull_request": chosen},
        "environment": None,
        "oidc": False,
        "permissions": _reading(options.permissions),
        "jobs": jobs,
    }
    return options.model_copy(update=changes)


def condition(pipeline: Pipeline, options: GithubOptions) -> str:
    """The condition of each job: forks are left out where jobs log in to the store, or need a secret to be set up."""
    given = [*options.install_env.values(), *([options.registry.password] if options.registry else [])]
    needed = identity_of(pipeline) is not None or any("secrets." in text for text in given)
    return SAME_REPOSITORY if needed else ""


def problems(pipeline: Pipeline, options: GithubOptions) -> Iterable[Problem]:
    """Why the workflow would not be safe, or would run nothing."""
    if not options.pull_request:
        return
    if not without_secrets(pipeline).steps:
        yield Problem(
            "pull_request: every step needs a secret, or the data of one that does; a pull request must get none",
            hint="Give secrets to single steps, or set pull_request: false.",
        )
    if (store := pipeline.store) is None:
        return
    identity = store.identity
    if store.secrets is not None or (identity is not None and identity.untrusted_role is None):
        what = "has its keys, which may write" if store.secrets is not None else "logs in with the role of trusted jobs"
        yield Problem(
            f"pull_request: a job with the store {what}",
            hint="Set store.identity with an untrusted_role, or pull_request: false.",
        )


def _reading(permissions: dict[str, str]) -> dict[str, str]:
    return {scope: level for scope, level in permissions.items() if level == "read"}
