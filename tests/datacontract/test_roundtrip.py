"""What is stored reads back to what was returned, or writing fails and names item, field and what would change."""

import dataclasses
import enum
import functools
import json
import re
from collections import OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import typing_extensions
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    RootModel,
    SecretBytes,
    SecretStr,
    SkipValidation,
    StringConstraints,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic import Secret as SecretOf
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from wurzel.datacontract import MarkdownDataContract, PydanticModel
from wurzel.datacontract.parts import codec_for
from wurzel.datacontract.roundtrip import same_value
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException, StaticTypeError


class Doc(PydanticModel):
    text: str


class ScoredDoc(Doc):
    score: float = 0.0


class Renamed(Doc):
    """A sub-class without fields."""


class Other(PydanticModel):
    text: str
    more: int = 0


class Wrapped(PydanticModel):
    inner: Doc


class Deep(PydanticModel):
    many: list[Doc] = []
    by_name: dict[str, Doc] = {}
    maybe: Doc | None = None
    either: Doc | Other | None = None
    pair: tuple[Doc, int] | None = None
    any_number: tuple[Doc, ...] = ()
    again: "Deep | None" = None


class Node(PydanticModel):
    name: str
    children: "list[Node]" = []


class Member(enum.Enum):
    NUMBER = 1
    TEXT = "1"


class ByMember(PydanticModel):
    counts: dict[Member, int]


class At(PydanticModel):
    at: time


class Skipping(PydanticModel):
    one: SkipValidation[Doc]


class Color(enum.Enum):
    RED = "red"


class Word(str):
    __slots__ = ()


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass(frozen=True)
class Plain:
    name: str
    doc: Doc | None = None
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class More(Plain):
    extra: int = 1


class Entry(typing_extensions.TypedDict):
    name: str
    doc: typing_extensions.NotRequired[Doc]


def stored(annotation, *values):
    """The items that read back, and the bytes in between."""
    codec = codec_for(shape_of(list[annotation]))
    data = codec.encode(list(values)).data
    back = codec.decode(data)
    assert codec.encode(back).data == data
    return back, data


def kept(annotation, value):
    (back,), data = stored(annotation, value)
    assert type(back) is type(value)
    assert back == value
    return data


def refused(annotation, *values):
    with pytest.raises(ContractFailedException) as caught:
        stored(annotation, *values)
    assert caught.value.exit_code == 3
    return caught.value.message


def remedy(annotation, *values):
    with pytest.raises(ContractFailedException) as caught:
        stored(annotation, *values)
    return caught.value.hint


# --- classes ----------------------------------------------------------------------------------------------------------


def test_a_sub_class_is_refused_with_both_classes_and_the_field_that_would_be_lost():
    message = refused(Doc, Doc(text="a"), ScoredDoc(text="b", score=0.5))
    assert message == "item 1 is a ScoredDoc, which has the field 'score' that Doc cannot store"
    assert refused(Doc, Renamed(text="a")) == "item 0 is a Renamed, but would be read back as a Doc"

    class Mine(MarkdownDataContract):
        lang: str = "de"

    message = refused(MarkdownDataContract, Mine(md="x", keywords="k", url="u", lang="en"))
    assert message == "item 0 is a Mine, which has the field 'lang' that MarkdownDataContract cannot store"


SUB = ScoredDoc(text="a", score=0.9)
LOST = "is a ScoredDoc, which has the field 'score' that Doc cannot store"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (Deep(many=[Doc(text="b"), SUB]), "many[1]"),
        (Deep(by_name={"k": SUB}), "by_name.k"),
        (Deep(maybe=SUB), "maybe"),
        (Deep(either=SUB), "either"),
        (Deep(pair=(SUB, 1)), "pair[0]"),
        (Deep(any_number=(Doc(text="b"), Doc(text="c"), SUB)), "any_number[2]"),
        (Deep(again=Deep(again=Deep(maybe=SUB))), "again.again.maybe"),
    ],
)
def test_a_sub_class_is_found_at_every_depth(value, field):
    assert refused(Deep, value) == f"item 0, field '{field}' {LOST}"


def test_nested_items_of_the_declared_classes_come_back():
    kept(
        Deep, Deep(many=[Doc(text="a")], by_name={"k": Doc(text="b")}, either=Other(text="c"), pair=(Doc(text="d"), 1))
    )
    kept(Node, Node(name="a", children=[Node(name="b", children=[Node(name="c")])]))
    assert kept(Wrapped, Wrapped(inner=Doc(text="a"))) == b'[\n{"inner":{"text":"a"}}\n]\n'


def test_a_sub_class_is_stored_where_the_contract_says_that_it_is():
    kept(ScoredDoc, SUB)
    kept(Doc | ScoredDoc, SUB)


