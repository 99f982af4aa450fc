"""Which steps share a job: the layouts `steps`, `single` and `auto`, and groups.

`auto` takes steps in the order of the IR: each joins the newest job of an equal place, unless that makes a cycle of
jobs. A place is what a job has only once (image, runner, account, environment, placement); each platform says which.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from wurzel.exceptions import Problem
from wurzel.ir.quantity import amount
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, SecretRef, Step

Layout = Literal["steps", "single", "auto"]
Place = Callable[["Step"], Mapping[str, Any]]
"""What a platform gives to whole jobs only, by what users call it: `{"image": …, "runner": …}`."""

_MOST_CPU = amount("1")
_MOST_MEMORY = amount("2Gi")


class Job(NamedTuple):
    """Steps that run together."""

    name: str
    """The group, the pipeline for a single job, the step for one step, otherwise `<first>-<last>`."""
    steps: tuple[Step, ...]
    """In the order of the IR."""
    needs: tuple[str, ...] = ()
    """Names of the jobs whose data it reads, in the order of their first steps."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of its steps."""
        return tuple(step.id for step in self.steps)


def jobs_of(pipeline: Pipeline, layout: Layout, place: Place) -> list[Job]:
    """The jobs of a pipeline, in an order in which they can run; every step is in one of them.

    `layout` is for steps without a group; `place` gives what a platform has once for a job, on which steps of an `auto`
    job agree.
    """
    return _Grouping(pipeline, layout, place).jobs()


def are_runs(pipeline: Pipeline, layout: Layout) -> bool:
    """Whether jobs are `wurzel run` and not `wurzel step`: with a store, for portions, or if one may be of several."""
    asked = any(step.group is not None or step.shards.items is not None for step in pipeline.steps)
    return layout != "steps" or pipeline.store is not None or asked


def results(pipeline: Pipeline) -> list[Step]:
    """Steps whose output no other step reads, in their order: what the pipeline is for."""
    read = {edge.step for step in pipeline.steps for edge in step.needs}
    return [step for step in pipeline.steps if step.id not in read]


def layout_problems(pipeline: Pipeline, layout: Layout, place: Place) -> list[Problem]:
    """Why groups, or a single job, are impossible; each names the steps it is about."""
    grouping = _Grouping(pipeline, layout, place)
    return [*grouping.halves(), *grouping.cycle(), *grouping.names()]


def is_large(step: Step) -> bool:
    """Whether `auto` gives a step its own job: it has a device, or its slices request more than 1 cpu or 2Gi in all."""
    cpu, memory, count = step.resources.cpu, step.resources.memory, step.shards.max
    return bool(
        step.resources.devices
        or (cpu is not None and amount(cpu) * count > _MOST_CPU)
        or (memory is not None and amount(memory) * count > _MOST_MEMORY)
    )


