"""DVC: `dvc.yaml` with one stage per step, and `params.yaml` with every setting that is not a secret.

Facts about DVC's file format: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic_core import to_json

from wurzel.backends.base import (
    AMOUNTS,
    PLACEMENT,
    STARTS,
    Adoptable,
    Backend,
    OutputFile,
    Support,
    emulated,
    native,
    unsupported,
)
from wurzel.backends.dvc.stages import (
    DvcOptions,
    ParamsContext,
    StagesContext,
    input_paths,
    metrics_of,
    params_of,
    stages_of,
)
from wurzel.backends.dvc.style import with_flush_lists
from wurzel.exceptions import Problem
from wurzel.invocation.command import dataset
from wurzel.ir.features import Use
from wurzel.ir.model import Pipeline

_STARTED = "DVC runs when it is called; use the github, gitlab or airflow target"
_NO_CLUSTER = "DVC runs on the machine it is started on; use the argo, airflow or cronjob target"


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
        stages = [stage for step in pipeline.steps for stage in stages_of(pipeline, step, options, main)]
        context: dict[str, Any] = {"pipeline": pipeline, "stages": stages, "plots": list(options.plots)}
        files = [OutputFile(main, "dvc/dvc.yaml.j2", context)]
        if params := params_of(pipeline):
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
        return data | {metrics_of(step, options): "targets.dvc.metrics_dir" for step in pipeline.steps}

    def adoptable(self, pipeline: Pipeline, options: DvcOptions, path: str, text: str) -> Iterator[Adoptable]:
        """Settings in `params.yaml`, as an experiment leaves them."""
        if path != options.params:
            return
        from wurzel.datacontract.plain_yaml import NotYaml, load_yaml

        try:
            found = load_yaml(text)
        except NotYaml:
            return
        for step, values in params_of(pipeline).get(pipeline.name, {}).items():
            now = _below(found, pipeline.name, step)
            for name, old in values.items():
                if name in now and to_json(now[name]) != to_json(old):
                    yield Adoptable(("steps", step, "settings", name), old, now[name], setting=True)

    def contexts(self) -> Mapping[str, type]:
        """The contexts of `dvc.yaml` and `params.yaml`."""
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


def _below(found: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
