"""Texts, variables and parameters of a DAG, written so that they reach the command as the user wrote them.

Airflow renders most arguments of an operator with Jinja when the task starts. This module marks which values are the
user's text and which are our own templates; the template of the DAG file only asks which is which. Nothing a user
writes becomes part of a command: folders, settings and secrets travel in environment variables.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wurzel.backends.airflow.options import Moment
from wurzel.backends.kubernetes import RUN_ID, escape
from wurzel.backends.kubernetes.store import store_env
from wurzel.invocation.command import own_environment
from wurzel.invocation.variables import identity_of
from wurzel.ir.model import Pipeline, SecretRef, Setting, Step
from wurzel.records import dataclass

DATA = "WURZEL_DATA"
"""Variable that names the folder of all data of a DAG."""
RUN = "WURZEL_RUN"
"""Variable that names the folder of a run, within the one of the DAG."""
IR = "WURZEL_IR"
"""Variable that has the pipeline, or names the file that has it, where tasks are `wurzel run`."""
IR_DIGEST = "WURZEL_IR_SHA256"
"""Variable with the digest of that file, so that no task runs a mixture of old and new files."""
RESERVED = frozenset({DATA, RUN, RUN_ID, IR, IR_DIGEST})
"""Variables that the DAG itself sets."""

_FILES = (".sh", ".bash", ".env", ".json", ".yaml", ".yml")
NULL = "NULL_"
"""What the variable begins with that tells whether a parameter is null."""
_QUOTED_RUN = "{{ run_id | urlencode | replace('/', '%2F') }}"
_RUN_FOLDER = f"run_{_QUOTED_RUN}"
_ID = f"{{{{ dag.dag_id }}}}-{_QUOTED_RUN}"
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Path": "string",
    "list": "array",
    "set": "array",
    "tuple": "array",
    "dict": "object",
}


@dataclass(frozen=True)
class Text:
    """The value of an argument that Airflow renders; `literal` stops Airflow from reading it as a template."""

    value: str
    """The text, or one of our templates."""
    literal: bool = False
    """Whether Airflow must not read it as a template."""


def literal(text: str) -> Text:
    """A text that reaches the task unchanged.

    Jinja reads `{{`, `{%` and `{#`, drops a line break at the end and changes carriage returns. Airflow takes a text
    that ends like the name of a script (`.sh`) as the name of a template file.
    """
    return Text(text, re.search(r"\{[{%#]|\r|\n\Z", text) is not None or text.endswith(_FILES))


@dataclass(frozen=True)
class DagParam:
    """A setting that one run can override: an Airflow `Param` with its JSON Schema."""

    name: str
    """Name of the parameter."""
    default: Any
    """Its default."""
    known: bool
    """Whether it has a default."""
    schema: Mapping[str, Any]
    """JSON Schema rules for its value."""
    description: str
    """What it is for."""
    title: str
    """Its title in the form."""
    section: str
    """The section of the form: the step."""


def template(text: str) -> str:
    """A template that renders to this text, which must have no line breaks."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)


def folders(folder: str, *, outlasting: bool) -> dict[str, Text]:
    """Variables that name the folders of data.

    `folder` may be a template; `outlasting` says whether some data outlasts runs, or a task looks at the data of all
    runs.
    """
    return {RUN: Text(f"{folder}/{_RUN_FOLDER}")} | ({DATA: Text(folder)} if outlasting else {})


def of_steps(pipeline: Pipeline, kind: str) -> dict[str, Text]:
    """Variables of all tasks of one kind that are `wurzel step`: the run id, and the pipeline's own."""
    return {RUN_ID: Text("{{ run_id }}")} | {name: _static(value, kind) for name, value in pipeline.env.items()}


def of_runs(pipeline: Pipeline, kind: str, file: str, digest: str, deployment: str | None) -> dict[str, Text]:
    """Variables of all tasks of one kind that are `wurzel run`: the pipeline, the run, all parameters.

    `file` is the one with the pipeline, beside that of the DAG; `deployment` names this Airflow, if several share a
    store.
    """
    place = f"{{{{ task.dag.folder }}}}/{template(file)}" if kind == "bash" else "{{ ir() }}"
    run = "-".join(filter(None, ["airflow", deployment, _ID]))
    env = {IR: Text(place), IR_DIGEST: Text(digest), RUN_ID: Text(run)}
    env |= {name: _static(value, kind) for name, value in pipeline.env.items()}
    for step in pipeline.steps:
        given = [setting for setting in step.settings if setting.parameter]
        env |= {setting.variable: Text(_from_param(setting, kind)) for setting in given}
    env |= {f"{NULL}{name}": Text(f"{{{{ params.{name} is none }}}}") for name in all_blanks(pipeline)}
    identity = identity_of(pipeline) if kind == "kubernetes" else None
    role = {} if identity is None else store_env(pipeline)
    return env | {name: Text(value) for name, value in role.items()}