class Leaf(PydanticModel):
    text: str = ""
    number: int = 0
    real: float = 0.0
    flag: bool = False
    texts: list[str] = []
    counts: dict[str, int] = {}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("text", Word("a"), "is a Word, 'a', but would be read back as a str, 'a'"),
        ("text", 3, "Input should be a valid string, not 3"),
        ("number", True, "is a bool, True, but would be read back as an int, 1"),
        ("number", "5", "is a str, '5', but would be read back as an int, 5"),
        ("number", 5.0, "is a float, 5.0, but would be read back as an int, 5"),
        ("real", True, "is a bool, True, but would be read back as a float, 1.0"),
        ("flag", 1, "is an int, 1, but would be read back as a bool, True"),
        ("texts", ("a",), "is a tuple, ('a',), but would be read back as a list, ['a']"),
        ("texts", [Word("a")], "'texts[0]' is a Word, 'a', but would be read back as a str, 'a'"),
        ("counts", OrderedDict(a=1), "is an OrderedDict"),
        ("counts", {"a": True}, "'counts.a' is a bool, True"),
    ],
)
def test_assigned_values_of_another_class_are_refused(field, value, message):
    item = Leaf()
    setattr(item, field, value)
    assert message in refused(Leaf, Leaf(), item)
    assert f"item 1, field '{field}" in refused(Leaf, Leaf(), item)


def test_a_whole_number_stands_for_a_float_and_is_stored_as_one():
    class Scored(PydanticModel):
        score: float = 1

    (back,), data = stored(Scored, Scored())
    assert data == b'[\n{"score":1.0}\n]\n'
    assert type(back.score) is float


def test_a_field_that_is_gone_is_refused():
    item = Leaf()
    del item.text
    assert "field 'text'" in refused(Leaf, item)


def test_constraints_that_were_broken_by_assignment():
    class Limited(PydanticModel):
        number: int = Field(0, ge=0)
        word: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=3)] = ""

    for name, value, message in [
        ("number", -1, "greater than or equal to 0, not -1"),
        ("word", "long word", "at most 3 characters"),
        ("word", " A", "field 'word' is ' A', but would be read back as 'a'"),
    ]:
        item = Limited()
        setattr(item, name, value)
        assert message in refused(Limited, item)
    kept(Limited, Limited(number=3, word="abc"))


# --- aliases ----------------------------------------------------------------------------------------------------------


class Hit(PydanticModel):
    score: float = Field(0.0, serialization_alias="relevance")
    text: str = Field("default", validation_alias="TEXT")


class Choices(PydanticModel):
    one: int = Field(0, validation_alias=AliasChoices("first", "1st"))
    two: int = Field(0, validation_alias=AliasPath("numbers", 1))
    three: int = Field(0, alias="THREE")


class Camel(PydanticModel):
    model_config = ConfigDict(alias_generator=to_camel)
    page_count: int = 0


class TwoWays(PydanticModel):
    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=str.upper, serialization_alias=lambda name: f"x-{name}")
    )
    page: int = 0
    inner: Hit = Hit()


class Swapped(PydanticModel):
    a: int = Field(0, serialization_alias="b")
    b: int = Field(0, serialization_alias="a")


class ByName(PydanticModel):
    model_config = ConfigDict(populate_by_name=True)
    a: int = Field(0, alias="A")
    b: int = Field(0, validation_alias="B")


@dataclasses.dataclass
class AliasedData:
    a: Annotated[int, Field(validation_alias="A")] = 0


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (Hit(score=0.9, TEXT="hello"), '{"score":0.9,"text":"hello"}'),
        (Choices(first=1, numbers=[0, 2], THREE=3), '{"one":1,"two":2,"three":3}'),
        (Camel(pageCount=3), '{"pageCount":3}'),
        (TwoWays(PAGE=3, INNER=Hit(score=1.5)), '{"page":3,"inner":{"score":1.5,"text":"default"}}'),
        (Swapped(a=1, b=2), '{"a":1,"b":2}'),
        (ByName(a=1, b=2), '{"A":1,"b":2}'),
    ],
)
def test_aliases_of_every_kind_come_back(value, line):
    assert kept(type(value), value).decode() == f"[\n{line}\n]\n"


def test_aliases_of_dataclasses_and_of_unions_come_back():
    kept(AliasedData, AliasedData(A=1) if False else AliasedData(1))
    kept(Hit | Camel, Camel(pageCount=3))
    kept(Hit | Camel, Hit(TEXT="a"))


# --- values that hide or change ---------------------------------------------------------------------------------------


class Login(PydanticModel):
    user: str
    password: SecretStr


class Nested(PydanticModel):
    logins: dict[str, list[Login | None]] = {}


class OfNumber(PydanticModel):
    pin: SecretOf[int]


class OfBytes(PydanticModel):
    key: SecretBytes | None = None


@dataclasses.dataclass
class InData:
    login: Login


class InDict(typing_extensions.TypedDict):
    token: SecretStr


