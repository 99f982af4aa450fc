"""Edges between named outputs and inputs, fan-out and conditions, as introspection and configuration give them."""

import json
import sys
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.core.importing import import_object
from wurzel.exceptions import ConfigError, PipelineError
from wurzel.invocation.command import step_argv
from wurzel.ir import graph
from wurzel.ir.introspect import introspect
from wurzel.ir.model import Edge, Shards
from wurzel.ir.serialize import dump, load
from wurzel.project.resolve import resolve

STEPS = """
from collections.abc import Iterator
from wurzel import WZ, Inputs, NoSettings, Outputs, PydanticModel, SelfConsumingLeafStep, TypedStep

class Doc(PydanticModel):
    text: str

class Index(PydanticModel):
    size: int

class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]

class Trained(Inputs):
    docs: Iterator[Doc]
    more: list[Doc] | None
    index: Index | None

class Read(TypedStep[NoSettings, None, Iterator[Doc]]):
    def run(self, inpt: None) -> Iterator[Doc]:
        yield Doc(text="a")

class Cut(TypedStep[NoSettings, list[Doc], Halves]):
    shards = {"items": 500, "max": 64}
    def when(self, inpt: list[Doc]) -> bool:
        return len(inpt) > 1
    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt[1:], test=inpt[:1])

class Fit(TypedStep[NoSettings, Trained, list[Doc]]):
    shards = 2
    shard_by = "docs"
    async def run(self, inpt: Trained) -> list[Doc]:
        return list(inpt.docs)

class Memory(SelfConsumingLeafStep[NoSettings, list[Doc]]):
    def run(self, inpt: list[Doc] | None) -> list[Doc]:
        return inpt or []

def pipeline():
    cut, fit = WZ(Cut), WZ(Fit)
    return [WZ(Read) >> cut, cut["train"] >> fit["docs"], WZ(Memory) >> fit["docs"], cut["test"] >> fit["more"]]
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The module `lang` with the steps above, and more text after it, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(more=""):
        sys.modules.pop("lang", None)
        Path("lang.py").write_text(STEPS + more)
        return import_object("lang:pipeline")

    yield write
    sys.modules.pop("lang", None)


@pytest.fixture
def pipeline(module):
    return introspect(module(), name="lang", entrypoint="lang:pipeline")


def test_edges_and_ports_are_in_the_ir(pipeline):
    cut, fit = pipeline.steps[1], pipeline.steps[-1]
    assert [step.id for step in pipeline.steps] == ["read", "cut", "memory", "fit"]
    assert fit.needs == (
        Edge(step="cut", output="train", input="docs"),
        Edge(step="memory", input="docs"),
        Edge(step="cut", output="test", input="more"),
    )
    assert fit.predecessors == ("cut", "memory")
    assert [(port.name, port.optional, port.type.containers) for port in fit.inputs] == [
        ("docs", False, ("list",)),
        ("more", True, ("list",)),
        ("index", True, ()),
    ]
    assert [port.name for port in cut.outputs] == ["train", "test"]
    assert pipeline.steps[2].inputs == ()
    assert [step.when for step in pipeline.steps] == [False, True, False, False]
    assert (cut.shards, fit.shards, fit.shard_by) == (Shards(items=500, max=64), Shards(max=2), "docs")


def test_the_ir_has_the_names_of_the_contract(pipeline):
    step = json.loads(dump(pipeline))["steps"][-1]
    assert step["needs"][0] == {"step": "cut", "output": "train", "input": "docs"}
    assert step["inputs"][1] == {
        "name": "more",
        "type": {"contract": "lang:Doc", "containers": ["list"]},
        "optional": True,
    }
    assert json.loads(dump(pipeline))["steps"][1]["when"] is True
    Path("lang.json").write_text(dump(pipeline))
    assert load(Path("lang.json")) == pipeline
    assert resolve(pipeline).pipeline == pipeline


def test_the_order_of_the_arrows_is_the_order_of_the_edges(module):
    for order in (("docs", "more"), ("more", "docs")):
        arrows = "; ".join(f'read >> fit["{name}"]' for name in order)
        entry = module(f"\ndef pipeline():\n    read, fit = WZ(Read), WZ(Fit)\n    {arrows}\n    return fit\n")
        assert tuple(edge.input for edge in introspect(entry, name="lang").steps[-1].needs) == order


@pytest.mark.parametrize(
    ("arrows", "message"),
    [
        ("WZ(Fit)", 'needs its input docs but no step comes before it\n  Write source >> step["docs"]'),
        ('WZ(Read) >> WZ(Fit)["more"]', "needs its input docs but no step comes before it"),
        ("WZ(Cut)", r"needs list[Doc] but no step comes before it"),
        ('[WZ(Fit), (a := WZ(Cut))["train"] >> (b := WZ(Fit, name="b"))["docs"], b >> a]', "the pipeline has a cycle"),
    ],
)
def test_inputs_that_no_step_feeds_and_cycles_are_errors(module, arrows, message):
    entry = module(f"\ndef pipeline():\n    return {arrows}\n")
    with pytest.raises(PipelineError) as caught:
        introspect(entry, name="lang")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("shards = {'items': 0}", "items"),
        ("shards = {'max': True}", "max"),
        ("shards = {'item': 5}", "item"),
        ("shards = 'many'", "shards is 'many'; it must be a whole number, 1 to 10000, or a dict such as"),
        ("shard_by = 3", "shard_by is 3; it must be the name of an input"),
    ],
)
def test_class_attributes_that_are_wrong(module, attributes, message):
    entry = module(f"\nclass Wrong(Cut):\n    {attributes}\n\ndef pipeline():\n    return WZ(Read) >> WZ(Wrong)\n")
    with pytest.raises(PipelineError) as caught:
        introspect(entry, name="lang")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["steps.fit.shard_by=doc"], "'doc' is not an input of fit that contains many items\n  Did you mean docs?"),
        (["steps.fit.shard_by=index"], "'index' is not an input of fit that contains many items"),
        (["steps.cut.shard_by=docs"], "'docs' is not an input of cut that contains many items\n  Leave it out."),
        (
            ["steps.fit.shard_by=null"],
            "several inputs that can be cut: docs, more\n  Say which: steps.fit.shard_by: docs.",
        ),
        (["steps.read.shards={items: 5}"], "portions of 5 items, but read is a source"),
        (["steps.cut.shards.items=0"], "0 is not 1 or more"),
    ],
)
def test_what_cannot_be_cut_is_refused(pipeline, sets, message):
    with pytest.raises(ConfigError) as caught:
        resolve(pipeline, sets=sets)
    assert message in str(caught.value)


def test_shards_of_class_and_configuration_merge(pipeline):
    def shards(*sets):
        resolved = resolve(pipeline, sets=[f"steps.cut.{text}" for text in sets])
        return resolved.pipeline.steps[1].shards, resolved.locate("steps.cut.shards.max")

    assert shards("shards=3") == (Shards(items=500, max=3), "--set steps.cut.shards")
    assert shards("shards={max: 3}", "shards.items=7") == (Shards(items=7, max=3), "--set steps.cut.shards")
    assert shards("shards.items=null") == (Shards(max=64), "lang:Cut.shards")
    assert shards("shards=null")[0] == Shards()


def test_the_command_of_a_step_names_its_inputs(pipeline):
    fit = pipeline.steps[-1]
    assert step_argv(pipeline, fit)[5:] == [
        *("-i", "docs=data/cut/train"),
        *("-i", "docs=data/memory"),
        *("-i", "more=data/cut/test"),
        *("-o", "data/fit"),
        *("--shard-by", "docs"),
    ]
    assert step_argv(pipeline, pipeline.steps[1])[5:] == ["-i", "data/read", "-o", "data/cut", "--portion", "500"]


def test_graphs_and_inspect_show_names(pipeline):
    assert graph.FORMATS["text"](pipeline).splitlines()[-1] == (
        "fit     <- docs: cut.train, docs: memory, more: cut.test"
    )
    assert '-- "train → docs: list#91;Doc#93;" -->' in graph.FORMATS["mermaid"](pipeline)
    assert '-- "→ docs: list#91;Doc#93;" -->' in graph.FORMATS["mermaid"](pipeline)
    assert '[label="test → more: list[Doc]"]' in graph.FORMATS["dot"](pipeline)
    assert ">train: list[Doc], test: list[Doc]<" in graph.FORMATS["svg"](pipeline)
    assert ">docs, more, index → " in graph.FORMATS["svg"](pipeline)
    done = invoke("inspect", "lang:pipeline")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "  inputs docs: list[Doc], more: list[Doc] | None, index: Index | None" in lines
    assert "  outputs train: list[Doc], test: list[Doc]" in lines
    assert "  needs docs: cut.train, docs: memory, more: cut.test" in lines
