"""Local: a POSIX shell script that runs the pipeline on one machine, with nothing but `sh` and `wurzel`."""

import posixpath
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from wurzel.backends.base import (
    AMOUNTS,
    PLACEMENT,
    READ_BY_RUN,
    STARTS,
    Backend,
    OutputFile,
    PipelineContext,
    Support,
    emulated,
    native,
    unsupported,
)
from wurzel.backends.ir_file import IrContext, ir_file, ir_path
from wurzel.backends.options import TargetOptions
from wurzel.backends.preflight import own_run_id
from wurzel.exceptions import Problem
from wurzel.invocation.call import RunCall
from wurzel.invocation.command import dataset, setting_variables, step_lines
from wurzel.invocation.failure import notice_argv, notice_env, notice_references
from wurzel.invocation.layout import layout_digest
from wurzel.invocation.variables import needs, secret_owners, secret_variables, step_environment
from wurzel.ir.model import Pipeline, Step
from wurzel.ir.names import EnvName, Folder, Name, PlainText
from wurzel.patterns import pattern
from wurzel.records import dataclass

_NO_CONTAINER = "the script runs in the environment that starts it; use the argo, cronjob or airflow target"
_NO_LIMIT = "a shell script cannot limit resources; lower `-j`, or use the argo, cronjob or airflow target"
_NO_CLUSTER = "there is one machine; use the argo, cronjob or airflow target"
_STARTED = "a script starts when it is called; use the github, gitlab or airflow target"
_NO_CLOCK = "a script has no scheduler: start it from cron or a systemd timer, or use another target"

