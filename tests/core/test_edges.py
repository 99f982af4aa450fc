"""Several inputs and outputs: what `>>` joins by name and by type, and what it refuses."""

import pytest

from tests.core.made import Both, Compare, Count, Doc, Join, Make, Pair, Read, Split, edges, fields_of, made
from wurzel.core import Inputs, Outputs
from wurzel.exceptions import StaticTypeError
from wurzel.utils import WZ

Each = made("Each", Doc, Doc)
Single = made("Single", None, Doc)
Texts = made("Texts", None, set[Doc])


# --- by name ----------------------------------------------------------------------------------------------------------


def test_outputs_and_inputs_by_name():
    split, compare = WZ(Split), WZ(Compare)
    assert split["train"] >> compare["left"] is compare
    assert split["test"] >> compare["right"] is compare
    assert edges(compare) == [("split", "train", "left"), ("split", "test", "right")]
    assert list(compare.required_steps) == [split]


def test_a_chain_goes_on_from_the_step_of_a_named_input():
    read, join, count = WZ(Read), WZ(Join), WZ(Count)
    assert read >> join["docs"] >> count is count
    assert edges(count) == [("join", "", "")]
    assert edges(join) == [("read", "", "docs")]


def test_one_edge_twice_is_one_edge_and_one_step_for_two_fields_is_two():
    read, compare = WZ(Read), WZ(Compare)
    for _ in range(2):
        read >> compare["left"]
        read >> compare["right"]
    assert edges(compare) == [("read", "", "left"), ("read", "", "right")]


def test_lists_of_steps_and_outputs_before_a_step_or_an_input():
    split, read, count, compare = WZ(Split), WZ(Read), WZ(Count), WZ(Compare)
    assert [split["test"], read, split["train"]] >> count is count
    assert edges(count) == [("split", "test", ""), ("read", "", ""), ("split", "train", "")]
    assert (split["test"], read) >> compare["right"] is compare
    assert edges(compare) == [("split", "test", "right"), ("read", "", "right")]


def test_a_name_that_is_both_is_what_its_side_of_the_arrow_says():
    loop = made("Loop", fields_of(Inputs, docs=list[Doc]), Pair)
    first, second, third = (WZ(loop, name=name) for name in ("first", "second", "third"))
    first["docs"] >> second["docs"]
    second["docs"] >> third
    assert edges(second) == [("first", "docs", "docs")]
    assert edges(third) == [("second", "docs", "docs")]


@pytest.mark.parametrize("names", [("items", "json"), ("class_", "self"), ("copy", "keys"), ("x" * 63, "A1_")])
def test_names_of_fields_that_other_classes_reserve(names):
    source, sink = (fields_of(base, **dict.fromkeys(names, Doc)) for base in (Outputs, Inputs))
    give, take = WZ(made("Give", None, source)), WZ(made("Take", sink, Doc))
    for name in names:
        give[name] >> take[name]
    assert edges(take) == [("give", name, name) for name in names]
    value = source(**{name: Doc(text=name) for name in names})
    assert [getattr(value, name).text for name in names] == list(names)


def test_steps_that_were_required_without_an_arrow_are_edges_too():
    read, join = WZ(Read), WZ(Join)
    join.required_steps.add(read)
    assert edges(join) == [("read", "", "docs")]
    join.required_steps.discard(read)
    assert edges(join) == []


# --- by type ----------------------------------------------------------------------------------------------------------


def test_the_only_field_of_a_type_needs_no_name():
    join = WZ(Join)
    WZ(Make)["docs"] >> join
    WZ(Count) >> join
    assert edges(join) == [("make", "docs", "docs"), ("count", "", "index")]


