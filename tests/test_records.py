"""Records behave as the dataclasses that type checkers take them for."""

import dataclasses
import pickle
from functools import cached_property

import pytest

from wurzel import records


def kind(decorator):
    @decorator(frozen=True)
    class Kind:
        """What both are made of."""

        name: str
        size: int = 1
        parts: list = dataclasses.field(default_factory=list)

        @cached_property
        def double(self):
            return self.size * 2

    return Kind


Record, Original = kind(records.dataclass), kind(dataclasses.dataclass)


@records.dataclass(frozen=True)
class Wider(Record):
    """With a field more."""

    more: str = ""


@pytest.mark.parametrize(("args", "given"), [(("a",), {}), (("a", 2), {"parts": [1]}), ((), {"name": "a", "size": 3})])
def test_they_are_made_shown_and_copied_alike(args, given):
    one, other = Record(*args, **given), Original(*args, **given)
    assert repr(one) == repr(other)
    assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert repr(dataclasses.replace(one, size=9)) == repr(dataclasses.replace(other, size=9))
    assert one.double == other.double
    assert [field.name for field in dataclasses.fields(one)] == ["name", "size", "parts"]


def test_each_has_defaults_of_its_own():
    Record("a").parts.append(1)
    assert Record("b").parts == []


def test_equal_by_class_and_fields():
    assert Record("a") == Record("a") != Record("b")
    assert Record("a") != Original("a")
    assert hash(Record("a", parts=())) == hash(Record("a", parts=())) == hash(Original("a", parts=()))


@pytest.mark.parametrize(
    ("args", "given"), [((), {}), (("a", 1, [], 2), {}), (("a",), {"name": "b"}), (("a",), {"other": 1})]
)
def test_wrong_arguments_are_refused(args, given):
    for made in (Record, Original):
        with pytest.raises(TypeError):
            made(*args, **given)


def test_nothing_changes():
    for change in (lambda one: setattr(one, "name", "b"), lambda one: delattr(one, "name")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change(Record("a"))


def test_inherited_and_pickled():
    assert repr(Wider("a", more="b")) == "Wider(name='a', size=1, parts=[], more='b')"
    assert pickle.loads(pickle.dumps(Wider("a", more="b"))) == Wider("a", more="b")


@pytest.mark.parametrize("special", [{"repr": False}, {"compare": False}, {"kw_only": True}])
def test_fields_that_it_would_not_treat_alike_are_refused(special):
    with pytest.raises(TypeError, match=r"Hidden: fields may differ in their defaults only: \['secret'\]"):

        @records.dataclass(frozen=True)
        class Hidden:
            """Whose secret must not be shown."""

            secret: str = dataclasses.field(default="", **special)
