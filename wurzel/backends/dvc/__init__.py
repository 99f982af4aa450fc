"""DVC: `dvc.yaml` with one stage per step, and `params.yaml` with every setting that is not a secret.

Facts about DVC's file format: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files.
"""

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, ClassVar, Literal

from pydantic import Field
from pydantic_core import to_json

from wurzel.backends.base import (
    AMOUNTS,
    PLACEMENT,
    STARTS,
    Adoptable,
    Backend,
    OutputFile,
    PipelineContext,
    Support,
    emulated,
    native,
    unsupported,
)
from wurzel.backends.dvc.style import with_flush_lists
from wurzel.backends.options import TargetOptions
from wurzel.exceptions import Problem
from wurzel.invocation.command import Emulated, dataset, step_argv, supervision
from wurzel.invocation.variables import is_ignored
from wurzel.ir.features import Use
from wurzel.ir.file_places import files_in
from wurzel.ir.model import Pipeline, Setting, Step
from wurzel.ir.names import PlainText
from wurzel.records import dataclass

REPORT = ".report.json"
"""File name of the report inside a slice, where `wurzel step --gather` looks for it (`wurzel.runtime.slices`)."""
_SLICE = "\0slice"
"""Placeholder for DVC's `${item.slice}` until texts are escaped; a user's text cannot contain a NUL."""

_STARTED = "DVC runs when it is called; use the github, gitlab or airflow target"
_NO_CLUSTER = "DVC runs on the machine it is started on; use the argo, airflow or cronjob target"


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


class DvcBackend(Backend):
    """Stages with relative deps and outs, parameters and metrics, so that `dvc repro` and `dvc exp` just work."""

    name = "dvc"
    settings_in_environment = False
    summary = "dvc.yaml and params.yaml, run by `dvc repro` and `dvc exp`"
    options_model = DvcOptions
    names_sources = True
    some_steps = "Name a stage: dvc repro --single-item STEP; without the option, also what it depends on."
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("`desc` of a stage; a comment for the pipeline"),
        "data_dir": native(),
        "store": unsupported("DVC has its own cache and remotes"),
        "settings": native("`params.yaml`, wired through `params:`"),
        "parameters": native("`dvc exp run -S PIPELINE.STEP.SETTING=VALUE`; listed in `meta.parameters`"),
        "env": emulated("`env NAME=VALUE` before the command; `meta.options.env` for what changes no data"),
        "secrets": emulated("read from the environment when `dvc repro` runs; `meta.secrets` names the variables"),
        "image": unsupported(f"no containers: {_NO_CLUSTER}"),
        "group": unsupported("a stage is one step, so that DVC can skip it alone"),
        "step_image": unsupported(f"no containers: {_NO_CLUSTER}"),
        **dict.fromkeys((*AMOUNTS, *PLACEMENT, "service_account"), unsupported(_NO_CLUSTER)),
        **dict.fromkeys(("retry", "backoff", "timeout"), emulated("`wurzel step`, which reads `meta.options`")),
        "pipeline_timeout": unsupported("DVC has no such limit; run `timeout 2h dvc repro`"),
        "shards": native(
            "`matrix`, a stage for each slice, and a stage that merges them; `dvc repro` runs one at a time, and"
            " `targets.dvc.shards: processes` runs all in parallel within one stage"
        ),
        "fan_out": emulated(
            "`wurzel step --shards`: parallel processes within the stage, as many as the data has portions"
        ),
        "when": emulated("`wurzel step` asks; a skipped step writes an empty dataset, and its stage succeeds"),
        "named_inputs": native("`deps` on the datasets that are read; `-i NAME=DIR` in `cmd`"),
        "named_outputs": native("an out for each output, so a change of one re-runs only the stages that read it"),
        "parallelism": unsupported("`dvc repro` runs one stage at a time"),
        "schedule": unsupported("DVC has no scheduler; start `dvc repro` from cron or use another target"),
        **dict.fromkeys(("timezone", "deadline", "catch_up"), unsupported("DVC has no scheduler")),
        "concurrency": unsupported("DVC has no scheduler; its own lock keeps two `dvc repro` apart"),
        **dict.fromkeys(STARTS, unsupported(_STARTED)),
        "on_failure": unsupported("`dvc repro` calls nothing when it fails; run it from a CI target"),
        "polls": native("`always_changed: true`"),
        "self_consuming": native("`persist: true`, so the last output is there for the next run"),
        "labels": native("`meta.labels` of each stage"),
        "annotations": native("`meta.annotations` of each stage"),
    }

    def support_for(self, use: Use, options: DvcOptions) -> Support:
        """As in the table, except for slices that are processes."""
        if use.feature == "shards" and options.shards == "processes":
            return emulated("`wurzel step --shards`: parallel processes within the stage")
        return super().support_for(use, options)

    def files(self, pipeline: Pipeline, options: DvcOptions) -> Sequence[OutputFile]:
        """`dvc.yaml`, and `params.yaml` when a step has settings."""
        main = options.output or "dvc.yaml"
        stages = [stage for step in pipeline.steps for stage in _stages(pipeline, step, options, main)]
        context: dict[str, Any] = {"pipeline": pipeline, "stages": stages, "plots": list(options.plots)}
        files = [OutputFile(main, "dvc/dvc.yaml.j2", context)]
        if params := _params(pipeline):
            context = {"pipeline": pipeline, "params": params}
            file = OutputFile(options.params, "dvc/params.yaml.j2", context, option="params", finish=with_flush_lists)
            files.append(file)
        return files

    def placed(self, pipeline: Pipeline, options: DvcOptions, name: str) -> DvcOptions:
        """`dvc.yaml` and `params.yaml` in a folder of that name."""
        params = options.params if "params" in options.model_fields_set else f"{name}/{options.params}"
        return options.model_copy(update={"output": f"{name}/dvc.yaml", "params": params})

    def writes(self, pipeline: Pipeline, options: DvcOptions) -> Mapping[str, str]:
        """Datasets and metrics: DVC refuses an out that two stages have, also across files."""
        data = {dataset(pipeline, step.id): "data_dir" for step in pipeline.steps}
        return data | {_metrics(step, options): "targets.dvc.metrics_dir" for step in pipeline.steps}

    def adoptable(self, pipeline: Pipeline, options: DvcOptions, path: str, text: str) -> Iterator[Adoptable]:
        """Settings in `params.yaml`, as an experiment leaves them."""
        if path != options.params:
            return
        from wurzel.datacontract.plain_yaml import NotYaml, load_yaml

        try:
            found = load_yaml(text)
        except NotYaml:
            return
        for step, values in _params(pipeline).get(pipeline.name, {}).items():
            now = _below(found, pipeline.name, step)
            for name, old in values.items():
                if name in now and to_json(now[name]) != to_json(old):
                    yield Adoptable(("steps", step, "settings", name), old, now[name], setting=True)

    def contexts(self) -> Mapping[str, type]:
        """Of `dvc.yaml` and `params.yaml`."""
        return {"dvc/dvc.yaml.j2": StagesContext, "dvc/params.yaml.j2": ParamsContext}

    def preflight(self, pipeline: Pipeline, options: DvcOptions) -> Sequence[Problem]:
        """An input folder that contains the data folder would make every stage depend on its own output."""
        data = posixpath.normpath(pipeline.data_dir)
        return [
            Problem(
                f"the step {step.id!r} reads {path!r}, which contains the data folder {pipeline.data_dir!r}:"
                " DVC would see a cycle",
                hint="Read a narrower folder, or move `data_dir` out of it.",
            )
            for step in pipeline.steps
            for path in input_paths(step)
            if f"{data}/".startswith(f"{posixpath.normpath(path)}/") or posixpath.normpath(path) == "."
        ]


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


