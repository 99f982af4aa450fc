"""A node of the pipeline graph, and the `>>` that joins two of them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator, MutableSet
from typing import Any, Self, TypeVar

AnyStep = TypeVar("AnyStep", bound="Step")


class StepSet(MutableSet["Step"]):
    """A set of steps that keeps the order in which they were added."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._steps = dict.fromkeys(steps)

    def __contains__(self, step: object) -> bool:
        return step in self._steps

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self._steps))}}}"

    def add(self, value: Step) -> None:
        """Add a step at the end, unless it is there already."""
        self._steps[value] = None

    def discard(self, value: Step) -> None:
        """Remove a step, if it is there."""
        self._steps.pop(value, None)


class Step(ABC):
    """Something that runs after the steps it requires."""

    required_steps: MutableSet[Any]
    """The predecessors, in the order of the `>>`s."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """A step without predecessors."""
        step = super().__new__(cls)
        step.required_steps = StepSet()
        return step

    def is_leaf(self) -> bool:
        """Whether no step comes before this one."""
        return not self.required_steps

    def add_required_step(self, step: Step) -> None:
        """Let `step` run before this one."""
        self.required_steps.add(step)

    def __rshift__(self, step: AnyStep) -> AnyStep:
        """`a >> b`: run `b` after `a`, on its output; gives `b`."""
        if not isinstance(step, Step):
            return NotImplemented
        step.add_required_step(self)
        return step

    def __rrshift__(self, steps: Iterable[Any]) -> Self:
        """`[a, b["x"]] >> c`: run `c` after both, in this order."""
        if isinstance(steps, Step) or not isinstance(steps, list | tuple):
            return NotImplemented
        for step in steps:
            step >> self
        return self
