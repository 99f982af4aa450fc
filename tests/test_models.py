"""Models that are no classes of pydantic are validated, dumped and described as if they were."""

import copy
import pickle
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model, model_validator

from wurzel.models import Model


class Leaf(Model):
    """A leaf."""

    known: ClassVar = ("a",)
    count: Annotated[int, Field(ge=0), "mark"] = Field(0, le=9, description="how many")
    kind: Literal["a", "b"] = "a"
    tags: tuple[str, ...] = ()


class Tree(Model, fields={"extra": (int | None, Field(None, description="more"))}):
    """A tree."""

    name: str
    leaf: Leaf = Field(default_factory=Leaf.model_construct)
    leaves: dict[str, Leaf] = {}

    def _check(self):
        if self.name == "bad":
            raise ValueError("is bad")


class Tall(Tree):
    """A tall one."""

    height: int = 3


class Same(Tree):
    """A tree."""


class Holder(BaseModel):
    """A model of pydantic."""

    tree: Tree | None = None
    leaf: Leaf = Leaf.model_construct()


class Loop(Model):
    """A model that contains itself."""

    parts: tuple["Loop", ...] = ()
    next: "Loop | None" = None

    def _check(self):
        if len(self.parts) == 2:
            raise ValueError("is a pair")


CONFIG = ConfigDict(frozen=True, extra="forbid")
LEAF = create_model(
    "Leaf",
    __config__=CONFIG,
    __doc__="A leaf.",
    count=(Annotated[int, Field(ge=0), "mark"], Field(0, le=9, description="how many")),
    kind=(Literal["a", "b"], "a"),
    tags=(tuple[str, ...], ()),
)
TREE = create_model(
    "Tree",
    __config__=CONFIG,
    __doc__="A tree.",
    extra=(int | None, Field(None, description="more")),
    name=(str, ...),
    leaf=(LEAF, Field(default_factory=LEAF)),
    leaves=(dict[str, LEAF], {}),
)
DATA = {"name": "x", "leaf": {"count": 3}, "leaves": {"y": {"tags": ["a"]}}}


def test_data_is_validated_dumped_and_described_as_by_pydantic():
    tree, theirs = Tree.model_validate(DATA), TREE.model_validate(DATA)
    assert (type(tree), type(tree.leaf), type(tree.leaves["y"])) == (Tree, Leaf, Leaf)
    assert repr(tree) == repr(theirs)
    assert tree.model_fields_set == theirs.model_fields_set
    assert Tree.model_json_schema() == TREE.model_json_schema() == Same.model_json_schema() | {"title": "Tree"}
    for options in ({}, {"mode": "json", "exclude_defaults": True}, {"exclude": {"name"}, "exclude_none": True}):
        assert tree.model_dump(**options) == theirs.model_dump(**options)
    assert tree.model_dump_json() == theirs.model_dump_json()
    assert Tree.model_validate_json(tree.model_dump_json(), strict=True) == tree
    assert Tree.model_fields["leaf"].annotation is Leaf
    assert [field.description for field in Leaf.model_fields.values()] == ["how many", None, None]
    assert "mark" in Leaf.model_fields["count"].metadata


@pytest.mark.parametrize(
    "data", [{}, {"name": 1}, {"name": "x", "z": 1}, {"name": "x", "leaf": {"count": -1}}, {"name": "x", "leaf": 1}]
)
def test_errors_are_those_of_pydantic(data):
    def errors(cls, data, *path):
        with pytest.raises(ValidationError) as raised:
            cls.model_validate(data)
        found = raised.value.errors(include_url=False, include_input=False, include_context=False)
        return [(error["loc"][len(path) :], error["type"], error["msg"]) for error in found]

    assert errors(Tree, data) == errors(TREE, data) == errors(Holder, {"tree": data}, "tree")


def test_what_a_model_checks_itself_is_checked():
    for make in (Tree, Tall, lambda name: Holder(tree={"name": name})):
        assert make(name="good")
        with pytest.raises(ValidationError, match="is bad"):
            make(name="bad")
    with pytest.raises(ValidationError, match=r"^1 validation error for Tall\n"):
        Tall(name="bad")


@pytest.mark.parametrize(
    ("name", "member", "message"),
    [
        ("_own", model_validator(mode="after")(lambda self: self), "pydantic would not run it; write `def _check"),
        ("_own", PrivateAttr(0), "objects would not have it; make it a field"),
        ("model_post_init", lambda self, context: None, "pydantic would not run it"),
        ("own", cached_property(lambda self: self.name), "its value would count as a field; write a property"),
        ("name", "x", "would have no effect; annotate it"),
        ("model_config", {"extra": "allow"}, "would have no effect; leave it out"),
    ],
)
def test_what_would_be_lost_is_refused(name, member, message):
    with pytest.raises(TypeError, match=rf"Other\.{name}:? {message}"):
        type(Tree)("Other", (Tree,), {name: member})


class Marked(Model):
    LIMIT: "ClassVar[int]" = 3
    size: Annotated[int, Field(alias="Size", description="how large", ge=0)] = 1
    tags: "dict[str, int]" = Field({})


def test_what_annotations_say_counts():
    assert (Marked.LIMIT, Marked(Size=2).size, Marked.model_fields["size"].description) == (3, 2, "how large")
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Marked(Size=-1)
    Marked.model_construct().tags["a"] = 1
    assert Marked.model_construct().tags == {}


def test_models_are_values():
    tree = Tall(name="x", leaf=Leaf(count=2))
    assert tree == Tall.model_construct(name="x", leaf=Leaf.model_construct(count=2)) != Tree(name="x")
    assert (tree.height, tree.extra, Tall.model_construct().model_fields_set) == (3, None, set())
    assert hash(Leaf()) == hash(Leaf(kind="a"))
    full = Tree(name="x", leaves={"y": Leaf()})
    assert full.model_copy(deep=True) == full
    assert full.model_copy(deep=True).leaves is not full.leaves is full.model_copy().leaves
    assert tree.model_copy(update={"height": 4}) == Tall(name="x", leaf=Leaf(count=2), height=4)
    for same in (copy.deepcopy(tree), pickle.loads(pickle.dumps(tree)), Holder(tree=tree).tree):
        assert same == tree
        assert same.model_fields_set == {"name", "leaf"}
    with pytest.raises(AttributeError, match="Tall is frozen"):
        tree.name = "y"
    given: Any = Holder(leaf=tree.leaf).model_dump()
    assert given["leaf"] == {"count": 2, "kind": "a", "tags": ()}


def test_a_model_may_contain_itself():
    loop = Loop.model_validate({"parts": [{"next": {}}]})
    assert loop == Loop(parts=(Loop(next=Loop()),))
    assert loop.model_dump(exclude_unset=True) == {"parts": ({"next": {}},)}
    assert Loop.model_json_schema()["$defs"].keys() == {"Loop"}
    for data in ({"parts": [{"parts": [{}, {}]}]}, {"next": {"parts": [{}, {}]}}):
        with pytest.raises(ValidationError, match="is a pair"):
            Loop.model_validate(data)
