"""YAML to nodes: values of the core schema, positions, aliases, and files that mean harm."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wurzel.exceptions import ConfigError
from wurzel.project.nodes import Findings, json_data
from wurzel.project.parse import MAX_DEPTH, parse


def read(text):
    findings = Findings()
    node = parse(text if isinstance(text, bytes) else text.encode(), "w.yaml", findings)
    findings.check()
    return node


def refused(text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.50", 1.5),
        (".inf", float("inf")),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[1, [2]]", [1, [2]]),
        ("{a: 1, b: }", {"a": 1, "b": None}),
        ("1: a\ntrue: b\nnull: c\n1.10: d", {"1": "a", "true": "b", "null": "c", "1.10": "d"}),
        ("? a\n: b\n? c\n", {"a": "b", "c": None}),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
    ],
)
def test_values(text, value):
    assert json_data(read(text)) == value


def test_colons_and_question_marks_within_words_need_no_quotes_in_flow_mappings():
    text = '{image: ghcr.io/acme/rag:1.4.0, url: http://x/?a=b, cron: "0 4 ? * *", list: [a:b, c?d], "k":"v"}'
    assert json_data(read(text)) == {
        "image": "ghcr.io/acme/rag:1.4.0",
        "url": "http://x/?a=b",
        "cron": "0 4 ? * *",
        "list": ["a:b", "c?d"],
        "k": "v",
    }


def test_such_words_keep_their_place_and_private_characters():
    node = read("{\ue000: a:b, c: \ue001?d, e: f}")
    assert json_data(node) == {"\ue000": "a:b", "c": "\ue001?d", "e": "f"}
    assert str(node.fields["e"].origin) == "w.yaml:1:21"


def test_positions_count_characters_from_one():
    node = read("ä: [x, 'ü🌱', y]\nb:\n  c: d\n")
    assert str(node.fields["ä"].value[2].origin) == "w.yaml:1:14"
    assert str(node.fields["b"].fields["c"].origin) == "w.yaml:3:6"
    assert str(node.fields["b"].fields["c"].key_origin) == "w.yaml:3:3"


def test_unquoted_numbers_keep_their_text():
    assert read("a: 1.10").fields["a"].written == "1.10"
    assert read("a: '1.10'").fields["a"].written == "1.10"
    assert read("a: ~").fields["a"].written is None


def test_anchors_aliases_and_merge_keys():
    node = read(
        "base: &base {cpu: 1, memory: 2}\n"
        "other: &other {memory: 3, gpu: 4}\n"
        "a: {<<: *base, memory: 9}\n"
        "b: {<<: [*other, *base], gpu: 0}\n"
        "c: *base\n"
        "'<<': kept\n"
    )
    assert json_data(node.fields["a"]) == {"cpu": 1, "memory": 9}
    assert json_data(node.fields["b"]) == {"cpu": 1, "memory": 3, "gpu": 0}
    assert json_data(node.fields["c"]) == {"cpu": 1, "memory": 2}
    assert str(node.fields["c"].origin) == "w.yaml:5:4"
    assert str(node.fields["a"].fields["cpu"].origin) == "w.yaml:1:19"
    assert node.fields["<<"].value == "kept"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\tb: 1\n", "w.yaml:2:1: a tab where YAML requires spaces"),
        ("a: b: c\n", "w.yaml:1:5: a mapping cannot start here"),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> topic\n", "w.yaml:2:1: contains merge conflict markers"),
        ("a: @x\n", "w.yaml:1:4: a text cannot start with '@'"),
        ("a: \x01\n", "w.yaml:1:4: contains a control character"),
        ('a: "\\0"\n', "w.yaml:1:4: contains a NUL character"),
        ("x: 1\ny: [1\n", "that starts on line 2"),
        ("a: 'x\n", "that starts on line 1"),
        ("x: 1\n---\ny: 2\n", "w.yaml:2:1: starts a second document"),
        ("%YAML 1.1\n---\na: 1\n", "w.yaml:1:1: declares another version of YAML"),
        ("a: 1\nb: 2\na: 3\n", "w.yaml:3:1: the key 'a' is already on line 1"),
        ("[a]: 1\n", "w.yaml:1:1: a mapping or list is used as a key"),
        ("a: {{ x }}\n", "w.yaml:1:5: a mapping or list is used as a key"),
        ("a: &x b\n*x : c\n", "w.yaml:2:1: the alias *x is used as a key"),
        ("a: *nope\n", "w.yaml:1:4: there is no anchor &nope before *nope"),
        ("a: &x [*x]\n", "w.yaml:1:8: *x refers to itself"),
        ("<<: 5\n", "w.yaml:1:5: `<<` merges mappings only"),
        ("a: !secret x\n", "w.yaml:1:4: the tag !secret is not supported"),
        ("a: !!python/object:os.system {}\n", "is not supported"),
        (b"a: 1\nb: \xff\n", "w.yaml:2:4: the byte 0xff is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "w.yaml:1:1: the byte 0xff is not UTF-8"),
        (f"a: {'9' * 5000}\n", "w.yaml:1:4: a number of 5000 digits is too long"),
        (f"a: 0x{'f' * 5000}\n", "is too long"),
    ],
)
def test_refused(text, message):
    assert message in refused(text)


def test_all_findings_are_shown_together():
    text = refused("a: 1\na: 2\nb: !x 1\nb: 3\n")
    assert [line.split(" ")[0] for line in text.splitlines() if line.startswith("w.yaml")] == [
        "w.yaml:2:1:",
        "w.yaml:3:4:",
        "w.yaml:4:1:",
    ]


def laughs(first, count=9):
    rest = (f"a{index}: &a{index} [{', '.join([f'*a{index - 1}'] * count)}]" for index in range(1, 40))
    return "\n".join([f"a0: &a0 {first}", *rest])


@pytest.mark.parametrize(
    "text",
    [
        laughs("[lol]"),
        laughs("{lol: lol}").replace(": [", ": {<<: [").replace("*a0]", "*a0]}"),
        laughs("[x]", count=1000),
        "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 5000)),
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
    ],
    ids=["lists", "merges", "wide", "deep aliases", "brackets", "braces", "dashes"],
)
def test_hostile_files_are_refused_quickly(text):
    start = time.process_time()
    assert refused(text)
    assert time.process_time() - start < 2


def test_nesting_within_bounds_is_fine():
    assert json_data(read("[" * MAX_DEPTH + "]" * MAX_DEPTH)) is not None
    assert "nested more than" in refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def outcome(text):
    """What reading gives: a value, or the places of the findings."""
    try:
        return json_data(read(text)), ()
    except ConfigError as error:
        return None, tuple(problem.where for problem in error.problems)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    value, places = outcome(data)
    assert value is None or not places


@given(st.text(alphabet="ab:?-[]{},&*!|>'\"#%@`<= \n\t1.", max_size=80))
def test_any_yaml_like_text_is_read_or_refused_with_places(text):
    _, places = outcome(text)
    assert all(place.startswith("w.yaml:") for place in places)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"], exclude_characters="\ufeff"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_json(value):
    assert json_data(read(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize("name", ["fanin", "hostile", "named", "scheduled"])
def test_pyyaml_reads_the_example_files_alike(name):
    path = Path(__file__).parents[1] / "pipelines" / f"{name}.yaml"
    assert json_data(read(path.read_bytes())) == yaml.safe_load(path.read_bytes())
