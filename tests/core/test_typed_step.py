import dataclasses
import functools
import sys
import types
import typing
import warnings
from typing import Annotated, Generic, List, Optional, TypeVar  # noqa: UP035 - as authors may write them

import pytest
import typing_extensions

from wurzel.core import NoSettings, PydanticModel, SelfConsumingLeafStep, Settings, Step, TypedStep
from wurzel.core.step_ids import derive_id
from wurzel.core.typed_step import step_types
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException, StaticTypeError
from wurzel.utils import WZ


class Doc(PydanticModel):
    text: str = ""


class Other(PydanticModel):
    number: int = 0


class Opts(Settings):
    SIZE: int


class Source(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return [Doc()]


class Change(TypedStep[Opts, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt


class Count(TypedStep[None, list[Doc], Other]):
    def run(self, inpt: list[Doc]) -> Other:
        return Other(number=len(inpt))


class Collect(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt


def test_wz_runs_no_init_and_needs_no_environment():
    class Fragile(Change):
        def __init__(self):
            super().__init__()
            raise AssertionError("must not run")

    step = WZ(Fragile)
    assert (step.settings_class, step.input_model_type, step.output_model_type) == (Opts, list[Doc], list[Doc])
    assert (step.input_model_class, step.output_model_class) == (Doc, Doc)
    assert not hasattr(step, "settings")


def test_a_step_that_is_made_directly_loads_its_settings(monkeypatch):
    monkeypatch.setenv("SIZE", "7")
    assert Change().settings.SIZE == 7
    assert Source().settings is None


def test_the_arrow_gives_its_right_side_and_keeps_the_order():
    a, b, c = WZ(Source, name="a"), WZ(Source, name="b"), WZ(Collect)
    assert (b >> c) is c
    assert (a >> c) is c
    assert [step.step_id for step in c.required_steps] == ["b", "a"]
    a >> c
    assert len(c.required_steps) == 2
    assert c.required_steps == {a, b}
    assert c.traverse() == {a, b, c}
    assert a.is_leaf()
    assert not c.is_leaf()


def test_a_list_before_an_arrow_comes_before_the_step():
    a, b, c = WZ(Source, name="a"), WZ(Source, name="b"), WZ(Collect)
    assert ([b, a] >> c) is c
    assert [step.step_id for step in c.required_steps] == ["b", "a"]


def test_ten_thousand_steps_in_a_chain_and_before_one_step():
    last = WZ(Source)
    for number in range(10_000):
        last = last >> WZ(Collect, name=f"c-{number}")
    assert len(last.traverse()) == 10_001
    end = WZ(Collect)
    for number in range(10_000):
        WZ(Source, name=f"s-{number}") >> end
    assert len(end.traverse()) == 10_001


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (Count, Change, "Cannot chain Count to Change: Count gives Other, Change takes list[Doc]"),
        (Change, Source, "Cannot chain Change to Source: Change gives list[Doc], Source takes None"),
    ],
)
def test_a_wrong_chain_is_a_type_error_with_both_types(left, right, message):
    with pytest.raises(TypeError) as caught:
        WZ(left) >> WZ(right)
    assert message in str(caught.value)
    assert isinstance(caught.value, StaticTypeError | ContractFailedException)
    assert caught.value.exit_code == 3


def test_what_is_no_step_cannot_be_chained():
    step = WZ(Source)
    with pytest.raises(StaticTypeError, match=r"Cannot chain Source to Change: it is a class(.|\n)*WZ\(Change\)"):
        step >> Change
    with pytest.raises(StaticTypeError, match="Cannot chain Source to 3"):
        step >> 3
    loop = WZ(Change)
    with pytest.raises(StaticTypeError, match="Cannot chain Change to itself"):
        loop >> loop

    class Bare(Step):
        pass

    with pytest.raises(StaticTypeError, match="it is not a TypedStep"):
        Bare() >> loop


@pytest.mark.parametrize(
    ("class_name", "step_id"),
    [
        ("ManualMarkdownStep", "manual-markdown"),
        ("Step", "step"),
        ("HTMLToMD2Step", "html-to-md2"),
        ("S3Step", "s3"),
        ("Split", "split"),
        ("_Private_Thing", "private-thing"),
        ("StepByStepStep", "step-by-step"),
    ],
)
def test_ids_come_from_class_names(class_name, step_id):
    assert derive_id(class_name) == step_id


@pytest.mark.parametrize("class_name", ["Größe", "A" * 64, "_"])
def test_a_class_name_that_makes_no_id_is_refused_unless_a_name_is_given(class_name):
    cls = type(class_name, (Source,), {})
    with pytest.raises(StaticTypeError, match=r"WZ\(.*name="):
        WZ(cls)
    assert WZ(cls, name="fine").step_id == "fine"


@pytest.mark.parametrize("name", ["a", "a1", "1a", "a-b", "a--b", "x" * 63])
def test_names_that_are_ids(name):
    step = WZ(Source, name=name)
    assert (step.name, step.step_id) == (name, name)


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a_b", "ä", "a b", "x" * 64, "a\n", 3])
def test_names_that_are_no_ids(name):
    with pytest.raises(StaticTypeError, match="is not a step id"):
        WZ(Source, name=name)


def test_a_step_may_have_a_name_of_its_own():
    class Own(Source):
        def __init__(self):
            super().__init__()
            self.name = "mine"

    class Fixed(Source):
        name = property(lambda self: "fixed")

    assert (Own().name, Own().step_id) == ("mine", "own")
    assert (WZ(Fixed, name="given").name, WZ(Fixed, name="given").step_id) == ("fixed", "given")


def test_wz_takes_classes_of_steps_only():
    for value in (int, 3, WZ(Source)):
        with pytest.raises(StaticTypeError, match="WZ takes a step class"):
            WZ(value)


def test_a_subclass_of_a_concrete_step_keeps_its_types():
    class Mine(Change):
        pass

    class Again(Mine):
        def run(self, inpt: list[Doc]) -> list[Doc]:
            return inpt[::-1]

    assert WZ(Mine).output_model_type == list[Doc]
    assert WZ(Again).settings_class is Opts


T = TypeVar("T")
S = TypeVar("S")


def test_generic_bases_in_between():
    class Same(TypedStep[S, list[T], list[T]], Generic[S, T]):
        def run(self, inpt: list[T]) -> list[T]:
            return inpt

    class Fixed(Same[NoSettings, T], Generic[T]):
        pass

    class Concrete(Fixed[Doc]):
        def run(self, inpt: list[Doc]) -> list[Doc]:
            return inpt

    step = WZ(Concrete)
    assert (step.input_model_type, step.output_model_type) == (list[Doc], list[Doc])
    with pytest.raises(StaticTypeError, match="type parameter T is not given"):
        WZ(Fixed)


def test_self_consuming_steps_take_their_own_output_or_nothing():
    class Memory(SelfConsumingLeafStep[Opts, list[Doc]]):
        def run(self, inpt: list[Doc] | None) -> list[Doc]:
            return inpt or []

    class Loose(SelfConsumingLeafStep[NoSettings, list[Doc]]):
        def run(self, inpt: Optional[list[Doc]]) -> list[Doc]:  # noqa: UP045
            return inpt or []

    step = WZ(Memory)
    assert step.settings_class is Opts
    assert step.output_model_type == list[Doc]
    assert step.input_model_type == (list[Doc] | None)
    assert (step.input_model_class, step.output_model_class) == (Doc, Doc)
    assert (WZ(Loose) >> WZ(Collect)).step_id == "collect"


def make(*parameters, annotations=None):
    def run(self, inpt):
        return inpt

    run.__annotations__ = {"inpt": parameters[1], "return": parameters[2]} if annotations is None else annotations
    return made(parameters, run)


def made(parameters, run):
    return types.new_class("Made", (TypedStep[parameters],), exec_body=lambda body: body.update(run=run))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((int, None, list[Doc]), "the settings of Made are int, which is not a subclass of Settings"),
        ((None, None, None), "the output of Made cannot be None"),
        ((None, None, dict[str, Doc]), "dict is not a supported container"),
        ((None, list[int], Doc), "the input of Made: list[int] cannot flow between steps: int is not a contract"),
        ((None, None, tuple[Doc, Doc]), "tuple is not a supported container"),
        ((None, None, list[set[Doc]]), "cannot flow between steps"),
        ((None, None, list), "list is not a contract"),
        ((None, None, list[None]), "None is not a contract"),
        ((None, Doc | int, Doc), "int is not a contract"),
        ((None, list[Doc | None], Doc), "what a step gives or takes is never None"),
        ((None, None, list[Doc] | None), "what a step gives or takes is never None"),
        ((None, None, "Doc"), "is not a contract"),
        ((None, None, list["Doc"]), "'Doc' is not a contract"),
    ],
)
def test_wrong_type_parameters(parameters, message):
    with pytest.raises(StaticTypeError) as caught:
        WZ(make(*parameters))
    assert message in str(caught.value).replace("ForwardRef('Doc')", "'Doc'")
    assert caught.value.where.endswith(":Made")


