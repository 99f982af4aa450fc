"""Settings overridden for one run: `--param STEP.SETTING=VALUE`, or the variable of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from wurzel.core.environment import decode
from wurzel.datacontract.secrets import looks_like_key
from wurzel.exceptions import UsageError
from wurzel.suggestion import did_you_mean

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step

Item = TypeVar("Item")
Check = Callable[["Step", Mapping[str, Any]], Iterable[tuple[str, str]]]


def with_parameters(pipeline: Pipeline, texts: Sequence[str], check: Check) -> Pipeline:
    """The pipeline with some of its parameters overridden.

    The texts are `STEP.SETTING=VALUE`, later ones stronger, the value as an environment variable would hold it. `check`
    yields name and reason of each value that does not fit its setting. Raises `UsageError` when a text is not of that
    form, names no parameter, or its value does not fit.
    """
    steps = {step.id: step for step in pipeline.steps}
    for text in texts:
        place, equals, value = text.partition("=")
        step_id, _, name = place.partition(".")
        if not equals or not name:
            shown = "…" if looks_like_key(text) else repr(text)
            raise UsageError(f"--param {shown} is not STEP.SETTING=VALUE", hint="For example: --param split.SIZE=64.")
        step = _find(steps, step_id, "step", "Steps", place)
        named = {setting.name: setting for setting in step.settings if setting.parameter and not setting.secret}
        setting = _find(named, name.replace(".", "__"), "parameter", f"Parameters of {step_id}", place)
        given = setting.model_copy(update={"given": True, "value": _value(setting, value, f"--param {place}")})
        changed = step.model_copy(update={"settings": tuple(given if s is setting else s for s in step.settings)})
        for _, reason in check(changed, {setting.name: given.value}):
            hint = "" if setting.text else 'Write it as an environment variable would hold it: 64, true or ["a", "b"].'
            raise UsageError(f"--param {place}: {reason}", hint=hint)
        steps[step_id] = changed
    return pipeline.model_copy(update={"steps": tuple(steps.values())})


def from_environment(pipeline: Pipeline, environ: Mapping[str, str], check: Check) -> Pipeline:
    """The pipeline with parameters from variables, as typed into a form of CI. Raises `UsageError` for bad ones."""
    steps = []
    for step in pipeline.steps:
        changed = [_from_variable(step, setting, environ, check) for setting in step.settings]
        same = all(one is other for one, other in zip(changed, step.settings, strict=True))
        steps.append(step if same else step.model_copy(update={"settings": tuple(changed)}))
    return pipeline.model_copy(update={"steps": tuple(steps)})


def _from_variable(step: Step, setting: Setting, environ: Mapping[str, str], check: Check) -> Setting:
    if not setting.parameter or setting.secret or setting.variable not in environ:
        return setting
    value = _value(setting, environ[setting.variable], setting.variable)
    if value == setting.value and setting.given:
        return setting
    given = setting.model_copy(update={"given": True, "value": value})
    changed = step.model_copy(update={"settings": tuple(given if one is setting else one for one in step.settings)})
    for _, reason in check(changed, {setting.name: value}):
        raise UsageError(
            f"{setting.variable}: {reason}",
            where=f"the parameter {setting.name} of {step.id}",
            hint="The variable of a parameter outranks wurzel.yaml; unset it, or give it a value that fits.",
        )
    return given


def given_parameters(configured: Pipeline, now: Pipeline) -> str:
    """A digest of the parameters whose values differ from those of a run without any; '' if none does."""
    from pydantic_core import to_json

    differ = [
        [after.id, setting.name, setting.value]
        for before, after in zip(configured.steps, now.steps, strict=True)
        for old, setting in zip(before.settings, after.settings, strict=True)
        if setting.parameter and _usual(setting) != _usual(old)
    ]
    return sha256(to_json(differ)).hexdigest() if differ else ""


def _usual(setting: Setting) -> list[Any]:
    """The value of a setting, or what stands for it; a platform that sets every variable sets defaults as well."""
    return [setting.is_known, setting.chosen if setting.is_known else None]


def _find(items: Mapping[str, Item], name: str, what: str, all_of_them: str, place: str) -> Item:
    if name in items:
        return items[name]
    known = f"{all_of_them}: {', '.join(items) or 'none'}."
    if what == "parameter":
        known += " `parameters` in wurzel.yaml says which settings are; --set changes any."
    raise UsageError(f"--param {place}: there is no {what} {name!r}", hint=did_you_mean(name, items) or known)


def _value(setting: Setting, text: str, place: str) -> Any:
    """As a variable is read: what is not JSON is text, so dates and `yes` reach the field's own validator."""
    if kind := looks_like_key(text):
        raise UsageError(
            f"{place}: the value looks like a secret ({kind}; not shown)",
            hint=f"Secrets come from the environment: set {setting.variable}.",
        )
    return decode(text, text=setting.text)