@pytest.mark.parametrize(
    ("contract", "path"),
    [
        (Login, "Login.password is a SecretStr"),
        (Nested, "Nested.logins.password is a SecretStr"),
        (OfNumber, "OfNumber.pin is a Secret"),
        (OfBytes, "OfBytes.key is a SecretBytes"),
        (InData, "InData.login.password is a SecretStr"),
        (InDict, "InDict.token is a SecretStr"),
    ],
)
def test_a_contract_with_a_secret_is_refused_where_it_is_used(contract, path):
    for annotation in (contract, list[contract], list[Doc | contract]):
        with pytest.raises(StaticTypeError) as caught:
            shape_of(annotation)
        assert path in str(caught.value)


def test_a_secret_that_is_not_stored_is_no_reason_to_refuse_a_contract():
    class Quiet(PydanticModel):
        text: str
        token: SecretStr | None = Field(None, exclude=True)

    (back,), data = stored(Quiet, Quiet(text="a", token="t0p"))
    assert (back.token, data) == (None, b'[\n{"text":"a"}\n]\n')


class Free(PydanticModel):
    value: Any = None
    metadata: dict[str, Any] = {}
    bare: dict = {}
    things: list = []


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Free(value=SecretStr("t0p")), "field 'value' is a SecretStr, which hides its value"),
        (Free(metadata={"a": [SecretStr("t0p")]}), "field 'metadata.a[0]' is a SecretStr"),
        (Free(value=Login(user="u", password="t0p")), "field 'value.password' is a SecretStr"),
        (Free(value={SecretStr("t0p")}), "field 'value[0]' is a SecretStr"),
        (Free(value={1: "a", "1": "b"}), "field 'value' has the keys 1 and '1', which are stored alike"),
        (Free(metadata={"a": {"k": {True: 1, "true": 2}}}), "field 'metadata.a.k' has the keys True and 'true'"),
        (Free(bare={1: "a", "1": "b"}), "field 'bare' has the keys 1 and '1'"),
        (Free(things=[{None: 1, "None": 2}]), "field 'things[0]' has the keys None and 'None'"),
    ],
)
def test_what_any_cannot_hold_is_refused(item, message):
    told = refused(Free, item)
    assert message in told
    assert "t0p" not in told


class Written(PydanticModel):
    """Has serializers that store other values than there are."""

    value: Any = "a"
    bare: dict = {}
    things: list[Any] = []

    @field_serializer("value")
    def _as_text(self, value):
        return str(value)

    @field_serializer("bare")
    def _all_as_text(self, value):
        return {str(key): str(inner) for key, inner in value.items()}

    @field_serializer("things")
    def _first(self, value):
        return value[:1]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Written(value=None), "field 'value' is None, but would be read back as a str, 'None'"),
        (Written(value=1.5), "field 'value' is a float, 1.5, but would be read back as a str, '1.5'"),
        (Written(value=[1]), "field 'value' is a list, [1], but would be read back as a str, '[1]'"),
        (Written(value={}), "field 'value' is a dict, {}, but would be read back as a str, '{}'"),
        (Written(bare={"k": True}), "field 'bare.k' is a bool, True, but would be read back as a str, 'True'"),
        (Written(things=[1, 2]), "field 'things' is [1, 2], but would be read back as [1]"),
    ],
)
def test_a_serializer_stores_no_other_json_for_what_json_has(item, message):
    assert message in refused(Written, item)
    day = date(2024, 1, 2)
    (back,), _ = stored(Written, Written(value=day, bare={1: "a"}, things=[{2: day}]))
    assert (back.value, back.bare, back.things) == ("2024-01-02", {"1": "a"}, [{"2": "2024-01-02"}])


def test_any_holds_json():
    day = date(2024, 1, 2)
    item = Free(
        value=(1, day), metadata={"d": day, "n": float("nan"), "b": b"\xff"}, bare={1: 2}, things=[{3, 1}, Color.RED]
    )
    (back,), _ = stored(Free, item)
    assert back.value == [1, "2024-01-02"]
    assert (back.metadata["d"], back.metadata["b"], back.bare, back.things) == (
        "2024-01-02",
        "_w==",
        {"1": 2},
        [[1, 3], "red"],
    )
    kept(Free, Free(value={"a": [1, 2.5, None, True, {"b": "c"}]}, metadata={"x": {"y": []}}))


def test_what_is_refused_says_what_to_do():
    assert remedy(Doc, ScoredDoc(text="b", score=0.5)) == "Declare that class, or a union: Doc | ScoredDoc."
    assert remedy(Doc, Doc(text="a").model_copy(update={"txt": "b"})) == "Declare a field for it."
    assert "leave its own results alone" in remedy(ByMember, ByMember(counts={Member.NUMBER: 1}))
    assert remedy(Skipping, Skipping(one=Doc(text="a"))).startswith("Return a dict, or declare")