def own(step: Step, kind: str) -> dict[str, Text]:
    """Variables of a single step: its env, its settings, and its parameters as templates; no secrets."""
    env = {name: _static(value, kind) for name, value in own_environment(step).items()}
    return env | {setting.variable: Text(_from_param(setting, kind)) for setting in step.settings if setting.parameter}


def dates(step: Step, asked: Mapping[str, Moment], version: str) -> dict[str, Text]:
    """Variables of a step's settings that are dates of the run.

    On Airflow 3, a run that a person or an asset starts may have no such date: then it is the moment it was asked for.
    """
    found = {}
    for setting in step.settings:
        if moment := asked.get(setting.variable):
            date = moment if version == "2.11" else f"{moment} | default(dag_run.run_after, true)"
            is_day = re.search(r"\bdate\b", setting.type) is not None
            form = "to_date_string" if is_day else "to_iso8601_string"
            found[setting.variable] = Text(f"{{{{ moment({date}).{form}() }}}}")
    return found


def secret_variables(secrets: Mapping[str, SecretRef]) -> dict[str, Text]:
    """Variables whose values the DAG's own function `secret` reads from Airflow connections."""
    return {name: Text(f"{{{{ secret('{ref.name}', '{ref.key}') }}}}") for name, ref in secrets.items()}


def blanks(step: Step) -> list[str]:
    """Variables that must be absent when their parameter is null, so that the step's own default applies."""
    return [setting.variable for setting in step.settings if setting.parameter and _blank(setting)]


def all_blanks(pipeline: Pipeline) -> list[str]:
    """The same for all steps."""
    return [name for step in pipeline.steps for name in blanks(step)]


def params(pipeline: Pipeline) -> list[DagParam]:
    """The parameters of all steps, in their order."""
    return [_param(step, setting) for step in pipeline.steps for setting in step.settings if setting.parameter]


def _static(text: str, kind: str) -> Text:
    return literal(escape(text) if kind == "kubernetes" else text)


def _from_param(setting: Setting, kind: str) -> str:
    filters = ([] if setting.text else ["tojson"]) + (["replace('$', '$$')"] if kind == "kubernetes" else [])
    return "{{ " + " | ".join([f"params.{setting.variable}", *filters]) + " }}"


def _blank(setting: Setting) -> bool:
    if setting.required and not setting.given:
        return False
    return not setting.is_known or (setting.text and setting.chosen is None)


def _param(step: Step, setting: Setting) -> DagParam:
    blank = _blank(setting)
    return DagParam(
        name=setting.variable,
        default=None if blank else setting.chosen,
        known=blank or setting.is_known,
        schema=_schema(setting, nullable=blank) | _bounds(setting),
        description=setting.description,
        title=setting.name,
        section=step.id,
    )


def _bounds(setting: Setting) -> dict[str, Any]:
    """Bounds that also hold for the JSON form of the value; not those of a timedelta, which is text in JSON."""
    of_text = {"pattern", "minLength", "maxLength"}
    return {name: bound for name, bound in setting.bounds.items() if setting.text == (name in of_text)}


def _schema(setting: Setting, *, nullable: bool) -> dict[str, Any]:
    """What Airflow's form and API check: the JSON types of the annotation, or the choices of a `Literal`."""
    names = [name.strip() for name in re.sub(r"^Optional\[(.*)\]$", r"\1 | None", setting.type).split(" | ")]
    if len(names) == 1 and (choices := list(setting.choices)):
        return {"enum": [None, *choices] if nullable else choices}
    plain = [name.partition("[")[0].rpartition(".")[2] for name in names if name != "None"]
    types = ["string"] if setting.text else [_TYPES.get(name) for name in plain]
    if None in types:
        return {}
    if nullable or "None" in names:
        types = ["null", *types]
    return {"type": types[0] if len(types) == 1 else types} | _items(names)


def _items(names: Sequence[str]) -> dict[str, Any]:
    """Airflow's form shows a list as lines of text unless its items are something else."""
    if names[0].startswith(("list[", "set[")):
        item = _TYPES.get(names[0].partition("[")[2].removesuffix("]").rpartition(".")[2])
        return {} if item == "string" else {"items": {"type": item}} if item else {}
    return {}
