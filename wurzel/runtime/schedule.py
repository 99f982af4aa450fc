"""What may run when: linear in steps and edges, without recursion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.ir.model import Step


class Schedule:
    """Which steps wait for which; steps are known by their id and keep the order of the pipeline."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Take steps that stand in topological order; they do not wait for others that they read from."""
        self.steps = {step.id: step for step in steps}
        self.order = {step_id: number for number, step_id in enumerate(self.steps)}
        self._waiting: dict[str, int] = {}
        self._after: dict[str, list[str]] = {step.id: [] for step in steps}
        for step in steps:
            needs = [need for need in step.predecessors if need in self.steps]
            self._waiting[step.id] = len(needs)
            for need in needs:
                self._after[need].append(step.id)

    def first(self) -> list[Step]:
        """The steps that wait for nothing."""
        return [self.steps[step_id] for step_id, count in self._waiting.items() if not count]

    def done(self, step_id: str) -> list[Step]:
        """The steps that may run now that this one is done."""
        ready = []
        for after in self._after[step_id]:
            if after in self._waiting:
                self._waiting[after] -= 1
                if not self._waiting[after]:
                    ready.append(self.steps[after])
        return ready

    def failed(self, step_id: str) -> list[Step]:
        """The steps that will never run now that this one has failed, unless an earlier failure has told already.

        Those that wait for nothing any more have begun, as what reads a result that could not be handed over then.
        """
        blocked = set()
        todo = [step_id]
        while todo:
            for after in self._after[todo.pop()]:
                if self._waiting.get(after):
                    del self._waiting[after]
                    blocked.add(after)
                    todo.append(after)
        return [self.steps[after] for after in sorted(blocked, key=self.order.__getitem__)]
