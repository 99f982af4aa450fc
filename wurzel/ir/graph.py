"""Pictures of a pipeline as text: for terminals, Mermaid, Graphviz and browsers; with the jobs of a target as boxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.ir.drawing import label, svg

if TYPE_CHECKING:
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Edge, Pipeline, Step


_ENTITIES = str.maketrans({"[": "#91;", "]": "#93;"})


def text(pipeline: Pipeline, jobs: Sequence[Job] = ()) -> str:
    """One line for each step, in the order they run, with what it reads; with jobs, below the name of its own."""
    width = max(len(step.id) for step in pipeline.steps)
    needs = {step.id: ", ".join(map(source, step.needs)) for step in pipeline.steps}
    lines = {step_id: f"{step_id:<{width}}  <- {need}" if need else step_id for step_id, need in needs.items()}
    if not jobs:
        return "\n".join(lines.values()) + "\n"
    found = [line for job in jobs for line in (f"{job.name}:", *(f"  {lines[step_id]}" for step_id in job.ids))]
    return "\n".join(found) + "\n"


def source(edge: Edge) -> str:
    """What an edge reads, with the names it has: `words`, `cut.train`, `docs: cut.train`."""
    output = f"{edge.step}.{edge.output}" if edge.output else edge.step
    return f"{edge.input}: {output}" if edge.input else output


def named_ports(step: Step) -> dict[str, list[str]]:
    """The inputs and the outputs of a step that have names, as its author wrote them: `docs: list[Doc]`."""
    inputs = [f"{port.name}: {label(port.type)}{' | None' * port.optional}" for port in step.inputs if port.name]
    outputs = [f"{port.name}: {label(port.type)}" for port in step.outputs if port.name]
    return {name: ports for name, ports in (("inputs", inputs), ("outputs", outputs)) if ports}


def mermaid(pipeline: Pipeline, jobs: Sequence[Job] = ()) -> str:
    """A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); edges carry names and the contract."""
    nodes = {step.id: f"s{number}" for number, step in enumerate(pipeline.steps)}
    types = _types(pipeline)
    lines = ["flowchart LR", *(f'    {node}["{step}"]' for step, node in nodes.items())]
    for number, job in enumerate(jobs):
        lines += [f'    subgraph j{number}["{job.name}"]', *(f"        {nodes[step]}" for step in job.ids), "    end"]
    lines += [
        f'    {nodes[edge.step]} -- "{_carried(edge, types).translate(_ENTITIES)}" --> {nodes[step.id]}'
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join(lines) + "\n"


def dot(pipeline: Pipeline, jobs: Sequence[Job] = ()) -> str:
    """A Graphviz digraph (https://graphviz.org/doc/info/lang.html); edges carry names and the contract."""
    types = _types(pipeline)
    lines = [f"digraph {_quoted(pipeline.name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(step.id)};" for step in pipeline.steps]
    for number, job in enumerate(jobs):
        inside = " ".join(f"{_quoted(step)};" for step in job.ids)
        lines.append(f"  subgraph cluster_{number} {{ label={_quoted(job.name)}; {inside} }}")
    lines += [
        f"  {_quoted(edge.step)} -> {_quoted(step.id)} [label={_quoted(_carried(edge, types))}];"
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join([*lines, "}"]) + "\n"


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}
"""Name of a format to the function that draws it."""


def _types(pipeline: Pipeline) -> dict[tuple[str, str], str]:
    """The type of each output, by id of its step and its name."""
    return {(step.id, port.name): label(port.type) for step in pipeline.steps for port in step.outputs}


def _carried(edge: Edge, types: Mapping[tuple[str, str], str]) -> str:
    """`train → docs: list[Doc]`, with the names that there are."""
    names = " ".join(([edge.output] if edge.output else []) + (["→", edge.input] if edge.input else []))
    kind = types[edge.step, edge.output]
    return f"{names}: {kind}" if names else kind


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
