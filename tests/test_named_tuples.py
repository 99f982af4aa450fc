"""Named tuples behave as those that type checkers take them for."""

import copy
import pickle
import typing

import pytest

from wurzel import named_tuples


class Point(named_tuples.NamedTuple):
    """A place."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()

    @property
    def sum(self):
        return self.x + self.y

    @classmethod
    def origin(cls):
        return cls(0)


def used(rows):
    """A class of which so many rows were made before."""

    class Point(named_tuples.NamedTuple):
        x: int
        y: int = 0
        names: tuple[str, ...] = ()

    for _ in range(rows):
        Point(0)
    return Point


def original():
    class Point(typing.NamedTuple):
        """A place."""

        x: int
        y: int = 0
        names: tuple[str, ...] = ()

    return Point


class One(named_tuples.NamedTuple):
    """Of a single field, of a name that would be in the way."""

    new: str


ROWS = [0, 1000]
ARGUMENTS = [((1,), {}), ((1, 2), {"names": ("a",)}), ((), {"x": 3}), ((1, 2, ()), {}), ((1,), {"y": 2, "names": ()})]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("args", "given"), ARGUMENTS)
def test_early_and_late_rows_are_made_alike(rows, args, given):
    assert used(rows)(*args, **given) == original()(*args, **given)


@pytest.mark.parametrize(("args", "given"), ARGUMENTS)
def test_they_are_made_and_shown_alike(args, given):
    one, other = Point(*args, **given), original()(*args, **given)
    assert one == other == tuple(one)
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)
    assert one._asdict() == other._asdict()
    assert one._replace(y=7) == other._replace(y=7)
    assert Point._make(one) == one
    assert (one.x, one.sum) == (one[0], one[0] + one[1])


def test_what_is_known_of_the_class():
    known = "__doc__", "__match_args__", "_fields", "_field_defaults", "__module__"
    assert [getattr(Point, name) for name in known] == [getattr(original(), name) for name in known]
    assert typing.get_type_hints(Point) == typing.get_type_hints(original())
    assert Point.origin() == (0, 0, ())
    assert One("a") == ("a",)


WRONG = [lambda kind: kind(), lambda kind: kind(1, 2, (), 3), lambda kind: kind(1, x=1), lambda kind: kind(1, z=1)]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments_are_refused_alike(rows, wrong):
    said = []
    for kind in (used(rows), original()):
        with pytest.raises(TypeError) as caught:
            wrong(kind)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_wrong_changes_are_refused():
    with pytest.raises(ValueError, match=r"unexpected field names: \['z'\]"):
        Point(1)._replace(z=1)
    with pytest.raises(TypeError, match="Expected 3 arguments, got 1"):
        Point._make([1])
    with pytest.raises(AttributeError):
        Point(1).x = 2


def test_copied_and_pickled():
    point = Point(1, names=("a",))
    assert copy.deepcopy(point) == copy.copy(point) == point
    again = pickle.loads(pickle.dumps(point))
    assert again == point
    assert type(again) is Point
