"""Nodes read by annotations: what is accepted and what comes out is what pydantic itself says of the same data."""

import math
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from wurzel.backends.argo.options import ArgoOptions
from wurzel.ir import model
from wurzel.ir.names import EnvName, FreeText, Image, LabelKey, LabelValue
from wurzel.ir.types import Duration, Quantity
from wurzel.models import Model
from wurzel.project.kinds import BAD, Context, NotUnderstoodError
from wurzel.project.model import Environment, PipelineConfig, ProjectFile, StepConfig, StepDefaults
from wurzel.project.nodes import Findings, node_of
from wurzel.project.read import model_reader, read, reader

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.sampled_from([0.5, 2.0, math.inf, math.nan])
    | st.sampled_from(["", "x", "1h", "500m", "8Gi", "Exists", "forbid", "a/b", "0 4 * * *", "UTC", "LOG", "b:1", "9"])
)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["A", "a b", "x.y/z", "name", "key"]), inner)
    ),
    max_leaves=6,
)
ANNOTATIONS = [
    str,
    int,
    bool,
    float,
    str | None,
    Annotated[int, Field(ge=1, lt=8)],
    Annotated[str, Field(min_length=1, max_length=2)],
    Annotated[int | None, Field(gt=0, le=8)],
    Duration,
    Duration | None,
    Quantity,
    Image | None,
    Literal["allow", "forbid"],
    Literal[1],
    dict[EnvName, FreeText],
    dict[LabelKey, LabelValue],
    dict[str, model.SecretRef],
    tuple[str, ...],
    list[int],
    list[Duration],
    model.SecretRef,
    int | str,
    str | dict[str, str],
    list[str] | bool | None,
    Literal["x", "1h"] | list[int],
    Annotated[str, Field(pattern="^[a-z]$")],
]


def by_reader(annotation, data):
    findings = Findings()
    value = read(node_of(data, "x"), annotation, "f", Context(findings))
    return BAD if findings else value


def by_pydantic(annotation, data):
    try:
        return TypeAdapter(annotation).validate_python(without_nulls(data), strict=not _converts(annotation))
    except ValidationError:
        return BAD


def without_nulls(data):
    """A null in a mapping removes its key."""
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


def _converts(annotation):
    """Types that take what users write need the lax mode, as do tuples, which JSON does not have."""
    return annotation not in {str, int, bool, float, str | None}


@pytest.mark.parametrize("annotation", ANNOTATIONS)
@given(data=DATA)
def test_accepted_and_read_as_pydantic_does(annotation, data):
    mine, theirs = by_reader(annotation, data), by_pydantic(annotation, data)
    if mine is not BAD:
        assert mine == theirs
    elif theirs is not BAD:
        assert stricter(annotation, data), (data, theirs)


def stricter(annotation, data):
    """Where pydantic is laxer: text for numbers, whole floats, numbers for truth, sets of keys; never by accident."""
    if isinstance(data, list):
        return any(stricter(annotation, item) for item in data) or not data
    if isinstance(data, dict):
        return any(item is None or stricter(annotation, item) for item in data.values())
    lax = str(annotation)
    return any(kind in lax for kind in ("int", "float", "bool", "Literal[1]")) and isinstance(
        data, bool | float | str | int
    )


@pytest.mark.parametrize(
    "cls",
    [ProjectFile, PipelineConfig, StepConfig, StepDefaults, Environment, *vars(model).values()],
    ids=lambda item: getattr(item, "__name__", "-"),
)
def test_every_model_of_configuration_is_understood(cls):
    if isinstance(cls, type) and issubclass(cls, BaseModel | Model) and cls is not model.Pipeline:
        assert callable(model_reader(cls))


@pytest.mark.parametrize(
    ("annotation", "data", "message"),
    [
        (int, "eight", "f: 'eight' is not a whole number"),
        (int, True, "f: true is not a whole number"),
        (int, 1.5, "f: 1.5 is not a whole number"),
        (float, math.inf, "f: Infinity is not a number"),
        (bool, "yes", "f: 'yes' is not true or false"),
        (str, 5, "f: 5 is not text"),
        (Annotated[int, Field(ge=1)], 0, "f: 0 is not 1 or more"),
        (Annotated[int, Field(lt=5)], 5, "f: 5 is not less than 5"),
        (Annotated[str, Field(max_length=1)], "ab", "f: 'ab' is not short enough; at most 1"),
        (Literal["allow", "forbid"], "forbit", "f: 'forbit' is not allow or forbid\n  Did you mean forbid?"),
        (tuple[str, ...], "x", "f: 'x' is not a list"),
        (str | list[str], {}, "f: {} is not text or a list"),
        (Annotated[str, Field(pattern="^x")], "y", "f: 'y' is not of the form ^x"),
        (tuple[str, ...], [None], "f.0: null is not text"),
        (dict[str, int], [1], "f: [1] is not a mapping"),
        (dict[str, int], {"a": "b"}, "f.a: 'b' is not a whole number"),
        (Duration, "1w", "f: '1w' is not a duration"),
        (Duration, [1], "f: [1] is not one value"),
        (Any, {"a": [math.nan]}, "f.a.0: NaN is not a valid JSON number"),
        (model.Retry, 3, "f: 3 is not a mapping\n  Write for example {limit: …, backoff: …}."),
        (model.Retry, {"limits": 3}, "unknown key 'limits' in f\n  Did you mean limit?"),
        (model.Schedule, {}, "f.cron is missing\n  cron: five fields, as Kubernetes reads them"),
        (model.SecretRef, "hunter2", "f: a secret is set by reference, never as a value"),
    ],
)
def test_messages(annotation, data, message):
    findings = Findings()
    read(node_of(data, "x"), annotation, "f", Context(findings))
    assert message in str(findings)
    assert "hunter2" not in str(findings)


def test_null_in_a_mapping_leaves_the_default():
    assert by_reader(model.Retry, {"limit": None, "factor": 2}) == model.Retry(factor=2)


def test_an_overlay_may_leave_out_what_is_required():
    findings = Findings()
    read(node_of({"timezone": "UTC"}, "x"), model.Schedule, "f", Context(findings, complete=False))
    assert not findings


def test_models_may_hold_themselves():
    class Tree(BaseModel):
        children: "list[Tree]" = []
        name: str = ""

    value = by_reader(Tree, {"children": [{"name": "a", "children": []}]})
    assert value == Tree(children=[Tree(name="a")])


class Validated(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def check(cls, value):
        return value


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    name: str = Field(alias="Name")


@pytest.mark.parametrize(
    "annotation",
    [
        bytes,
        set[str],
        Annotated[str, AfterValidator(str)],
        Annotated[Literal["a"], BeforeValidator(str)],
        dict[str, str] | model.SecretRef,
        int | Duration,
        Annotated[int | str, Field(ge=1)],
        Literal[1, "a"] | list[str],
    ],
)
def test_what_only_pydantic_reads(annotation):
    with pytest.raises(NotUnderstoodError):
        reader(annotation)


@pytest.mark.parametrize("cls", [Validated, Aliased])
def test_models_that_only_pydantic_reads(cls):
    with pytest.raises(NotUnderstoodError):
        model_reader(cls)


def test_options_that_contradict_each_other_are_worded_by_pydantic():
    def read_options(**data):
        return model_reader(ArgoOptions)(node_of(data, "x"), "f", Context(Findings()))

    assert read_options(namespace="ml").namespace == "ml"
    with pytest.raises(NotUnderstoodError):
        read_options(workflow_template="cluster", namespace="ml")