_IDENTIFIER = pattern(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class StepBlock:
    """One step of the script."""

    id: PlainText
    """Id of the step."""
    notes: Sequence[str]
    """Lines of the comment above it: description, labels, annotations."""
    needs: str
    """Ids of the steps it needs, separated by spaces."""
    followers: str
    """Ids of the steps that need it, separated by spaces."""
    command: Sequence[Sequence[str]]
    """The arguments of its command, line by line."""
    step: Step
    """The step, as the IR has it."""
    secrets: str
    """The script's `secrets` that the step reads, separated by spaces; the others are unset for it."""


class ScriptContext(PipelineContext):
    """What the templates of the script see."""

    root: Folder
    """Relative path from the folder of the script to the project."""
    notes: Sequence[str]
    """Lines of the comment on top: description, labels, annotations."""
    exports: Sequence[str]
    """`NAME=value` for each variable that all steps get."""
    parameters: Sequence[tuple[EnvName, str]]
    """Variables that the caller may set for one run, each with its default."""
    required: Sequence[Sequence[EnvName]]
    """Groups of variables; the caller must set one of each."""
    first: Sequence[Name]
    """Ids of the steps without dependencies."""
    notice: Sequence[str]
    """Arguments of `wurzel notify`, which tells of a failed run; empty for none."""
    notice_env: Sequence[str]
    """`NAME=value` for each variable that it reads."""
    secrets: Sequence[EnvName]
    """Variables that are secrets of single steps."""
    steps: Sequence[StepBlock]
    """The steps, in an order in which they can run."""
    store: str
    """URL of the store that data goes through; empty without one. With a store, commands are `wurzel run`."""
    layout: str
    """Digest by which commands notice that the script is out of date; empty without a store."""


class LocalBackend(Backend):
    """A readable `run-<pipeline>.sh` that runs steps in parallel, each as soon as its inputs are ready."""

    name = "local"
    summary = "run-<pipeline>.sh, run by any POSIX shell; `wurzel run` does the same without a file"
    runs_as_caller = True
    support: ClassVar[Mapping[str, Support]] = {
        **dict.fromkeys(("description", "labels", "annotations"), native("comments")),
        "data_dir": native(),
        "store": native("commands are `wurzel run`, which reads wurzel.yaml; keys are environment variables"),
        "settings": native("environment variables of the step's command"),
        "parameters": native("an environment variable with the setting's name overrides it; `wurzel run --param`"),
        "env": native(),
        "secrets": native("environment variables that must be set when the script starts"),
        "image": unsupported(_NO_CONTAINER),
        "group": unsupported("one script runs all steps, each in a process that has only its own secrets"),
        "step_image": unsupported(_NO_CONTAINER),
        **dict.fromkeys(AMOUNTS, unsupported(_NO_LIMIT)),
        "retry": emulated("`wurzel step --retries`"),
        "backoff": emulated("`wurzel step --backoff`"),
        "timeout": emulated("`wurzel step --timeout`, which ends the step's whole process group"),
        "pipeline_timeout": emulated("the script stops running steps when the time is up"),
        "shards": emulated("`wurzel step --shards`: parallel processes"),
        "fan_out": emulated("`wurzel step --shards`: as many processes as the data has portions, at most `max`"),
        "when": emulated("`wurzel step` asks; a skipped step writes an empty dataset, and what follows still runs"),
        "named_inputs": native("`-i NAME=DIR`"),
        "named_outputs": native("a dataset for each output, in the folder of its step"),
        "parallelism": native("the default of `-j`"),
        **dict.fromkeys(("schedule", "timezone", "deadline", "catch_up"), unsupported(_NO_CLOCK)),
        "concurrency": unsupported("two runs of a script can overlap; `wurzel run` locks its data folder"),
        **dict.fromkeys(STARTS, unsupported(_STARTED)),
        "on_failure": emulated("the script ends with `wurzel notify`; `wurzel run` does so with --notify"),
        "polls": native("the script runs every step every time; `wurzel run` never skips these"),
        "self_consuming": native("the last output stays where the step reads it"),
        **dict.fromkeys(PLACEMENT, unsupported(_NO_CLUSTER)),
        "service_account": unsupported("the script runs as the user who starts it"),
    }

    def writes(self, pipeline: Pipeline, options: TargetOptions) -> Mapping[str, str]:
        """Datasets."""
        return {dataset(pipeline, step.id): "data_dir" for step in pipeline.steps}

    def files(self, pipeline: Pipeline, options: TargetOptions) -> Sequence[OutputFile]:
        """The script, executable, and the pipeline where its commands read that."""
        path = _path(pipeline, options)
        context = {
            "pipeline": pipeline,
            "root": posixpath.relpath(".", posixpath.dirname(path) or "."),
            "notes": _notes(pipeline),
            "exports": _words(pipeline.env),
            "parameters": _parameters(pipeline),
            "required": [need.variables for need in needs(pipeline) if all(map(_IDENTIFIER.fullmatch, need.variables))],
            "first": [step.id for step in pipeline.steps if not step.predecessors],
            "secrets": list(_secrets(pipeline)),
            "notice": notice_argv(pipeline)[2:] if pipeline.on_failure else [],
            "notice_env": _words(notice_env(pipeline)),
            "steps": _blocks(pipeline, options),
            "store": pipeline.store.url if pipeline.store is not None else "",
            "layout": layout_digest(pipeline) if pipeline.store is not None else "",
        }
        files = [OutputFile(path, "local/run.sh.j2", context, executable=True)]
        reads = pipeline.store is not None and options.from_ir
        return [*files, ir_file(pipeline, options, path, self.name)] if reads else files

    def contexts(self) -> Mapping[str, type]:
        """The contexts of the script and of the file with the pipeline."""
        return {"local/run.sh.j2": ScriptContext, "local/ir.json.j2": IrContext}

    def read_by_jobs(self, pipeline: Pipeline, options: TargetOptions) -> Collection[str]:
        """What `wurzel run` reads, if there is a store."""
        return READ_BY_RUN if pipeline.store is not None else ()

    def preflight(self, pipeline: Pipeline, options: TargetOptions) -> Sequence[Problem]:
        """An environment variable cannot contain a zero byte, nor all runs of a store have one id."""
        return [
            *own_run_id(pipeline),
            *(
                Problem(
                    f"the value of {name} contains a zero byte, which an environment variable cannot", hint="Remove it."
                )
                for step in pipeline.steps
                for name, value in step_environment(pipeline, step, {}).items()
                if "\0" in value
            ),
        ]


def _blocks(pipeline: Pipeline, options: TargetOptions) -> list[StepBlock]:
    followers: dict[str, list[str]] = {step.id: [] for step in pipeline.steps}
    order = {step.id: number for number, step in enumerate(pipeline.steps)}
    for step in pipeline.steps:
        for need in step.predecessors:
            followers[need].append(step.id)
    parameters = {name for name, _ in _parameters(pipeline)}
    secrets = _secrets(pipeline)
    return [
        StepBlock(
            step.id,
            _step_notes(step),
            # The latest first: it is the least likely to be done, so the script's check stops early.
            " ".join(sorted(step.predecessors, key=order.__getitem__, reverse=True)),
            " ".join(followers[step.id]),
            _command(pipeline, step, parameters) if pipeline.store is None else _run(pipeline, step, options),
            step,
            " ".join(name for name, readers in secrets.items() if step.id in readers),
        )
        for step in pipeline.steps
    ]


def _secrets(pipeline: Pipeline) -> Mapping[str, Collection[str]]:
    """Secrets of single steps, and which steps read them; empty if the script has only one step."""
    if len(pipeline.steps) == 1 and pipeline.on_failure is None:
        return {}
    names = {name: None for step in pipeline.steps for name in [*secret_variables(step), *step.secrets]}
    names |= dict.fromkeys(notice_references(pipeline))
    return secret_owners(pipeline, dict.fromkeys(filter(_IDENTIFIER.fullmatch, names), ""))


def _command(pipeline: Pipeline, step: Step, parameters: Collection[str]) -> list[list[str]]:
    """The arguments of a step's command: its environment, the program, then each option with its value."""
    settings = {name: value for name, value in setting_variables(step).items() if name not in parameters}
    env = _words(step.env | settings)
    lines = step_lines(pipeline, step, ("retry", "timeout", "shards"))
    return [["env", *env], *lines] if env else lines


def _run(pipeline: Pipeline, step: Step, options: TargetOptions) -> list[list[str]]:
    """The arguments of a command that hands over through a store: the program, then each option with its value."""
    reads = RunCall(from_ir=ir_path(_path(pipeline, options)))
    call = reads if options.from_ir else options.run_call(pipeline)
    return call._replace(only=[step.id]).lines()


def _path(pipeline: Pipeline, options: TargetOptions) -> str:
    return options.output or f"run-{pipeline.name}.sh"


def _words(env: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in env.items()]


def _parameters(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Variables that the caller may set for one run, each with its default."""
    variables: dict[str, str] = {}
    for step in pipeline.steps:
        settings = tuple(setting for setting in step.settings if setting.parameter)
        variables |= setting_variables(step.model_copy(update={"settings": settings}))
    return [(name, value) for name, value in variables.items() if _IDENTIFIER.fullmatch(name)]


def _notes(owner: Pipeline | Step) -> list[str]:
    """Description, labels and annotations, which appear nowhere else in the script."""
    marks = {"labels": owner.labels, "annotations": owner.annotations}
    named = [f"{what}: {', '.join(_words(pairs))}" for what, pairs in marks.items() if pairs]
    return [*filter(None, owner.description.split("\n")), *named]


def _step_notes(step: Step) -> list[str]:
    notes = _notes(step)
    if step.polls:
        notes.append("Reads an outside source that may change at any time.")
    if step.when:
        notes.append("Decides at run time whether it runs; if not, it writes an empty dataset.")
    if step.self_consuming:
        notes.append("Reads its own last output.")
    return notes
