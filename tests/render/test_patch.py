# ruff: noqa: E501 - a table of patches
"""A merge patch changes what it says and not one character else."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.render.hostile import STRINGS, has_surrogate
from wurzel.render.patch import Patcher
from wurzel.render.patched import apply, differs, expected
from wurzel.render.yaml_tree import documents


def patched(text, patch, number=0):
    """The text, where its lines come from, and what does not fit."""
    found = documents(text)
    patcher = Patcher(text, lambda path: f"wurzel.yaml:1:1 {path}")
    patcher.document(found[number], patch, "p")
    if patcher.problems:
        return text, [], patcher.problems

    def wanted():
        for index, document in enumerate(found):
            yield document.start
            yield from expected(document.root, patch) if index == number else document.root.events()
            yield ("DocumentEndEvent",)

    new, sources = apply(text, patcher.edits)
    assert not differs(new, wanted()), new
    assert len(sources) == len(new.splitlines())
    return new, sources, []


def lines(text):
    return textwrap.dedent(text).lstrip("\n")


BASE = lines("""
    # head
    apiVersion: v1   # the version
    metadata:
      name: 'yes'    # quoted
      # about labels
      labels:
        a: b
        on: "x"
      # behind labels

    spec: {a: 1, 'b': [x, {name: y, z: 2}]}
    empty: {}
    none:
    script: |-  # what runs
      one

      two

    # about items
    items:
      - name: first   # 1
        args: [a]
        deep:
          # a comment within
          x: 1
      # between
      - name: second
        run: |+
          text

    # end
