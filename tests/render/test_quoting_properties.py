"""The promise itself: whatever the value, the place and the way it got there, it reads back or the render fails.

`WURZEL_FUZZ=5000` tries that many examples per property instead of a few.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from shutil import which

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.hostility.budget import examples
from tests.render.hostile import has_surrogate, keys, lists, mappings, same, scalars, strings, values
from tests.render.templates import INDENTED, SHAPES, Scene, written
from wurzel.exceptions import TemplateError
from wurzel.render import Renderer

WHERE = re.compile(r"[\w./]+\.j2:[1-9]\d*")


def rendered(scene, shape, suffix, *, surrogates=False):
    """The text, or nothing when the render failed as it may: naming template and line."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in scene.files(shape).items():
            Path(folder, name.replace("@", suffix)).write_text(source.replace('base@"', f'base{suffix}"'))
        try:
            return Renderer(["."], root=folder).render(f"x{suffix}", scene.context).text
        except TemplateError as error:
            refusal = error
    assert WHERE.fullmatch(refusal.where), repr(refusal.where)
    impossible = not surrogates and has_surrogate(list(scene.context.values()))
    assert impossible or not scene.certain, str(refusal)
    event("refused")
    return None


def has_twin_keys(value):
    """Two keys of one mapping that are written alike, such as `1` and `'1'`."""
    if isinstance(value, dict):
        texts = [key if isinstance(key, str) else json.dumps(key) for key in value]
        return len(set(texts)) < len(texts) or any(map(has_twin_keys, value.values()))
    return isinstance(value, list) and any(map(has_twin_keys, value))


def has_long_key(value):
    if isinstance(value, dict):
        return any(isinstance(key, str) and len(key) > 200 for key in value) or any(map(has_long_key, value.values()))
    return isinstance(value, list) and any(map(has_long_key, value))


@st.composite
def yaml_cell(draw, scene, number):
    """Lines of YAML in which values stand somewhere, and what a reader must find there."""
    kind = draw(st.sampled_from(sorted(YAML_CELLS)))
    lines, expected, certain = draw(YAML_CELLS[kind](scene))
    scene.certain = scene.certain and certain
    below = draw(st.sampled_from([[], [], [""], ["", ""], ["# c"], ["      # c"], ["", "      # c"]]))
    return [f"k{number}:{lines[0]}", *lines[1:], *([] if kind == "text_block" else below)], expected


@st.composite
def whole(draw, scene):
    snippet, value = draw(written(scene, draw(values)))
    return [f" {snippet}"], value, not has_twin_keys(value) and not has_long_key(value)


@st.composite
def items(draw, scene):
    (one, first), (two, second) = draw(written(scene, draw(values))), draw(written(scene, draw(scalars)))
    margin = draw(st.sampled_from(["", "  ", "      "]))
    certain = not has_twin_keys(first) and not has_long_key(first)
    return ["", f"{margin}- {one}", f"{margin}- {two}"], [first, second], certain


@st.composite
def nested_items(draw, scene):
    (one, first), (two, second) = draw(written(scene, draw(values))), draw(written(scene, draw(values)))
    certain = not any(has_twin_keys(value) or has_long_key(value) for value in (first, second))
    return ["", f"  - - {one}", f"    - x: {two}", "      y: 1"], [[first, {"x": second, "y": 1}]], certain


@st.composite
def flow(draw, scene):
    (one, first), (two, second) = draw(written(scene, draw(values))), draw(written(scene, draw(scalars)))
    certain = not has_twin_keys(first) and not has_long_key(first)
    if draw(st.booleans()):
        return [f" [{one}, {two}]"], [first, second], certain
    return [f" {{a: {one}, b: {two}}}"], {"a": first, "b": second}, certain


@st.composite
def mapping_key(draw, scene):
    key = draw(keys)
    (one, first), (two, second) = draw(written(scene, key, change=False)), draw(written(scene, draw(scalars)))
    certain = not (isinstance(key, str) and len(key) > 200)
    if draw(st.booleans()):
        return ["", f"  {one}: {two}"], {first: second}, certain
    return [f" {{ {one} : {two} }}"], {first: second}, certain


@st.composite
def entries(draw, scene):
    value = draw(st.one_of(lists, mappings))
    name = scene.name(value)
    certain = not has_twin_keys(value) and not has_long_key(value)
    return ["", f"  {{{{ {name} }}}}"], value, certain


@st.composite
def more_entries(draw, scene):
    value = draw(mappings)
    name = scene.name(value)
    certain = not has_twin_keys(value) and not has_long_key(value) and not {"a", "b"} & value.keys()
    return ["", "  a: 1", f"  {{{{ {name} }}}}", "  b: 2"], {"a": 1, **value, "b": 2}, certain


