"""What the models of the IR cannot check: edges lead where they say, and each step comes after what it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import PipelineError
from wurzel.suggestion import meant_or_all

if TYPE_CHECKING:
    from wurzel.ir.model import InputPort, OutputPort, Pipeline, Step

BY_REFERENCE = "Secrets are given by reference: secrets: {VARIABLE: {name: …, key: …}}."
_MOST = 20  # of what is wrong, as many as are read


def check(pipeline: Pipeline, where: str) -> None:
    """Raise `PipelineError` with all that is wrong in a file of the IR, each with its place in it."""
    wrong = list(islice(_wrong(pipeline), _MOST))
    secret = [text for step, place in _placed(pipeline.steps) for text in _given_secrets(step, place)][:_MOST]
    if wrong or secret:
        lines = [*wrong, *secret]
        message = lines[0] if len(lines) == 1 else "is not a wurzel pipeline:\n  " + "\n  ".join(lines)
        raise PipelineError(message, where=where, hint=BY_REFERENCE if secret else "")


def _placed(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Steps, each with its place in the file."""
    return ((step, f"steps.{number}") for number, step in enumerate(steps))


def _wrong(pipeline: Pipeline) -> Iterator[str]:
    if not pipeline.steps:
        yield "steps: the pipeline has no steps"
    all_steps = {step.id: step for step in reversed(pipeline.steps)}
    before: dict[str, Step] = {}
    for step, place in _placed(pipeline.steps):
        if step.id in before:
            yield f"{place}.id: two steps have the id {step.id!r}"
        yield from _wrong_ports(step, place)
        yield from _wrong_edges(step, place, before, all_steps)
        if variable := _twice([setting.variable for setting in step.settings]):
            yield f"{place}.settings: the step {step.id!r} sets {variable!r} twice"
        before[step.id] = step


def _wrong_edges(step: Step, place: str, before: Mapping[str, Step], all_steps: Mapping[str, Step]) -> Iterator[str]:
    for number, edge in enumerate(step.needs):
        at = f"{place}.needs.{number}"
        if edge.step not in before:
            yield f"{at}.step: {_misplaced(step, edge.step, all_steps)}"
        elif not _has(before[edge.step].outputs, edge.output):
            yield f"{at}.output: {_unnamed(edge.step, before[edge.step].outputs, edge.output, 'output')}"
        if not _has(step.inputs, edge.input):
            yield f"{at}.input: {_unnamed(step.id, step.inputs, edge.input, 'input')}"
    if twice := _twice(step.needs):
        yield f"{place}.needs: the step {step.id!r} needs {twice.step!r} twice"


def _wrong_ports(step: Step, place: str) -> Iterator[str]:
    for kind, ports in (("inputs", step.inputs), ("outputs", step.outputs)):
        names = [port.name for port in ports]
        if len(names) > 1 and "" in names:
            yield f"{place}.{kind}: the step {step.id!r} has several, and one of them is unnamed"
        elif name := _twice(names):
            yield f"{place}.{kind}: the step {step.id!r} has the name {name!r} twice"
    led = {edge.input for edge in step.needs}
    for number, port in enumerate(step.inputs):
        if port.name not in led and not (port.optional or step.self_consuming):
            yield f"{place}.inputs.{number}: no edge in needs leads to this input of the step {step.id!r}"
    if step.shard_by and not _has(step.inputs, step.shard_by):
        yield f"{place}.shard_by: {_unnamed(step.id, step.inputs, step.shard_by, 'input')}"


def _misplaced(step: Step, need: str, all_steps: Mapping[str, Step]) -> str:
    """Why a step cannot need another one: it does not exist, needs this one itself, or stands behind it."""
    if need not in all_steps:
        return f"there is no step {need!r}. {meant_or_all(need, [one for one in all_steps if one != step.id], 'Steps')}"
    if way := _way(need, step.id, all_steps):
        return f"these steps form a cycle: {' >> '.join([*reversed(way), step.id])}"
    return f"{need!r} comes after {step.id!r}, which needs it; list a step after those that it needs"


def _way(start: str, end: str, all_steps: Mapping[str, Step]) -> list[str]:
    """The ids from a step along what it needs to another one; empty if it does not need it."""
    came = {start: ""}
    todo = [start]
    while todo and end not in came:
        one = todo.pop()
        found = all_steps[one].predecessors if one in all_steps else ()
        new = [need for need in found if need not in came]
        came |= dict.fromkeys(new, one)
        todo += new
    way = [end] if end in came else []
    while way and (before := came[way[-1]]):
        way.append(before)
    return way[::-1]


def _given_secrets(step: Step, place: str) -> Iterator[str]:
    for number, setting in enumerate(step.settings):
        if setting.secret and (setting.given or setting.parameter or setting.default is not None):
            yield f"{place}.settings.{number}: the secret setting {setting.name} has a value (not shown)"


def _has(ports: Sequence[InputPort | OutputPort], name: str) -> bool:
    return name in [port.name for port in ports] or not (name or ports)


def _unnamed(step: str, ports: Sequence[InputPort | OutputPort], name: str, kind: str) -> str:
    """The message that a step has no input or output of this name, and which names it has."""
    known = [port.name for port in ports if port.name]
    if not name:
        return f"the step {step!r} has several {kind}s; name one of them: {', '.join(known)}"
    if not known:
        return f"the step {step!r} has no {kind} {name!r}: {'its only one is unnamed' if ports else 'it has none'}"
    return f"the step {step!r} has no {kind} {name!r}. {meant_or_all(name, known, f'{kind.capitalize()}s')}"


def _twice(values: Sequence[Any]) -> Any:
    return next((value for value, count in Counter(values).items() if count > 1), None)