@pytest.mark.parametrize(
    ("chain", "message", "hint"),
    [
        (
            lambda: WZ(Read) >> WZ(Compare),
            "Cannot chain Read to Compare, which is ambiguous. Compare: its inputs left and right take list[Doc]",
            'Name one: Read >> Compare["left"].',
        ),
        (
            lambda: WZ(Split) >> WZ(Count),
            "Cannot chain Split to Count, which is ambiguous. Split: its outputs train and test give list[Doc]",
            'Name one: Split["train"] >> Count.',
        ),
        (
            lambda: WZ(Split) >> WZ(Compare)["left"],
            "Split: its outputs train and test give list[Doc]",
            'Name one: Split["train"] >> Compare["left"].',
        ),
        (
            lambda: WZ(Split) >> WZ(Compare),
            "ambiguous. These fit: train >> left, train >> right, test >> left, test >> right",
            'Name both: Split["train"] >> Compare["left"].',
        ),
        (
            lambda: WZ(Make) >> WZ(Join),
            "These fit: docs >> docs, index >> index",
            'Name both: Make["docs"] >> Join["docs"].',
        ),
    ],
)
def test_what_is_ambiguous_names_the_fields_or_the_pairs(chain, message, hint):
    with pytest.raises(StaticTypeError) as caught:
        chain()
    assert message in str(caught.value)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (
            lambda: WZ(Split)["tran"],
            "Split does not have an input or output 'tran'\n  Did you mean train? Outputs: train, test.",
        ),
        (lambda: WZ(Join)["nothing"], "'nothing'\n  Inputs: docs, index."),
        (lambda: WZ(Read)["docs"], "'docs'\n  Neither its input nor its output has a name: write Read itself."),
        (lambda: WZ(Split)[0], "Split does not have an input or output 0"),
        (lambda: WZ(Join)["docs"] >> WZ(Count), "Join does not have an output 'docs': that is an input"),
        (lambda: WZ(Read) >> WZ(Make)["docs"], "Make does not have an input 'docs': that is an output"),
        (
            lambda: WZ(Split)["train"] >> WZ(Join)["index"],
            'Split["train"] gives list[Doc], Join["index"] takes Index | None',
        ),
        (lambda: WZ(Split) >> WZ(Read), "Split gives train: list[Doc], test: list[Doc], Read takes None"),
        (lambda: WZ(Texts) >> WZ(Join), "takes docs: list[Doc], index: Index | None"),
        (lambda: WZ(Split)["train"] >> 3, "Cannot chain Split to 3: it is not a step"),
        (lambda: WZ(Split)["train"] >> Count, "Make a step of the class: WZ(Count)."),
        (lambda: [3] >> WZ(Join)["docs"], "unsupported operand"),
    ],
)
def test_what_does_not_fit_is_refused_with_names_and_types(chain, message):
    with pytest.raises(TypeError) as caught:
        chain()
    assert message in str(caught.value)


def test_no_output_of_a_step_feeds_itself():
    loop = WZ(made("Loop", Both, Pair))
    with pytest.raises(StaticTypeError, match="Cannot chain Loop to itself"):
        loop["docs"] >> loop["docs"]


def test_a_step_cannot_be_gone_through_like_a_list():
    with pytest.raises(TypeError):
        list(WZ(Split))


# --- map and collect --------------------------------------------------------------------------------------------------


def test_one_item_after_many_is_mapped_and_many_after_one_are_collected():
    read, each, many = WZ(Read), WZ(Each), WZ(made("Many", list[Doc], Doc))
    read >> each >> many
    assert edges(each) == [("read", "", "")]
    assert edges(many) == [("each", "", "")]
    with pytest.raises(StaticTypeError, match=r"gives set\[Doc\], Each takes Doc"):
        WZ(Texts) >> WZ(Each)


def test_an_exact_match_wins_over_collecting():
    step = WZ(made("Choose", fields_of(Inputs, one=Doc, many=list[Doc]), Doc))
    WZ(Read) >> step
    WZ(Single) >> step
    assert edges(step) == [("read", "", "many"), ("single", "", "one")]


def test_with_inputs_nothing_is_mapped_but_items_are_collected():
    with pytest.raises(StaticTypeError, match=r"Read gives list\[Doc\], Take takes doc: Doc"):
        WZ(Read) >> WZ(made("Take", fields_of(Inputs, doc=Doc), Doc))
    join = WZ(Join)
    WZ(Single) >> join
    assert edges(join) == [("single", "", "docs")]


def test_several_steps_may_feed_a_field_of_one_item():
    join = WZ(Join)
    WZ(Count, name="a") >> join
    WZ(Count, name="b") >> join
    assert edges(join) == [("a", "", "index"), ("b", "", "index")]