def test_an_attribute_that_no_field_declares_is_refused():
    message = refused(Doc, Doc(text="a").model_copy(update={"txt": "b"}))
    assert message == "item 0, field 'txt' is not declared by the contract, so 'b' would be lost"


def test_a_model_that_no_one_validates_is_refused():
    message = refused(Skipping, Skipping(one=Doc(text="a")))
    assert message == "item 0, field 'one' is a Doc, Doc(text='a'), but would be read back as a dict, {'text': 'a'}"


def test_a_time_in_a_zone_without_an_offset_is_refused():
    at = time(1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert refused(At, At(at=at)).endswith("but would be read back as datetime.time(1, 0)")
    assert stored(At, At(at=time(1, tzinfo=UTC)))
    assert same_value(at, time(1)) is not None  # in a table


def test_keys_that_read_back_as_another_member_are_refused():
    assert stored(ByMember, ByMember(counts={Member.TEXT: 1}))
    message = refused(ByMember, ByMember(counts={Member.NUMBER: 1}))
    assert message.endswith("is <Member.NUMBER: 1>, but would be read back as <Member.TEXT: '1'>")


def test_masks_of_all_kinds_are_refused():
    class Masked(PydanticModel):
        token: Annotated[str, PlainSerializer(lambda _: "***")]

    class MaskedField(PydanticModel):
        token: str

        @field_serializer("token")
        def _mask(self, value):
            return "***"

    class MaskedModel(PydanticModel):
        token: str

        @model_serializer
        def _mask(self):
            return {"token": "***"}

    for contract in (Masked, MaskedField, MaskedModel):
        assert refused(contract, contract(token="a")) == "item 0, field 'token' is 'a', but would be read back as '***'"
        kept(contract, contract(token="***"))


def test_validators_that_change_what_they_have_changed_before_are_refused():
    class Louder(PydanticModel):
        text: str

        @field_validator("text")
        @classmethod
        def _shout(cls, text):
            return text + "!"

    class Counting(PydanticModel):
        seen: int = 0

        @model_validator(mode="after")
        def _count(self):
            self.seen += 1
            return self

    assert refused(Louder, Louder(text="a")) == "item 0, field 'text' is 'a!', but would be read back as 'a!!'"
    assert "field 'seen' is 1, but would be read back as 2" in refused(Counting, Counting())

    class Tidy(PydanticModel):
        text: Annotated[str, AfterValidator(str.strip)]
        when: Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]

    kept(Tidy, Tidy(text=" a ", when=datetime(2024, 1, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))))
    item = Tidy(text="a", when=datetime(2024, 1, 1, tzinfo=UTC))
    item.when = datetime(2024, 1, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert "field 'when' is stored as '2024-01-01T12:00:00+01:00', but as '2024-01-01T11:00:00Z'" in refused(Tidy, item)


@pytest.mark.parametrize(
    "error", [TypeError, KeyError, ZeroDivisionError, RecursionError, StopIteration, AttributeError]
)
def test_validators_may_raise_anything(error):
    class Picky(PydanticModel):
        text: str

        @field_validator("text")
        @classmethod
        def _check(cls, text):
            if text == "bad":
                raise error("told you so")
            return text

    codec = codec_for(shape_of(list[Picky]))
    good = [Picky(text="a")] * 3
    told = refused(Picky, *good, Picky.model_construct(text="bad"))
    assert told.startswith(f"item 3: reading back what would be stored raised {error.__name__}: ")
    assert f"item 3: validating it raised {error.__name__}" in refused(Picky, *good, {"text": "bad"})
    with pytest.raises(ContractFailedException, match=f"item 1: reading back .* raised {error.__name__}"):
        codec.decode(b'[\n{"text":"a"},\n{"text":"bad"}\n]\n')


def test_serializers_and_comparisons_may_raise_anything():
    class Odd(PydanticModel):
        text: str

        @field_serializer("text")
        def _write(self, text):
            raise KeyError("no")

    assert "item 0, field 'text': it cannot be stored as JSON: " in refused(Odd, Odd(text="a"))

    class Grumpy:
        def __eq__(self, other):
            raise RuntimeError("do not compare me")

        __hash__ = None

    class Moody(PydanticModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: Annotated[Grumpy, BeforeValidator(lambda _: Grumpy()), PlainSerializer(lambda _: 1)]

    stored(Moody, Moody(thing=1))


# --- other types ------------------------------------------------------------------------------------------------------


class Kinds(PydanticModel):
    when: datetime = datetime(2024, 1, 2, 3, 4, 5, 6, UTC)
    span: timedelta = timedelta(days=1, microseconds=3)
    exact: Decimal = Decimal("1.10")
    path: Path = Path("a/b")
    pure: PurePosixPath = PurePosixPath("c")
    key: UUID = UUID(int=7)
    color: Color = Color.RED
    mode: Literal["a", 1] = 1
    point: Point = Point(1, 2)
    queue: deque[int] = deque([1, 2])
    numbers: frozenset[int] = frozenset({3, 1})
    nested: set[tuple[str, int]] = {("a", 1), ("b", 2)}
    table: dict[int, float] = {1: 2.5}
    loaded: Json[list[int]] = Field(default_factory=lambda: [1])
    blob: bytes = b"\xff"
    counts: defaultdict[str, int] = Field(default_factory=lambda: defaultdict(int, a=1))
    pattern: re.Pattern = re.compile("a")


def test_values_of_many_types_come_back():
    kept(Kinds, Kinds())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "pattern",
            re.compile("a", re.IGNORECASE),
            "field 'pattern' is re.compile('a', re.IGNORECASE), but would be read back as",
        ),
        ("when", "2024-01-02", "is a str"),
        ("exact", 1, "is an int"),
        ("path", PurePosixPath("a"), "field 'path': it cannot be stored as JSON"),
        ("color", "red", "is a str, 'red', but would be read back as a Color"),
        ("numbers", {1}, "is a set"),
        ("point", (1, 2), "is a tuple"),
        ("table", {"1": 2.5}, "field 'table.1' is a str, '1', but would be read back as an int, 1"),
        ("exact", Decimal("NaN"), "field 'exact'"),
    ],
)
def test_assigned_values_that_only_look_alike_are_refused(field, value, message):
    item = Kinds()
    setattr(item, field, value)
    assert message in refused(Kinds, item)


