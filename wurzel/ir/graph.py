"""Pictures of a pipeline as text: for terminals, Mermaid, Graphviz and browsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wurzel.ir.drawing import label, svg

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline


def text(pipeline: Pipeline) -> str:
    """One line a step, in the order they run, with what each one needs."""
    width = max(len(step.id) for step in pipeline.steps)
    needs = {step.id: ", ".join(step.predecessors) for step in pipeline.steps}
    lines = [f"{step_id:<{width}}  <- {need}" if need else step_id for step_id, need in needs.items()]
    return "\n".join(lines) + "\n"


def mermaid(pipeline: Pipeline) -> str:
    """A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); edges carry the contract."""
    nodes = {step.id: f"s{number}" for number, step in enumerate(pipeline.steps)}
    outputs = {(step.id, port.name): label(port.type) for step in pipeline.steps for port in step.outputs}
    lines = ["flowchart LR", *(f'    {node}["{step}"]' for step, node in nodes.items())]
    lines += [
        f'    {nodes[edge.step]} -- "{_entities(outputs[edge.step, edge.output])}" --> {nodes[step.id]}'
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join(lines) + "\n"


def dot(pipeline: Pipeline) -> str:
    """A Graphviz digraph (https://graphviz.org/doc/info/lang.html); edges carry the contract."""
    outputs = {(step.id, port.name): label(port.type) for step in pipeline.steps for port in step.outputs}
    lines = [f"digraph {_quoted(pipeline.name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(step.id)};" for step in pipeline.steps]
    lines += [
        f"  {_quoted(edge.step)} -> {_quoted(step.id)} [label={_quoted(outputs[edge.step, edge.output])}];"
        for step in pipeline.steps
        for edge in step.needs
    ]
    return "\n".join([*lines, "}"]) + "\n"


FORMATS: Mapping[str, Callable[[Pipeline], str]] = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}
"""Name of a format to the function that draws it."""


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entities(value: str) -> str:
    return value.replace("[", "#91;").replace("]", "#93;")
