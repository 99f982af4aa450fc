"""A pipeline that uses every feature, and one variant of it for every field that a target must honour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wurzel.ir.features import feature_of
from wurzel.ir.model import (
    DataType,
    Edge,
    InputPort,
    OnFailure,
    OutputPort,
    Pipeline,
    Retry,
    SecretRef,
    Setting,
    Shards,
    Step,
)
from wurzel.ir.pods import ClaimVolume, EnvFrom, Limits, Resources, Toleration, Volume
from wurzel.ir.schedule import Schedule, Triggers
from wurzel.ir.variation import extra_entry, other_value
from wurzel.models import Model


@dataclass(frozen=True)
class Variant:
    """`full_pipeline()` with one field changed; `path` is dotted, `feature` is the field's feature."""

    path: str
    feature: str
    pipeline: Pipeline


def full_pipeline() -> Pipeline:
    """A source, a step that uses every feature, and a last step."""
    words = DataType(contract="steps:Word", containers=("list",))
    read, given = (InputPort(type=words),), (OutputPort(type=words),)
    source = Step(id="words", run="steps:Words", outputs=given, sources=("steps.py",))
    busy = _busy(read, given)
    word = OutputPort(type=DataType(contract="steps:Word"))
    last = Step(id="join", run="steps:Join", needs=(Edge(step="suffix"),), inputs=read, outputs=(word,))
    return Pipeline(
        name="everything",
        entrypoint="pipelines:everything",
        description="Asks for everything.",
        image="registry.example/words:1.0",
        data_dir="data",
        schedule=Schedule(cron="0 4 * * *", timezone="Europe/Berlin", concurrency="forbid", deadline=600),
        triggers=Triggers(push=("main",), after=("ingest/load",), data=("s3://acme/docs",)),
        parallelism=2,
        timeout=21_600,
        on_failure=OnFailure(
            webhook="https://hooks.example/failed",
            command=("notify",),
            secrets={"TOKEN": SecretRef(name="chat", key="token")},
            link="https://runs.example/{run}",
        ),
        env={"PIPELINE_VARIABLE": "pipeline"},
        secrets={"PIPELINE_TOKEN": SecretRef(name="pipeline", key="token")},
        service_account="words",
        labels={"team": "data"},
        annotations={"example.org/owner": "data"},
        steps=(source, busy, last),
    )


def _busy(inputs: tuple[InputPort, ...], outputs: tuple[OutputPort, ...]) -> Step:
    """The step that uses every feature."""
    return Step(
        id="suffix",
        run="steps:Suffix",
        description="Put a suffix behind every word.",
        needs=(Edge(step="words"),),
        inputs=inputs,
        outputs=outputs,
        sources=("steps.py",),
        settings=(
            Setting(name="SUFFIX", variable="SUFFIX__SUFFIX", default="!", given=True, value="?", parameter=False),
            Setting(name="TIMES", variable="SUFFIX__TIMES", type="int", text=False, default=1, given=True, value=2),
        ),
        image="registry.example/suffix:2.1",
        resources=Resources(cpu="1", memory="1Gi", gpu=1, ephemeral_storage="2Gi", hugepages={"2Mi": "64Mi"}),
        limits=Limits(cpu="2", memory="2Gi", ephemeral_storage="4Gi"),
        retry=Retry(limit=2, backoff=30, factor=2, max=600),
        timeout=3600,
        shards=Shards(max=3),
        env={"STEP_VARIABLE": "step"},
        secrets={"STEP_TOKEN": SecretRef(name="step", key="token")},
        node_selector={"pool": "large"},
        tolerations=(
            Toleration(key="dedicated", operator="Equal", value="data", effect="NoExecute", toleration_seconds=60),
        ),
        service_account="suffix",
        priority="batch",
        volumes=(
            Volume(name="models", mount_path="/models", sub_path="de", read_only=False, claim=ClaimVolume(name="m")),
        ),
        env_from=(EnvFrom(config_map="suffix", prefix="S_"),),
        labels={"part": "suffix"},
        annotations={"example.org/note": "suffix"},
    )


def variants() -> Iterator[Variant]:
    """One variant per marked field of every model of the IR, so that a new field brings its own."""
    pipeline = full_pipeline()
    for path, feature, changed in _changes(pipeline, ""):
        if path.startswith("steps."):
            continue
        yield Variant(path, feature, changed)
    source, busy, last = pipeline.steps
    for path, feature, changed in _changes(busy, "steps.suffix."):
        steps = (source, _joined(changed, source), _joined(last, changed))
        yield Variant(path, feature, pipeline.model_copy(update={"steps": steps}))


def _joined(step: Step, before: Step) -> Step:
    """The step with an edge from the only output of `before` to its only input, by the names that these have now."""
    edge = Edge(step=before.id, output=before.outputs[0].name, input=step.inputs[0].name)
    return step.model_copy(update={"needs": (edge,)})


def _changes(node: Model, path: str) -> Iterator[tuple[str, str, Any]]:
    for name in type(node).model_fields:
        value = getattr(node, name)
        feature = feature_of(type(node), name)
        if feature is not None:
            changed = value | extra_entry(name) if isinstance(value, dict) else other_value(type(node), name, value)
            yield f"{path}{name}", feature, node.model_copy(update={name: changed})
        elif isinstance(value, Model):
            for inner, mark, changed in _changes(value, f"{path}{name}."):
                yield inner, mark, node.model_copy(update={name: changed})
        elif isinstance(value, tuple) and value and isinstance(value[0], Model) and not isinstance(value[0], Step):
            for inner, mark, changed in _changes(value[0], f"{path}{name}.0."):
                yield inner, mark, node.model_copy(update={name: (changed, *value[1:])})
