"""Merging of layers, held to a plain model of the rules; names that are near; what messages may show."""

from hypothesis import given
from hypothesis import strategies as st

from wurzel.exceptions import ConfigError
from wurzel.project.nodes import Findings, Node, Origin, json_data, near, node_of, overlay, overlay_all, value_text

KEYS = st.sampled_from(["a", "b", "c"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, TREES, max_size=3)


def merged(weak, strong):
    """The rules in a few lines, on plain data; `...` stands for nothing left."""
    if strong is None:
        return ...
    if not isinstance(strong, dict):
        return strong
    result = dict(weak) if isinstance(weak, dict) else {}
    for key, value in strong.items():
        result[key] = merged(result.get(key), value)
    return {key: value for key, value in result.items() if value is not ...}


@given(st.lists(MAPPINGS, min_size=1, max_size=5))
def test_layers_merge_by_the_rules(layers):
    expected = {}
    for layer in layers:
        expected = merged(expected, layer)
    assert json_data(overlay_all(node_of(layer, "") for layer in layers)) == expected


@given(MAPPINGS)
def test_the_same_layer_twice_changes_nothing(layer):
    once = overlay(None, node_of(layer, ""))
    assert json_data(overlay(once, node_of(layer, ""))) == json_data(once)


@given(MAPPINGS, MAPPINGS)
def test_layers_are_not_changed_by_merging(weak, strong):
    nodes = node_of(weak, ""), node_of(strong, "")
    overlay(*nodes)
    assert (json_data(nodes[0]), json_data(nodes[1])) == (weak, strong)


@given(MAPPINGS, st.permutations(["a", "b", "c"]))
def test_the_strongest_layer_that_speaks_gives_the_origin(layer, keys):
    weak = node_of(dict.fromkeys(keys, 1), "weak")
    for key, node in overlay(weak, node_of(layer, "strong")).fields.items():
        assert node.source == ("strong" if key in layer else "weak")


def test_lists_replace():
    assert json_data(overlay(node_of({"a": [1, 2]}, ""), node_of({"a": [3, None]}, ""))) == {"a": [3, None]}


def test_null_removes():
    weak = node_of({"a": {"x": 1, "y": 2}, "b": 1}, "")
    assert json_data(overlay(weak, node_of({"a": {"x": None}, "b": None}, ""))) == {"a": {"y": 2}}
    assert overlay(weak, Node(None, "")) is None


def test_near_names():
    assert near("resorces", ["image", "resources"], "Keys") == "Did you mean resources?"
    assert near("serviceAccount", ["service_account"], "Keys") == "Did you mean service_account?"
    assert near("node-selector", ["node_selector"], "Keys") == "Did you mean node_selector?"
    assert near("batch_size", ["BATCH_SIZE"], "Settings") == "Did you mean BATCH_SIZE?"
    assert near("xyz", ["image", "env"], "Keys") == "Keys: image, env."
    assert near("xyz", [], "Keys") == "There are no keys here."


def test_messages_show_short_values_and_no_keys():
    assert value_text(node_of({"a": [1, True]}, "")) == '{"a": [1, true]}'
    assert len(value_text(node_of("x" * 1000, ""))) == 60
    assert value_text(node_of("ghp_" + "a1" * 18, "")) == "the value"
    assert value_text(node_of({"url": "postgres://me:hunter2@db/x"}, "")) == "the value"
    assert value_text(node_of("hunter2", ""), hidden=True) == "the value"


def test_findings_are_shown_once_in_order_and_not_without_end():
    findings = Findings()
    for line in (9, 3, 3, *range(10, 200)):
        findings.add(Origin("w.yaml", line, 1), "is wrong")
    try:
        findings.check()
    except ConfigError as error:
        lines = str(error).splitlines()
    assert lines[:2] == ["w.yaml:3:1: is wrong", "w.yaml:9:1: is wrong"]
    assert lines[-1] == "and 142 more problems"
    assert len(lines) == 51