def _metrics(step: Step, options: DvcOptions) -> str:
    return f"{options.metrics_dir}/{step.id}.json"


def _stages(pipeline: Pipeline, step: Step, options: DvcOptions, main: str) -> list[Stage]:
    whole = _stage(pipeline, step, options, main)
    if _has_stages(step, options):
        return [_slices(pipeline, step, options, whole, main), _gathering(pipeline, step, options, whole)]
    return [whole]


def _has_stages(step: Step, options: DvcOptions) -> bool:
    """Whether slices are stages. Those that only the data can number are processes: a matrix would be of `max`."""
    return step.shards.max > 1 and step.shards.items is None and options.shards == "stages"


def _stage(pipeline: Pipeline, step: Step, options: DvcOptions, main: str) -> Stage:
    params = [f"{pipeline.name}.{step.id}.{setting.name}" for setting in step.settings if _is_param(setting)]
    report = _metrics(step, options)
    argv = step_argv(pipeline, step, extra=_options_of(step.id, main), settings_in_file=_has_params(step))
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
    extra = ["--shard", f"{_SLICE}/{step.shards.max}", "--report", f"{_slice_of(folder, step)}/{REPORT}"]
    extra += _options_of(name, main)
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
    folder, report = _slices_of(pipeline, step), _metrics(step, options)
    argv = ["wurzel", "step", step.run, "--id", step.id, "--gather", "-i", folder, "-o", dataset(pipeline, step.id)]
    slices = [_escape(_slice_of(folder, step, number)) for number in range(1, step.shards.max + 1)]
    return replace(whole, cmd=_cmd({}, [*argv, "--report", report]), deps=slices, params=(), always_changed=False)


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


def _options_of(stage: str, main: str) -> list[str]:
    """Where `wurzel step` reads options that do not change data; in the command, a change would re-run the stage."""
    return ["--options", f"{main}#stages.{stage}.meta"]


def _counted(pipeline: Pipeline, step: Step) -> dict[str, str]:
    env = pipeline.env | step.env
    return {name: value for name, value in env.items() if not is_ignored(pipeline, name)}


def _uncounted(pipeline: Pipeline, step: Step, options: DvcOptions, report: str) -> dict[str, Any]:
    """Options of `wurzel step`, and variables, that do not change data: DVC compares the settings themselves."""
    emulate: list[Emulated] = ["retry", "timeout"]
    if not _has_stages(step, options):
        emulate.append("shards")
    words = supervision(step, emulate)
    found: dict[str, Any] = {"settings": f"{options.params}#{pipeline.name}.{step.id}"} if _has_params(step) else {}
    found |= {"report": report} if report else {}
    found |= {
        name.removeprefix("--"): int(value) if value.isdigit() else value
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    env = pipeline.env | step.env
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


def _params(pipeline: Pipeline) -> dict[str, Any]:
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


def _below(found: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _escape(text: str) -> str:
    r"""Text that DVC's templating leaves unchanged: `${` starts an expression unless written `\${`."""
    return text.replace("${", "\\${").replace(_SLICE, "${item.slice}")


def _escaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_escape(key): _escaped(item) for key, item in value.items()}
    return _escape(value) if isinstance(value, str) else value
