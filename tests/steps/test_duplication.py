"""Dropping duplicates: the first stays, the order stays, and what counts as the same can be chosen."""

import pytest
from pydantic import ValidationError

from wurzel.datacontract import MarkdownDataContract
from wurzel.steps import DropDuplicationStep, DropSettings
from wurzel.utils import WZ


def document(md, url="u", keywords="k", metadata=None):
    return MarkdownDataContract(md=md, url=url, keywords=keywords, metadata=metadata)


def drop(documents, **settings):
    step = WZ(DropDuplicationStep)
    step.settings = DropSettings(**settings)
    return list(step.run(documents))


def test_the_first_of_equal_texts_stays_in_its_place():
    documents = [document("b", "1"), document("a", "2"), document("b", "3"), document("c", "4"), document("a", "5")]
    assert [item.url for item in drop(documents)] == ["1", "2", "4"]


def test_nothing_to_drop():
    assert drop([]) == []
    assert [item.md for item in drop([document("a"), document("A"), document("a ")])] == ["a", "A", "a "]


@pytest.mark.parametrize("fields", [None, ["*"]])
def test_all_fields(fields):
    documents = [document("a", metadata={"x": [1]}), document("a", metadata={"x": [2]}), document("a", "v")]
    assert drop(documents * 2, DROP_BY_FIELDS=fields) == documents


def test_some_fields():
    documents = [document("a", "1", "k"), document("b", "1", "k"), document("a", "1", "l")]
    assert drop(documents, DROP_BY_FIELDS=["url", "keywords"]) == [documents[0], documents[2]]


def test_metadata_is_compared_by_value_whatever_the_order_of_keys():
    one = document("a", metadata={"x": {"p": [1, {"q": None}], "r": 2.5}, "y": "z"})
    same = document("b", metadata={"y": "z", "x": {"r": 2.5, "p": [1, {"q": None}]}})
    other = document("c", metadata={"y": "z", "x": {"r": 2.5, "p": [{"q": None}, 1]}})
    absent = document("d")
    assert drop([one, same, other, absent], DROP_BY_FIELDS=["metadata"]) == [one, other, absent]


def test_keys_of_all_kinds_and_odd_values_are_compared():
    one = document("a", metadata={"x": {1: "a", "b": {2, 3}}})
    other = document("a", metadata={"x": {1: "a", "b": {2, 4}}})
    assert drop([one, other, one], DROP_BY_FIELDS=["metadata"]) == [one, other]


def test_fields_do_not_run_into_one_another():
    documents = [document("ab", "c"), document("a", "bc"), document('a","b', "c"), document("a", 'b","c')]
    assert drop(documents, DROP_BY_FIELDS=["md", "url"]) == documents


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["mdd"], "no field 'mdd' .did you mean md"),
        (["md", "zzz"], "no field 'zzz' .the fields are md, keywords, url, metadata"),
        (["md", "*"], r"no field '\*'"),
        ([], "does not name a field"),
    ],
)
def test_unknown_fields_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        DropSettings(DROP_BY_FIELDS=fields)
