"""Every type in every place with every value: what is stored reads back to what was returned, or writing fails.

The comparison here knows nothing of contracts: it goes through both objects by what they are.
"""
# ruff: noqa: E501, PLR0911 - tables of values, and a case for each kind of them

import dataclasses
import enum
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import AfterValidator, BaseModel, Field, Json, PlainSerializer, RootModel, create_model, model_serializer
from typing_extensions import TypedDict

from wurzel.core import PydanticModel
from wurzel.datacontract.parts import codec_for
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException

BERLIN = ZoneInfo("Europe/Berlin")
NAN = float("nan")
T = TypeVar("T")


class Color(enum.Enum):
    RED = "r"
    CRIMSON = "r"  # noqa: PIE796 - an alias is the case
    BLUE = 2


class Bits(enum.Flag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: str = "y"


class Loose(TypedDict, total=False):
    a: int
    b: str


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()


@dataclasses.dataclass(slots=True)
class Slim:
    a: int = 0


class Base(BaseModel):
    a: int = 0


class Sub(Base):
    b: int = 0


class Open(BaseModel, extra="allow"):
    a: int = 0


class Aliased(BaseModel):
    a: int = Field(0, alias="A")
    b: float = Field(0, serialization_alias="c", validation_alias="B")


class Partly(BaseModel):
    a: int = 0
    b: int = 0

    @model_serializer
    def _short(self):
        return {"a": self.a}


class Of(BaseModel, Generic[T]):
    value: T


class Numbers(RootModel[list[int]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Tree(BaseModel):
    value: int = 0
    below: list["Tree"] = []


TYPES = (
    *(
        int,
        float,
        bool,
        str,
        bytes,
        Decimal,
        complex,
        date,
        datetime,
        time,
        timedelta,
        UUID,
        Path,
        IPv4Address,
        re.Pattern,
    ),
    *(Color, Bits, Point, Loose, Frozen, Slim, Base, Open, Aliased, Partly, Of[int], Of[Any], Numbers, Tree, Cat | Dog),
    *(
        Annotated[Cat | Dog, Field(discriminator="kind")],
        Base | Sub,
        int | str,
        float | int,
        str | bytes,
        datetime | date,
    ),
    *(str | datetime, list[int], list[Any], tuple[int, str], tuple[int, ...], set[str], set[Frozen], frozenset[int]),
    *(dict[str, int], dict[int, str], dict[float, int], dict[Color, int], dict[datetime, int], dict[str | int, int]),
    *(OrderedDict[str, int], defaultdict[str, int], Counter[str], deque[int], Mapping[str, int], Json[list[int]]),
    *(Literal["a", 1], Literal[Color.RED], list[Base], Base | None, Annotated[str, AfterValidator(str.strip)]),
    *(Annotated[float, PlainSerializer(lambda value: round(value, 1))], ZoneInfo),
)
VALUES = (
    *(None, True, False, 0, 1, -1, 2**70, 10**4300, 0.1, 1.0, -0.0, NAN, float("inf"), "", "a", " a ", "1", "\ud800", "é\x00\u2028"),
    *(b"", b"\xff", Decimal("1.10"), Decimal("-0"), Decimal("NaN"), 1j, complex(-0.0, 1), date(2024, 2, 29), timedelta(-1, 1)),
    *(datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)),
    *(datetime(2024, 10, 27, 2, 30, fold=fold) for fold in (0, 1)),  # noqa: DTZ001
    *(datetime(1890, 1, 1, tzinfo=BERLIN), datetime.min, datetime.max.replace(tzinfo=UTC), time(1, 2, 3, 4), time(1, tzinfo=UTC)),  # noqa: DTZ901
    *(datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=61))), time(2, fold=1), timedelta.max, UUID(int=5), Path("a/b")),
    *(IPv4Address("1.2.3.4"), re.compile("a"), re.compile("a", re.IGNORECASE), Color.RED, Color.BLUE, Bits.A | Bits.B, BERLIN),
    *(Point(1), (1, "x"), (), (1, 2), {"a": 1}, {"b": "x", "a": 1}, {}, Frozen(1, (2,)), Frozen(1, [2]), Slim(1), Base(a=1)),
    *(Sub(b=2), Open(z=1), Open(z=(1,)), Aliased(A=1, B=0.5), Partly(a=1), Partly(a=1, b=2), Of[int](value=1), Of[Any](value=[1])),
    *(Of(value=1), Numbers([1]), Tree(below=[Tree(value=1)]), Cat(), Dog(), Dog.model_construct(kind="cat"), [1], [1, (2,)], [True]),
    *([Base()], [Sub(b=1)], {"a", "b"}, {1}, frozenset({1}), {Frozen(1), Frozen(2)}, {1: "a"}, {1.5: 1}, {NAN: 1}, {Color.RED: 1}),
    *({Color.BLUE: 1}, {"1": 1}, {1: 1}, {1: 1, "1": 2}, {datetime(2024, 1, 1, tzinfo=BERLIN): 1}, OrderedDict(b=1, a=2)),
    *(defaultdict(int, a=1), defaultdict(list, a=1), Counter("aab"), deque([1]), deque([1], maxlen=2), iter([1]), {None: 1}),
)  # fmt: skip
PLACES = {
    "field": (lambda kind: kind, lambda value, _: value),
    "list": (lambda kind: list[kind], lambda value, _: [value]),
    "mapping": (lambda kind: dict[str, kind], lambda value, _: {"k": value}),
    "union": (lambda kind: kind | Point | None, lambda value, _: value),
    "generic": (lambda kind: Of[kind], lambda value, made: made.model_construct(value=value)),
    "root": (lambda kind: RootModel[kind], lambda value, made: made.model_construct(value)),
    "dataclass": (lambda kind: dataclasses.make_dataclass("Made", [("x", kind)]), lambda value, made: made(value)),
}


