"""From step objects to the IR: linear in steps and edges, without recursion, without settings or environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

from wurzel.core import SelfConsumingLeafStep, TypedStep
from wurzel.core.environment import prefixes
from wurzel.datacontract.manifest import contract_name
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import PipelineError, WurzelError
from wurzel.ir.model import (
    MAX_SHARDS,
    DataType,
    Edge,
    InputPort,
    Limits,
    OutputPort,
    Pipeline,
    Resources,
    Retry,
    Shards,
    Step,
)
from wurzel.ir.settings import describe
from wurzel.ir.types import parse_duration

if TYPE_CHECKING:
    from pydantic import BaseModel

    from wurzel.ir.model import Setting

AnyStep: TypeAlias = TypedStep[Any, Any, Any]
Entry: TypeAlias = AnyStep | Sequence[AnyStep] | Callable[[], Any]


def load_entrypoint(entrypoint: str) -> Any:
    """The object at `module:attribute`; the current directory is importable.

    Raises:
        PipelineError: when there is none, or its module cannot be imported.
    """
    from wurzel.core.importing import import_object

    return import_object(entrypoint)


def introspect(entry: Entry, *, name: str, entrypoint: str = "") -> Pipeline:
    """The IR of the pipeline that ends in `entry`.

    Args:
        entry: the last step, a list of last steps, or a function without arguments that returns either.
        name: name of the pipeline.
        entrypoint: `module:attribute` it was read from, kept in the IR.

    Raises:
        PipelineError: when `entry` is no pipeline, or has a cycle, a duplicate id or a step without its input.
    """
    steps = ordered_steps(last_steps(entry, entrypoint or name))
    _check_ids(steps)
    reader = _Reader()
    return Pipeline.model_construct(name=name, entrypoint=entrypoint, steps=tuple(reader.step(step) for step in steps))


def last_steps(entry: Entry, origin: str) -> list[AnyStep]:
    """The last steps that a pipeline object stands for, calling it when it is a function.

    Raises:
        PipelineError: when it is none of the things a pipeline may be.
    """
    value: Any = entry
    if callable(value) and not isinstance(value, TypedStep | type):
        try:
            value = value()
        except WurzelError:
            raise
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                raise PipelineError(f"cannot be called without arguments: {error}", where=origin) from error
            raise
    if isinstance(value, TypedStep):
        return [value]
    if isinstance(value, list | tuple) and value and all(isinstance(item, TypedStep) for item in value):
        return list(value)
    hint = "A pipeline is its last step, a list of last steps, or a function that returns either."
    if isinstance(value, type) and issubclass(value, TypedStep):
        hint = f"This is a step class; a pipeline is made of steps: WZ({value.__name__}) >> …"
    raise PipelineError(f"is not a pipeline but {_shown(value)}", where=origin, hint=hint)


def ordered_steps(last: Sequence[AnyStep]) -> list[AnyStep]:
    """All steps, each after its predecessors, in the order in which a reader of the code meets them.

    Raises:
        PipelineError: when there is a cycle; the message names its steps.
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
                f"two steps have the id {step.step_id!r}: {_name(type(other))} and {_name(type(step))}",
                hint='Give one a name of its own: WZ(cls, name="…").',
            )


