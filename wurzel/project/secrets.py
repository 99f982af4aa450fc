"""Rules on secrets: places that must not contain a value, and names that almost match a setting's variable."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.core.environment import prefixes
from wurzel.invocation.command import prefixes_of
from wurzel.invocation.variables import variables_of
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.secret_names import may_be_secret

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step

_PLAIN = pattern(r"(?s:.{0,5})|\d+|(?i:true|false|none|null)|/\S+")
"""Values that cannot be secrets, whatever the name says: too short to be masked, numbers, paths."""
_NOT_SHOWN = "its value must not be written here (it is not shown)"


class Broken(NamedTuple):
    """A broken rule: dotted path of the field, what is wrong, what to do."""

    path: str
    message: str
    hint: str = ""


def broken_secret_rules(pipeline: Pipeline) -> Iterator[Broken]:
    """Values where only references are allowed, and references that reach no setting because of their name."""
    yield from _shared_prefixes(pipeline)
    if not (pipeline.env or pipeline.secrets or any(step.env or step.secrets for step in pipeline.steps)):
        return
    known = _variables(pipeline)
    for step in pipeline.steps:
        for home, item in (("", pipeline), (f"steps.{step.id}.", step)):
            yield from _values(step, item.env, f"{home}env", known)
            yield from _references(pipeline, step, [name for name in item.secrets if name not in known], home)


def doubtful(pipeline: Pipeline) -> Iterator[Broken]:
    """Plain variables that are called like a secret and belong to no setting, which would say what they are."""
    suspects = [
        (f"{home}env.{name}", name)
        for home, env in (("", pipeline.env), *((f"steps.{step.id}.", step.env) for step in pipeline.steps))
        for name, value in env.items()
        if may_be_secret(name) and not _PLAIN.fullmatch(value)
    ]
    known = _variables(pipeline) if suspects else set()
    for path, name in suspects:
        if name not in known:
            hint = (
                f"Refer to it: secrets: {{{name}: {{name: …, key: …}}}}. If it is not a secret, give it another name."
            )
            yield Broken(path, "is called like a secret, but rendered files show its value", hint)


def _variables(pipeline: Pipeline) -> set[str]:
    """The variables of all settings."""
    return {name for step in pipeline.steps for setting in step.settings for name in variables_of(step, setting.name)}


def _values(step: Step, env: Mapping[str, str], home: str, known: set[str]) -> Iterator[Broken]:
    for setting in step.settings if env else ():
        if not setting.secret:
            continue
        variables = variables_of(step, setting.name)
        for name in env:
            hint = f"Refer to it: secrets: {{{name}: {{name: …, key: …}}}}."
            if name in variables:
                yield Broken(f"{home}.{name}", f"is the variable of a secret setting: {_NOT_SHOWN}", hint)
            elif any(name.startswith(f"{variable}__") for variable in variables):
                message = f"is part of the secret setting {setting.name}: {_NOT_SHOWN}"
                yield Broken(f"{home}.{name}", message, hint)
            elif name not in known and _alike(name, setting, variables):
                message = f"looks like the variable of the secret setting {setting.name}: {_NOT_SHOWN}"
                yield Broken(f"{home}.{name}", message, hint.replace(name, variables[0]))
        yield from _nested(step, setting, env, home)


def _nested(step: Step, setting: Setting, env: Mapping[str, str], home: str) -> Iterator[Broken]:
    """Secrets inside JSON: `EMBED__DB: '{"PASSWORD": …}'` sets `DB__PASSWORD` just like its own variable."""
    parts = setting.name.split("__")
    for depth in range(1, len(parts)):
        for name in sorted(env.keys() & {*variables_of(step, "__".join(parts[:depth]))}):
            if _contains(env[name], parts[depth:]):
                hint = "Remove it there and refer to it: secrets: {…: {name: …, key: …}}."
                yield Broken(f"{home}.{name}", f"contains the secret setting {setting.name} (not shown)", hint)


def _contains(text: str, path: Sequence[str]) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _references(pipeline: Pipeline, step: Step, names: Sequence[str], home: str) -> Iterator[Broken]:
    """A reference whose variable no setting reads, while an unset setting has almost that name."""
    for setting in step.settings if names else ():
        variables = variables_of(step, setting.name)
        if setting.given or not {*pipeline.secrets, *step.secrets, *pipeline.env, *step.env}.isdisjoint(variables):
            continue
        for name in names:
            if _alike(name, setting, variables):
                message = f"has no effect: step {step.id} reads its setting {setting.name} from {variables[0]}"
                hint = f"Write {setting.name} under steps.{step.id}.secrets, or name the variable {variables[0]}."
                yield Broken(f"{home}secrets.{name}", message, hint)


def _alike(name: str, setting: Setting, variables: Sequence[str]) -> bool:
    upper, field = name.upper(), setting.name.upper()
    folded = {variable.replace("_", "").upper() for variable in variables}
    return upper == field or upper.endswith(f"__{field}") or upper.replace("_", "") in folded


def _shared_prefixes(pipeline: Pipeline) -> Iterator[Broken]:
    """A step whose class is named like another step's id, so that both would read the same variables."""
    by_prefix = {prefixes(step.id, "")[0]: step for step in pipeline.steps if step.settings}
    for step in pipeline.steps:
        class_name = step.run.rpartition(":")[2].rpartition(".")[2]
        own, *rest = prefixes_of(step)
        other = next((by_prefix[prefix] for prefix in rest if prefix in by_prefix), None)
        if other is not None and other.run != step.run:
            yield Broken(
                f"steps.{step.id}",
                f"its class {class_name} is named like the step {other.id!r}, so both would read {rest[0]}…",
                f'Give one of the two another name: WZ(…, name="…"). Variables {own}… set only this one.',
            )