@st.composite
def more_items(draw, scene):
    value = draw(lists)
    certain = not has_twin_keys(value) and not has_long_key(value)
    return ["", "  - a", f"  {{{{ {scene.name(value)} }}}}"], ["a", *value], certain


@st.composite
def fragment(draw, scene):
    (one, first), (two, second) = draw(written(scene, draw(strings))), draw(written(scene, draw(strings)))
    before, between, after = draw(st.sampled_from([("a ", " b ", " c"), ("", "-", ""), ("x", "", "y"), ("", "", "")]))
    quote = draw(st.sampled_from(["", "'", '"']))
    return [f" {quote}{before}{one}{between}{two}{after}{quote}"], f"{before}{first}{between}{second}{after}", False


@st.composite
def unindented(draw, scene):
    """A snippet and its text, which is the one that `indent` was given: a block indents its lines itself."""
    snippet, text = draw(written(scene, draw(strings)))
    return snippet, scene.context[re.search(r"v\d+", snippet).group()] if "indent(" in snippet else text


@st.composite
def text_block(draw, scene):
    (one, first), (two, second) = draw(unindented(scene)), draw(unindented(scene))
    style, end = draw(st.sampled_from([("|", "\n"), ("|-", ""), ("|+", "\n"), (">-", ""), (">", "\n")]))
    shape = draw(st.sampled_from(["one", "both", "alone"]))
    if shape == "one":
        return [f" {style}", f"    a {one} b"], f"a {first} b{end}", False
    if shape == "alone":
        return [f" {style}", f"    {one}"], f"{first}{end}", False
    gap = " " if style[0] == ">" else "\n"
    return [f" {style}", f"    {one}", f"    x{two}"], f"{first}{gap}x{second}{end}", False


@st.composite
def comment(draw, scene):
    (one, _), (two, _) = draw(written(scene, draw(values))), draw(written(scene, draw(strings)))
    if draw(st.booleans()):
        return [" 1", f"# {two}", f"  # {one}"], 1, False
    return [f" 1 # {one} and {two}"], 1, False


YAML_CELLS = {
    function.__name__: function
    for function in (
        *(whole, items, nested_items, flow, mapping_key, entries, more_entries, more_items),
        *(fragment, text_block, comment),
    )
}


def read_1_1(text):
    return yaml.load(text, yaml.SafeLoader)


def read_1_2(text):
    reader = YAML(typ="safe", pure=True)
    return reader.load(text)