""")


@pytest.mark.parametrize(
    ("patch", "old", "new"),
    [
        ({"apiVersion": "v2"}, "apiVersion: v1   # the version", "apiVersion: v2   # the version"),
        ({"metadata": {"name": "no"}}, "name: 'yes'    # quoted", "name: 'no'    # quoted"),
        ({"metadata": {"name": "a\nb"}}, "  name: 'yes'    # quoted\n", "  name: |- # quoted\n    a\n    b\n"),
        ({"metadata": {"name": {"a": [1]}}}, "  name: 'yes'    # quoted\n", "  name: # quoted\n    a:\n      - 1\n"),
        ({"metadata": {"labels": {"c": "no"}}}, '    on: "x"\n', "    on: \"x\"\n    c: 'no'\n"),
        ({"metadata": {"labels": {"a": None}}}, "    a: b\n", ""),
        ({"metadata": {"labels": {"on": None, "c": 1}}}, '    on: "x"\n', "    c: 1\n"),
        ({"metadata": {"labels": {"a": None, "on": None}}}, '  labels:\n    a: b\n    on: "x"\n', "  labels: {}\n"),
        ({"metadata": {"labels": {"a": None, "on": None, "c": 1}}}, '    a: b\n    on: "x"\n', "    c: 1\n"),
        ({"metadata": {"labels": None}}, '  labels:\n    a: b\n    on: "x"\n', ""),
        ({"metadata": {"labels": 1}}, '  labels:\n    a: b\n    on: "x"\n', "  labels: 1\n"),
        (
            {"spec": {"a": None, "b": [1], "c": {"d": "no"}}},
            "{a: 1, 'b': [x, {name: y, z: 2}]}",
            "{'b': [1], c: {d: 'no'}}",
        ),
        ({"spec": {"b": {"y": {"z": 3}, "+": ["q"]}}}, "[x, {name: y, z: 2}]", "[x, {name: y, z: 3}, q]"),
        ({"spec": {"b": {"y": None}}}, "[x, {name: y, z: 2}]", "[x]"),
        ({"spec": "text"}, "spec: {a: 1, 'b': [x, {name: y, z: 2}]}", "spec: text"),
        ({"empty": {"x": 1, "w": {"n": None}}}, "empty: {}\n", "empty:\n  x: 1\n  w: {}\n"),
        ({"none": 0}, "none:\n", "none: 0\n"),
        ({"none": {"a": []}}, "none:\n", "none:\n  a: []\n"),
        ({"script": "x"}, "script: |-  # what runs\n  one\n\n  two\n", "script: x # what runs\n"),
        ({"script": "x\ny\n"}, "|-  # what runs\n  one\n\n  two\n", "| # what runs\n  x\n  y\n"),
        ({"items": {"first": {"args": ["b", "c"]}}}, "    args: [a]\n", "    args:\n      - b\n      - c\n"),
        ({"items": {"first": {"deep": {"w": 2}}}}, "      x: 1\n", "      x: 1\n      w: 2\n"),
        ({"items": {"first": {"z": 1, "deep": {"w": 2}}}}, "      x: 1\n", "      x: 1\n      w: 2\n    z: 1\n"),
        (
            {"items": {"first": None}},
            "  - name: first   # 1\n    args: [a]\n    deep:\n      # a comment within\n      x: 1\n",
            "",
        ),
        ({"items": {"first": {"name": None}}}, "- name: first   # 1\n    args", "- args"),
        ({"items": {"second": {"more": "x"}}}, "      text\n\n", "      text\n\n    more: x\n"),
        ({"items": {"+": [{"name": "third"}, "a"]}}, "      text\n\n", "      text\n\n  - name: third\n  - a\n"),
        ({"items": ["a"]}, BASE[BASE.index("items:") + 6 : BASE.index("\n\n# end") + 1], "\n  - a"),
        ({"new": {"k": None, "l": 1}}, "      text\n\n", "      text\n\nnew:\n  l: 1\n"),
        ({"apiVersion": "v1", "metadata": {"name": "yes"}}, "", ""),
        ({"new": {"+": ["a", "b"]}}, "      text\n\n", "      text\n\nnew:\n  - a\n  - b\n"),
        ({"new": {"deep": {"+": [{"k": 1}]}}}, "      text\n\n", "      text\n\nnew:\n  deep:\n    - k: 1\n"),
        ({"items": {"second": {"more": {"+": ["x"]}}}}, "      text\n\n", "      text\n\n    more:\n      - x\n"),
    ],
)
def test_only_what_the_patch_says(patch, old, new):
    assert old in BASE
    expected = BASE.replace(old, new, 1)
    text, _, problems = patched(BASE, patch)
    assert not problems
    assert text == expected


@pytest.mark.parametrize(
    ("patch", "message", "hint"),
    [
        ({"metdata": None}, "p.metdata: there is no key 'metdata' to remove", "Did you mean metadata?"),
        ({"items": {"frist": {"a": 1}}}, "p.items.frist: no item has the name 'frist'", "Did you mean first?"),
        ({"items": {"first": 1}}, "p.items.first: the patch of a list item must be a mapping", ""),
        ({"items": {"+": 1}}, "p.items.+: the items to add must be a list", "Write +"),
        ({"metadata": {"+": ["a"]}}, "p.metadata.+: items can only be added to a list", "Write its keys."),
        ({"spec": {"+": ["a"]}}, "p.spec.+: items can only be added to a list", "Write its keys."),
        ({"new": {"+": "a"}}, "p.new.+: the items to add must be a list", "Write +"),
        ({"new": {"+": ["a"], "first": {"x": 1}}}, "p.new.first: there is no list to select 'first' from", ""),
        ({"spec": {"zzz": None}}, "p.spec.zzz: there is no key 'zzz' to remove", "There are: a, b."),
        ({"empty": {"x": None}}, "p.empty.x: there is no key 'x' to remove", ""),
        ({"metadata": {"name": "\ud800"}}, "p.metadata.name: ", ""),
    ],
)
def test_what_fits_nothing(patch, message, hint):
    text, _, problems = patched(BASE, patch)
    assert text == BASE
    assert problems[0].message.startswith(message)
    assert hint in problems[0].hint
    assert problems[0].where.startswith("wurzel.yaml:1:1 p.")


def test_all_findings_at_once():
    _, _, problems = patched(BASE, {"metdata": None, "items": {"frist": {}, "secnd": {}}})
    assert len(problems) == 3


def test_a_comment_is_not_lost_with_the_entry_above_it():
    _, _, problems = patched("a:\n  - name: x\n    # about b\n    b: 1\n", {"a": {"x": {"name": None}}})
    assert "a comment follows the entry" in problems[0].message


def test_two_items_of_one_name():
    _, _, problems = patched("a:\n  - name: x\n  - name: x\n", {"a": {"x": {"b": 1}}})
    assert "2 items have the name 'x'" in problems[0].message


def test_an_alias_is_not_patched():
    _, _, problems = patched("a: &x\n  b: 1\nc: *x\n", {"c": {"b": 2}})
    assert "alias" in problems[0].message


def test_all_items_of_a_list_at_once():
    text = "a:\n  # c\n  - name: x\n  - name: y\nb: 1\n"
    assert patched(text, {"a": {"x": None, "y": None, "+": ["z"]}})[0] == "a:\n  # c\n  - z\nb: 1\n"
    assert patched(text, {"a": {"x": None, "y": None}})[0] == "a:\n  # c\n  []\nb: 1\n"


def test_other_documents_stay():
    text = "a: 1\n---\n# two\na: 1\n---\na: 1\n"
    assert patched(text, {"a": 2}, 1)[0] == "a: 1\n---\n# two\na: 2\n---\na: 1\n"


def test_where_lines_come_from():
    text = "a: 1\nb:\n  c: 1\nd: 1\n"
    new, sources, _ = patched(text, {"a": None, "b": {"e": 2, "c": [1, 2]}})
    assert new == "b:\n  c:\n    - 1\n    - 2\n  e: 2\nd: 1\n"
    assert sources == [1, 2, "p.b.c", "p.b.c", "p.b", 3]


def test_a_comment_below_text_does_not_become_part_of_it():
    new, _, _ = patched("a:\n  b: 1\n      # deep\nc: 1\n", {"a": {"b": "x\ny"}})
    assert new == 'a:\n  b: "x\\ny"\n      # deep\nc: 1\n'


def test_sequences_of_sequences_and_dashes_on_lines_of_their_own():
    text = "a:\n- - name: x\n    y: 1\n-\n  # c\n  name: z\n  v: 1\n- -1\n"
    assert patched(text, {"a": {"z": {"v": 2}}})[0] == text.replace("v: 1", "v: 2")
    assert patched(text, {"a": {"z": None}})[0] == "a:\n- - name: x\n    y: 1\n- -1\n"


# Any document and any patch: read back, it is what RFC 7386 says; and lines that no path of the patch leads to are there.

KEYS = st.sampled_from(["a", "b", "yes", "1", "x y", "#", "name", "on", "é", "- a", "a: b"])
TEXTS = st.sampled_from([text for text in STRINGS if not has_surrogate(text)])
SCALARS = st.one_of(TEXTS, st.integers(-5, 5), st.booleans(), st.none())


def nested(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.dictionaries(KEYS, inner, max_size=3), st.lists(inner, max_size=3)),
        max_leaves=8,
    )


def merge(target, patch):
    """RFC 7386, section 2, for objects."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def written(value):
    from wurzel.render.quoting.yaml_value import entries

    return entries(value, 0) + "\n"


