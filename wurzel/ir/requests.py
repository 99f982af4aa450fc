"""What a job of several steps needs: how many of them run side by side, how much that takes, and for how long."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from wurzel.ir.quantity import amount, largest, total

if TYPE_CHECKING:
    from wurzel.ir.model import Step

_PATIENCE = 2_000_000
"""Work until a search for what runs side by side gives up: partial answers, times steps."""
_MONTH = 30 * 86400


def width(steps: Sequence[Step], most: int | None = None) -> int:
    """How many steps of a job, or slices of them, can run at one time, at most `most`.

    It may be less for a job of many steps, where the search for the widest place gives up: never more.
    """
    everything = sum(step.shards.max for step in steps)
    count = sum(_Search(steps, [Decimal(1)] * len(steps), everything).heaviest(at_most=True).values())
    return count if most is None else min(count, most)


def requested(steps: Sequence[Step], kind: str, jobs: int) -> str | None:
    """The largest sum of an amount, such as `cpu`, that steps of a job request at one time, `jobs` side by side."""
    return _largest_sum(steps, [getattr(step.resources, kind) for step in steps], jobs)


def limited(steps: Sequence[Step], kind: str, jobs: int) -> str | None:
    """The same for limits; none unless every step has one."""
    texts = [getattr(step.limits, kind) for step in steps]
    return None if None in texts else _largest_sum(steps, texts, jobs)


def devices(steps: Sequence[Step], jobs: int) -> dict[str, int]:
    """The most devices of each name that steps of a job request at one time."""
    names = sorted({name for step in steps for name in step.resources.devices})
    found = {}
    for name in names:
        counts = [step.resources.devices.get(name, 0) for step in steps]
        together = _Search(steps, [Decimal(count) for count in counts], jobs).heaviest()
        found[name] = sum(counts[index] * slices for index, slices in together.items())
    return found


def hugepages(steps: Sequence[Step], jobs: int) -> dict[str, str]:
    """The largest sum of huge pages of each size that steps of a job request at one time."""
    sizes = sorted({size for step in steps for size in step.resources.hugepages}, key=amount)
    sums = {size: _largest_sum(steps, [step.resources.hugepages.get(size) for step in steps], jobs) for size in sizes}
    return {size: text for size, text in sums.items() if text is not None}


def longest_path(steps: Sequence[Step], seconds: Callable[[Step], float]) -> float:
    """The seconds of the slowest chain of steps, each of which waits for the one before."""
    ends: dict[str, float] = {}
    for step in steps:
        ends[step.id] = max((ends.get(need, 0.0) for need in step.predecessors), default=0.0) + seconds(step)
    return max(ends.values(), default=0.0)


def attempts(step: Step, *, tries: int) -> float:
    """The longest time of a step that has a timeout: all its attempts with the waits between them, in seconds."""
    total = float(tries * (step.timeout or 0))
    wait = float(step.retry.backoff)
    longest = math.inf if step.retry.max is None else step.retry.max
    for _ in range(1, tries):
        total += min(wait, longest)
        if total > _MONTH:
            break
        wait *= step.retry.factor
    return min(total, float(_MONTH))


def deadline(steps: Sequence[Step], whole: int | None, *, setup: int, native: bool = False) -> int | None:
    """Seconds after which a job of these steps must be stuck; none if a step may take any time.

    `whole` is the timeout of the pipeline, which no job exceeds; `setup` how long the job may take to start; `native`
    says that the platform repeats the job, so that it tries each step once.
    """
    if any(step.timeout is None for step in steps):
        return None
    longest = longest_path(steps, lambda step: attempts(step, tries=1 if native else 1 + step.retry.limit))
    return int(longest) + setup if whole is None else min(int(longest) + setup, whole)


def _largest_sum(steps: Sequence[Step], texts: Sequence[str | None], jobs: int) -> str | None:
    weights = [Decimal() if text is None else amount(text) for text in texts]
    counts = _Search(steps, weights, jobs).heaviest()
    found = total(text for index, count in counts.items() if (text := texts[index]) is not None for _ in range(count))
    return found or largest(*texts)


class _Search:
    """The heaviest steps none of which comes after another: those that can run at one time.

    Branch and bound: with the heaviest steps first, what is left can add at most as much as if all of it fitted.
    """

    def __init__(self, steps: Sequence[Step], weights: Sequence[Decimal], most: int) -> None:
        """Look among `steps`, of a `weight` for each slice, for at most `most` slices of them in all."""
        self.weights = weights
        self.most = most
        self.room = [step.shards.max for step in steps]
        self.related = _related(steps)
        self.order = sorted(range(len(steps)), key=lambda index: weights[index], reverse=True)

    def heaviest(self, *, at_most: bool = False) -> dict[int, int]:
        """How many slices of each step; where that takes too long, something heavier, or lighter with `at_most`."""
        best: dict[int, int] = {}
        todo: list[tuple[Sequence[int], int, dict[int, int]]] = [(self.order, self.most, {})]
        patience = _PATIENCE // max(len(self.room), 1)
        while todo:
            candidates, free, counts = todo.pop()
            if self.weight(counts) > self.weight(best) or not best:
                best = counts
            if self.weight(counts) + self.weight(self.filled(candidates, free)) <= self.weight(best):
                continue
            patience -= 1
            if patience < 0:
                return best if at_most else self.filled(self.order, self.most)
            index, *rest = candidates
            taken = min(self.room[index], free)
            todo.append((rest, free, counts))
            kept = [other for other in rest if not self.related[index] >> other & 1]
            todo.append((kept, free - taken, {**counts, index: taken}))
        return best

    def filled(self, candidates: Sequence[int], free: int) -> dict[int, int]:
        """As many slices as fit, whether or not the steps can run at one time."""
        counts: dict[int, int] = {}
        for index in candidates:
            if free <= 0:
                break
            counts[index] = min(self.room[index], free)
            free -= counts[index]
        return counts

    def weight(self, counts: Mapping[int, int]) -> Decimal:
        """The weight of slices of steps."""
        return sum((self.weights[index] * count for index, count in counts.items()), Decimal())


def _related(steps: Sequence[Step]) -> list[int]:
    """For each step, the steps that come before or after it, as bits."""
    numbers = {step.id: number for number, step in enumerate(steps)}
    before = [0] * len(steps)
    for number, step in enumerate(steps):
        for need in step.predecessors:
            if need in numbers:
                before[number] |= before[numbers[need]] | 1 << numbers[need]
    after = [0] * len(steps)
    for number in reversed(range(len(steps))):
        for need in steps[number].predecessors:
            if need in numbers:
                after[numbers[need]] |= after[number] | 1 << number
    return list(map(operator.or_, before, after))