def plain(value):
    """What readers return, as dict, list and scalars."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@examples(400)
@given(st.data(), st.sampled_from(SHAPES + INDENTED))
def test_yaml_reads_back(data, shape):
    scene = Scene()
    lines, scene.expected = [], {}
    for number in range(data.draw(st.integers(1, 4))):
        cell, expected = data.draw(yaml_cell(scene, number))
        lines += cell
        scene.expected[f"k{number}"] = expected
    scene.source = "".join(f"{line}\n" for line in lines)
    if shape in INDENTED:
        scene.expected = {"k": scene.expected}
    text = rendered(scene, shape, ".yaml.j2")
    if text is not None:
        for read in (read_1_1, read_1_2):
            assert same(plain(read(text)), scene.expected), text


@st.composite
def python_cell(draw, scene, number):
    """Lines of Python that set a name, and what it must then be; nothing to compare where a comment stands."""
    kind = draw(
        st.sampled_from(["value", "argument", "item", "string", "triple", "raw", "comment", "operand", "index"])
    )
    text = kind in {"string", "triple", "raw", "comment"}
    (one, first), (two, second) = (draw(written(scene, draw(strings if text else values))) for _ in range(2))
    name = f"k{number}"
    quote = draw(st.sampled_from(["'", '"']))
    number = draw(st.integers(-(10**20), 10**20))
    power = "{{ " + scene.name(number) + " }}"
    lines, expected = {
        "value": ([f"{name} = {one}"], first),
        "argument": ([f"{name} = same({one}, b={two})"], [first, second]),
        "item": ([f"{name} = [", f"    {one},", f'    {{"a": {two}}},', "]"], [first, {"a": second}]),
        "string": ([f"{name} = {quote}a {one}{two} b{quote}"], f"a {first}{second} b"),
        "triple": ([f"{name} = {quote * 3}{one} x", f"  {two}{quote * 3}"], f"{first} x\n  {second}"),
        "raw": ([f"{name} = r{quote}{one}-{two}{quote}"], f"{first}-{second}"),
        "comment": ([f"{name} = 1", f"# {one}", f"if {name}:", f"    pass  # {two}"], 1),
        "operand": ([f"{name} = [{one}] + [{power} ** 2, {power}.real, -{power}, type({two})]"], None),
        "index": ([f"{name} = [{one}, {two}][0]"], first),
    }[kind]
    if kind == "operand":
        expected = [first, number**2, number, -number, type(second)]
    scene.certain = scene.certain and not text
    return lines, expected


def has_nan(value):
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    return any(map(has_nan, value)) if isinstance(value, list) else str(value) == "nan"


@examples(200)
@given(st.data(), st.sampled_from(SHAPES))
def test_python_reads_back(data, shape):
    scene = Scene()
    lines, expected = [], {}
    for number in range(data.draw(st.integers(1, 3))):
        cell, expected[f"k{number}"] = data.draw(python_cell(scene, number))
        lines += cell
    scene.source = "".join(f"{line}\n" for line in lines)
    scene.certain = scene.certain and not has_nan(list(scene.context.values()))
    text = rendered(scene, shape, ".py.j2", surrogates=True)
    if text is not None:
        names = {"same": lambda a, b: [a, b]}
        exec(compile(text.encode(), "x.py", "exec"), names)
        assert same({name: names[name] for name in expected}, expected), text


SHELLS = [shell for shell in ("dash", "bash", "sh") if which(shell)]


@st.composite
def shell_cell(draw, scene, number):
    """Lines of shell that print words, each followed by NUL, and those words."""
    kinds = [
        "word",
        "part",
        "single",
        "double",
        "here",
        "raw here",
        "comment",
        "variable",
        "words",
        "arithmetic",
        "nested",
    ]
    kind = draw(st.sampled_from(kinds))
    (one, first), (two, second) = (draw(written(scene, draw(strings))) for _ in range(2))
    parts = draw(st.lists(strings, max_size=3))
    count = draw(st.integers(-99, 99))
    name = scene.name(parts if kind == "words" else count)
    lines, expected = {
        "word": ([f"p {one} {two}"], [first, second]),
        "part": (
            [f"p a{one}{two}/{one}=b --x={one} $ONE{two}"],
            [f"a{first}{second}/{first}=b", f"--x={first}", f"1{second}"],
        ),
        "single": ([f"p 'a {one} $ONE {two}'"], [f"a {first} $ONE {second}"]),
        "double": ([f'p "a {one} $ONE {two} ${{ONE}}{two}"'], [f"a {first} 1 {second} 1{second}"]),
        "here": (['p "$(cat <<EOF', f'a {one} $ONE "{two}', "EOF", ')"'], [f'a {first} 1 "{second}'.rstrip("\n")]),
        "raw here": (
            ["p \"$(cat <<'EOF'", f"a {one} $ONE {two}", "EOF", ')"'],
            [f"a {first} $ONE {second}".rstrip("\n")],
        ),
        "comment": ([f"p 1  # {one}", f"# {two}", "p 2"], ["1", "2"]),
        "variable": ([f"V={one}", f'W={two} p "$V"'], [first]),
        "words": ([f"p a {{{{ {name} | words }}}} b"], ["a", *parts, "b"]),
        "arithmetic": ([f"p $(( {{{{ {name} }}}} * 2 ))"], [str(count * 2)]),
        "nested": ([f"p \"$(p {one}x | tr -d '\\000')\""], [f"{first}x"]),
    }[kind]
    scene.certain = scene.certain and kind in {"word", "variable", "words", "arithmetic"}
    return lines, expected


@pytest.mark.skipif(not SHELLS, reason="no shell on this machine")
@examples(100)
@given(st.data(), st.sampled_from(SHAPES))
def test_shell_reads_back(data, shape):
    scene = Scene()
    lines, expected = ['p() { for w in "$@"; do printf \'%s\\000\' "$w"; done; }', "ONE=1"], []
    for number in range(data.draw(st.integers(1, 3))):
        cell, words = data.draw(shell_cell(scene, number))
        lines += cell
        expected += words
    scene.source = "".join(f"{line}\n" for line in lines)
    scene.certain = scene.certain and "\0" not in repr(scene.context).replace("\\x00", "\0")
    text = rendered(scene, shape, ".sh.j2")
    if text is not None:
        for shell in SHELLS:
            done = subprocess.run(
                [shell, "-c", text], capture_output=True, check=False, env={"LC_ALL": "C.UTF-8", "PATH": os.defpath}
            )
            assert done.stdout == "".join(f"{word}\0" for word in expected).encode(), (shell, text, done.stderr)
