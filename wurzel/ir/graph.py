"""Pictures of a pipeline as text: for terminals, Mermaid, Graphviz and browsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wurzel.ir.drawing import label, svg

if TYPE_CHECKING:
    from wurzel.ir.model import Edge, Pipeline, Step


def text(pipeline: Pipeline) -> str:
    """One line for each step, in the order they run, with what it reads."""
    width = max(len(step.id) for step in pipeline.steps)
    needs = {step.id: ", ".join(map(source, step.needs)) for step in pipeline.steps}
    lines = [f"{step_id:<{width}}  <- {need}" if need else step_id for step_id, need in needs.items()]
    return "\n".join(lines) + "\n"


def source(edge: Edge) -> str:
    """What an edge reads, with the names it has: `words`, `cut.train`, `docs: cut.train`."""
    output = f"{edge.step}.{edge.output}" if edge.output else edge.step
    return f"{edge.input}: {output}" if edge.input else output


def named_ports(step: Step) -> dict[str, list[str]]:
    """The inputs and the outputs of a step that have names, as its author wrote them: `docs: list[Doc]`."""
    inputs = [f"{port.name}: {label(port.type)}{' | None' * port.optional}" for port in step.inputs if port.name]
    outputs = [f"{port.name}: {label(port.type)}" for port in step.outputs if port.name]
    return {name: ports for name, ports in (("inputs", inputs), ("outputs", outputs)) if ports}


def mermaid(pipeline: Pipeline) -> str:
    """A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); edges carry names and the contract."""
    nodes = {step.id: f"s{number}" for number, step in enumerate(pipeline.steps)}
    types = _types(pipeline)
    lines = ["flowchart LR", *(f'    {node}["{step}"]' for step, node in nodes.items())]
    lines += [
        f'    {nodes[edge.step]} -- "{_entities(_carried(edge, types))}" --> {nodes[step.id]}'
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join(lines) + "\n"


def dot(pipeline: Pipeline) -> str:
    """A Graphviz digraph (https://graphviz.org/doc/info/lang.html); edges carry names and the contract."""
    types = _types(pipeline)
    lines = [f"digraph {_quoted(pipeline.name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(step.id)};" for step in pipeline.steps]
    lines += [
        f"  {_quoted(edge.step)} -> {_quoted(step.id)} [label={_quoted(_carried(edge, types))}];"
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join([*lines, "}"]) + "\n"


FORMATS: Mapping[str, Callable[[Pipeline], str]] = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}
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


def _entities(value: str) -> str:
    return value.replace("[", "#91;").replace("]", "#93;")