def test_unions_come_back_as_the_same_class_or_are_refused():
    class Either(PydanticModel):
        value: int | float | str | bool | None = None
        moment: date | str | None = None

    for value in (1, 1.0, "1", True, None, float("inf")):
        kept(Either, Either(value=value))
    kept(Either, Either(moment=date(2024, 1, 2)))
    assert "field 'moment' is a str, '2024-01-02', but would be read back as a date" in refused(
        Either, Either(moment="2024-01-02")
    )

    class A(PydanticModel):
        x: int = 0

    class B(PydanticModel):
        x: int = 0

    class Pick(PydanticModel):
        one: A | B

    kept(Pick, Pick(one=A()))
    assert refused(Pick, Pick(one=B())) == "item 0, field 'one' is a B, but would be read back as an A"
    kept(A | B, A())
    assert refused(A | B, B()) == "item 0 is a B, but would be read back as an A"
    kept(B | A, B())


def test_a_tagged_union_comes_back():
    class Cat(PydanticModel):
        kind: Literal["cat"] = "cat"

    class Dog(PydanticModel):
        kind: Literal["dog"] = "dog"

    class Pets(PydanticModel):
        pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]

    kept(Pets, Pets(pets=[Dog(), Cat()]))
    kept(Cat | Dog, Dog())


def test_nan_and_infinity_come_back_or_are_refused():
    class Numbers(PydanticModel):
        real: float = float("nan")
        many: list[float] = [float("inf"), float("nan")]
        strict: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    (back,), data = stored(Numbers, Numbers())
    assert data == b'[\n{"real":NaN,"many":[Infinity,NaN],"strict":0.0}\n]\n'
    assert str(back.many) == "[inf, nan]"
    item = Numbers()
    item.strict = float("nan")
    assert "field 'strict': Input should be a finite number, not nan" in refused(Numbers, item)


def test_models_of_pydantic_that_write_infinity_otherwise():
    class Inner(BaseModel):
        real: float = float("inf")

    class Outer(PydanticModel):
        inner: Inner = Inner()

    kept(Outer, Outer())


def test_excluded_fields_are_not_stored():
    class Partly(PydanticModel):
        text: str
        hidden: int = Field(0, exclude=True)

    class Needed(PydanticModel):
        text: str
        hidden: int = Field(exclude=True)

    (back,), _ = stored(Partly, Partly(text="a", hidden=3))
    assert (back.text, back.hidden) == ("a", 0)
    assert "field 'hidden': Field required" in refused(Needed, Needed(text="a", hidden=3))


def test_extra_fields_come_back():
    class Open(PydanticModel):
        model_config = ConfigDict(extra="allow")
        text: str = ""

    kept(Open, Open(text="a", more=1, doc={"a": 1}))
    (back,), _ = stored(Open, Open(day=date(2024, 1, 2)))
    assert back.day == "2024-01-02"
    assert "field 'more' is a SecretStr" in refused(Open, Open(more=SecretStr("t0p")))


def test_root_models_generic_models_and_iterators():
    class Names(RootModel[list[str]]):
        pass

    class Holder(PydanticModel):
        names: Names = Names([])
        one: Doc | None = None

    kept(Holder, Holder(names=Names(["a"])))

    class Lazy(PydanticModel):
        numbers: typing_extensions.Iterable[int] = ()

    assert "field 'numbers' is an iterator, which can be read only once" in refused(Lazy, Lazy(numbers=iter([1])))


# --- dataclasses, TypedDicts, mappings --------------------------------------------------------------------------------