def without_lists_under_mappings(target, patch):
    """Whether the patch lays no mapping over a list, which RFC 7386 would replace and we do not."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return not (isinstance(patch, dict) and isinstance(target, list))
    return all(without_lists_under_mappings(target.get(key), value) for key, value in patch.items())


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(
    st.dictionaries(KEYS, nested(SCALARS), min_size=1, max_size=4),
    st.dictionaries(KEYS, nested(SCALARS), min_size=1, max_size=3),
)
def test_it_is_rfc_7386(target, patch):
    if not without_lists_under_mappings(target, patch):
        return
    text = "# head\n" + written(target) + "# end\n"
    new, _, problems = patched(text, patch)
    if problems:
        assert all("no key" in str(item) or "on the first line of its item" in str(item) for item in problems)
        return
    assert new.startswith("# head\n")
    assert new.endswith("# end\n")
    read = YAML(typ="safe", pure=True).load(new)
    assert repr(plain(read)) == repr(plain(merge(target, patch)))


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


MOUNTS = lines("""
    mounts:
      - mountPath: /tmp  # scratch
        name: tmp
      - {mountPath: /data, size: 1}
    tolerations: [{key: gpu, operator: Exists}, {operator: Exists}]
""")


@pytest.mark.parametrize(
    ("patch", "old", "new"),
    [
        ({"mounts": {"mountPath=/tmp": {"name": "t"}}}, "name: tmp", "name: t"),
        ({"mounts": {"mountPath=/data": {"size": None}}}, ", size: 1", ""),
        ({"mounts": {"size=1": {"size": 2}}}, "size: 1", "size: 2"),
        ({"mounts": {"mountPath=/data": None}}, "  - {mountPath: /data, size: 1}\n", ""),
        ({"tolerations": {"key=gpu": {"effect": "NoExecute"}}}, "Exists}, ", "Exists, effect: NoExecute}, "),
        ({"tolerations": {"key=gpu": None}}, "{key: gpu, operator: Exists}, ", ""),
    ],
)
def test_an_item_is_picked_by_what_is_said_in_it(patch, old, new):
    text, _, problems = patched(MOUNTS, patch)
    assert not problems
    assert text == MOUNTS.replace(old, new, 1)


@pytest.mark.parametrize(
    ("patch", "message", "hint"),
    [
        ({"mounts": {"mountPath=/tnp": None}}, "no item has 'mountPath=/tnp'", "Did you mean mountPath=/tmp?"),
        ({"tolerations": {"operator=Exists": None}}, "2 items have 'operator=Exists'", "Did you mean"),
        ({"mounts": {"size=99": None}}, "no item has 'size=99'", "size=1"),
        ({"tolerations": {"gpu": None}}, "no item has the name 'gpu'", "Did you mean key=gpu?"),
        ({"tolerations": {"zz": None}}, "no item has the name 'zz'", "There are: key=gpu, operator=Exists."),
    ],
)
def test_what_picks_none_or_several_is_refused(patch, message, hint):
    _, _, (problem,) = patched(MOUNTS, patch)
    assert message in problem.message
    assert hint in problem.hint
