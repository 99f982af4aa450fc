"""Which steps share a job: layouts, groups, names, cycles."""

from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plain import WORDS, plain_step
from wurzel.ir.jobs import is_large, jobs_of, layout_problems
from wurzel.ir.model import Pipeline, SecretRef
from wurzel.ir.pods import Resources


def step(step_id, *needs, **fields):
    return plain_step(id=step_id, run="m:C", needs=needs, input=WORDS if needs else None, **fields)


def place(one):
    return {"image": one.image, "account": one.service_account}


def pipeline(*steps, **fields):
    return Pipeline(name="rag", steps=steps, **fields)


def grouped(layout, *steps, **fields):
    """The jobs as `name: step step`, in order."""
    return [f"{job.name}: {' '.join(job.ids)}" for job in jobs_of(pipeline(*steps, **fields), layout, place)]


CHAIN = (step("a"), step("b", "a"), step("c", "b"))


def test_each_layout_of_a_chain():
    assert grouped("steps", *CHAIN) == ["a: a", "b: b", "c: c"]
    assert grouped("single", *CHAIN) == ["rag: a b c"]
    assert grouped("auto", *CHAIN) == ["rag: a b c"]


def test_a_job_is_named_after_its_first_and_last_step():
    steps = (step("a"), step("b", "a"), step("c", "b", image="x"), step("d", "c", image="x"))
    assert grouped("auto", *steps) == ["a-b: a b", "c-d: c d"]


def test_a_step_joins_the_newest_job_of_an_equal_place_only():
    steps = (step("a"), step("b", "a", image="x"), step("c", "b"), step("d"))
    # c cannot join a's job, for b lies between; d joins the newest job without an image, which is c's
    assert grouped("auto", *steps) == ["a: a", "b: b", "c-d: c d"]


def test_secrets_env_and_small_requests_do_not_split():
    secret = {"TOKEN": SecretRef(name="s", key="k")}
    small = Resources(cpu="1", memory="2Gi")
    assert grouped("auto", step("a", secrets=secret), step("b", "a", env={"X": "1"}, resources=small)) == ["rag: a b"]


def test_one_variable_from_two_secrets_splits_an_automatic_job():
    one, other = ({"TOKEN": SecretRef(name=name, key="k")} for name in "xy")
    assert grouped("auto", step("a", secrets=one), step("b", "a", secrets=other)) == ["a: a", "b: b"]
    assert grouped("auto", step("a"), step("b", "a", secrets=other), secrets=one) == ["a: a", "b: b"]


@pytest.mark.parametrize(
    ("fields", "large"),
    [
        ({}, False),
        ({"resources": Resources(cpu="1000m", memory="2Gi")}, False),
        ({"resources": Resources(cpu="1001m")}, True),
        ({"resources": Resources(memory="2049Mi")}, True),
        ({"resources": Resources(cpu="500m"), "shards": 2}, False),
        ({"resources": Resources(cpu="500m"), "shards": 3}, True),
        ({"resources": Resources(memory="1Gi"), "shards": 3}, True),
        ({"resources": Resources(gpu=1)}, True),
        ({"resources": Resources(gpu=0)}, False),
        ({"shards": 64}, False),
    ],
)
def test_what_is_large_is_a_job_of_its_own(fields, large):
    found = step("b", "a", **fields)
    assert is_large(found) is large
    steps = (step("a"), found, step("c", "b"), step("d", "c"))
    assert grouped("auto", *steps) == (["a: a", "b: b", "c-d: c d"] if large else ["rag: a b c d"])


def test_a_group_is_a_job_whatever_the_layout():
    steps = (step("a"), step("b", "a", group="g"), step("c", "b", group="g"), step("d", "c"))
    assert grouped("steps", *steps) == ["a: a", "g: b c", "d: d"]
    assert grouped("auto", *steps) == ["a: a", "g: b c", "d: d"]
    assert grouped("steps", step("a", group="g"), step("b")) == ["g: a", "b: b"]


def test_an_automatic_job_does_not_make_a_later_step_of_a_group_wait_for_itself():
    steps = (step("x", group="g"), step("a", "x"), step("b"), step("y", "b", group="g"))
    # b would fit beside a, but y, which is in one job with x, reads b
    assert grouped("auto", *steps) == ["b: b", "g: x y", "a: a"]
    assert layout_problems(pipeline(*steps), "auto", place) == []


def messages(layout, *steps, **fields):
    return [f"{found.message} {found.hint}" for found in layout_problems(pipeline(*steps, **fields), layout, place)]


def test_a_cycle_of_jobs_names_the_steps():
    steps = (step("a", group="g"), step("b", "a"), step("c", "b", group="g"))
    (message,) = messages("steps", *steps)
    assert message.startswith("the jobs 'g' and 'b' would wait for each other: ")
    assert "'b' reads 'a'" in message
    assert "'c' reads 'b'" in message
    assert sorted(job.name for job in jobs_of(pipeline(*steps), "steps", place)) == ["b", "g"]


