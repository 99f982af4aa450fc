"""The environment variables that steps get, what feeds their settings, and what is missing before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wurzel.datacontract.secrets import looks_like_key
from wurzel.exceptions import Problem
from wurzel.invocation.command import own_environment, prefixes_of, setting_variables
from wurzel.invocation.failure import notice_references
from wurzel.named_tuples import NamedTuple
from wurzel.store_url import KEYS

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, SecretRef, Setting, Step, StoreIdentity

ONLY = "WURZEL_ONLY"
"""Variable that all jobs of a run have which is not of all steps: those that it is of, as `--only` takes them."""

VARIABLE_LIMIT = 128 * 1024
"""Most bytes of one variable, or one argument, that Linux starts a process with (MAX_ARG_STRLEN)."""
ALL_LIMIT = 2 * 1024 * 1024 - VARIABLE_LIMIT
"""Most bytes of a step's variables: a quarter of the usual stack of 8 MiB, less what its surroundings need."""

_POINTER = 8
_IGNORED = ("LOG_LEVEL", "NO_COLOR", "PYTHONUNBUFFERED", "*_PROXY")
"""Variables that change what is logged, or how something is reached, but no data."""


def step_environment(pipeline: Pipeline, step: Step, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a step: that of the surroundings, the pipeline's, the step's, its settings."""
    return {**environ, **pipeline.env, **own_environment(step)}


def is_ignored(pipeline: Pipeline, name: str) -> bool:
    """Whether a variable changes no data: it shapes logs or connections, or `env_ignored` names it."""
    return name in pipeline.env_ignored or any(fnmatchcase(name.upper(), pattern) for pattern in _IGNORED)


def secret_owners(pipeline: Pipeline, environ: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Ids of the steps that read each of these variables, for those that are secrets of single steps, or of none.

    A variable of a setting that is not secret counts where its value looks like a key.
    """
    owners = {}
    told = notice_references(pipeline)
    for name, value in environ.items():
        key = looks_like_key(value) != ""
        shared = name in pipeline.secrets or name in pipeline.env
        asked = (name in step.secrets or _sets_secret(step, name, key) for step in pipeline.steps)
        if not shared and (name in told or any(asked)):
            readers = [step for step in pipeline.steps if name in step.secrets or name.startswith(prefixes_of(step))]
            owners[name] = frozenset(step.id for step in readers)
    return owners


def secret_variables(step: Step) -> list[str]:
    """The variables that set the secret settings of a step."""
    return [name for setting in step.settings if setting.secret for name in variables_of(step, setting.name)]


def _sets_secret(step: Step, name: str, key: bool) -> bool:
    if not name.startswith(prefixes_of(step)):
        return False
    return key or any(
        name in feeding(step, setting) or name.startswith(tuple(f"{own}__" for own in variables_of(step, setting.name)))
        for setting in step.settings
        if setting.secret
    )


def variables_of(step: Step, name: str) -> list[str]:
    """The variables that set a setting, strongest first."""
    return [f"{prefix}{name}" for prefix in prefixes_of(step)]


def feeding(step: Step, setting: Setting) -> list[str]:
    """Every variable that may provide a setting: its own, and those that hold the settings around it as JSON."""
    parts = setting.name.split("__")
    names = ["__".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return [f"{prefix}{name}" for prefix in prefixes_of(step) for name in names]


def unfed(pipeline: Pipeline, step: Step, also: Iterable[str] = ()) -> Iterator[Setting]:
    """Required settings of a step that neither configuration nor variables, `also` included, provide."""
    provided = {*pipeline.env, *pipeline.secrets, *step.env, *step.secrets, *also}
    for setting in step.settings:
        if setting.required and not setting.given and provided.isdisjoint(feeding(step, setting)):
            yield setting


class Need(NamedTuple):
    """Something that only the environment can give, under any one of some variables."""

    step: str
    variables: Sequence[str]
    what: str
    """`setting SIZE` or `secret TOKEN`."""
    advice: str


def needs(pipeline: Pipeline) -> list[Need]:
    """What must be in the environment before a run: required settings without a value, and secrets.

    A secret that feeds a setting with a default may be absent; every other one that the pipeline names must be there.
    """
    found = []
    seen: set[str] = set()
    for step in pipeline.steps:
        given = {*pipeline.env, *step.env}
        fed: set[str] = set()
        for setting in step.settings:
            variables = feeding(step, setting)
            fed.update(variables)
            if setting.required and not setting.given and given.isdisjoint(variables):
                secret = setting.secret or setting.variable in step.secrets
                what = f"{'secret' if secret else 'setting'} {setting.name}"
                found.append(Need(step.id, variables, what, _advice(step, setting, secret)))
        for variable in pipeline.secrets | step.secrets:
            if variable not in fed | seen | given:
                seen.add(variable)
                found.append(Need(step.id, [variable], f"secret {variable}", f"Set {variable} in the environment."))
    return found


def missing(pipeline: Pipeline, environ: Mapping[str, str]) -> list[Problem]:
    """What the environment should give and does not."""
    return [
        Problem(f"the {need.what} is missing", f"{pipeline.name}: step {need.step}", need.advice)
        for need in needs(pipeline)
        if environ.keys().isdisjoint(need.variables)
    ]


class TooLarge(NamedTuple):
    """A value, or all of them together, that the kernel does not hand to a process."""

    path: str
    """Where configuration has it, such as `steps.split.settings.PROMPT`; the step for all of them together."""
    message: str
    advice: str


def too_large(pipeline: Pipeline, step: Step, *, settings: bool = True) -> Iterator[TooLarge]:
    """What of a step's configuration Linux refuses to start a process with: "Argument list too long".

    `settings` says whether settings travel in the environment, not in a file; such a target (DVC) has all variables in
    the one argument that is its command.
    """
    names = {setting.variable: setting for setting in step.settings}
    values = {**pipeline.env, **step.env, **(setting_variables(step) if settings else {})}
    sizes = {name: _size(name, value) for name, value in values.items()}
    for name, size in sizes.items():
        if size > VARIABLE_LIMIT:
            setting = names.get(name)
            what = f"the setting {setting.name}" if setting else f"the variable {name}"
            path = f"steps.{step.id}.settings.{setting.name}" if setting else f"steps.{step.id}.env.{name}"
            path = path if setting or name in step.env else f"env.{name}"
            yield TooLarge(
                path,
                f"step {step.id}: {what} has {size} bytes as {name}=…; Linux takes at most {VARIABLE_LIMIT} for one"
                " variable",
                "Put the value into a file, and let the setting name the file.",
            )
    total = sum(size + _POINTER for size in sizes.values())
    limit = ALL_LIMIT if settings else VARIABLE_LIMIT
    if total > limit and max(sizes.values()) <= VARIABLE_LIMIT:
        most = max(sizes, key=lambda name: sizes[name])
        yield TooLarge(
            f"steps.{step.id}",
            f"step {step.id}: its {len(sizes)} variables have {total} bytes; Linux takes at most {limit} for all of"
            " them and the command",
            f"Put large values into files; the largest is {most} with {sizes[most]} bytes.",
        )


def _size(name: str, value: str) -> int:
    """Bytes of `NAME=value` and its end, as the kernel counts them."""
    return len(name.encode()) + len(value.encode(errors="surrogateescape")) + 2


def _advice(step: Step, setting: Setting, secret: bool) -> str:
    if secret:
        return f"Set {setting.variable} in the environment."
    place = f"steps.{step.id}.settings.{setting.name.replace('__', '.')}"
    return f"Give it in wurzel.yaml under {place}, or set {setting.variable} in the environment."


def key_references(pipeline: Pipeline) -> dict[str, SecretRef]:
    """Variables with the keys of the store, to where they are kept; none without keys."""
    keys = None if pipeline.store is None else pipeline.store.secrets
    return {} if keys is None else dict(zip(KEYS, (keys.access_key_id, keys.secret_access_key), strict=True))


def identity_of(pipeline: Pipeline) -> StoreIdentity | None:
    """The identity that jobs have for the store; `None` where they have keys, or the platform's own identity."""
    return None if pipeline.store is None or pipeline.store.secrets is not None else pipeline.store.identity