class _Grouping:
    """Steps put into nodes, each of which becomes a job; a node is named by the position of its first step."""

    def __init__(self, pipeline: Pipeline, layout: Layout, place: Place) -> None:
        self.pipeline = pipeline
        self.layout = layout
        self.place = place
        self.steps = pipeline.steps
        self.members: dict[int, list[int]] = {}
        self.node: dict[str, int] = {}
        self._put_together()
        self.before: dict[int, set[int]] = {number: set() for number in self.members}
        self.after: dict[int, set[int]] = {number: set() for number in self.members}
        for step in self.steps:
            for need in step.predecessors:
                self._connect(self.node[need], self.node[step.id])
        if layout == "auto":
            self._join()

    def _put_together(self) -> None:
        """Groups, and the one job of a single layout; each other step is a node."""
        first: dict[object, int] = {}
        for number, step in enumerate(self.steps):
            own = 0 if self.layout == "single" else number + 1
            node = first.setdefault(own if step.group is None else step.group, number)
            self.members.setdefault(node, []).append(number)
            self.node[step.id] = node

    def _connect(self, one: int, other: int) -> None:
        if one != other:
            self.after[one].add(other)
            self.before[other].add(one)

    def _join(self) -> None:
        newest: dict[str, int] = {}
        secrets: dict[int, dict[str, SecretRef]] = {}
        for number, step in enumerate(self.steps):
            if step.group is not None or is_large(step):
                continue
            key = json.dumps(self.place(step), sort_keys=True, default=repr)
            job = newest.get(key)
            own = self._secrets(step)
            if job is not None and not _clash(secrets[job], own) and not self._makes_cycle(job, number):
                self._merge(number, job)
            else:
                job = newest[key] = number
            secrets.setdefault(job, {}).update(own)

    def _secrets(self, step: Step) -> dict[str, SecretRef]:
        return {**self.pipeline.secrets, **step.secrets}

    def _makes_cycle(self, job: int, step: int) -> bool:
        return self._leads_around(job, step) or self._leads_around(step, job)

    def _leads_around(self, start: int, end: int) -> bool:
        """Whether a path with other nodes on it leads from one node to another."""
        found: set[int] = set()
        todo = list(self.before[end] - {start})
        while todo:
            node = todo.pop()
            if node == start:
                return True
            if node not in found:
                found.add(node)
                todo += self.before[node]
        return False

    def _merge(self, node: int, into: int) -> None:
        for one, other in ((self.before, self.after), (self.after, self.before)):
            for neighbour in one.pop(node):
                other[neighbour].discard(node)
                if neighbour != into:
                    one[into].add(neighbour)
                    other[neighbour].add(into)
        for number in self.members.pop(node):
            self.members[into].append(number)
            self.node[self.steps[number].id] = into

    def jobs(self) -> list[Job]:
        """All nodes as jobs; those of a cycle come last."""
        order, left = self._order()
        names = {node: self._name(node) for node in self.members}
        return [
            Job(
                names[node],
                tuple(self.steps[number] for number in self.members[node]),
                tuple(names[need] for need in sorted(self.before[node])),
            )
            for node in [*order, *left]
        ]

    def _order(self) -> tuple[list[int], list[int]]:
        """Nodes in an order in which they can run, those with early steps first; and those that never can."""
        waiting = {node: len(before) for node, before in self.before.items()}
        ready = [node for node, count in waiting.items() if not count]
        heapq.heapify(ready)
        order = []
        while ready:
            node = heapq.heappop(ready)
            order.append(node)
            for after in self.after[node]:
                waiting[after] -= 1
                if not waiting[after]:
                    heapq.heappush(ready, after)
        return order, sorted(self.members.keys() - set(order))

    def _name(self, node: int) -> str:
        first, last = (self.steps[self.members[node][place]] for place in (0, -1))
        if first.group is not None:
            return first.group
        if first is last:
            return first.id
        return self.pipeline.name if len(self.members) == 1 else f"{first.id}-{last.id}"

    def halves(self) -> Iterator[Problem]:
        """What the steps of a job that the user asked for do not agree on."""
        for node, numbers in self.members.items():
            if len(numbers) == 1 or (self.layout == "auto" and self.steps[node].group is None):
                continue
            first, *others = (self.steps[number] for number in numbers)
            what = f"the group {first.group!r}" if first.group is not None else "layout: single"
            yield from self._differences(what, first, others)
            yield from self._clashes(what, [first, *others])

    def _differences(self, what: str, first: Step, others: list[Step]) -> Iterator[Problem]:
        place = self.place(first)
        left = set(place)
        for step in others:
            other = self.place(step)
            for name in [name for name in place if name in left and place[name] != other.get(name)]:
                left.discard(name)
                yield Problem(
                    f"{what} puts the steps {first.id!r} and {step.id!r} into one job, but their {name} differs:"
                    f" {_value_text(place[name])} and {_value_text(other.get(name))}",
                    hint="Give them the same, or different groups.",
                )

    def _clashes(self, what: str, steps: list[Step]) -> Iterator[Problem]:
        seen: dict[str, tuple[str, SecretRef]] = {}
        for step in steps:
            own = self._secrets(step)
            if name := _clash({name: ref for name, (_, ref) in seen.items()}, own):
                yield Problem(
                    f"{what} puts the steps {seen[name][0]!r} and {step.id!r} into one job, but they take {name} from"
                    " different secrets",
                    hint="Give one of them another variable, or different groups.",
                )
            seen = {**{name: (step.id, ref) for name, ref in own.items()}, **seen}

    def cycle(self) -> Iterator[Problem]:
        """Jobs that wait for each other."""
        left = set(self._order()[1])
        if not left:
            return
        path = [min(left)]
        while path[-1] not in path[:-1]:
            path.append(min(self.before[path[-1]] & left))
        path = path[path.index(path[-1]) :]
        reads = [self._edge(job, need) for job, need in pairwise(path)]
        jobs = " and ".join(repr(self._name(node)) for node in sorted(set(path)))
        yield Problem(
            f"the jobs {jobs} would wait for each other: "
            + ", ".join(f"{step!r} reads {need!r}" for step, need in reads),
            hint=f"Give {reads[0][0]!r} another group than {reads[-1][1]!r}.",
        )

    def _edge(self, job: int, need: int) -> tuple[str, str]:
        """A step of a job, and the step of another that it reads."""
        return next(
            (step.id, before)
            for step in map(self.steps.__getitem__, self.members[job])
            for before in step.predecessors
            if self.node[before] == need
        )

    def names(self) -> Iterator[Problem]:
        """Names of jobs that another job or step has as well."""
        ids = {step.id for step in self.steps}
        seen: dict[str, int] = {}
        for node in self.members:
            name = self._name(node)
            alone = [self.steps[number].id for number in self.members[node]] == [name]
            if len(self.members) > 1 and not alone and name in ids:
                yield Problem(
                    f"a job would be called {name!r}, as a step is",
                    hint=f"Rename the step {name!r}, or give the steps of the job another group.",
                )
            elif name in seen and name not in ids:
                first = [self.steps[self.members[job][0]].id for job in (seen[name], node)]
                yield Problem(
                    f"two jobs would be called {name!r}: the one of {first[0]!r} and the one of {first[1]!r}",
                    hint="Rename a step, or give the steps of one of them a group.",
                )
            seen.setdefault(name, node)


def _clash(secrets: Mapping[str, SecretRef], own: Mapping[str, SecretRef]) -> str:
    """A variable that a step takes from another secret than the others of its job; '' if there is none."""
    return next((name for name, ref in own.items() if secrets.get(name, ref) != ref), "")


def _value_text(value: Any) -> str:
    return "none" if value in (None, "", [], {}, ()) else json.dumps(value, default=repr, ensure_ascii=False)
