"""Variables and arguments of containers, escaped for Argo and the kubelet; parameters of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.storage import RUN
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.store import store_env
from wurzel.invocation.command import encode
from wurzel.invocation.variables import ONLY

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step

BRACE = "WURZEL_BRACE"
"""Variable with the value `{`: Argo has no escape for `{{`, so the kubelet assembles such values."""


def text(value: str) -> str:
    """Text that neither Argo nor the kubelet expands, in an environment variable or an argument."""
    return k8s.escape(value).replace("{{", f"{{$({BRACE})")


def is_literal(value: object) -> bool:
    """Whether a variable is text, not a reference."""
    return isinstance(value, str)


def braced(env: k8s.Env, others: Sequence[str] = ()) -> k8s.Env:
    """The variables, after the one for a brace if anything refers to it."""
    texts = [*others, *(value for value in env.values() if is_literal(value))]
    return {BRACE: "{", **env} if any(f"$({BRACE})" in value for value in texts) else env


def default_env(pipeline: Pipeline) -> dict[str, str]:
    """Variables that all templates share: those without a secret."""
    own = {name for step in pipeline.steps for name, value in k8s.step_env(step).items() if not is_literal(value)}
    return {name: value for name, value in pipeline.env.items() if name not in own | set(pipeline.secrets)}


def step_env(pipeline: Pipeline, step: Step, args: Sequence[str], default: Mapping[str, str]) -> k8s.Env:
    """Variables of a step beyond `default`, with parameters as references to the run's values."""
    pipeline_env = {name: value for name, value in k8s.pipeline_env(pipeline).items() if name not in default}
    env = {
        name: text(value) if is_literal(value) else value
        for name, value in {**pipeline_env, **k8s.step_env(step)}.items()
    }
    for setting in step.settings:
        if setting.parameter:
            env[setting.variable] = f"{{{{workflow.parameters.{setting.variable}}}}}"
    return braced(env, [*args, *(str(value) for value in _values(step))])


def run_env(pipeline: Pipeline, of_run: Sequence[str] = ()) -> k8s.Env:
    """Variables without a secret that all containers of `wurzel run` have; settings are in the pipeline's file.

    Each gets all parameters, since values that are given for one run are part of its name. `of_run` are ids of its
    steps, if those are not all.
    """
    env = {k8s.RUN_ID: f"argo-{RUN}", **{name: text(value) for name, value in default_env(pipeline).items()}}
    env |= {ONLY: ",".join(of_run)} if of_run else {}
    parameters = [setting for step in pipeline.steps for setting in step.settings if setting.parameter]
    env |= {setting.variable: f"{{{{workflow.parameters.{setting.variable}}}}}" for setting in parameters}
    return braced(env, [str(parameter(setting).get("value", "")) for setting in parameters])


def run_secrets(pipeline: Pipeline) -> k8s.Env:
    """Variables that all containers of `wurzel run` have by reference: secrets of all steps, keys of the store."""
    found = {**k8s.secret_env(pipeline), **store_env(pipeline)}
    return {name: text(value) if is_literal(value) else value for name, value in found.items()}


def secrets_of(steps: Sequence[Step]) -> k8s.Env:
    """Variables that some steps have by reference."""
    return {name: value for step in steps for name, value in k8s.secret_env(step).items()}


def parameter(setting: Setting) -> dict[str, Any]:
    """A parameter of a run, with its value if it has one."""
    known = setting.given or not setting.required
    value = setting if setting.given else setting.model_copy(update={"value": setting.default})
    return without_empty(name=setting.variable, description=_description(setting)) | (
        {"value": text(encode(value))} if known else {}
    )


def _values(step: Step) -> list[str]:
    return [parameter(setting).get("value", "") for setting in step.settings if setting.parameter]


def _description(setting: Setting) -> str:
    """What a parameter is for; Argo would read `{{` as an expression."""
    return "" if "{{" in setting.description else setting.description
