"""The `wurzel step` commands that every rendered file calls, as argument lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal

from wurzel.core import environment
from wurzel.invocation.call import Call, options
from wurzel.ir.types import format_duration
from wurzel.secret_names import may_be_secret

if TYPE_CHECKING:
    from wurzel.ir.model import Edge, Pipeline, Setting, Step

Emulated = Literal["retry", "timeout", "shards"]


def dataset(pipeline: Pipeline, step_id: str, output: str = "") -> str:
    """Path of a step's dataset, or of one of its named outputs, relative to the project folder."""
    return f"{pipeline.data_dir}/{step_id}{'/' if output else ''}{output}"


def step_inputs(step: Step, folder: Callable[[str], str]) -> list[str]:
    """The values of `-i` of a step: `DIR`, or `NAME=DIR` where its inputs have names, one for each edge in order.

    `folder` gives the folder of an earlier step, by its id; a named output is a folder below it.
    """
    return [
        f"{edge.input}{'=' if edge.input else ''}{folder(edge.step)}{'/' if edge.output else ''}{edge.output}"
        for edge in step.needs
    ]


def cut_edges(step: Step) -> list[Edge]:
    """The edges of the input that slices cut: the one that `shard_by` names, or the only one of many items."""
    cut = step.shard_by or next((port.name for port in step.inputs if port.type.containers), "")
    return [edge for edge in step.needs if edge.input == cut]


def setting_variables(step: Step) -> dict[str, str]:
    """Environment variables that carry the configured settings of a step, but for nulls (see `step_argv`)."""
    return {setting.variable: encode(setting) for setting in step.settings if _carried(setting)}


def configured_env(pipeline: Pipeline, step: Step) -> dict[str, str]:
    """`env` as a step has it: the pipeline's, and its own, which wins."""
    return {**pipeline.env, **step.env}


def own_environment(step: Step) -> dict[str, str]:
    """The environment variables that a step alone has: its `env`, and those of its settings."""
    return {**step.env, **setting_variables(step)}


def encode(setting: Setting) -> str:
    """A configured value as the text of an environment variable: itself for text, otherwise JSON."""
    return environment.encode(setting.value, text=setting.text)


def step_argv(
    pipeline: Pipeline,
    step: Step,
    *,
    inputs: Sequence[str] | None = None,
    output: str | None = None,
    extra: Sequence[str] = (),
    emulate: Sequence[Emulated] = (),
    settings_in_file: bool = False,
) -> list[str]:
    """The command that runs one step, as an argument list.

    Args:
        pipeline: the resolved pipeline.
        step: one of its steps.
        inputs: values of `-i` (see `step_inputs`); the predecessors' datasets below the data folder unless given.
        output: folder of the output dataset; below the data folder unless given.
        extra: further options, such as `["--options", "dvc.yaml#stages.split.meta"]`.
        emulate: what the platform cannot do and `wurzel step` must.
        settings_in_file: whether the step reads all its settings from a file, which can say null.
    """
    call = call_of(pipeline, step)
    if inputs is not None:
        call = call._replace(inputs=inputs)
    if output is not None:
        call = call._replace(output=output)
    if settings_in_file:
        call = call._replace(nulls=())
    return ["wurzel", *call.words(), *extra, *chain(*_supervising(step, emulate))]


def step_lines(pipeline: Pipeline, step: Step, emulate: Sequence[Emulated]) -> list[list[str]]:
    """The same command as `step_argv`, in parts: the program with the step, then each option with its value."""
    program, *more = call_of(pipeline, step).lines()
    return [["wurzel", *program], *more, *_supervising(step, emulate)]


def gather_argv(pipeline: Pipeline, step: Step, slices: str, *, report: str) -> list[str]:
    """The command that makes the dataset of a step of the slices in a folder, and one report of theirs."""
    call = Call(step.run, step.id, [slices], dataset(pipeline, step.id))
    program, *more = call.lines()
    return ["wurzel", *program, *options(gather=True), *chain(*more), *options(report=report)]


def call_of(pipeline: Pipeline, step: Step) -> Call:
    """The call of a step of a pipeline, on the datasets in the data folder."""
    return Call(
        step.run,
        step.id,
        step_inputs(step, partial(dataset, pipeline)),
        dataset(pipeline, step.id),
        nulls(step),
        step.shards.items,
        step.shard_by,
        unnamed_secrets(pipeline, step),
    )


def nulls(step: Step) -> list[str]:
    """Settings that are null, which a variable cannot say."""
    return [
        setting.name
        for setting in step.settings
        if setting.given and not setting.secret and setting.text and setting.value is None
    ]


def unnamed_secrets(pipeline: Pipeline, step: Step) -> list[str]:
    """Variables that are secrets which neither a setting of the step nor their own name tells to be ones."""
    fields = [setting.name for setting in step.settings if setting.secret]
    starts = tuple(f"{prefix}{name}" for prefix in prefixes_of(step) for name in fields)
    return [name for name in pipeline.secrets | step.secrets if not name.startswith(starts) and not may_be_secret(name)]


def prefixes_of(step: Step) -> tuple[str, ...]:
    """What the variables of a step's settings start with, strongest first: its id, then its class."""
    return environment.prefixes(step.id, step.run.rpartition(":")[2].rpartition(".")[2])


def supervision(step: Step, emulate: Sequence[Emulated]) -> dict[str, str]:
    """Options of `wurzel step` that emulate retry, timeout and shards, by their names without `--`."""
    found: dict[str, str] = {}
    if "retry" in emulate and step.retry.limit:
        found["retries"] = str(step.retry.limit)
        if step.retry.backoff:
            found["backoff"] = format_duration(step.retry.backoff)
            if step.retry.factor != 1:
                found["backoff-factor"] = f"{step.retry.factor:g}"
            if step.retry.max is not None:
                found["backoff-max"] = format_duration(step.retry.max)
    if "timeout" in emulate and step.timeout:
        found["timeout"] = format_duration(step.timeout)
    if "shards" in emulate and step.shards.max > 1:
        found["shards"] = str(step.shards.max)
    return found


def _supervising(step: Step, emulate: Sequence[Emulated]) -> list[list[str]]:
    return [[f"--{name}", value] for name, value in supervision(step, emulate).items()]


def _carried(setting: Setting) -> bool:
    return setting.given and not setting.secret and not (setting.text and setting.value is None)
