"""What starts a workflow: the events that the pipeline asks for, beside those of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.model import Pipeline

AFTER = (
    "github.event_name != 'workflow_run' || (github.event.workflow_run.conclusion == 'success'"
    " && github.event.workflow_run.head_repository.full_name == github.repository"
    " && github.event.workflow_run.head_branch == github.event.repository.default_branch)"
)
"""The condition of first jobs, where the end of another pipeline starts a run.

GitHub starts one however the other ended, on whatever branch, and also where a fork ran it; the run that it starts is
always one of the default branch.
"""


def asked_events(pipeline: Pipeline, options: GithubOptions) -> dict[str, Any]:
    """The events that the pipeline's `triggers` are, each with its filter."""
    asked, found = pipeline.triggers, {}
    if asked.push:
        found["push"] = {"branches": list(asked.push)}
    if asked.after:
        names = dict.fromkeys(name.partition("/")[0] for name in asked.after)
        found["workflow_run"] = {"workflows": list(names), "types": ["completed"]}
    if asked.webhook:
        found["repository_dispatch"] = {"types": [options.title(pipeline)]}
    return found


def with_triggers(pipeline: Pipeline, options: GithubOptions) -> GithubOptions:
    """The options with those events; what the options say of an event is not changed."""
    found = asked_events(pipeline, options)
    return options.model_copy(update={"triggers": {**found, **options.triggers}}) if found else options
