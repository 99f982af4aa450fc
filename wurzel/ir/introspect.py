"""From step objects to the IR: linear in steps and edges, without recursion, without settings or environment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

from wurzel.core import SelfConsumingLeafStep, TypedStep
from wurzel.core.environment import prefixes
from wurzel.core.typed_step import StepTypes, decides, step_types
from wurzel.datacontract.manifest import contract_name
from wurzel.datacontract.names import class_path
from wurzel.datacontract.shape import type_text
from wurzel.exceptions import PipelineError, WurzelError
from wurzel.ir.attributes import asked_for, cache_key, flag, shown_value, summary
from wurzel.ir.model import DataType, Edge, InputPort, OutputPort, Pipeline, Step
from wurzel.ir.settings import describe

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Shape
    from wurzel.ir.model import Setting

AnyStep: TypeAlias = TypedStep[Any, Any, Any]
Entry: TypeAlias = AnyStep | Sequence[AnyStep] | Callable[[], Any]


class NotAPipelineError(PipelineError):
    """The object is not a pipeline; discovery skips such objects without a message."""


def introspect(entry: Entry, *, name: str, entrypoint: str = "", importable: bool = True) -> Pipeline:
    """The IR of the pipeline that ends in `entry`.

    `entry` is the last step, a list of last steps, or a function without arguments that returns either. Raises
    `PipelineError` when `entry` is not a pipeline, or has a cycle, a duplicate id or a step without its input.

    Steps of `__main__` may take part where no other process has to import them (`importable`); they always run, since
    they have no code that could be compared.
    """
    steps = ordered_steps(last_steps(entry, entrypoint or name))
    _check_ids(steps)
    reader = _Reader(importable=importable)
    return Pipeline.model_construct(name=name, entrypoint=entrypoint, steps=tuple(reader.step(step) for step in steps))


def last_steps(entry: Entry, origin: str) -> list[AnyStep]:
    """The last steps that a pipeline object stands for, calling it when it is a function.

    Raises `NotAPipelineError` when it is not a pipeline, `PipelineError` when it is a function
    that cannot be called without arguments, or raises an error.
    """
    value: Any = entry
    if callable(value) and not isinstance(value, TypedStep | type):
        try:
            value = value()
        except WurzelError:
            raise
        except Exception as error:
            raise _failed(error, origin) from error
    if isinstance(value, TypedStep):
        return [value]
    if isinstance(value, list | tuple) and value and all(isinstance(item, TypedStep) for item in value):
        return list(value)
    hint = "A pipeline is its last step, a list of last steps, or a function that returns either."
    if isinstance(value, type) and issubclass(value, TypedStep):
        hint = f"This is a step class; a pipeline is made of steps: WZ({value.__name__}) >> …"
    what = "is" if value is entry else "returns"
    raise NotAPipelineError(f"{what} {shown_value(value)}, not a pipeline", where=origin, hint=hint)


def _failed(error: Exception, origin: str) -> PipelineError:
    """What is wrong with a function that raised an error; its author needs the own lines, not ours."""
    from wurzel.core.tracebacks import one_line, shortened

    if isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None:
        return PipelineError(f"cannot be called without arguments: {error}", where=origin)
    return PipelineError(f"raised {one_line(error)}\n{shortened(error)}", where=origin)


def ordered_steps(last: Sequence[AnyStep]) -> list[AnyStep]:
    """All steps, each after its predecessors, in the order in which a reader of the code meets them.

    Raises `PipelineError` when there is a cycle; the message names its steps.
    """
    order: list[AnyStep] = []
    done: set[AnyStep] = set()
    for end in last:
        if end in done:
            continue
        path: dict[AnyStep, None] = {end: None}
        stack = [(end, iter(end.required_steps))]
        while stack:
            step, rest = stack[-1]
            need = next(rest, None)
            if need is None:
                stack.pop()
                path.popitem()
                done.add(step)
                order.append(step)
            elif need in path:
                members = list(path)
                cycle = [*members[members.index(need) :], need]
                chain = " >> ".join(item.step_id for item in reversed(cycle))
                raise PipelineError(f"the pipeline has a cycle: {chain}", hint="Remove one of these `>>`.")
            elif need not in done:
                path[need] = None
                stack.append((need, iter(need.required_steps)))
    return order


def _check_ids(steps: Sequence[AnyStep]) -> None:
    seen: dict[str, AnyStep] = {}
    for step in steps:
        other = seen.setdefault(step.step_id, step)
        if other is not step:
            raise PipelineError(
                f"two steps have the id {step.step_id!r}: {class_path(type(other))} and {class_path(type(step))}",
                hint='Give one another name: WZ(cls, name="…").',
            )


class _Reader:
    """Reads steps into the IR; what depends on the class alone is read once per class."""

    def __init__(self, *, importable: bool) -> None:
        self.importable = importable
        self.classes: dict[type, Step] = {}

    def step(self, step: AnyStep) -> Step:
        cls = type(step)
        needs = tuple(
            Edge.model_construct(step=edge.step.step_id, output=edge.output, input=edge.input)
            for edge in step.step_edges
        )
        if not isinstance(step, SelfConsumingLeafStep):
            _check_fed(step, {edge.input for edge in needs})
        alike = self.classes.get(cls)
        if alike is None:
            alike = self.classes[cls] = Step.model_construct(id="", **self._facts(step))
        # A copy, since pydantic inspects the signatures of default factories each time a model is made.
        return alike.model_copy(update={"id": step.step_id, "needs": needs, "settings": self._settings(step)})

    def _facts(self, step: AnyStep) -> dict[str, Any]:
        cls = type(step)
        here = cls.__module__ == "__main__"
        if "<locals>" in cls.__qualname__ or (here and self.importable):
            hint = "Define step classes at the top level of a module that can be imported."
            if here and "<locals>" not in cls.__qualname__:
                hint = f"{hint} wurzel.run(…, in_process=True) also runs those of a notebook."
            raise PipelineError(
                f"the step {step.step_id!r} cannot be imported by its name", where=class_path(cls), hint=hint
            )
        facts: dict[str, Any] = {
            "run": class_path(cls),
            "description": summary(cls),
            **_ports(cls, step_types(cls)),
            "polls": flag(cls, "polls"),
            "self_consuming": isinstance(step, SelfConsumingLeafStep),
            "cache": flag(cls, "cache") and not here,
            "cache_key": cache_key(cls),
            "when": decides(cls),
        }
        return facts | asked_for(cls)

    def _settings(self, step: AnyStep) -> tuple[Setting, ...]:
        settings_class = step.settings_class
        if settings_class in {None, NoneType}:
            return ()
        prefix = prefixes(step.step_id, type(step).__name__)[0]
        return tuple(describe(settings_class, prefix, frozenset(getattr(type(step), "input_paths", ()))))


def _check_fed(step: AnyStep, fed: Collection[str]) -> None:
    """Every input has a step before it, but for a field that may be None."""
    missing = [field for field in step.step_fields.inputs if field.name not in fed]
    missing = [field for field in missing if not (field.name and field.optional)]
    if not missing:
        return
    needed = type_text(step.input_model_type)
    hint = "Put a step that produces it in front: source >> step."
    if missing[0].name:
        needed = f"its input{'s' if len(missing) > 1 else ''} {', '.join(field.name for field in missing)}"
        hint = f'Write source >> step["{missing[0].name}"], or `| None` in its Inputs where it may be missing.'
    message = f"the step {step.step_id!r} needs {needed} but no step comes before it"
    raise PipelineError(message, where=class_path(type(step)), hint=hint)


def _ports(cls: type[AnyStep], types: StepTypes) -> dict[str, Any]:
    read = () if issubclass(cls, SelfConsumingLeafStep) else types.inputs
    return {
        "inputs": tuple(
            InputPort.model_construct(name=field.name, type=data_type(field.shape), optional=field.optional)
            for field in read
        ),
        "outputs": tuple(
            OutputPort.model_construct(name=field.name, type=data_type(field.shape)) for field in types.outputs
        ),
    }


def data_type(shape: Shape) -> DataType:
    """What flows over an edge: the contract of `X`, `list[X]`, `set[X]` or `DataFrame[X]`."""
    return DataType.model_construct(contract=contract_name(shape), containers=shape.containers)
