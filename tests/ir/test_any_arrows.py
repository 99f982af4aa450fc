"""Any arrows between any steps: each is an edge when just one pair fits, otherwise an error; the IR has them all."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostility.budget import examples
from wurzel.core import Inputs, NoSettings, Outputs, PydanticModel, TypedStep
from wurzel.exceptions import PipelineError, StaticTypeError
from wurzel.ir import graph
from wurzel.ir.introspect import introspect
from wurzel.ir.serialize import dump, load
from wurzel.utils import WZ


class A(PydanticModel):
    text: str = ""


class B(PydanticModel):
    text: str = ""


class TwoOut(Outputs):
    x: list[A]
    y: list[A]


class MixedOut(Outputs):
    x: list[A]
    y: B


class MixedIn(Inputs):
    x: list[A] | None
    z: B | None


class SameIn(Inputs):
    x: list[A] | None
    y: list[A] | None
    one: A | None


class Many(TypedStep[NoSettings, None, list[A]]):
    def run(self, inpt: None) -> list[A]:
        raise NotImplementedError


class One(TypedStep[NoSettings, None, A]):
    def run(self, inpt: None) -> A:
        raise NotImplementedError


class OneB(TypedStep[NoSettings, None, B]):
    def run(self, inpt: None) -> B:
        raise NotImplementedError


class Each(TypedStep[NoSettings, A, A]):
    def run(self, inpt: A) -> A:
        raise NotImplementedError


class Split(TypedStep[NoSettings, list[A], TwoOut]):
    def run(self, inpt: list[A]) -> TwoOut:
        raise NotImplementedError


class Mix(TypedStep[NoSettings, MixedIn, MixedOut]):
    def run(self, inpt: MixedIn) -> MixedOut:
        raise NotImplementedError


class Join(TypedStep[NoSettings, SameIn, list[A]]):
    def run(self, inpt: SameIn) -> list[A]:
        raise NotImplementedError


GIVES = {
    Many: {"": "list A"}, One: {"": "A"}, OneB: {"": "B"}, Each: {"": "A"}, Split: {"x": "list A", "y": "list A"},
    Mix: {"x": "list A", "y": "B"}, Join: {"": "list A"},
}  # fmt: skip
TAKES = {
    Many: {}, One: {}, OneB: {}, Each: {"": "A"}, Split: {"": "list A"}, Mix: {"x": "list A", "z": "B"},
    Join: {"x": "list A", "y": "list A", "one": "A"},
}  # fmt: skip


def expected(before, output, after, into):
    """The names of the only output and input that fit; nothing when none or several do."""
    outputs = {name: kind for name, kind in GIVES[before].items() if output in (None, name)}
    inputs = {name: kind for name, kind in TAKES[after].items() if into in (None, name)}
    pairs = [(one, other) for one in outputs for other in inputs if outputs[one] == inputs[other]]
    if not pairs:
        collect = [(one, other) for one in outputs for other in inputs if f"list {outputs[one]}" == inputs[other]]
        maps = [(one, other) for one in outputs for other in inputs if outputs[one] == f"list {inputs[other]}"]
        pairs = collect + (maps if "" in TAKES[after] else [])
    return pairs[0] if len(pairs) == 1 else None


@st.composite
def arrows(draw):
    """Classes of steps, and arrows from earlier to later ones, with names or without."""
    classes = draw(st.lists(st.sampled_from(list(GIVES)), min_size=2, max_size=7))
    found = []
    for _ in range(draw(st.integers(1, 12))):
        after = draw(st.integers(1, len(classes) - 1))
        before = draw(st.integers(0, after - 1))
        names = [name for name in GIVES[classes[before]] if name], [name for name in TAKES[classes[after]] if name]
        output, into = (draw(st.sampled_from([None, *side])) for side in names)
        found.append((before, output, after, into))
    return classes, found


@examples(200)
@given(arrows())
def test_each_arrow_is_an_edge_or_an_error_and_the_ir_has_them_in_order(case):
    classes, drawn = case
    steps = [WZ(cls, name=f"s{number}") for number, cls in enumerate(classes)]
    wanted = [{} for _ in steps]
    for before, output, after, into in drawn:
        left = steps[before] if output is None else steps[before][output]
        right = steps[after] if into is None else steps[after][into]
        pair = expected(classes[before], output, classes[after], into)
        if pair is not None:
            assert left >> right is steps[after]
            wanted[after][f"s{before}", *pair] = None
            continue
        with pytest.raises(StaticTypeError) as caught:
            left >> right
        assert str(steps[before]) in caught.value.message
        assert str(steps[after]) in caught.value.message
    if any(cls in {Each, Split} and not edges for cls, edges in zip(classes, wanted, strict=True)):
        with pytest.raises(PipelineError, match="no step comes before it"):
            introspect(steps, name="any")
        return
    pipeline = introspect(steps, name="any")
    by_id = {step.id: step for step in pipeline.steps}
    for number, edges in enumerate(wanted):
        found = [(edge.step, edge.output, edge.input) for edge in by_id[f"s{number}"].needs]
        assert found == list(edges)
    order = [step.id for step in pipeline.steps]
    assert all(order.index(edge.step) < order.index(step.id) for step in pipeline.steps for edge in step.needs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipeline.json")
        path.write_text(dump(pipeline))
        assert load(path) == pipeline
        assert dump(load(path)) == dump(pipeline)
    assert all(draw(pipeline) for draw in graph.FORMATS.values())
