"""What DVC runs and reads: a stage for each step, or for each slice of one, and the settings in `params.yaml`."""

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal

from pydantic import Field

from wurzel.backends.base import PipelineContext
from wurzel.backends.options import TargetOptions
from wurzel.invocation import call
from wurzel.invocation.command import Emulated, configured_env, dataset, gather_argv, step_argv, supervision
from wurzel.invocation.variables import is_ignored
from wurzel.ir.file_places import files_in
from wurzel.ir.model import Pipeline, Setting, Step
from wurzel.ir.names import PlainText
from wurzel.records import dataclass

REPORT = ".report.json"
"""File name of the report inside a slice, where `wurzel step --gather` looks for it (`wurzel.runtime.slices`)."""
_SLICE = "\0slice"
"""Placeholder for DVC's `${item.slice}` until texts are escaped; a user's text cannot contain a NUL."""


class DvcOptions(TargetOptions):
    """Options below `targets.dvc`."""

    params: str = Field("params.yaml", description="File for the settings of steps, relative to the project folder.")
    metrics_dir: str = Field("metrics", description="Folder for one metrics file per step.")
    lock: str | None = Field(
        None,
        description="File that lists the installed packages, such as uv.lock, relative to the project. Every"
        " stage depends on it, so a change re-runs all of them.",
    )
    plots: tuple[str | dict[str, Any], ...] = Field(
        (),
        description="`plots` of dvc.yaml, as DVC takes them, e.g. [{data/score/part-00000.json: {x: step, y: loss}}].",
    )
    shards: Literal["stages", "processes"] = Field(
        "stages",
        description="Whether slices are stages of a matrix and one that merges them, or processes in one stage.",
    )


@dataclass(frozen=True)
class Stage:
    """One stage of `dvc.yaml`, ready for the template; texts are escaped so that DVC expands no `${}` in them."""

    name: PlainText
    """Id of the step."""
    cmd: str | list[str]
    """The shell line that runs it, in a list if it has line breaks."""
    step: Step
    """The step, as the IR has it."""
    matrix: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """`matrix`: a name to the numbers of the slices; empty for a single stage."""
    wdir: str | None = None
    """`wdir`: path from the folder of `dvc.yaml` to the project; null if they are the same."""
    desc: str = ""
    """What the step is for."""
    deps: Sequence[str] = ()
    """Files and folders it reads: its code, its inputs, datasets of other steps."""
    params: Sequence[Any] = ()
    """Keys of `params.yaml`, or of another file by its name."""
    outs: Sequence[str | Mapping[str, Any]] = ()
    """Its dataset, or one for each named output: a path, or a mapping with options for DVC."""
    metrics: str = ""
    """The file with its metrics."""
    always_changed: bool = False
    """Whether it reads an outside source, so that DVC must run it every time."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """`meta`, which DVC ignores: the class, whether it has a `when`, options that change no data, labels, annotations,
    parameters, names of secrets."""


class StagesContext(PipelineContext):
    """What the template of `dvc.yaml` sees."""

    stages: Sequence[Stage]
    """One stage for each step, in an order in which they can run."""
    plots: Sequence[Any]
    """`plots` of the file: option `plots`."""


class ParamsContext(PipelineContext):
    """What the template of `params.yaml` sees."""

    params: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Name of the pipeline to ids of steps to names of settings to their values."""


def input_paths(step: Step) -> list[str]:
    """Files and folders outside the data folder that a step reads, as its settings name them."""
    found: list[str] = []
    for setting in step.settings:
        value = setting.chosen
        found += filter(None, _texts(value)) if setting.input_path else files_in(value, setting.input_places)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for item in value.values() for text in _texts(item))
    elif isinstance(value, list | tuple):
        yield from (text for item in value for text in _texts(item))


def metrics_of(step: Step, options: DvcOptions) -> str:
    """The file with the metrics of a step."""
    return f"{options.metrics_dir}/{step.id}.json"


def stages_of(pipeline: Pipeline, step: Step, options: DvcOptions, main: str) -> list[Stage]:
    """The stages of a step: one, or if slices are stages, a matrix of them and one that merges them."""
    whole = _stage(pipeline, step, options, main)
    if _has_stages(step, options):
        return [_slices(pipeline, step, options, whole, main), _gathering(pipeline, step, options, whole)]
    return [whole]


def _has_stages(step: Step, options: DvcOptions) -> bool:
    """Whether slices are stages. Those that only the data can number are processes: a matrix would be of `max`."""
    return step.shards.max > 1 and step.shards.items is None and options.shards == "stages"


def _stage(pipeline: Pipeline, step: Step, options: DvcOptions, main: str) -> Stage:
    params = [f"{pipeline.name}.{step.id}.{setting.name}" for setting in step.settings if _is_param(setting)]
    report = metrics_of(step, options)
    argv = step_argv(
        pipeline, step, extra=call.options(options=_options_of(step.id, main)), settings_in_file=_has_params(step)
    )
    outs = [_escape(dataset(pipeline, step.id, port.name)) for port in step.outputs]
    return Stage(
        name=step.id,
        step=step,
        cmd=_cmd(_counted(pipeline, step), argv),
        wdir=_wdir(main),
        desc=_escape(step.description),
        deps=[_escape(path) for path in _deps(pipeline, step, options)],
        params=params if options.params == "params.yaml" or not params else [{_escape(options.params): params}],
        outs=[{out: {"persist": True}} for out in outs] if step.self_consuming else outs,
        metrics=_escape(report),
        always_changed=step.polls or step.self_consuming or not step.cache,
        meta=_escaped(_meta(pipeline, step, options, report)),
    )


