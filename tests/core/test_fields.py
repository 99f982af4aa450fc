"""Classes of inputs and outputs: what their fields may be, and how `run` takes and gives them."""

import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Annotated, Generic, TypeVar

import pytest

from tests.core.made import Both, Count, Doc, Halves, Index, Read, edges, fields_of, made
from wurzel.core import Inputs, NoSettings, Outputs, PydanticModel, SelfConsumingLeafStep, TypedStep
from wurzel.core.typed_step import decides, step_types
from wurzel.exceptions import StaticTypeError
from wurzel.utils import WZ


def test_streams_are_lists_and_say_how_run_takes_them():
    forms = {list[Doc]: "value", Iterator[Doc]: "iterator", Iterable[Doc]: "iterable", set[Doc]: "value", Doc: "value"}
    for annotation, form in forms.items():
        found = step_types(made("Take", annotation, annotation))
        assert (found.inputs[0].form, found.outputs[0].form) == (form, form)
    for one in (list[Doc], Iterator[Doc], Iterable[Doc]):
        for other in (list[Doc], Iterator[Doc], Iterable[Doc]):
            assert WZ(made("One", None, one)) >> WZ(made("Other", other, Doc))
    with pytest.raises(StaticTypeError, match="Iterator is not a supported container"):
        WZ(made("Take", list[Iterator[Doc]], Doc))


def test_run_is_held_to_the_form_of_the_type_parameters():
    class Wrong(TypedStep[NoSettings, Iterator[Doc], Doc]):
        def run(self, inpt: list[Doc]) -> Doc:
            return Doc()

    with pytest.raises(StaticTypeError, match=r"run takes list\[Doc\], but the type parameters say Iterator\[Doc\]"):
        WZ(Wrong)


T = TypeVar("T")


def test_inputs_may_be_generic_and_inherit():
    class Base(Inputs, Generic[T]):
        items: list[T]

    class More(Base[T], Generic[T]):
        extra: Annotated[Index, "noted"] | None

    class Fixed(More[Doc]):
        pass

    for kind in (More[Doc], Fixed):
        fields = step_types(made("Take", kind, Doc)).inputs
        assert [(field.name, field.shape.contract, field.optional) for field in fields] == [
            ("items", Doc, False),
            ("extra", Index, True),
        ]
    assert edges(WZ(Read) >> WZ(made("Take", More[Doc], Doc))) == [("read", "", "items")]
    with pytest.raises(StaticTypeError, match="the field items of More: the type parameter T is not given"):
        WZ(made("Take", More, Doc))


def test_unions_of_contracts_keep_their_order_in_generic_inputs():
    class Base(Inputs, Generic[T]):
        items: list[T]

    for union, order in ((Doc | Index, (Doc, Index)), (Index | Doc, (Index, Doc))):
        step = made("Take", Base[union], Doc)
        assert step_types(step).inputs[0].shape.contracts == order
        assert WZ(made("Give", None, list[union])) >> WZ(step)
    with pytest.raises(StaticTypeError, match="Cannot chain Give to Take"):
        WZ(made("Give", None, list[Doc | Index])) >> WZ(made("Take", Base[Index | Doc], Doc))
    with pytest.raises(TypeError, match="Both does not have type parameters"):
        Both[Doc]


class Late(Inputs):
    docs: "list[Later]"
    index: "Iterator[Later] | None"


class LateStep(TypedStep[NoSettings, Late, "list[Later]"]):
    def run(self, inpt: Late) -> "list[Later]":
        return []


class Later(PydanticModel):
    text: str = ""


def test_annotations_are_resolved_when_the_step_is_made():
    found = step_types(LateStep)
    assert [(field.shape.contract, field.form, field.optional) for field in found.inputs] == [
        (Later, "value", False),
        (Later, "iterator", True),
    ]
    assert found.outputs[0].shape.contract is Later


def test_a_name_for_type_checkers_only_is_an_error_that_names_the_field():
    hidden = fields_of(Inputs, docs="list[OnlyForTypeCheckers]")
    with pytest.raises(StaticTypeError) as caught:
        WZ(made("Take", hidden, Doc))
    assert "the field docs of Made: the name 'OnlyForTypeCheckers' does not exist" in str(caught.value)
    assert "TYPE_CHECKING" in caught.value.hint
    with pytest.raises(StaticTypeError, match="the output of Give: 'OnlyForTypeCheckers' is not a contract"):
        WZ(made("Give", None, list["OnlyForTypeCheckers"]))  # noqa: F821


def test_a_name_for_type_checkers_only_in_a_contract_is_an_error_that_names_the_field():
    class Held(PydanticModel):
        when: "OnlyForTypeCheckers"  # noqa: F821

    class Around(PydanticModel):
        held: list[Held]

    @dataclass
    class Plain:
        when: "list[OnlyForTypeCheckers]"  # noqa: F821

    for contract, field in ((Held, "Held.when"), (Around, "Held.when"), (Plain, "Plain.when")):
        with pytest.raises(StaticTypeError, match=f"{field}: the name 'OnlyForTypeCheckers' does not exist") as caught:
            WZ(made("Give", None, list[contract]))
        assert "TYPE_CHECKING" in caught.value.hint