def test_dataclasses_and_typed_dicts_are_contracts():
    assert kept(Plain, Plain("a", Doc(text="b"), ("c",))) == b'[\n{"name":"a","doc":{"text":"b"},"tags":["c"]}\n]\n'
    assert refused(Plain, More("a")) == "item 0 is a More, which has the field 'extra' that Plain cannot store"
    assert refused(Plain, Plain("a", SUB)) == f"item 0, field 'doc' {LOST}"
    kept(Entry, {"name": "a", "doc": Doc(text="b")})
    kept(Entry, {"name": "a"})
    assert refused(Entry, {"name": "a", "more": 1}) == (
        "item 0, field 'more' is not declared by the contract, so 1 would be lost"
    )
    assert f"item 0, field 'doc' {LOST}" in refused(Entry, {"name": "a", "doc": SUB})
    codec = codec_for(shape_of(set[Plain]))
    assert codec.decode(codec.encode({Plain("a"), Plain("b")}).data) == {Plain("a"), Plain("b")}


def test_typed_dicts_within_items():
    class Holder(PydanticModel):
        entry: Entry

    kept(Holder, Holder(entry={"name": "a"}))
    item = Holder(entry={"name": "a"})
    item.entry["more"] = 1
    assert "field 'entry.more' is not declared" in refused(Holder, item)


@pytest.mark.parametrize(
    ("contract", "value", "field"),
    [
        (Doc, {"text": "a", "lang": "en"}, "lang"),
        (Wrapped, {"inner": {"text": "a", "lang": "en"}}, "inner.lang"),
        (Deep, {"many": [{"text": "a"}, {"text": "b", "x": 1}]}, "many[1].x"),
    ],
)
def test_a_mapping_stands_for_an_item_when_nothing_of_it_is_lost(contract, value, field):
    assert f"field '{field}' is not declared by the contract" in refused(contract, value)
    (back,), _ = stored(Hit, {"TEXT": "a"})
    assert back == Hit(TEXT="a")


# --- sets -------------------------------------------------------------------------------------------------------------


def test_items_of_a_set_that_are_stored_alike_are_refused():
    class Partly(PydanticModel):
        text: str
        hidden: int = Field(0, exclude=True)

    codec = codec_for(shape_of(set[Partly]))
    with pytest.raises(ContractFailedException, match="of its 2 items, only 1 differ"):
        codec.encode({Partly(text="a"), Partly(text="a", hidden=1)})
    assert codec.encode([Partly(text="a"), Partly(text="a")]).items == 1


def test_the_previous_problems_of_a_list_are_shown_together():
    told = refused(Doc, *[SUB] * 8)
    assert told.count(LOST) == 5
    assert told.endswith("and 3 more")


def test_large_and_many_items_are_checked_alike():
    many = [Doc(text="x" * (index % 7)) for index in range(5000)]
    codec = codec_for(shape_of(list[Doc]))
    data = codec.encode(many).data
    assert json.loads(data) == [{"text": doc.text} for doc in many]
    assert refused(Doc, *many, SUB).startswith("item 5000 is a ScoredDoc")
    tricky = [Doc(text='},{"text":'), Doc(text='{"text":"a"}'), Doc(text="}"), Doc(text='",')]
    assert codec.decode(codec.encode(tricky).data) == tricky


class Limited(PydanticModel):
    text: str = Field(max_length=5)
    number: int = Field(0, ge=-1)
    word: Literal["a", "b"] = "a"


class Numbers(PydanticModel):
    numbers: list[int] = []
    within: dict[str, list[int]] = {}


VALUES = (
    *("a", 'é\x00"', 1, 2**70, True, None, 0.1, -0.0, 1e300, [], {}, [1, [2.5, None]], {"a": {"b": [True]}}),
    *((1,), {1}, float("nan"), float("inf"), 10**5000, {1: 2}, {None: 1}, Word("a"), Color.RED, b"x"),
    *(date(2024, 1, 2), Decimal(1), Doc(text="a"), Plain("a"), defaultdict(list), OrderedDict(a=1), deque([1])),
    *([Word("a")], {"a": (1,)}, {Word("a"): 1}, [[10**5000]], "\ud800", [float("-inf")], [{1}]),
)


def written(annotation, item, way):
    """What is stored of a list of the item, or what is said of it."""
    codec = codec_for(shape_of(list[annotation]))
    try:
        if way == "one by one":
            return codec.lines.line(item)
        (lines,) = codec.encoded([item] if way == "list" else iter([item]))
        return lines[0]
    except ContractFailedException as error:
        return str(error)


