"""Layers, orders and places of boxes."""

import random
from itertools import combinations, pairwise

import pytest

from wurzel.ir.layout import layered


def chain(count):
    return {f"s{number}": [f"s{number - 1}"] if number else [] for number in range(count)}


def diamonds(count, wide=10):
    return {
        f"s{number}": [f"s{number - wide - number % wide + other % wide}" for other in (number, number + 1)]
        if number >= wide
        else []
        for number in range(count)
    }


def gathered(count):
    return {**chain(count), "all": [f"s{number}" for number in range(count)]}


def scattered(count):
    chance = random.Random(0)
    return {f"s{number}": [f"s{of}" for of in chance.sample(range(number), min(number, 3))] for number in range(count)}


@pytest.mark.parametrize("needs", [chain(9), diamonds(40), gathered(9), scattered(60), {"a": []}, {"a": [], "b": []}])
def test_lines_lead_one_layer_on_and_boxes_do_not_touch(needs):
    layout = layered(needs)
    for one, other in layout.lines:
        assert layout.places[one].layer + 1 == layout.places[other].layer
    rows = {}
    for layer, down in layout.places:
        rows.setdefault(layer, []).append(down)
    for row in rows.values():
        assert all(far - near > 0.999 for near, far in pairwise(sorted(row)))
    assert min(down for _, down in layout.places) == 0
    assert layered(needs) == layout


@pytest.mark.parametrize("needs", [chain(9), diamonds(40), gathered(9), scattered(60)])
def test_following_the_lines_leads_from_each_box_to_those_that_need_it_alone(needs):
    layout, names = layered(needs), list(needs)
    after = {}
    for one, other in layout.lines:
        after.setdefault(one, []).append(other)
    found = set()
    for number, name in enumerate(names):
        todo = list(after.get(number, ()))
        while todo:
            place = todo.pop()
            if place < len(names):
                found.add((name, names[place]))
            else:
                todo += after[place]
    assert found == {(need, name) for name, of in needs.items() for need in of}


def test_a_chain_is_straight_and_a_diamond_even():
    assert {down for _, down in layered(chain(50)).places} == {0}
    diamond = layered({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    assert [down for _, down in diamond.places] == [0.5, 0, 1, 0.5]


def test_lines_that_need_not_cross_do_not():
    layout = layered({"a": [], "b": [], "x": ["b"], "y": ["a"], "z": ["x"], "w": ["y"]})
    lines = [(layout.places[one], layout.places[other]) for one, other in layout.lines]
    for (a, b), (c, d) in combinations(lines, 2):
        assert a.layer != c.layer or (a.down < c.down) == (b.down < d.down)


@pytest.mark.parametrize("shape", [chain, diamonds, gathered, scattered])
def test_stops_stay_in_proportion(shape):
    """A chain of 5,000 steps that the last one needs all would have 12 million, were they not shared."""
    needs = shape(5000)
    edges = sum(map(len, needs.values()))
    assert len(layered(needs).places) <= 21 * (len(needs) + edges)