class _Reader:
    """Reads steps into the IR; what depends on the class alone is read once per class."""

    def __init__(self) -> None:
        self.classes: dict[tuple[type, str], dict[str, Any]] = {}

    def step(self, step: AnyStep) -> Step:
        cls = type(step)
        needs = tuple(Edge.model_construct(step=need.step_id) for need in step.required_steps)
        if not needs and step.input_model_type not in {None, NoneType} and not isinstance(step, SelfConsumingLeafStep):
            raise PipelineError(
                f"the step {step.step_id!r} needs {_shown(step.input_model_type)} but no step comes before it",
                where=_name(cls),
                hint="Put a step that produces it in front: source >> step.",
            )
        facts = self.classes.get((cls, step.step_id))
        if facts is None:
            facts = self.classes[cls, step.step_id] = self._facts(step)
        return Step.model_construct(id=step.step_id, needs=needs, **facts)

    def _facts(self, step: AnyStep) -> dict[str, Any]:
        cls = type(step)
        if "<locals>" in cls.__qualname__ or cls.__module__ == "__main__":
            raise PipelineError(
                f"the step {step.step_id!r} cannot be imported by its name",
                where=_name(cls),
                hint="Define step classes at the top level of a module that can be imported.",
            )
        facts: dict[str, Any] = {
            "run": f"{cls.__module__}:{cls.__qualname__}",
            "description": _summary(cls),
            "inputs": () if isinstance(step, SelfConsumingLeafStep) else _inputs(step.input_model_type),
            "outputs": (OutputPort.model_construct(type=data_type(step.output_model_type)),),
            "polls": _flag(cls, "polls"),
            "self_consuming": isinstance(step, SelfConsumingLeafStep),
            "cache": _flag(cls, "cache"),
            "cache_key": _cache_key(cls),
            "settings": self._settings(step),
        }
        return facts | _needs_of(cls)

    def _settings(self, step: AnyStep) -> tuple[Setting, ...]:
        settings_class = step.settings_class
        if settings_class in {None, NoneType}:
            return ()
        prefix = prefixes(step.step_id, type(step).__name__)[0]
        return tuple(describe(settings_class, prefix, frozenset(getattr(type(step), "input_paths", ()))))


def _inputs(annotation: Any) -> tuple[InputPort, ...]:
    return () if shape_of(annotation).empty else (InputPort.model_construct(type=data_type(annotation)),)


def data_type(annotation: Any) -> DataType:
    """What flows over an edge: the contract of `X`, `list[X]`, `set[X]` or `DataFrame[X]`."""
    shape = shape_of(annotation)
    return DataType.model_construct(contract=contract_name(shape), containers=shape.containers)


def _needs_of(cls: type) -> dict[str, Any]:
    """What the class itself asks for; only what is set, since most steps ask for nothing."""
    needs: dict[str, Any] = {}
    try:
        if (raw := getattr(cls, "resources", None)) is not None:
            needs |= _resources(raw)
        if (raw := getattr(cls, "retry", None)) is not None:
            needs["retry"] = Retry.model_validate({"limit": raw} if isinstance(raw, int) else raw, strict=True)
        if (raw := getattr(cls, "timeout", None)) is not None:
            needs["timeout"] = parse_duration(raw)
        if (raw := getattr(cls, "shards", None)) is not None:
            needs["shards"] = _shards(raw)
    except ValueError as error:
        reason = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in getattr(error, "errors", list)()
        )
        raise PipelineError(
            reason or str(error), where=_name(cls), hint=f"Its class attributes say {raw!r}."
        ) from error
    return needs


def _resources(raw: Any) -> dict[str, Any]:
    if isinstance(raw, Resources):
        return {"resources": raw}
    fields = dict(raw) if isinstance(raw, Mapping) else raw
    limits = fields.pop("limits", None) if isinstance(fields, dict) else None
    needs: dict[str, Any] = {"resources": Resources.model_validate(fields, strict=True)}
    if limits is not None:
        needs["limits"] = Limits.model_validate(limits, strict=True)
    return needs


def _shards(raw: Any) -> Shards:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MAX_SHARDS:
        raise ValueError(f"shards is {raw!r}; it must be a whole number, 1 to {MAX_SHARDS}")
    return Shards.model_construct(max=raw)


def _flag(cls: type[AnyStep], name: str) -> bool:
    value = getattr(cls, name)
    if not isinstance(value, bool):
        raise PipelineError(f"{name} is {_shown(value)}, not True or False", where=_name(cls))
    return value


def _cache_key(cls: type[AnyStep]) -> str:
    if not isinstance(cls.cache_key, str):
        hint = 'Write the text of it, for example cache_key = "model-2".'
        raise PipelineError(f"cache_key is {_shown(cls.cache_key)}, not a text", where=_name(cls), hint=hint)
    return cls.cache_key


def _summary(cls: type) -> str:
    """First paragraph of the docstring the author wrote, on one line."""
    for base in cls.__mro__:
        if base in {TypedStep, SelfConsumingLeafStep}:
            break
        if doc := base.__dict__.get("__doc__"):
            return " ".join(doc.strip().partition("\n\n")[0].split())
    return ""


def _name(cls: type | type[BaseModel]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _shown(value: Any) -> str:
    text = value.__name__ if isinstance(value, type) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004 - one line of a terminal