@pytest.mark.parametrize(
    ("annotation", "items"),
    [
        (Free, [Free(value=value) for value in VALUES]),
        (Free, [Free(bare={"x": value}, things=[value], metadata={"y": value}) for value in VALUES]),
        (Limited, [Limited.model_construct(text=text, number=1) for text in ("a", "é" * 5, "é" * 6, 1, Word("a"))]),
        (Limited, [Limited.model_construct(text="", number=one) for one in (-1, -2, 10**5000, True, 1.0, None)]),
        (Limited, [Limited.model_construct(text="", number=1, word=one) for one in ("b", "c", None, Word("a"))]),
        (Numbers, [Numbers(numbers=[one], within={"a": [one]}) for one in (1, -(2**80), 10**4299, 10**4300)]),
    ],
    ids=["any", "any within", "text", "number", "literal", "large numbers"],
)
def test_every_way_to_write_an_item_stores_or_refuses_the_same(annotation, items):
    found = [[written(annotation, item, way) for way in ("one by one", "list", "stream")] for item in items]
    for item, ways in zip(items, found, strict=True):
        assert ways == [ways[0]] * 3, repr(item)[:100]
    assert len({type(ways[0]) for ways in found}) == 2  # some are stored, some refused


class Unbounded(PydanticModel):
    text: str = ""


class Bounded(PydanticModel, str_max_length=4):
    text: str = ""
    short: Annotated[str, Field(min_length=1, max_length=2)] = "a"
    many: list[Annotated[str, Field(max_length=2)]] = []
    keys: dict[str, Annotated[int, Field(lt=9)]] = {}
    real: float = Field(1, gt=0, le=2)
    maybe: int | None = Field(None, ge=1)
    word: Literal["a", "b"] | None = None
    inner: Unbounded = Unbounded()
    tags: set[str] = set()


BOUNDED = (
    *({"text": text} for text in ("éééé", "ééééé", "a" * 5, Word("a"))),
    *({"short": text} for text in ("", "é", "ab", "abc")),
    *({"many": texts} for texts in ([], ["ab", "c"], ["ab", "abc"], ["a", 1])),
    *({"keys": keys} for keys in ({"a": 8}, {"a": 9}, {"abcd": 1}, {"abcde": 1})),
    *({"real": real} for real in (2.0, 2.5, 0.0, 5e-324, float("nan"), float("inf"), 2)),
    *({"maybe": number} for number in (1, 0, True, 10**4299, 10**4300)),
    *({"word": word} for word in ("b", "c", Word("a"), None, 1)),
    *({"inner": Unbounded(text="a" * 9)}, {"inner": Unbounded.model_construct(text=1)}),
    *({"tags": tags} for tags in ({"a", "b c", "b!", "b", 'b"'}, {"é", "a" * 5}, {"a", 1})),
)


def outcome(write):
    """What writing gives, or what it says."""
    try:
        return write()
    except ContractFailedException as error:
        return str(error)


@pytest.mark.parametrize(
    "change", BOUNDED, ids=[f"{next(iter(change))}-{index}" for index, change in enumerate(BOUNDED)]
)
def test_limits_hold_behind_items_that_are_right(change):
    good, shape = Bounded(real=1.5), shape_of(list[Bounded])
    item = good.model_copy(update=change)
    told = outcome(lambda: codec_for(shape).lines.line(item, 2))
    for way in (list, iter):
        found = outcome(lambda way=way: next(codec_for(shape).encoded(way([good, good, item])))[2])
        assert found == told


def test_limits_and_literals_need_no_comparing(monkeypatch):
    codec = codec_for(shape_of(list[Bounded]))
    monkeypatch.setattr(codec.lines, "line", lambda *_: pytest.fail("was compared"))
    items = [Bounded(short="ab", many=["a"], keys={"a": 1}, real=0.5, maybe=2, word="b", tags={"b", "a c", "a"})] * 2
    assert codec.lines._lossless.constrained is False
    assert [*codec.encoded(iter(items))] == [[codec.lines.written(items[0])] * 2]
    assert codec.decode(codec.encode(items).data) == items


def in_milliseconds(kind):
    config = {"__annotations__": {"at": kind}, "model_config": ConfigDict(ser_json_temporal="milliseconds")}
    return type("Stamp", (PydanticModel,), config | {"__module__": __name__})


def test_dates_that_are_stored_as_numbers_must_read_back():
    for kind, value in ((date, date(1970, 1, 2)), (datetime, datetime(1970, 1, 2, tzinfo=UTC))):
        made = in_milliseconds(kind)
        for form in (list, iter):  # below 2e10, pydantic takes a number for seconds
            with pytest.raises(ContractFailedException, match=r"but would be read back as .*1972, 9, 27"):
                next(codec_for(shape_of(list[made])).encoded(form([made(at=value)])))


def test_plain_values_of_any_type_need_no_comparing(monkeypatch):
    codec = codec_for(shape_of(list[Free]))
    monkeypatch.setattr(codec.lines, "line", lambda *_: pytest.fail("was compared"))
    items = [Free(value={"a": [1, 2.5, None, True]}, metadata={"b": "c"}, bare={"d": {}}, things=[[]])]
    assert codec.decode(codec.encode(items).data) == items
    assert [*codec.encoded(iter(items))] == [[codec.lines.written(items[0])]]


