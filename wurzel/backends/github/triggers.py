"""What starts a workflow: the events that the pipeline asks for, beside those of the options; inputs of a run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends.ci.parameters import Parameter, parameters
from wurzel.backends.github.pull_request import path_beside
from wurzel.backends.ir_file import ir_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wurzel.backends.ci.layout import Jobs
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
OF_FILES = frozenset({"push", "pull_request", "pull_request_target"})
"""Events that may be only for certain files."""


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
    """The options with those events added; an event that the options have already is not changed."""
    found = asked_events(pipeline, options)
    return options.model_copy(update={"triggers": {**found, **options.triggers}}) if found else options


def has_other_events(pipeline: Pipeline, options: GithubOptions) -> bool:
    """Whether a run may start without inputs; a workflow that declares them for its callers always has them."""
    declared = {"workflow_call"} if "inputs" not in (options.triggers.get("workflow_call") or {}) else set()
    return pipeline.schedule is not None or bool(options.triggers.keys() - declared)


def path_filter(path: str) -> str:
    """A pattern for a file, or for all files in a folder that ends with a slash."""
    return re.sub(r"([*?+!\[\]\\])", r"\\\1", path) + ("**" if path.endswith("/") else "")


MOST_INPUTS = 25
"""Inputs of `workflow_dispatch`."""
CHOICE = Parameter("only", "string", "Steps to run, such as split+ or embed,export; empty for all", "")
"""The steps of a run; where parameters leave no room for it, all of them."""


class Events:
    """The events of one workflow, and the inputs that some of them have."""

    def __init__(self, options: GithubOptions, jobs: Jobs, *, untrusted: bool) -> None:
        """`untrusted`: it is the workflow for pull requests, to which nobody gives anything."""
        self.options = options
        self.jobs = jobs
        self.untrusted = untrusted

    def inputs(self) -> list[Parameter]:
        """What may be given for one run: parameters, and with a store the steps that it is of."""
        if self.untrusted:
            return []
        asked = parameters(*self.jobs.pipeline.steps)
        return [*asked, CHOICE] if self.jobs.stored and len(asked) < MOST_INPUTS else asked

    def all(self, secrets: Iterable[str]) -> dict[str, Any]:
        """Each event of the options with its filter; `secrets` are those of the workflow.

        That of callers declares parameters and secrets, unless the options do. For a project in a folder, events that a
        change of files starts are only for what it depends on.
        """
        return {event: self._filter(event, given, secrets) for event, given in self.options.triggers.items()}

    def _filter(self, event: str, given: Any, secrets: Iterable[str]) -> Any:
        if event in OF_FILES and self.options.home.watched:
            return self._of_files(given or {})
        if event != "workflow_call":
            return given
        known = {item.variable: item for item in self.inputs()}
        inputs = {name: call_input(item) for name, item in known.items()}
        if given and isinstance(own := given.get("inputs"), dict):
            completed = {key: own_input(item, own[key] or {}) for key, item in known.items() if key in own}
            given = {**given, "inputs": {**own, **completed}}
        needed = {name: {"required": self.options.environment is None} for name in secrets}
        return {key: value for key, value in (("inputs", inputs), ("secrets", needed)) if value} | (given or {})

    def _of_files(self, given: Any) -> Any:
        """The filter of an event, with the files that a project in a folder depends on, and the workflow itself."""
        options = self.options
        if not isinstance(given, dict) or {"paths", "paths-ignore"} & given.keys():
            return given
        main = options.workflow_file(self.jobs.pipeline)
        own = [path_beside(main) if self.untrusted else main]
        own += [ir_path(main)] if self.jobs.run and options.from_ir else []
        return {**given, "paths": [*map(path_filter, [*options.home.watched, *own])]}


def described(parameter: Parameter) -> Parameter:
    """The parameter with `${{` removed from its description, where GitHub rejects expressions."""
    return replace(parameter, description=parameter.description.replace("${{", "$ {{"))


def call_input(parameter: Parameter) -> dict[str, Any]:
    """A parameter as an input of `workflow_call`, which has no choices."""
    default = {"required": True} if parameter.required else {"default": parameter.default}
    kind = "string" if parameter.type == "choice" else parameter.type
    return {"description": described(parameter).description, "type": kind, **default}


def own_input(parameter: Parameter, given: dict[str, Any]) -> dict[str, Any]:
    """An input of `workflow_call` that the options declare, with the parameter's default unless they have another.

    Without a default, GitHub gives 0, false or '' if a caller sets nothing.
    """
    default = call_input(parameter)
    if "default" in given or given.get("required"):
        return {"type": default["type"], **given}
    if given.get("type") == "string" and not parameter.required:
        default["default"] = parameter.text
    return default | given


def input_value(parameter: Parameter, *, always: bool) -> str:
    """The value of an input, or its default if the run has none. JSON preserves 0, false and ''.

    The event cannot decide this: in a workflow that another one calls, it is the caller's.
    """
    name = f"inputs.{parameter.variable}"
    if always:
        return f"${{{{ {name} }}}}"
    if parameter.text.isprintable() and not set("'{}$") & set(parameter.text):
        return f"${{{{ toJSON({name}) == 'null' && '{parameter.text}' || {name} }}}}"
    text = json.dumps(parameter.text)
    for sign in "'{}$":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"${{{{ fromJSON(toJSON({name}) != 'null' && toJSON({name}) || '{text}') }}}}"
