"""Pictures of a pipeline as text: for terminals, Mermaid, Graphviz and browsers; with the jobs of a target as boxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from wurzel.datacontract.manifest import type_name
from wurzel.ir.layout import Place, layered

if TYPE_CHECKING:
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import DataType, Edge, Pipeline, Step

_LETTER, _LINE, _PAD = 8, 19, 12
_HEIGHT, _ROW = 48, 72
_GAP, _EDGE, _RIM = 64, 16, 8
_STYLE = (
    "text{font:13px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;fill:#1f2328}"
    ".gives{fill:#59636e}"
    "rect{fill:#f6f8fa;stroke:#59636e}"
    "path{fill:none;stroke:#59636e}#tip path{fill:#59636e;stroke:none}"
    "@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.gives{fill:#9198a1}rect{fill:#151b23;stroke:#9198a1}"
    "path{stroke:#9198a1}#tip path{fill:#9198a1}}"
)
_JOB_STYLE = ".job rect{fill:none;stroke-dasharray:4}"
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z"/></marker></defs>'
)


def svg(pipeline: Pipeline, jobs: Sequence[Job] = ()) -> str:
    """The picture, from left to right in the order the steps run, with boxes around the steps of each job."""
    steps = pipeline.steps
    places, lines = layered({step.id: step.predecessors for step in steps})
    columns = _columns(steps, places)
    across = columns[-1][1] + _EDGE
    down = _number(max(place.down for place in places) * _ROW + _HEIGHT + 2 * _EDGE)
    size = f'viewBox="0 0 {across} {down}" width="{across}" height="{down}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', f"<title>{escape(pipeline.name)}</title>"]
    parts += [f"<style>{_STYLE}{_JOB_STYLE if jobs else ''}</style>", _TIP]
    parts += _around(steps, places, columns, jobs)
    parts += [_line(places[one], places[other], columns, tip=other < len(steps)) for one, other in lines]
    parts += [_across(stop, columns) for stop in places[len(steps) :]]
    parts += [_box(step, place, columns) for step, place in zip(steps, places, strict=False)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def label(kind: DataType) -> str:
    """A type as its author wrote it: `list[Word]`."""
    return type_name(kind.contract.rpartition(":")[2], kind.containers)


def _gives(step: Step) -> str:
    """What it gives, after the names of what it takes where they have names: `docs, model → Score`."""
    takes = ", ".join(port.name for port in step.inputs if port.name)
    gives = ", ".join(f"{port.name}: {label(port.type)}" if port.name else label(port.type) for port in step.outputs)
    return f"{takes} → {gives}" if takes else gives


def _columns(steps: Sequence[Step], places: Sequence[Place]) -> list[tuple[int, int]]:
    """Left and right side of each layer: as wide as its widest text."""
    widths = [0] * (max(place.layer for place in places) + 1)
    for step, place in zip(steps, places, strict=False):
        text = max(_width(step.id), _width(_gives(step)))
        widths[place.layer] = max(widths[place.layer], text + 2 * _PAD)
    lefts = accumulate(widths, lambda left, width: left + width + _GAP, initial=_EDGE)
    return [(left, left + width) for left, width in zip(lefts, widths, strict=False)]


def _box(step: Step, place: Place, columns: Sequence[tuple[int, int]]) -> str:
    left, right = columns[place.layer]
    top, middle = _middle(place) - _HEIGHT / 2, _number((left + right) / 2)
    return (
        f"<g><title>{escape(step.run)}</title>"
        f'<rect x="{left}" y="{_number(top)}" width="{right - left}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{middle}" y="{_number(top + _LINE)}">{escape(step.id)}</text>'
        f'<text class="gives" x="{middle}" y="{_number(top + 2 * _LINE)}">{escape(_gives(step))}</text></g>'
    )


def _around(
    steps: Sequence[Step], places: Sequence[Place], columns: Sequence[tuple[int, int]], jobs: Sequence[Job]
) -> list[str]:
    """A dashed box around the steps of each job; several for one job where steps of others stand between them."""
    where = {step.id: place for step, place in zip(steps, places, strict=False)}
    found = []
    for job in jobs:
        ids = dict.fromkeys(job.ids)
        own = [where[step_id] for step_id in ids]
        others = [place for step_id, place in where.items() if step_id not in ids]
        groups = [[place] for place in own] if any(_within(place, own) for place in others) else [own]
        for group in groups:
            left = columns[min(place.layer for place in group)][0] - _RIM
            right = columns[max(place.layer for place in group)][1] + _RIM
            top = min(map(_middle, group)) - _HEIGHT / 2 - _RIM
            bottom = max(map(_middle, group)) + _HEIGHT / 2 + _RIM
            size = f'width="{right - left}" height="{_number(bottom - top)}"'
            box = f'<rect x="{left}" y="{_number(top)}" {size} rx="10"/>'
            found.append(f'<g class="job"><title>{escape(job.name)}</title>{box}</g>')
    return found


def _within(place: Place, group: Sequence[Place]) -> bool:
    layers, downs = [one.layer for one in group], [one.down for one in group]
    return min(layers) <= place.layer <= max(layers) and min(downs) - 1 < place.down < max(downs) + 1


def _line(one: Place, other: Place, columns: Sequence[tuple[int, int]], *, tip: bool) -> str:
    """A curve between two layers."""
    start, end = columns[one.layer][1], columns[other.layer][0]
    top, bottom, half = _number(_middle(one)), _number(_middle(other)), (start + end) // 2
    way = f"M{start} {top}" + (f"H{end}" if top == bottom else f"C{half} {top} {half} {bottom} {end} {bottom}")
    return f'<path d="{way}" marker-end="url(#tip)"/>' if tip else f'<path d="{way}"/>'


def _across(stop: Place, columns: Sequence[tuple[int, int]]) -> str:
    """A line through the layer of a stop."""
    left, right = columns[stop.layer]
    return f'<path d="M{left} {_number(_middle(stop))}H{right}"/>'


def _middle(place: Place) -> float:
    return _EDGE + _HEIGHT / 2 + place.down * _ROW


def _width(text: str) -> int:
    return sum(_LETTER * (2 if east_asian_width(letter) in "WF" else 1) for letter in text)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


_ENTITIES = str.maketrans({"[": "#91;", "]": "#93;"})


def text(pipeline: Pipeline, jobs: Sequence[Job] = ()) -> str:
    """One line for each step, in the order they run, with what it reads; with jobs, below the name of its job."""
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