@pytest.mark.parametrize("containers", [list[list[Doc]], set[Doc], Doc, List[Doc]])  # noqa: UP006
def test_containers_that_may_flow(containers):
    assert WZ(make(None, None, containers)).output_model_class is Doc


@pytest.mark.parametrize("given", [(NoSettings, Doc), (NoSettings, None, Doc, Doc)])
def test_another_number_of_type_parameters_says_which_they_are(given):
    with pytest.raises(StaticTypeError, match=f"TypedStep takes 3 type parameters, not {len(given)}") as caught:
        TypedStep[given]
    assert caught.value.hint == "Write TypedStep[SETTINGS, INPUT, OUTPUT]."


def test_a_step_without_type_parameters_or_run():
    class Bare(TypedStep):
        def run(self, inpt):
            return inpt

    class Lazy(TypedStep[None, None, Doc]):
        pass

    with pytest.raises(StaticTypeError, match="Bare has no type parameters"):
        WZ(Bare)
    with pytest.raises(StaticTypeError, match="Lazy does not define run"):
        WZ(Lazy)
    with pytest.raises(StaticTypeError, match="Lazy does not define run"):
        Lazy()


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"inpt": Doc, "return": list[Doc]}, "run takes Doc, but the type parameters say list[Doc]"),
        ({"inpt": list[Doc], "return": None}, "run returns None, but the type parameters say list[Doc]"),
        ({"inpt": List[Doc], "return": Doc}, "run returns Doc"),  # noqa: UP006
    ],
)
def test_run_must_agree_with_the_type_parameters(annotations, message):
    with pytest.raises(StaticTypeError) as caught:
        WZ(make(None, list[Doc], list[Doc], annotations=annotations))
    assert message in str(caught.value)
    assert "Write run(self, inpt: list[Doc]) -> list[Doc]" in str(caught.value)


