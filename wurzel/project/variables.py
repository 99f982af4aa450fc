"""The environment variables that a resolved pipeline reads, and where each is set; never a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from wurzel.core.environment import encode
from wurzel.datacontract.secrets import looks_like_key
from wurzel.invocation.failure import notice_references
from wurzel.invocation.variables import key_references, needs, variables_of
from wurzel.named_tuples import NamedTuple
from wurzel.store_url import PREFIX

if TYPE_CHECKING:
    from wurzel.ir.model import SecretRef, Setting, Step
    from wurzel.project.resolve import Resolved

_UNQUOTED = r"[-A-Za-z0-9_./:@%+,]*"
_EVERY_STEP, _STORE, _FAILURE = "all", "store", "on failure"


class Variable(NamedTuple):
    """One variable: who reads it, whether a run fails without it, and where it is set."""

    name: str
    step: str
    """Id of the step, `all`, or `store` for what wurzel itself reads."""
    required: bool
    """Whether a run fails unless the environment sets it."""
    default: str | None
    """The default as text, if it is fixed and not secret."""
    source: str
    """`wurzel.yaml:5:10`, `secret openai, key token (…)`, `environment`, `default`, `computed` or `missing`."""
    about: str
    """The author's description, and its type."""


def variables(resolved: Resolved, environ: Mapping[str, str]) -> list[Variable]:
    """All variables, in the order of the steps and of their settings; only the names in `environ` are used."""
    pipeline = resolved.pipeline
    required = {name for need in needs(pipeline) for name in need.variables}
    found = [
        _secret(resolved, name, reference, None, environ)
        for name, reference in pipeline.secrets.items()
        if not any(name in variables_of(step, setting.name) for step in pipeline.steps for setting in step.settings)
    ]
    for step in pipeline.steps:
        found += [_setting(resolved, step, setting, environ, required) for setting in step.settings]
        of_settings = {name for setting in step.settings for name in variables_of(step, setting.name)}
        found += [
            _secret(resolved, name, reference, step, environ)
            for name, reference in step.secrets.items()
            if name not in of_settings
        ]
    for name, reference in notice_references(pipeline).items():  # what only a notice reads, no run needs
        place = resolved.locate(f"on_failure.secrets.{name}") or resolved.locate("on_failure")
        found.append(Variable(name, _FAILURE, False, None, _reference(reference, place, name, environ), "secret"))
    for name, reference in key_references(pipeline).items():  # a person's own keys do as well
        place = resolved.locate(f"store.secrets.{name.removeprefix(PREFIX).lower()}") or resolved.locate("store")
        source = _reference(reference, place, name, environ)
        found.append(Variable(name, _STORE, False, None, source, "key of the store"))
    return found


def dotenv(found: list[Variable]) -> Iterator[str]:
    """Lines of a `.env` file to fill in: required variables, and those with a default as comments."""
    for variable in found:
        if not variable.required and variable.source not in {"default", "environment"}:
            continue
        origin = f", {variable.source.rpartition(', ')[0]}" if variable.source.startswith("secret ") else ""
        yield f"# {variable.step}: {' '.join(variable.about.split())}{origin}"
        line = f"{variable.name}={_quoted(variable.default or '')}"
        yield line if variable.required else f"# {line}"


def _setting(
    resolved: Resolved, step: Step, setting: Setting, environ: Mapping[str, str], required: set[str]
) -> Variable:
    default = None
    if not (setting.required or setting.secret or setting.computed or setting.default is None):
        default = encode(setting.default, text=setting.text)
        default = None if looks_like_key(default) else default
    kind = "secret" if setting.secret else setting.type
    return Variable(
        setting.variable,
        step.id,
        setting.variable in required,
        default,
        _source(resolved, step, setting, environ),
        f"{setting.description} ({kind})" if setting.description else kind,
    )


def _source(resolved: Resolved, step: Step, setting: Setting, environ: Mapping[str, str]) -> str:
    pipeline = resolved.pipeline
    if setting.given:
        return resolved.locate(f"steps.{step.id}.settings.{setting.name}") or "configuration"
    for home, env, secrets in ((f"steps.{step.id}.", step.env, step.secrets), ("", pipeline.env, pipeline.secrets)):
        for name in variables_of(step, setting.name):
            if name in env:
                return resolved.locate(f"{home}env.{name}") or "configuration"
            if name in secrets:
                return _reference(secrets[name], resolved.locate(f"{home}secrets.{name}"), name, environ)
    here = next((name for name in variables_of(step, setting.name) if name in environ), None)
    if here is not None:
        return "environment" if here == setting.variable else f"environment ({here})"
    return "missing" if setting.required else "computed" if setting.computed else "default"


def _secret(
    resolved: Resolved, name: str, reference: SecretRef, step: Step | None, environ: Mapping[str, str]
) -> Variable:
    path = f"steps.{step.id}.secrets.{name}" if step else f"secrets.{name}"
    source = _reference(reference, resolved.locate(path), name, environ)
    return Variable(name, step.id if step else _EVERY_STEP, True, None, source, "secret")


def _reference(reference: SecretRef, place: str, name: str, environ: Mapping[str, str]) -> str:
    state = "set here" if name in environ else "not set here"
    return f"secret {reference.name}, key {reference.key}{f' ({place})' if place else ''}, {state}"


def _quoted(text: str) -> str:
    """A value quoted so that shells and readers of `.env` files read the same."""
    if re.fullmatch(_UNQUOTED, text):
        return text
    if not {"'", "\\"} & set(text) and text.isprintable():
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return '"' + escaped.replace("\n", "\\n") + '"'