PEP_695 = """
type Docs = list[Doc]

class Pick[X: PydanticModel](Inputs):
    first: Iterator[X]
    second: Docs | None

class Picker[X: PydanticModel](TypedStep[NoSettings, Pick[X], X]):
    def run(self, inpt: Pick[X]) -> X:
        raise NotImplementedError

class PickIndex(Picker[Index]):
    pass
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax of PEP 695 came with Python 3.12")
@pytest.mark.parametrize("first", ["", "from __future__ import annotations\n"])
def test_classes_with_type_parameters(monkeypatch, first):
    module = types.ModuleType("pep695_steps")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names = {name: globals()[name] for name in ("Doc", "Index", "Inputs", "Iterator", "NoSettings", "TypedStep")}
    vars(module).update(names, PydanticModel=PydanticModel)
    exec(first + PEP_695, vars(module))
    fields = step_types(module.PickIndex).inputs
    assert [(field.name, field.shape.contract) for field in fields] == [("first", Index), ("second", Doc)]


def test_values_are_given_by_name_and_cannot_change():
    halves = Halves(train=[Doc()], test=[])
    assert halves == Halves(train=[Doc()], test=[])
    with pytest.raises(TypeError):
        Halves([Doc()], [])
    with pytest.raises(TypeError):
        Halves(train=[])
    with pytest.raises(AttributeError):
        halves.train = []


@pytest.mark.parametrize(
    ("fields", "defaults", "message"),
    [
        ({"_docs": list[Doc]}, {}, "'_docs' cannot name a field of Made"),
        ({"größe": list[Doc]}, {}, "'größe' cannot name a field of Made"),
        ({"x" * 64: list[Doc]}, {}, "cannot name a field of Made"),
        ({"docs": list[Doc]}, {"docs": None}, "the field docs of Made has a default"),
        ({"docs": list[Doc]}, {"docs": []}, "a field has a default: mutable default <class 'list'> for field docs"),
    ],
)
def test_fields_that_are_refused_when_the_class_is_made(fields, defaults, message):
    for base in (Inputs, Outputs):
        with pytest.raises(StaticTypeError) as caught:
            types.new_class(
                "Made",
                (base,),
                exec_body=lambda space: space.update(__annotations__=fields, __module__=__name__, **defaults),
            )
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("base", "fields", "message"),
    [
        (Inputs, {}, "Made has no fields"),
        (Outputs, {}, "Made has no fields"),
        (Inputs, {"docs": int}, "the field docs of Made: int cannot flow between steps"),
        (Inputs, {"docs": None}, "the field docs of Made is None"),
        (Inputs, {"docs": list[Both]}, "Both is not a contract"),
        (Outputs, {"docs": list[Doc] | None}, "the field docs of Made may be None, which an output cannot be"),
        (Outputs, {"Test": Doc, "test": Doc}, "the fields Test and test of Made differ in upper and lower case alone"),
    ],
)
def test_fields_that_are_refused_when_a_step_is_made(base, fields, message):
    cls = fields_of(base, **fields)
    step = made("Take", cls, Doc) if base is Inputs else made("Give", None, cls)
    with pytest.raises(StaticTypeError) as caught:
        WZ(step)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "result", "message"),
    [
        (Halves, Doc, "Halves cannot be an input"),
        (None, Both, "Both cannot be an output"),
        (Both | None, Doc, "Both | None cannot be an input"),
        (list[Both], Doc, "Both is not a contract"),
    ],
)
def test_inputs_and_outputs_stand_where_they_belong(given, result, message):
    with pytest.raises(StaticTypeError) as caught:
        WZ(made("Wrong", given, result))
    assert message in str(caught.value)
    assert "put of Wrong: " in caught.value.message


def test_a_self_consuming_step_gives_one_dataset():
    class Memory(SelfConsumingLeafStep[NoSettings, Halves]):
        def run(self, inpt: Halves | None) -> Halves:
            raise NotImplementedError

    with pytest.raises(StaticTypeError, match=r"Halves \| None cannot be an input"):
        WZ(Memory)


def test_a_step_decides_when_it_or_a_base_says_how():
    class Deciding(Count):
        def when(self, inpt: list[Doc]) -> bool:
            return bool(inpt)

    class Again(Deciding):
        pass

    assert [decides(cls) for cls in (Count, Deciding, Again)] == [False, True, True]
    assert WZ(Count).when([]) is True


def test_when_is_held_to_its_signature():
    async def later(self, inpt): ...

    def yielding(self, inpt):
        yield True

    def more(self, inpt, other): ...

    def texts(self, inpt: list[Doc]) -> str: ...

    def other(self, inpt: set[Doc]) -> bool: ...

    for when, message in [
        (later, "when does not return True or False"),
        (yielding, "when does not return True or False"),
        (more, "when takes 2 arguments besides self, not one"),
        (texts, "when returns str, not bool"),
        (other, r"when takes set\[Doc\], but the type parameters say list\[Doc\]"),
    ]:
        with pytest.raises(StaticTypeError, match=message):
            WZ(made("Deciding", list[Doc], Index, when=when))


def test_inputs_are_frozen_dataclasses_that_take_all_fields_by_name():
    both = Both(docs=["a"], index=None)
    assert both == Both(index=None, docs=["a"])
    assert both != Both(docs=[], index=None)
    assert repr(both) == "Both(docs=['a'], index=None)"
    assert replace(both, docs=[]) == Both(docs=[], index=None)
    with pytest.raises(FrozenInstanceError):
        both.docs = []
    with pytest.raises(TypeError, match=r"missing=\['index'\], unknown=\['indx'\]"):
        Both(docs=["a"], indx=None)
