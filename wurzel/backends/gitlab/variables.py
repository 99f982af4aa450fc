"""What jobs of a GitLab CI/CD file are given: variables, inputs, secrets, and the shape of their pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.invocation.variables import key_references
from wurzel.ir.requests import limited, requested
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.ci.parameters import Parameter
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.ir.model import Pipeline, SecretRef, Step
    from wurzel.ir.pods import Toleration

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Input:
    """One entry of `spec:inputs`."""

    name: str
    """Name of the input."""
    type: str
    """`string`, `number` or `boolean`."""
    description: str
    """What it is for."""
    required: bool
    """Whether a run must set it."""
    default: Any
    """Its value if a run sets none."""
    options: Sequence[str]
    """The values it may have; empty for any."""


def variable(value: str) -> Any:
    """A variable that GitLab passes on unchanged; it would otherwise expand `$` and `%`."""
    return {"value": value, "expand": False} if "$" in value or "%" in value else value


def values_of(
    own: Mapping[str, str], parameters: Sequence[Parameter], options: GitlabOptions, *, scoped: bool
) -> dict[str, Any]:
    """Variables of a job: its `own`, and of parameters, which take the place of settings, inputs or defaults."""
    values = {name: variable(value) for name, value in own.items()}
    for parameter in parameters:
        values.pop(parameter.variable, None)
        values |= _value_of(parameter, options, scoped=scoped)
    return values


def _value_of(parameter: Parameter, options: GitlabOptions, *, scoped: bool) -> dict[str, Any]:
    """The variable of a parameter in a job; none if the file's global variables apply to the job."""
    if options.uses_inputs:
        text = f"$[[ inputs.{parameter.variable} ]]"
        # A number must stay a number, and GitLab takes only text in `value`.
        return {parameter.variable: text if _is_number(parameter) else {"value": text, "expand": False}}
    if scoped and not parameter.required:
        return {parameter.variable: variable(parameter.text)}
    return {}


def prefilled(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Variables that the "Run pipeline" form shows, with description and default."""
    found = {}
    for parameter in parameters:
        options = {"options": list(_options(parameter))} if _options(parameter) else {}
        value = {} if parameter.required else {"value": parameter.text}
        raw = {"expand": False} if variable(parameter.text) != parameter.text else {}
        found[parameter.variable] = {**value, "description": parameter.description, **options, **raw}
    return found


def typed_input(parameter: Parameter) -> Input:
    """A parameter as an entry of `spec:inputs`; a float as text, since a variable can only be text."""
    number = _is_number(parameter)
    return Input(
        name=parameter.variable,
        type="number" if number else "string",
        description=parameter.description,
        required=parameter.required,
        default=parameter.default if number else parameter.text,
        options=list(_options(parameter)),
    )


def _is_number(parameter: Parameter) -> bool:
    return parameter.type == "number" and isinstance(parameter.default, int)


def secret_lines(pipeline: Pipeline, steps: Sequence[Step], options: GitlabOptions) -> list[str]:
    """Shell lines that take secrets from CI/CD variables, and end the job when one is missing."""
    if options.vault is not None:
        return []
    names = {name: value for step in steps for name, value in ci.secrets(pipeline, step, options).items()}
    return lines_of(names)


def lines_of(names: Mapping[str, str]) -> list[str]:
    """The shell line for each variable; `names` has the CI/CD variable that it takes its value from."""
    return [_secret_line(variable, name) for variable, name in names.items()]


def vault_secrets(pipeline: Pipeline, steps: Sequence[Step], options: GitlabOptions) -> dict[str, Any]:
    """`secrets` of a job of these steps, if they come from a vault."""
    refs = {
        **pipeline.secrets,
        **key_references(pipeline),
        **{name: ref for step in steps for name, ref in step.secrets.items()},
    }
    return from_vault(refs, options)


def from_vault(refs: Mapping[str, SecretRef], options: GitlabOptions) -> dict[str, Any]:
    """`secrets` of a job that takes these from a vault, if there is one."""
    vault = options.vault
    if vault is None:
        return {}
    engine = {"name": vault.engine, "path": vault.mount}
    return {
        name: {
            "vault": {"engine": engine, "path": ref.name, "field": ref.key},
            "file": False,
            "token": "$VAULT_ID_TOKEN",
        }
        for name, ref in refs.items()
    }


def pod(pipeline: Pipeline, steps: Sequence[Step], jobs: int) -> dict[str, str]:
    """Variables that configure the pod of a job on a runner with the Kubernetes executor.

    The steps agree on everything but amounts; `jobs` of them, or of their slices, run at one time.
    """
    first = steps[0]
    alone = len(steps) == 1 and jobs == 1
    amounts: dict[str, str | None] = {}
    for bound, total, own in (("REQUEST", requested, first.resources), ("LIMIT", limited, first.limits)):
        for kind in ("cpu", "memory", "ephemeral_storage"):
            amounts[f"KUBERNETES_{kind.upper()}_{bound}"] = getattr(own, kind) if alone else total(steps, kind, jobs)
    amounts["KUBERNETES_SERVICE_ACCOUNT_OVERWRITE"] = first.service_account or pipeline.service_account
    lists = {
        "KUBERNETES_NODE_SELECTOR": _pairs(first.node_selector),
        "KUBERNETES_NODE_TOLERATIONS": [_toleration(wanted) for wanted in first.tolerations],
        "KUBERNETES_POD_LABELS": _pairs(pipeline.labels | first.labels),
        "KUBERNETES_POD_ANNOTATIONS": _pairs(pipeline.annotations | first.annotations),
    }
    numbered = {f"{name}_{place}": item for name, items in lists.items() for place, item in enumerate(items, 1)}
    return {name: amount for name, amount in amounts.items() if amount is not None} | numbered


def _toleration(wanted: Toleration) -> str:
    """A toleration in the runner's notation: `key[=value]:effect`."""
    value = f"={wanted.value}" if wanted.operator == "Equal" and wanted.value else ""
    return f"{wanted.key}{value}:{wanted.effect or ''}"


def _options(parameter: Parameter) -> Sequence[str]:
    return ("true", "false") if parameter.type == "boolean" else parameter.options


def _secret_line(variable: str, name: str) -> str:
    checked = f"${{{name}:?the CI/CD variable {name} is missing or empty}}"
    return f': "{checked}"' if variable == name else f'export {variable}="{checked}"'


def _pairs(mapping: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in mapping.items()]