def _slices(pipeline: Pipeline, step: Step, options: DvcOptions, whole: Stage, main: str) -> Stage:
    """A stage for each slice. Its report is inside the slice, where the stage that merges them finds it."""
    folder, name = _slices_of(pipeline, step), f"{step.id}_slice"  # no step id contains a `_`
    report = f"{_slice_of(folder, step)}/{REPORT}"
    extra = call.options(shard=f"{_SLICE}/{step.shards.max}", report=report, options=_options_of(name, main))
    argv = step_argv(pipeline, step, output=folder, extra=extra, settings_in_file=_has_params(step))
    return replace(
        whole,
        name=name,
        cmd=_cmd(_counted(pipeline, step), argv),
        matrix={"slice": list(range(1, step.shards.max + 1))},
        outs=[_escape(_slice_of(folder, step))],
        metrics="",
        meta=_escaped(_meta(pipeline, step, options, "")),
    )


def _gathering(pipeline: Pipeline, step: Step, options: DvcOptions, whole: Stage) -> Stage:
    folder = _slices_of(pipeline, step)
    argv = gather_argv(pipeline, step, folder, report=metrics_of(step, options))
    slices = [_escape(_slice_of(folder, step, number)) for number in range(1, step.shards.max + 1)]
    return replace(whole, cmd=_cmd({}, argv), deps=slices, params=(), always_changed=False)


def _slices_of(pipeline: Pipeline, step: Step) -> str:
    """Folder of the slices, beside the dataset; it cannot clash, since no step id contains a `.`."""
    return f"{dataset(pipeline, step.id)}.slices"


def _slice_of(folder: str, step: Step, number: int | str = _SLICE) -> str:
    return f"{folder}/shard-{number}-of-{step.shards.max}"


def _wdir(main: str) -> str | None:
    home = posixpath.dirname(main)
    return _escape(posixpath.relpath(".", home)) if home else None


def _has_params(step: Step) -> bool:
    return any(_is_param(setting) for setting in step.settings)


def _deps(pipeline: Pipeline, step: Step, options: DvcOptions) -> list[str]:
    lock = [options.lock] if options.lock else []
    data = [dataset(pipeline, edge.step, edge.output) for edge in step.needs]
    named = input_paths(step)
    once = set(map(posixpath.normpath, named))  # a setting may write `./words.txt` for what is among the sources
    sources = [path for path in step.sources if path not in once]
    return list(dict.fromkeys([*sources, *lock, *named, *data]))


def _options_of(stage: str, main: str) -> str:
    """Where `wurzel step` reads options that do not change data; in the command, a change would re-run the stage."""
    return f"{main}#stages.{stage}.meta"


def _counted(pipeline: Pipeline, step: Step) -> dict[str, str]:
    env = configured_env(pipeline, step)
    return {name: value for name, value in env.items() if not is_ignored(pipeline, name)}


def _uncounted(pipeline: Pipeline, step: Step, options: DvcOptions, report: str) -> dict[str, Any]:
    """Options of `wurzel step`, and variables, that do not change data: DVC compares the settings themselves."""
    emulate: list[Emulated] = ["retry", "timeout"]
    if not _has_stages(step, options):
        emulate.append("shards")
    found: dict[str, Any] = {"settings": f"{options.params}#{pipeline.name}.{step.id}"} if _has_params(step) else {}
    found |= {"report": report} if report else {}
    words = supervision(step, emulate)
    found |= {name: int(value) if value.isdigit() else value for name, value in words.items()}
    env = configured_env(pipeline, step)
    if ignored := {name: value for name, value in env.items() if is_ignored(pipeline, name)}:
        found["env"] = ignored
    return found


def _meta(pipeline: Pipeline, step: Step, options: DvcOptions, report: str) -> dict[str, Any]:
    """`meta`, for people and tools; it names secrets, so that a reader knows what to export."""
    secrets = pipeline.secrets | step.secrets
    meta: dict[str, Any] = {
        "run": step.run,
        "when": step.when,
        "options": _uncounted(pipeline, step, options, report),
        "labels": pipeline.labels | step.labels,
        "annotations": pipeline.annotations | step.annotations,
        "parameters": [setting.name for setting in step.settings if setting.parameter],
        "secrets": {variable: f"{secret.name}/{secret.key}" for variable, secret in secrets.items()},
    }
    return {name: value for name, value in meta.items() if value}


def _is_param(setting: Setting) -> bool:
    return not setting.secret and setting.is_known


def params_of(pipeline: Pipeline) -> dict[str, Any]:
    """What `params.yaml` holds: the known settings of each step by pipeline and step; empty where there is none."""
    steps = {
        step.id: {setting.name: setting.chosen for setting in step.settings if _is_param(setting)}
        for step in pipeline.steps
    }
    kept = {step: values for step, values in steps.items() if values}
    return {pipeline.name: kept} if kept else {}


def _cmd(env: Mapping[str, str], argv: Sequence[str]) -> str | list[str]:
    """One shell line; in a list if DVC would otherwise split it at a line break inside quotes."""
    words = ["env", *(f"{name}={value}" for name, value in env.items()), *argv] if env else argv
    line = _escape(shlex.join(words))
    return line if line.splitlines() == [line] else [line]


def _escape(text: str) -> str:
    r"""Text that DVC's templating leaves unchanged: `${` starts an expression unless written `\${`."""
    return text.replace("${", "\\${").replace(_SLICE, "${item.slice}")


def _escaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_escape(key): _escaped(item) for key, item in value.items()}
    return _escape(value) if isinstance(value, str) else value