def seen(value):
    """What there is to see of a value."""
    name = type(value).__qualname__
    if isinstance(value, BaseModel):
        return name, seen(list(value.__dict__.items())), seen(value.model_extra)
    if dataclasses.is_dataclass(value):
        return name, seen({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        pairs = [(seen(key), seen(inner)) for key, inner in value.items()]
        return name, sorted(pairs, key=repr), repr(getattr(value, "default_factory", ""))
    if isinstance(value, list | tuple | deque):
        return name, [seen(inner) for inner in value], getattr(value, "maxlen", None)
    if isinstance(value, set | frozenset):
        return name, sorted(map(repr, map(seen, value)))
    if isinstance(value, datetime):  # zones come back as their offset
        return name, value.isoformat(), value.tzinfo is None and value.fold
    if isinstance(value, time):
        return name, value.isoformat(), value.fold
    return name, repr(value)


def in_json(value):
    """Whether a value has something in a place of type `Any` that JSON stores in another form."""
    return any(word in repr(seen(value)) for word in ("'tuple'", "'Open'"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", TYPES, ids=[f"{number}-{kind!s:.30}" for number, kind in enumerate(TYPES)])
def test_what_is_stored_reads_back_or_is_refused(kind, place):
    of_type, of_value = PLACES[place]
    made = of_type(kind)
    contract = create_model("Made", __base__=PydanticModel, __module__=__name__, x=(made, ...))
    codec = codec_for(shape_of(list[contract]))
    for value in VALUES:
        item = contract.model_construct(x=of_value(value, made))
        try:
            data = codec.encode([item]).data
        except ContractFailedException:
            continue
        assert b"".join(line for lines in codec.encoded(iter([item])) for line in lines) in data
        (read,) = codec.decode(data)
        if seen(read.x) != seen(item.x):
            promoted = "float" in str(kind) and read.x == item.x
            assert promoted or in_json(item.x), (item.x, read.x)
