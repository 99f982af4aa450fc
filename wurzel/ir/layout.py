"""Where the boxes of a picture stand: layers from left to right, in an order that lets few lines cross.

The method is Sugiyama's: each box stands one layer behind the last one it needs, a line over several layers gets a stop
in each of them, layers are ordered by the middle of their neighbours, and boxes move as near to them as they can. Lines
from one box, or to one box, share their stops. Time and memory are linear in boxes, lines and stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from wurzel.named_tuples import NamedTuple

_SWEEPS = 4
_MOST_STOPS = 20  # for each box and line; with more of them, lines over several layers pass behind boxes


class Place(NamedTuple):
    """A layer (from 0), and how far down in it (1 is the distance of neighbours)."""

    layer: int
    down: float


class Layout(NamedTuple):
    """Places of all boxes, in the order they were given, and then of stops; lines lead from one place to another."""

    places: Sequence[Place]
    lines: Sequence[tuple[int, int]]


def layered(needs: Mapping[str, Sequence[str]]) -> Layout:
    """A layout of boxes, each of which is named after those that it needs."""
    numbers = {name: number for number, name in enumerate(needs)}
    edges = [(numbers[need], numbers[name]) for name, of in needs.items() for need in dict.fromkeys(of)]
    layers = [0] * len(numbers)
    for need, name in edges:
        layers[name] = max(layers[name], layers[need] + 1)
    lines = _lines(edges, layers)
    down = _down(layers, lines)
    return Layout([Place(layer, far) for layer, far in zip(layers, down, strict=True)], lines)


def _lines(edges: Sequence[tuple[int, int]], layers: list[int]) -> list[tuple[int, int]]:
    """Lines from layer to layer instead of the edges; the layers of new stops are put behind those of boxes."""
    out, into = Counter(need for need, _ in edges), Counter(name for _, name in edges)
    most = _MOST_STOPS * (len(layers) + len(edges))
    lanes: dict[tuple[int, int], list[int]] = {}
    lines = []
    for need, name in edges:
        over = layers[name] - layers[need] - 1
        start, step = (need, 1) if out[need] >= into[name] else (name, -1)
        lane = lanes.setdefault((start, step), [])
        if len(layers) + over - len(lane) > most:
            over = 0
        while len(lane) < over:
            last = lane[-1] if lane else start
            lane.append(len(layers))
            layers.append(layers[last] + step)
            lines.append((last, lane[-1]) if step == 1 else (lane[-1], last))
        near = lane[over - 1] if over else start
        lines.append((near, name) if step == 1 else (need, near))
    return lines


def _down(layers: Sequence[int], lines: Sequence[tuple[int, int]]) -> list[float]:
    """How far down each box and stop is, with the highest at 0."""
    rows: list[list[int]] = [[] for _ in range(max(layers) + 1)]
    for number, layer in enumerate(layers):
        rows[layer].append(number)
    before: list[list[int]] = [[] for _ in layers]
    after: list[list[int]] = [[] for _ in layers]
    for one, other in lines:
        after[one].append(other)
        before[other].append(one)
    down = [0.0] * len(layers)
    for row in rows:
        _spread(row, down, [float(number) for number in range(len(row))])
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        for row in rows if forth else reversed(rows):
            wanted = {number: _middle(number, before if forth else after, down) for number in row}
            row.sort(key=lambda number: (wanted[number], down[number]))
            _spread(row, down, [float(rank) for rank in range(len(row))])
    for forth in (True, False, True):
        for row in rows if forth else reversed(rows):
            _spread(row, down, [_middle(number, before if forth else after, down) for number in row])
    top = min(down)
    return [far - top for far in down]


def _middle(number: int, neighbours: Sequence[Sequence[int]], down: Sequence[float]) -> float:
    found = neighbours[number]
    return sum(down[other] for other in found) / len(found) if found else down[number]


def _spread(row: Sequence[int], down: list[float], wanted: Sequence[float]) -> None:
    """Put a layer's boxes in their order as near as they can be to where they want to be, 1 apart or more.

    Least squares: neighbours that want to be nearer than that move as one block to the mean of their wishes.
    """
    blocks: list[tuple[float, int]] = []
    for rank, want in enumerate(wanted):
        mean, size = want - rank, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    rank = 0
    for mean, size in blocks:
        for _ in range(size):
            down[row[rank]] = mean + rank
            rank += 1
