"""What a job of several steps requests: the most that can run side by side, and never the sum of all."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plain import WORDS, plain_step
from wurzel.ir.pods import Limits, Resources
from wurzel.ir.quantity import amount, total
from wurzel.ir.requests import devices, hugepages, limited, longest_path, requested, width


def step(step_id, *needs, **fields):
    return plain_step(id=step_id, run="m:C", needs=needs, input=WORDS if needs else None, **fields)


def cpu(text, **fields):
    return {"resources": Resources(cpu=text, **fields)}


def test_a_chain_requests_its_largest_step():
    steps = [step("a", **cpu("500m")), step("b", "a", **cpu("2")), step("c", "b", **cpu("1"))]
    assert width(steps) == 1
    assert requested(steps, "cpu", 1) == "2"
    assert requested(steps, "memory", 1) is None


def test_branches_are_summed_and_what_follows_is_not():
    steps = [step("a", **cpu("3")), step("b", "a", **cpu("500m")), step("c", "a", **cpu("1"))]
    steps += [step("d", "b", "c", **cpu("250m"))]
    assert width(steps) == 2
    assert requested(steps, "cpu", 2) == "3"
    assert requested(steps[1:], "cpu", 2) == "1500m"
    assert requested(steps[1:], "cpu", 1) == "1"


def test_kinds_are_independent():
    steps = [step("a", **cpu("2", memory="1Gi")), step("b", "a", **cpu("1", memory="512Mi"))]
    steps += [step("c", "a", **cpu("500m", memory="768Mi"))]
    assert requested(steps, "cpu", 2) == "2"
    assert requested(steps, "memory", 2) == "1280Mi"


def test_slices_run_side_by_side():
    steps = [step("a", **cpu("1")), step("b", "a", shards=4, **cpu("500m")), step("c", "a", **cpu("100m"))]
    assert width(steps) == 5
    assert width(steps, 3) == 3
    assert requested(steps, "cpu", 5) == "2100m"
    assert requested(steps, "cpu", 3) == "1500m"


def test_a_limit_only_where_every_step_has_one():
    steps = [step("a", limits=Limits(memory="1Gi")), step("b", limits=Limits(memory="512Mi", cpu="1"))]
    assert limited(steps, "memory", 2) == "1536Mi"
    assert limited(steps, "cpu", 2) is None


def test_devices_of_branches_by_name():
    mig = {"nvidia.com/mig-1g.5gb": 2}
    steps = [step("a", resources=Resources(gpu=1)), step("b", resources=Resources(gpu=2)), step("c")]
    assert devices(steps, 3) == {"nvidia.com/gpu": 3}
    assert devices(steps, 1) == {"nvidia.com/gpu": 2}
    assert devices([*steps, step("d", "a", resources=Resources(gpu=mig))], 3) == {"nvidia.com/gpu": 3, **mig}
    assert devices([step("a", resources=Resources(gpu={"amd.com/gpu": 0}))], 1) == {}


def test_huge_pages_of_branches_by_size():
    steps = [
        step("a", resources=Resources(hugepages={"2Mi": "64Mi"})),
        step("b", resources=Resources(hugepages={"2Mi": "32Mi", "1Gi": "1Gi"})),
    ]
    assert hugepages(steps, 2) == {"2Mi": "96Mi", "1Gi": "1Gi"}
    assert hugepages(steps, 1) == {"2Mi": "64Mi", "1Gi": "1Gi"}


def test_the_longest_path_is_in_seconds():
    steps = [step("a", timeout=10), step("b", timeout=1), step("c", "b", timeout=5), step("d", "a", "c", timeout=2)]
    assert longest_path(steps, lambda one: one.timeout) == 12
    assert longest_path(steps[2:], lambda one: one.timeout) == 7


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        (["500m", "1"], "1500m"),
        (["1Gi", "512Mi"], "1536Mi"),
        (["512Mi", "512Mi"], "1Gi"),
        (["1Gi", "1024Mi"], "2Gi"),
        (["1G", "1Gi"], "2073741824"),
        (["0.5", "0.5"], "1"),
        (["500m"] * 4, "2"),
        (["0.25", "0.5"], "750m"),
        (["500M", "1500M"], "2G"),
        (["0", "0Mi"], "0"),
        ([], None),
    ],
)
def test_sums_are_written_as_kubernetes_writes_them(quantities, expected):
    assert total(quantities) == expected
    assert expected is None or amount(expected) == sum(map(amount, quantities))


@st.composite
def jobs(draw):
    steps = []
    for number in range(draw(st.integers(1, 7))):
        names = [one.id for one in steps]
        needs = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        steps.append(step(f"s{number}", *needs, **cpu(str(draw(st.integers(0, 5))))))
    return steps


def by_trying_all(steps, most):
    """The heaviest set in which no step comes after another."""
    after = {}
    for one in steps:
        after[one.id] = {one.id}.union(*(after[need] for need in one.predecessors))
    return max(
        (sum(int(one.resources.cpu) for one in chosen), len(chosen))
        for count in range(1, most + 1)
        for chosen in combinations(steps, count)
        if not any(one.id in after[other.id] or other.id in after[one.id] for one, other in combinations(chosen, 2))
    )[0]


@given(jobs(), st.integers(1, 7))
def test_the_search_finds_what_trying_all_finds(steps, most):
    assert amount(requested(steps, "cpu", most)) == by_trying_all(steps, min(most, len(steps)))


@pytest.mark.parametrize("wide", [1, 10])
def test_a_thousand_steps_are_searched_at_once(wide):
    steps = []
    for number in range(1000):
        layer = number // wide
        needs = [f"s{one}" for one in range((layer - 1) * wide, layer * wide)] if layer else []
        steps.append(step(f"s{number}", *needs, **cpu(f"{100 + number % 7}m")))
    assert width(steps) == wide
    assert amount(requested(steps, "cpu", wide)) <= wide * amount("106m")
