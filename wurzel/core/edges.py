"""What `>>` makes: edges between steps, and between their named outputs and inputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Self, TypeVar, overload

from wurzel.core.fitting import End, Fields, check_name, fitting
from wurzel.core.step import AnyStep, Step
from wurzel.exceptions import StaticTypeError
from wurzel.named_tuples import NamedTuple

S = TypeVar("S", bound="ConnectedStep")
T = TypeVar("T", bound="ConnectedStep")


_FITTING: dict[tuple[type, str | None, type, str | None], tuple[str, str]] = {}
"""Names of the output and input by what is joined: large pipelines join the same classes many times."""


class Edge(NamedTuple):
    """One `>>`: an output of an earlier step, and the input that reads it; a name is empty where there is only one."""

    step: ConnectedStep
    output: str = ""
    input: str = ""


class ConnectedStep(Step):
    """A step that knows which of its inputs reads which output of an earlier step."""

    _step_edges: dict[Edge, None]

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """A step without predecessors."""
        step = super().__new__(cls)
        step._step_edges = {}
        return step

    @property
    @abstractmethod
    def step_id(self) -> str:
        """What names it in its pipeline."""

    @property
    @abstractmethod
    def step_fields(self) -> Fields:
        """What it takes and gives."""

    @property
    def step_edges(self) -> Sequence[Edge]:
        """What it reads, in the order of the `>>`s; steps that are in `required_steps` alone count as well."""
        joined = {edge.step for edge in self._step_edges}
        for step in [step for step in self.required_steps if step not in joined]:
            self.add_required_step(step)
        return tuple(edge for edge in self._step_edges if edge.step in self.required_steps)

    def __getitem__(self, name: str) -> Port[Self]:
        """`step["name"]`: an output left of `>>`, an input right of it. Raises `StaticTypeError` if it is neither."""
        return Port(self, check_name(repr(self), self.step_fields, name))

    def add_required_step(self, step: Step) -> None:
        """Let `step` run before this one. Raises `StaticTypeError` when its output does not fit, or is ambiguous."""
        _join(step, None, self, None)

    @overload
    def __rshift__(self, step: AnyStep) -> AnyStep: ...
    @overload
    def __rshift__(self, step: Port[T]) -> T: ...
    def __rshift__(self, step: Any) -> Any:
        """`a >> b`: run `b` after `a`, on its output; gives `b`.

        Raises `StaticTypeError` when no output of `a` is an input of `b`, or which is meant is ambiguous.
        """
        return _joined(self, None, step)

    def _add_edge(self, edge: Edge) -> None:
        self._step_edges[edge] = None
        super().add_required_step(edge.step)


class Port(Generic[S]):
    """`step["name"]`: an output of the step on the left of `>>`, an input on the right."""

    __slots__ = ("name", "step")

    def __init__(self, step: S, name: str) -> None:
        self.step = step
        self.name = name

    def __repr__(self) -> str:
        return f'{self.step!r}["{self.name}"]'

    @overload
    def __rshift__(self, step: T) -> T: ...
    @overload
    def __rshift__(self, step: Port[T]) -> T: ...
    def __rshift__(self, step: Any) -> Any:
        """`a["x"] >> b`: run `b` after `a`, on its output `x`; gives `b`.

        Raises `StaticTypeError` when `b` does not take what the output gives.
        """
        return _joined(self.step, self.name, step)

    def __rrshift__(self, steps: Iterable[ConnectedStep | Port[Any]]) -> S:
        """`[a, b["x"]] >> c["y"]`: the input `y` of `c` reads all of them, in this order; gives `c`."""
        if not isinstance(steps, list | tuple):
            return NotImplemented
        for step in steps:
            step >> self
        return self.step


def _joined(before: ConnectedStep, output: str | None, after: Any) -> Any:
    step, into = (after.step, after.name) if isinstance(after, Port) else (after, None)
    if not isinstance(step, ConnectedStep):
        raise _not_a_step(before, after)
    _join(before, output, step, into)
    return step


def _join(before: Any, output: str | None, after: ConnectedStep, into: str | None) -> None:
    if not isinstance(before, ConnectedStep):
        raise StaticTypeError(f"Cannot chain {before!r} to {after!r}: it is not a TypedStep")
    if before is after:
        raise StaticTypeError(f"Cannot chain {before!r} to itself")
    alike = (type(before), output, type(after), into)
    names = _FITTING.get(alike)
    if names is None:
        left, right = End(repr(before), before.step_fields, output), End(repr(after), after.step_fields, into)
        names = _FITTING[alike] = fitting(left, right)
    after._add_edge(Edge(before, *names))  # noqa: SLF001 - edges are made here only


def _not_a_step(before: Any, other: Any) -> StaticTypeError:
    if isinstance(other, type):
        hint = f"Make a step of the class: WZ({other.__name__})."
        return StaticTypeError(f"Cannot chain {before!r} to {other.__name__}: it is a class, not a step", hint=hint)
    return StaticTypeError(f"Cannot chain {before!r} to {other!r}: it is not a step")