def test_a_cycle_of_two_groups_without_a_cycle_of_steps():
    steps = (step("a", group="g"), step("b", "a", group="h"), step("c", group="h"), step("d", "c", group="g"))
    (message,) = messages("single", *steps)
    assert "'b' reads 'a'" in message
    assert "'d' reads 'c'" in message


@pytest.mark.parametrize("layout", ["steps", "single", "auto"])
def test_half_a_job_cannot_have_an_image(layout):
    steps = (step("a", group="g"), step("b", "a", group="g", image="x"))
    (message,) = messages(layout, *steps)
    assert "the group 'g' puts the steps 'a' and 'b' into one job, but their image differs: none and \"x\"" in message


def test_a_single_job_cannot_have_two_accounts():
    steps = (step("a", service_account="one"), step("b", "a", service_account="two"), step("c", "b"))
    (message,) = messages("single", *steps)
    assert "layout: single puts the steps 'a' and 'b' into one job, but their account differs" in message


def test_a_group_cannot_take_one_variable_from_two_secrets():
    one, other = ({"TOKEN": SecretRef(name=name, key="k")} for name in "xy")
    steps = (step("a", group="g", secrets=one), step("b", "a", group="g", secrets=other))
    (message,) = messages("steps", *steps)
    assert "the steps 'a' and 'b' into one job, but they take TOKEN from different secrets" in message


def test_a_name_that_is_also_a_step_is_an_error():
    steps = (step("a"), step("b", "a"), step("a-b", "b", image="x"), step("z", "a-b", image="y"))
    (message,) = messages("auto", *steps)
    assert "a job would be called 'a-b', as a step is" in message
    (message,) = messages("steps", step("a"), step("b", "a", group="a"))
    assert "a job would be called 'a', as a step is" in message


def test_a_group_of_one_step_may_have_the_name_of_that_step():
    steps = (step("a", group="a"), step("b", "a"), step("c", "b"))
    assert messages("auto", *steps) == []
    assert grouped("auto", *steps) == ["a: a", "b-c: b c"]


def test_two_jobs_of_one_name_are_an_error():
    steps = (step("a"), step("b-c", "a"), step("a-b", "b-c", image="x"), step("c", "a-b", image="x"))
    (message,) = messages("auto", *steps)
    assert "two jobs would be called 'a-b-c': the one of 'a' and the one of 'a-b'" in message


@st.composite
def graphs(draw, *, groups):
    count = draw(st.integers(1, 12))
    names = [f"s{number}" for number in range(count)]
    steps = []
    for number, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:number]), unique=True, max_size=4)) if number else []
        fields = {
            "image": draw(st.sampled_from([None, None, "x", "y"])),
            "resources": draw(st.sampled_from([Resources(), Resources(cpu="500m"), Resources(gpu=1)])),
            "group": draw(st.sampled_from([None, "g", "h"] if groups else [None])),
        }
        steps.append(step(name, *needs, **fields))
    return pipeline(*steps)


def checked(found, whole):
    """Every step is in one job, in order; jobs stand behind what they need."""
    assert sorted(one for job in found for one in job.ids) == sorted(one.id for one in whole.steps)
    home = {one: job.name for job in found for one in job.ids}
    order = [job.name for job in found]
    assert len(set(order)) == len(order)
    for job in found:
        needed = {home[need] for one in job.steps for need in one.predecessors} - {job.name}
        assert set(job.needs) == needed
        assert all(order.index(need) < order.index(job.name) for need in needed)
    assert list(TopologicalSorter({job.name: job.needs for job in found}).static_order())


@given(graphs(groups=False), st.sampled_from(["steps", "single", "auto"]))
def test_every_graph_becomes_an_acyclic_graph_of_jobs(whole, layout):
    found = jobs_of(whole, layout, place)
    assert found == jobs_of(whole, layout, place)
    checked(found, whole)
    if layout == "auto":
        for job in found:
            assert len({str(place(one)) for one in job.steps}) == 1
            assert len(job.steps) == 1 or not any(is_large(one) for one in job.steps)


def waits_for_itself(whole, layout):
    return any("wait for each other" in found.message for found in layout_problems(whole, layout, place))


@given(graphs(groups=True))
def test_automatic_jobs_make_no_cycle_that_the_groups_do_not_make(whole):
    assert waits_for_itself(whole, "auto") is waits_for_itself(whole, "steps")
    for layout in ("steps", "single", "auto"):
        if not waits_for_itself(whole, layout):
            checked(jobs_of(whole, layout, place), whole)


def test_a_thousand_steps_take_no_time():
    steps = [step("s0")] + [step(f"s{number}", f"s{number - 1}") for number in range(1, 1000)]
    assert [job.name for job in jobs_of(pipeline(*steps), "auto", place)] == ["rag"]