class Unseen(PydanticModel):
    """Values with something that comparing them does not see."""

    when: datetime = datetime(2024, 1, 1)  # noqa: DTZ001 - that is the case
    at: time = time(1)
    last: deque[int] = deque()
    found: defaultdict[str, int] = defaultdict(int)


TWICE = datetime(2024, 10, 27, 2, 30, fold=1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            Unseen(when=TWICE),
            "field 'when' is datetime.datetime(2024, 10, 27, 2, 30, fold=1), but would be read back as",
        ),
        (Unseen(at=time(1, fold=1)), "field 'at' is datetime.time(1, 0, fold=1), but"),
        (
            Unseen(last=deque([1], maxlen=2)),
            "field 'last' is deque([1], maxlen=2), but would be read back as deque([1])",
        ),
        (
            Unseen.model_construct(found=defaultdict(list, a=1)),
            "field 'found' is defaultdict(<class 'list'>, {'a': 1})",
        ),
        (Unseen(found=defaultdict(int, a=1), last=deque([1])), ""),
    ],
)
def test_what_comparing_does_not_see_is_refused(item, message):
    if message:
        assert message in refused(Unseen, item)
    else:
        kept(Unseen, item)


def test_attributes_that_a_dataclass_does_not_declare_are_refused():
    @dataclasses.dataclass
    class Noted:
        text: str

        def __post_init__(self):
            self.words = self.text.split()
            self._private = 1

        @functools.cached_property
        def size(self):
            return len(self.text)

    item = Noted("a b")
    item._seen = item.size
    kept(Noted, item)
    item.score = 0.5
    assert "item 0, field 'score' is not declared by the contract, so 0.5 would be lost" in refused(Noted, item)


class Marked(str):
    """A text that carries more than its characters."""

    def __new__(cls, text, mark=None):
        made = super().__new__(cls, text)
        made.mark = mark
        return made

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return core_schema.no_info_after_validator_function(
            lambda text: text if isinstance(text, cls) else cls(text), core_schema.str_schema()
        )


class Opaque:
    """A class without `__eq__`."""

    def __init__(self, number, note=None, cached=None):
        self.number, self.note, self._cached = number, note, cached

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.number),
        )


class Slotted(Opaque):
    __slots__ = ("extra",)

    def __init__(self, number, extra=None):
        super().__init__(number)
        self.extra = extra


class Carrying(PydanticModel):
    text: Marked = Marked("")
    opaque: Opaque = Opaque(1)
    slotted: Slotted = Slotted(1)
    whatever: Any = None


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            Carrying.model_construct(text=Marked("a", mark="b")),
            "field 'text.mark' is a str, 'b', but would be read back as None",
        ),
        (Carrying(opaque=Opaque(1, note=[2])), "field 'opaque.note' is a list, [2], but"),
        (Carrying(slotted=Slotted(1, extra=2)), "field 'slotted.extra' is an int, 2, but"),
        (Carrying(whatever=iter([1])), "field 'whatever' is an iterator, which can be read only once"),
        (Carrying(whatever=[{"a": zip("ab", "cd", strict=True)}]), "field 'whatever[0].a' is an iterator"),
        (Carrying(whatever={SecretStr("hunter2"): 1}), "is a SecretStr, which hides its value"),
        (Carrying(whatever={("a", SecretStr("hunter2")): 1}), "[1]' is a SecretStr, which hides its value"),
    ],
)
def test_what_an_object_carries_beside_its_value_is_not_lost(item, message):
    assert message in refused(Carrying, item).replace('"', "'")


def test_what_an_object_keeps_to_itself_may_be_lost():
    item = Carrying(text=Marked("a"), opaque=Opaque(2, cached=3), slotted=Slotted(4))
    codec = codec_for(shape_of(list[Carrying]))
    (read,) = codec.decode(codec.encode([item]).data)
    assert (read.text, read.opaque.number, read.slotted.number) == ("a", 2, 4)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_in_the_hour_that_a_night_has_twice_comes_back(fold):
    item = Unseen(when=datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold))
    codec = codec_for(shape_of(list[Unseen]))
    (read,) = codec.decode(codec.encode([item]).data)
    assert read.when.isoformat() == item.when.isoformat()


def test_an_integer_of_too_many_digits_is_named():
    told = refused(Unseen, Unseen(found={"a": 10**5000}))
    assert told.startswith("item 0, field 'found': what would be stored cannot be read back: number out of range")


def test_a_contract_that_pydantic_has_no_schema_for_is_named():
    class Odd(PydanticModel):
        data: bytearray = bytearray()

    with pytest.raises(StaticTypeError, match=r"Odd cannot be stored: Unable to generate .* <class 'bytearray'>$"):
        codec_for(shape_of(list[Odd]))