@pytest.mark.parametrize(
    ("annotations", "missing"),
    [({}, "inpt and return"), ({"inpt": list[Doc]}, "return"), ({"return": list[Doc]}, "inpt")],
)
def test_missing_annotations_warn_once_at_the_line_that_makes_the_step(annotations, missing):
    cls = make(None, list[Doc], list[Doc], annotations=annotations)
    with pytest.warns(UserWarning, match=f"run has no annotation for {missing}; write run") as found:
        WZ(cls)
    assert found[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        WZ(cls)


def test_annotations_may_be_texts():
    cls = make(None, list[Doc], list[Doc], annotations={"inpt": "list[Doc]", "return": "list[Doc]"})
    assert WZ(cls).step_id == "made"
    with pytest.raises(StaticTypeError, match="run returns Other"):
        WZ(make(None, list[Doc], list[Doc], annotations={"inpt": "list[Doc]", "return": "Other"}))
    with pytest.warns(UserWarning, match="no annotation"):
        WZ(make(None, list[Doc], list[Doc], annotations={"inpt": "Nowhere", "return": "Nowhere"}))


def test_annotations_may_name_classes_of_a_function():
    class Local(PydanticModel):
        text: str

    cls = make(None, list[Local], Local, annotations={"inpt": "list[Local]", "return": "Local"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WZ(cls).step_id == "made"


@pytest.mark.parametrize("arguments", ["self", "self, a, b", "self, *, inpt", "self, inpt, *, key"])
def test_run_takes_one_argument(arguments):
    space = {}
    exec(f"def run({arguments}): ...", space)
    with pytest.raises(StaticTypeError, match="not one"):
        WZ(made((None, None, Doc), space["run"]))


@pytest.mark.parametrize("name", ["run", "when", "finalize"])
@pytest.mark.parametrize(("value", "kind"), [(True, "bool"), (property(lambda _: True), "property")])
def test_a_method_that_cannot_be_called_is_refused(name, value, kind):
    step = type("Some", (Change,), {name: value})
    with pytest.raises(StaticTypeError, match=rf"Some: {name} is of class {kind}, not a method"):
        WZ(step)


@pytest.mark.parametrize("arguments", ["self, inpt, extra=1", "self, inpt, **more", "self, *args", "self, inpt, /"])
def test_run_may_take_more_when_it_need_not(arguments):
    space = {}
    exec(f"def run({arguments}): ...", space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert WZ(made((None, None, Doc), space["run"])).step_id == "made"


def test_the_names_authors_import_are_where_they_expect_them():
    import wurzel
    import wurzel.core
    import wurzel.core.self_consuming_step
    import wurzel.core.settings
    import wurzel.core.step
    import wurzel.core.typed_step
    import wurzel.datacontract.common
    import wurzel.datacontract.datacontract
    import wurzel.exceptions

    assert wurzel.core.TypedStep is wurzel.core.typed_step.TypedStep is wurzel.TypedStep
    assert wurzel.core.Step is wurzel.core.step.Step is wurzel.Step
    assert wurzel.core.Settings is wurzel.core.settings.Settings
    assert issubclass(wurzel.core.settings.Settings, wurzel.core.settings.SettingsLeaf)
    assert issubclass(wurzel.core.settings.SettingsLeaf, wurzel.core.settings.SettingsBase)
    assert wurzel.core.NoSettings is None is wurzel.core.settings.NoSettings
    assert wurzel.core.MarkdownDataContract is wurzel.datacontract.common.MarkdownDataContract
    assert wurzel.core.SelfConsumingLeafStep is wurzel.core.self_consuming_step.SelfConsumingLeafStep
    assert wurzel.core.PanderaDataFrameModel is wurzel.datacontract.datacontract.PanderaDataFrameModel
    for module in (wurzel, wurzel.core, wurzel.datacontract, wurzel.datacontract.datacontract):
        with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
            module.Nothing  # noqa: B018


def test_importing_the_api_imports_nothing_heavy():
    import subprocess

    code = (
        "import sys, wurzel.core, wurzel.datacontract, wurzel.utils;"
        "print([name for name in ('pandas', 'pandera', 'pydantic_settings', 'ruamel.yaml', 'rich', 'jinja2', 'json',"
        "'asyncio', 'subprocess', 'tempfile', 'logging', 'importlib.metadata') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


# --- what annotations may be written as -------------------------------------------------------------------------------


B = TypeVar("B", bound=PydanticModel)


class FirstOf(TypedStep[NoSettings, list[B], list[B]], Generic[B]):
    def run(self, inpt: list[B]) -> list[B]:
        return inpt[:1]


class Mixed(Generic[B]):
    def run(self, inpt: list[B]) -> list[B]:
        return inpt


def quiet(cls):
    """A step of the class; any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return WZ(cls)


def test_a_generic_base_step_gives_its_run_to_its_sub_classes():
    class FirstDoc(FirstOf[Doc]):
        pass

    class Again(FirstDoc):
        pass

    class FromMixin(Mixed[Doc], TypedStep[NoSettings, list[Doc], list[Doc]]):
        pass

    class Wrong(Mixed[Other], TypedStep[NoSettings, list[Doc], list[Doc]]):
        pass

    for cls in (FirstDoc, Again, FromMixin):
        assert quiet(cls).output_model_type == list[Doc]
    with pytest.raises(StaticTypeError, match=r"run takes list\[Other\], but the type parameters say list\[Doc\]"):
        WZ(Wrong)
    with pytest.raises(StaticTypeError, match="type parameter B is not given"):
        WZ(FirstOf)


def test_a_type_parameter_that_is_not_given_is_its_default():
    kind = typing_extensions.TypeVar("kind", default=Doc)
    options = typing_extensions.TypeVar("options", default=NoSettings)

    class Kept(TypedStep[options, list[kind], list[kind]], Generic[options, kind]):
        def run(self, inpt: list[kind]) -> list[kind]:
            return inpt

    class KeptDoc(Kept):
        pass

    class KeptOther(Kept[NoSettings, Other]):
        pass

    for cls, contract in ((Kept, Doc), (KeptDoc, Doc), (KeptOther, Other)):
        assert quiet(cls)
        assert step_types(cls).output_shape.contracts == (contract,)
    assert quiet(Change) >> quiet(KeptDoc)


def test_aliases_and_annotated_stand_for_what_they_mean():
    docs = typing_extensions.TypeAliasType("Docs", list[Doc])
    item = TypeVar("item")
    many = typing_extensions.TypeAliasType("Many", list[item], type_params=(item,))
    noted = Annotated[list[Annotated[Doc, "noted"]], "all of them"]
    for kind in (docs, many[Doc], noted, Annotated[docs, 1]):
        step = quiet(make(None, kind, kind))
        assert quiet(Change) >> step
        assert quiet(make(None, kind, list[Doc], annotations={"inpt": list[Doc], "return": kind}))
    nothing = typing_extensions.TypeAliasType("Nothing", NoSettings)
    assert step_types(make(nothing, None, docs)).settings is type(None)


PEP_695 = """
type Docs = list[Doc]
type Many[X] = list[X]
type Either = Doc | Other

class Base[X: PydanticModel](TypedStep[NoSettings, list[X], Many[X]]):
    def run(self, inpt: list[X]) -> Many[X]:
        return inpt

class Concrete(Base[Doc]):
    pass

class Aliased(TypedStep[NoSettings, Docs, list[Either]]):
    def run(self, inpt: Docs) -> list[Either]:
        return list(inpt)
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax of PEP 695 came with Python 3.12")
def test_type_statements_and_classes_with_type_parameters():
    space = dict(globals())
    exec(PEP_695, space)
    assert quiet(Source) >> quiet(space["Concrete"]) >> quiet(space["Aliased"])
    assert step_types(space["Aliased"]).output_shape.contracts == (Doc, Other)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax of PEP 695 came with Python 3.12")
def test_a_type_that_is_made_of_itself_is_an_error():
    space = dict(globals())
    exec("type Lists = list[Lists]\ntype Loop = Loop\ntype Json = dict[str, Json] | list[Json] | str", space)
    with pytest.raises(StaticTypeError, match="Lists refers to itself without end, so it contains no contract"):
        shape_of(space["Lists"])
    with pytest.raises(StaticTypeError, match="Loop is an alias of itself"):
        shape_of(space["Loop"])

    class Free(PydanticModel):
        value: space["Json"]  # noqa: F821

    assert shape_of(list[Free]).contracts == (Free,)


def test_unions_of_contracts_keep_their_order():
    one, other = make(None, list[Doc | Other], list[Doc | Other]), make(None, list[Other | Doc], list[Other | Doc])
    assert WZ(one, name="a") >> WZ(one, name="b")
    with pytest.raises(StaticTypeError, match=r"gives list\[Doc \| Other\], .* takes list\[Other \| Doc\]"):
        WZ(one, name="a") >> WZ(other, name="b")
    assert step_types(make(None, None, Doc | Other)).output_shape.contracts == (Doc, Other)
    assert step_types(make(None, None, Other | Doc)).output_shape.contracts == (Other, Doc)
    for kind, order in ((Doc | Other, (Doc, Other)), (Other | Doc, (Other, Doc))):

        class Bound(FirstOf[kind]):
            pass

        assert step_types(Bound).input_shape.contracts == order


def test_dataclasses_and_typed_dicts_are_contracts():
    @dataclasses.dataclass
    class Data:
        text: str

    class Entry(typing_extensions.TypedDict):
        text: str

    for kind in (Data, Entry):
        assert quiet(make(None, list[kind], kind)).output_model_class is kind
        with pytest.raises(StaticTypeError, match="cannot be in a set"):
            WZ(make(None, None, set[kind]))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from Python 3.12 on, pydantic reads typing.TypedDict")
def test_a_typed_dict_that_pydantic_cannot_read_is_refused():
    class Old(typing.TypedDict):
        text: str

    with pytest.raises(StaticTypeError, match=r"Derive it from typing_extensions\.TypedDict"):
        WZ(make(None, None, list[Old]))


def timed(function):
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


class Method:
    """A decorator that is a class: `inspect` takes its objects for functions in C, of unknown arguments."""

    def __init__(self, function):
        self.function = function

    def __get__(self, step, owner=None):
        return self if step is None else functools.partial(self.function, step)

    def __call__(self, *args):
        return self.function(*args)


def test_a_decorated_run_may_take_any_arguments():
    class Decorated(TypedStep[NoSettings, None, list[Doc]]):
        @timed
        def run(self, inpt: None) -> list[Doc]:
            return [Doc(text="x")]

    class Wrapped(Decorated):
        run = functools.wraps(Source.run)(timed(Source.run))

    class Bound(TypedStep[NoSettings, None, list[Doc]]):
        @Method
        def run(self, inpt: None) -> list[Doc]:
            return [Doc(text="x")]

    for decorated in (Decorated, Bound):
        with pytest.warns(UserWarning, match=r"a decorator hides the annotations of run; let it apply functools.wraps"):
            assert WZ(decorated).run(None) == [Doc(text="x")]
    assert quiet(Wrapped).run(None) == [Doc()]


def test_run_may_be_async_but_no_async_generator():
    class Later(TypedStep[NoSettings, None, list[Doc]]):
        async def run(self, inpt: None) -> list[Doc]:
            return [Doc()]

    class Stream(TypedStep[NoSettings, None, list[Doc]]):
        async def run(self, inpt: None) -> list[Doc]:
            yield Doc()

    assert quiet(Later)
    with pytest.raises(StaticTypeError, match="run is an async generator"):
        WZ(Stream)
