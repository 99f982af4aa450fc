"""Slurm: one script that submits a pipeline's steps as batch jobs, each after the jobs it needs."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import ClassVar, TypedDict

from pydantic import Field

from wurzel.backends.base import Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.options import TargetOptions
from wurzel.invocation.command import dataset, setting_variables, step_argv
from wurzel.invocation.variables import needs
from wurzel.ir.model import Pipeline, Step
from wurzel.ir.names import Name, PlainText, VariableName
from wurzel.ir.quantity import amount

_CLOCK = unsupported("call the script from cron, or from scrontab where the cluster has it")
_ENVIRONMENT = unsupported("jobs run in the environment that submits them; load a container in the block `job`")
_NOTES = {"polls": "Reads an outside source that may change.", "self_consuming": "Reads its own last output."}


class SlurmOptions(TargetOptions):
    """Options under `targets.slurm`."""

    partition: Name | None = Field(None, description="Partition to submit to; the cluster's default otherwise.")
    account: Name | None = Field(None, description="Account that the jobs are charged to.")


@dataclass(frozen=True)
class Job:
    """One step as a batch job, or as a job array when it has shards."""

    id: Name
    """Id of the step."""
    notes: Sequence[str]
    """Lines of the comment above it."""
    after: Sequence[PlainText]
    """Jobs that must have succeeded: the steps it needs, or what gathers their slices."""
    options: Sequence[str]
    """Options of `sbatch`."""
    parameters: Sequence[tuple[VariableName, str]]
    """Variables that the environment may set for one run, each with its value otherwise."""
    variables: Sequence[str]
    """`NAME=value` of every other variable."""
    shards: int
    """How many slices the step runs in; 1 for a plain job."""
    slices: str
    """Folder that a job array writes its slices to."""
    command: Sequence[str]
    """The command that runs the step, or one slice of it."""
    gather: Sequence[str]
    """The command that makes one dataset of the slices."""


class ScriptContext(TypedDict):
    """What the template of the script sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    root: str
    """The way from the folder of the script to that of the project."""
    required: Sequence[Sequence[VariableName]]
    """Groups of variables; one of each group must be set."""
    jobs: Sequence[Job]
    """The steps, in an order in which they can run."""


class SlurmBackend(Backend):
    """A `submit-<pipeline>.sh` that hands the whole pipeline to `sbatch`; data is on a shared file system."""

    name = "slurm"
    summary = "submit-<pipeline>.sh, one Slurm job for each step, with dependencies between them"
    options_model = SlurmOptions
    templates = Path(__file__).parent / "templates"
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("comments"),
        "data_dir": native("on a file system that all nodes share"),
        "store": unsupported("jobs hand over on the file system that all nodes share; remove `store` for this target"),
        "settings": native("environment variables of the job"),
        "parameters": native("a variable of that name in the environment of the submission wins"),
        "env": native(),
        "secrets": native("environment variables of the submission, which Slurm hands to its jobs"),
        "image": _ENVIRONMENT,
        "group": unsupported("a batch job runs one step"),
        "step_image": _ENVIRONMENT,
        "cpu": native("`--cpus-per-task`, in whole cores"),
        "memory": native("`--mem`, in whole MiB"),
        "gpu": native("`--gpus`"),
        "limits": unsupported("Slurm holds a job to what it requests; set resources instead"),
        "retry": emulated("`wurzel step --retries`"),
        "backoff": emulated("`wurzel step --backoff`"),
        "timeout": emulated("`wurzel step --timeout`"),
        "shards": native("a job array, then a job that gathers the slices"),
        "parallelism": unsupported("how many jobs run at a time is up to the cluster; submit to a smaller partition"),
        "schedule": _CLOCK,
        "timezone": _CLOCK,
        "concurrency": _CLOCK,
        "deadline": _CLOCK,
        "polls": native("every run runs every step"),
        "self_consuming": native("the last output stays where the step reads it"),
        "labels": native("`--comment`"),
    }

    def files(self, pipeline: Pipeline, options: SlurmOptions) -> Sequence[OutputFile]:
        """The script, executable."""
        path = options.output or f"submit-{pipeline.name}.sh"
        context: ScriptContext = {
            "pipeline": pipeline,
            "root": posixpath.relpath(".", posixpath.dirname(path) or "."),
            "required": [need.variables for need in needs(pipeline)],
            "jobs": [_job(pipeline, step, options) for step in pipeline.steps],
        }
        return [OutputFile(path, "slurm/submit.sh.j2", context, executable=True)]

    def contexts(self) -> Mapping[str, type]:
        """Of the script."""
        return {"slurm/submit.sh.j2": ScriptContext}

    def writes(self, pipeline: Pipeline, options: SlurmOptions) -> Mapping[str, str]:
        """Datasets."""
        return {dataset(pipeline, step.id): "data_dir" for step in pipeline.steps}


def _job(pipeline: Pipeline, step: Step, options: SlurmOptions) -> Job:
    output = dataset(pipeline, step.id)
    sliced = {other.id for other in pipeline.steps if other.shards.max > 1}
    # Slices of an earlier run in another number must not be gathered with these.
    slices = f"{output}.slices-of-{step.shards.max}"
    settings = setting_variables(step)
    free = [setting.variable for setting in step.settings if setting.parameter and setting.variable in settings]
    env = pipeline.env | step.env | settings
    return Job(
        id=step.id,
        notes=[*step.description.splitlines(), *(text for name, text in _NOTES.items() if getattr(step, name))],
        after=[f"{need}.gather" if need in sliced else need for need in step.predecessors],
        options=list(_options(pipeline, step, options)),
        parameters=[(name, env[name]) for name in free],
        variables=[f"{name}={value}" for name, value in env.items() if name not in free],
        shards=step.shards.max,
        slices=slices,
        command=step_argv(
            pipeline, step, output=slices if step.shards.max > 1 else output, emulate=("retry", "timeout")
        ),
        gather=step_argv(pipeline, step, inputs=[slices], extra=["--gather"]),
    )


def _options(pipeline: Pipeline, step: Step, options: SlurmOptions) -> Sequence[str]:
    words = [f"--job-name={pipeline.name}.{step.id}"]
    amounts = {
        "partition": options.partition,
        "account": options.account,
        "cpus-per-task": step.resources.cpu and ceil(amount(step.resources.cpu)),
        "mem": step.resources.memory and f"{ceil(amount(step.resources.memory) / 2**20)}M",
        "gpus": step.resources.gpu,
        "array": f"1-{step.shards.max}" if step.shards.max > 1 else None,
        "comment": ",".join(f"{key}={value}" for key, value in (pipeline.labels | step.labels).items()),
    }
    return [*words, *(f"--{name}={value}" for name, value in amounts.items() if value)]
