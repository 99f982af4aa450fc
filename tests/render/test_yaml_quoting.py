"""Values in YAML, position by position: what is written, what two readers find, and what is refused."""

import itertools

import pytest
import yaml
from ruamel.yaml import YAML

from tests.render.hostile import STRINGS, has_surrogate, same
from wurzel.exceptions import QuotingError, TemplateError, VerifyError
from wurzel.render.quoting.yaml_scalar import scalar


def read(text):
    """What PyYAML (1.1) and ruamel.yaml (1.2) both find."""
    one, two = yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)
    assert same(one, two), (one, two)
    return one


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("a: {{ x }}\n", lambda text: {"a": text}),
        ("- {{ x }}\n", lambda text: [text]),
        ("{{ x }}\n", lambda text: text),
        ("a: [{{ x }}, {{ x }}]\n", lambda text: {"a": [text, text]}),
        ("{ {{ x[:99] }} : {{ x }} }\n", lambda text: {text[:99]: text}),
    ],
)
def test_every_text_reads_back_as_a_whole_value(render, template, wanted):
    for text in STRINGS:
        if has_surrogate(text):
            with pytest.raises(QuotingError, match="half of a surrogate pair"):
                render(template, x=text)
        else:
            assert same(read(render(template, x=text).text), wanted(text))


@pytest.mark.parametrize(("alphabet", "longest"), [("017_.:+-eExn", 3), (" -:#'\"[{,&*!|>%?=~.a\n\t", 2)])
def test_every_short_text_reads_back(alphabet, longest):
    texts = ["".join(chars) for size in range(longest + 1) for chars in itertools.product(alphabet, repeat=size)]
    for flow in (False, True):
        lines = [f"- [{scalar(text, flow=True)}]" if flow else f"- {scalar(text)}" for text in texts]
        wanted = [[text] if flow else text for text in texts]
        body = "\n".join(lines)
        assert yaml.load(body, yaml.CSafeLoader) == wanted
        assert YAML(typ="safe", pure=True).load(body) == wanted


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("abc", "abc"),
        ("wurzel step a:B --id x -o data/x", "wurzel step a:B --id x -o data/x"),
        ("500m", "500m"),
        ("ghcr.io/acme/rag:1.4.0", "ghcr.io/acme/rag:1.4.0"),
        ("--flag", "--flag"),
        ("1.2.3", "1.2.3"),
        ("ünï 🌱", "ünï 🌱"),
        ("${{ secrets.X }}", "${{ secrets.X }}"),
        ("{{workflow.uid}}", "'{{workflow.uid}}'"),
        ("it's", "it's"),
        ("'a'", "\"'a'\""),
        ("", "''"),
        *((text, f"'{text}'") for text in ("yes", "N", "y", "on", "Off", "null", "~", "TRUE", "=", "<<")),
        *(
            (text, f"'{text}'")
            for text in (
                "8e_+8",
                "-1_.e_-8",
                "0b-1",
                "0o+17",
                "-0x-f",
                "0_b1",
                "e1",
                "E+5",
                "-.e3",
                "017",
                "0o17",
                "0x1F",
                "0b1",
                "1_000",
                "1,000",
                "1:30",
                ".5",
                "1.",
                "1e3",
                "+_",
            )
        ),
        *(
            (text, f"'{text}'")
            for text in ("2001-01-01", "2001-1-1 1:2:3", ".inf", "-.INF", ".nan", "---", "...", "- a", "a: b")
        ),
        ("a #b", "'a #b'"),
        ("a\tb", '"a\\tb"'),
        ("\x85\u2028\ufeff\x00\xa0", '"\\N\\L\\ufeff\\0\\_"'),
        ("\u200b", '"\\u200b"'),
        (0, "0"),
        (-5, "-5"),
        (10**40, "1" + "0" * 40),
        (True, "true"),
        (None, "null"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e300, "1.0e+300"),
        (1.5e-7, "1.5e-07"),
        (float("inf"), ".inf"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
        ([], "[]"),
        ({}, "{}"),
        (("a", 1), "\n  - a\n  - 1"),
        ({"a": [], "b": {"c": None}}, "\n  a: []\n  b:\n    c: null"),
        ([["a"], [[]], {"a": 1, "b": [2]}], "\n  - - a\n  - - []\n  - a: 1\n    b:\n      - 2"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb", "|-\n  a\n  b"),
        (" a\nb\n", "|2\n   a\n  b"),
        ("\na\n", "|2\n\n  a"),
        ("a\n\n  b\n\tc\n", "|\n  a\n\n    b\n  \tc"),
        ("a\n", '"a\\n"'),
        ("a \nb\n", '"a \\nb\\n"'),
        ("a\r\nb\n", '"a\\r\\nb\\n"'),
        ({"<<": {"b": ["<<"]}}, "\n  !!str '<<':\n    b:\n      - '<<'"),
        ({"s": "a\nb\n"}, "\n  s: |\n    a\n    b"),
        (["a\nb\n"], "\n  - |\n    a\n    b"),
    ],
)
def test_form_of_a_whole_value(render, value, written):
    text = render("k: {{ x }}\n", x=value).text
    assert text == (f"k:{written}\n" if written.startswith("\n") else f"k: {written}\n")
    assert same(read(text), {"k": list(value) if isinstance(value, tuple) else value})


def test_trailing_empty_lines_are_kept_only_where_nothing_can_add_to_them(render):
    assert render("k: {{ x }}\n", x="a\nb\n\n\n").text == "k: |+\n  a\n  b\n\n\n"
    assert render("k: {{ x }}\nl: 1\n", x="a\nb\n\n").text == "k: |+\n  a\n  b\n\nl: 1\n"
    assert render("k: {{ x }}\n\nl: 1\n", x="a\nb\n\n").text == 'k: "a\\nb\\n\\n"\n\nl: 1\n'
    assert render("k: {{ x }}", x="a\nb\n").text == "k: |\n  a\n  b\n"


def test_a_comment_below_does_not_become_part_of_a_block(render):
    text = render("k: {{ x }}\n    # c\nl: {{ y }}\n  # d\n", x="a\nb", y=["a\nb"]).text
    assert text == 'k: "a\\nb"\n    # c\nl:\n  - "a\\nb"\n  # d\n'
    assert render("k: {{ x }}\n# c\nl: 1\n", x="a\nb").text == "k: |-\n  a\n  b\n# c\nl: 1\n"


def test_a_value_with_a_comment_behind_it_stays_on_its_line(render):
    text = render("a: {{ x }}  # c\nb: {{ y }} # d\n", x=["p", {"q": "r"}], y="s\nt").text
    assert text == 'a: [p, {q: r}]  # c\nb: "s\\nt" # d\n'


def test_items_start_where_their_dash_ends(render):
    text = render("a:\n- {{ x }}\n- - {{ x }}\n-   {{ y }}\n", x={"p": 1, "q": [2]}, y="s\nt").text
    assert text == "a:\n- p: 1\n  q:\n    - 2\n- - p: 1\n    q:\n      - 2\n-   |-\n  s\n  t\n"
    assert read(text) == {"a": [{"p": 1, "q": [2]}, [{"p": 1, "q": [2]}], "s\nt"]}


def test_entries_join_the_block_around_them(render):
    template = "a:\n  b: 1\n  {{ x }}\n  c: 2\nd:\n- e\n{{ y }}\n"
    assert render(template, x={"p": [1]}, y=["q", ["r"]]).text == (
        "a:\n  b: 1\n  p:\n    - 1\n  c: 2\nd:\n- e\n- q\n- - r\n"
    )
    assert render(template, x={}, y=[]).text == "a:\n  b: 1\n  c: 2\nd:\n- e\n"
    assert render("a: &a 1\nb:\n- *a\n{{ y }}\n", y=[]).text == "a: &a 1\nb:\n- *a\n"


def test_entries_that_are_all_there_is(render):
    assert read(render("a:\n  {{ x }}\nb: 1\n", x={}).text) == {"a": {}, "b": 1}
    assert read(render("a:\n  {{ x }}\n  {{ x }}\nb: 1\n", x={}).text) == {"a": {}, "b": 1}
    assert read(render("a:\n  {{ x }}\n  {{ y }}\n", x={}, y={"p": 1}).text) == {"a": {"p": 1}}
    assert read(render("a:\n  {{ x }}\n", x=[]).text) == {"a": []}
    assert read(render("{{ x }}\n", x={"p": 1}).text) == {"p": 1}
    assert read(render("---\n{{ x }}\n", x=[]).text) == []
    assert read(render("{{ x }}", x="y: z").text) == "y: z"


def test_empty_entries_take_their_line_with_them_and_nothing_else(render):
    rendered = render("a:\n  b: 1\n  {{ x }}\n\n  # c\n  d: 2\n", x={})
    assert rendered.text == "a:\n  b: 1\n\n  # c\n  d: 2\n"
    assert [origin.line for origin in rendered.origins] == [1, 2, 4, 5, 6]


def test_text_within_quotes_and_unquoted(render):
    template = 'a: x {{ s }}-{{ n }}\nb: \'x {{ q }}\'\nc: "{{ q }}"\n{{ s }}-k: 1\n"{{ q }}": 2\n'
    template += "d: [x{{ s }}, 'y{{ q }}']\n"
    quotes = 'it\'s "q" \\ {{ x }}'
    text = render(template, s="s t", n=3, q=quotes).text
    wanted = {"a": "x s t-3", "b": f"x {quotes}", "c": quotes, "s t-k": 1, quotes: 2, "d": ["xs t", f"y{quotes}"]}
    assert read(text) == wanted


def test_a_number_in_quotes_is_text(render):
    assert read(render("a: \"{{ x }}\"\nb: '{{ x }}'\n", x=5).text) == {"a": "5", "b": "5"}


def test_text_in_a_block_scalar(render):
    text = render(
        "a: |\n  x {{ s }}\n    {{ t }}\n  z\nb: >-\n  {{ s }}\n  y\n", s="# no: 'comment'", t="l1\n\nl2"
    ).text
    assert text == "a: |\n  x # no: 'comment'\n    l1\n\n  l2\n  z\nb: >-\n  # no: 'comment'\n  y\n"
    assert read(text) == {"a": "x # no: 'comment'\n  l1\n\nl2\nz\n", "b": "# no: 'comment' y"}


def test_a_comment_is_never_left(render):
    text = render(
        "# a: {{ s }}\na: 1 # {{ t }}\n  # {{ v }}\nb: 2\n", s="x\ny: 1\r\nz\u2028w\x07", t="p # q", v=[1, None]
    ).text
    assert text == "# a: x\n# y: 1\n# z\n# w\\x07\na: 1 # p # q\n  # [1, null]\nb: 2\n"
    with pytest.raises(QuotingError, match="several lines cannot be in a comment after other text"):
        render("a: 1 # {{ s }}\n", s="x\ny: 1")


def test_anchors_and_tags_in_front(render):
    text = render("a: &x {{ s }}\nb: *x\nc: &y {{ v }}\nd: !ref {{ v }}\ne: !!str {{ s }}\n", s="on", v=["p"]).text
    assert text == "a: &x 'on'\nb: *x\nc: &y [p]\nd: !ref [p]\ne: !!str 'on'\n"


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("a: x {{ s }}\n", "# y", "': ' and ' #' would end it"),
        ("a: x{{ s }}\n", ": y", "': ' and ' #' would end it"),
        ("a: {{ s }}y\n", "- ", "it would start with '- y'"),
        ("a: {{ s }}y\n", "&", "it would start with '&y'"),
        ("a: 1{{ s }}\n", "0", "would not be read as text"),
        ("a: {{ s }}.5\n", 1, "would not be read as text"),
        ("a: {{ s }}es\n", "y", "would not be read as text"),
        ("a: {{ s }}{{ s }}\n", "", "an empty value would be read as null"),
        ("a: x {{ s }}\n", "", "white space at its end"),
        ("a: x {{ s }} y\n", "b\nc", "line breaks, tabs"),
        ("a: [x{{ s }}]\n", ", y", "brackets would end it"),
        ("a: 'x{{ s }}'\n", "b\nc", "line breaks, tabs"),
        ("a: x {{ s }}\n", None, "where only text and numbers are allowed"),
        ('a: "{{ s }}"\n', True, "where only text and numbers are allowed"),
        ("a: x {{ s }}\n", ["b"], "where only text and numbers are allowed"),
        ("a: >\n  {{ s }}\n", "b\nc", "line breaks, tabs"),
        ("a: >\n  {{ s }}\n", " b", "white space at its ends"),
        ("a: |\n  {{ s }}\n", "b\n", "would be read as"),
        ("a: |\n  {{ s }}\n  x\n", " b", "would be read as|does not match the template"),
        ("a: |\n  {{ s }}\n", "b\x85c", "line breaks, tabs"),
        ("a: |\n  {{ s }}\n", "b\nc\x85", "some of its characters"),
        ("a: |2\n  {{ s }}\n", "b\nc", "the indentation of its lines is unclear"),
        ("a: &{{ s }} x\n", "b", "the name of an anchor"),
        ("a: !{{ s }} x\n", "b", "the name of an anchor"),
        ("a: !!int {{ s }}\n", "5", "the tag"),
        ("a: !!str {{ s }}\n", 5, "the tag"),
        ("{{ s }}: 1\n", ["b"], "a key must be text"),
        ("{{ s }}: 1\n", "b" * 1001, "longer than 1000"),
        ("x{{ s }}: 1\n", "b" * 1001, "longer than 1000"),
        ("a: {{ s }}\n", {"b" * 1001: 1}, "longer than 1000"),
        ("a: 1\n{{ s }}: 2\n", "a", "occurs twice"),
        ("a: 1\n{{ s }}\n", {"a": 2}, "occurs twice"),
        ("a: {{ s }}\n", {"1": 2, 1: 3}, "occurs twice"),
        ("a: {{ s }}\n", "\ud800", "half of a surrogate pair"),
        ("a: {{ s | words }}\n", ["x"], "for shell templates"),
        ("a: [\n  {{ s }}\n]\n", {"b": 1}, "it would be entries"),
        ("a:\n  b:{{ s }}\n", "c", "there is no space before it"),
        ("a:\n  -{{ s }}\n", "c", "there is no space before it"),
        ("a: {{ s }}\n  {{ s }}\n", "c", "joined into one text"),
        ("'{{ s }}': 1\n", "<<", "would merge a mapping"),
        ("'{{ s }}<': 1\n", "<", "would merge a mapping"),
        ("a: [{{ s | join(', ') }}]\n", ["b", "c"], "one text, not several items"),
        ("a: [b, {{ s | join(',') }}]\n", ["b", "c"], "one text, not several items"),
        ('a: ["{{ s | join(\'", "\') }}"]\n', ["b", "c"], "one text, not several items"),
        ("a: {{ s | join('\\n  - ') }}\n", ["b", "c"], "one text, not several items"),
        ("a: |\n  {{ s | join('\\n  ') }}\n", ["b", "c"], "between its items"),
        ("a: {{ s | tojson }}\n", ["b"], "read as text, not as the value it looks like"),
        ("a: {{ s | tojson }}\n", "b", "read as text, not as the value it looks like"),
        ("{{ s | tojson }}: 1\n", "b", "read as text, not as the value it looks like"),
        ("%TAG ! tag:{{ s }},2000:\n---\na\n", "c", "no parser finds it"),
    ],
)
def test_what_cannot_be_read_back_is_refused(render, template, value, message):
    with pytest.raises(QuotingError, match=message) as caught:
        render(template, s=value)
    line = template[: template.index("{{")].count("\n") + 1
    assert caught.value.where == f"x.yaml.j2:{line}"


@pytest.mark.parametrize("source", ["a: {{ s }}\n", "a: 1 # {{ s }}\n", "# {{ [s] }}\n", "a: {{ [s] | json }}\n"])
def test_a_number_too_long_for_python_is_refused(render, source):
    with pytest.raises(TemplateError, match=r"limit|too many digits") as caught:
        render(source, s=10**5000)
    assert caught.value.where == "x.yaml.j2:1"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("a: 1\n{{ s }}\n", 2),
        ("a: 1\nb: c: {{ s }}\n", 2),
        ("a: [1, {{ s }}\n", 2),
        ("a: {{ s }}\nb: 1\nb: 2\n", 3),
        ("a: *x\nb: {{ s }}\n", 1),
        ("a: |{{ s }}\n  b\n", 1),
        ('a: "\\{{ s }}"\n', 1),
        ("a:\n\t{{ s }}\n", 2),
    ],
)
def test_a_template_that_is_no_yaml_is_named_with_its_line(render, template, line):
    with pytest.raises(VerifyError, match="the template is not valid YAML, whatever its values are") as caught:
        render(template, s="b")
    assert caught.value.where == f"x.yaml.j2:{line}"
    assert caught.value.hint.startswith("Write text of the template outside `{{ }}`")  # the line above is its own


def test_the_message_names_the_expression_the_value_and_the_way_out(render):
    with pytest.raises(TemplateError) as caught:
        render("stages:\n  a:\n    cmd: run {{ stage.desc }}\n", stage={"desc": "a # b" + "x" * 100})
    assert str(caught.value).startswith("x.yaml.j2:3: `stage.desc` is 'a # bxx")
    assert "xxx...xxx" in caught.value.message
    assert caught.value.hint.startswith("Quote the whole in the template")


def test_several_documents(render):
    text = render("---\na: {{ x }}\n---\n{{ y }}\n", x="---", y={"b": "..."}).text
    assert list(yaml.safe_load_all(text)) == [{"a": "---"}, {"b": "..."}]


def test_words_that_stand_in_for_values_cannot_be_forged(render):
    text = render(
        "held0z: {{ x }}\na: heldx2z {{ y }} held\nb: {{ z }}\n", x="held1z", y="heldxx3z", z="heldxxx5z: 0"
    ).text
    assert read(text) == {"held0z": "held1z", "a": "heldx2z heldxx3z held", "b": "heldxxx5z: 0"}


@pytest.mark.parametrize(
    "source",
    [
        "k: |\n    {{ x | indent(4) }}\nn: 1\n",
        "k: |\n{{ x | indent(4) }}\nn: 1\n",
        "k: |\n{{ x | indent(4, true) }}\nn: 1\n",
        "k: |\n    {{ x | trim | indent(4) | trim }}\nn: 1\n",
        "k: |\n    {{ x | indent(2) }}\nn: 1\n",
        "k: |\n    {{ x | replace('\\n', '\\n    ') }}\nn: 1\n",
        "k: |\n{% filter indent(4, true) %}\n{{ x }}\n{% endfilter %}\nn: 1\n",
        "k: |\n    {{ x }}\nn: 1\n",
    ],
)
def test_indent_within_a_block_of_text_gives_the_value_and_nothing_else(render, source):
    assert read(render(source, x="a\n  b\n\nc: #d").text) == {"k": "a\n  b\n\nc: #d\n", "n": 1}


def test_a_list_of_four_spaces_and_one_that_is_not_indented(render):
    text = render("a:\n-   {{ m }}\n-   {{ m }}\nb:\n-    - {{ m }}\n", m={"p": {"q": [1]}, "r": ["s"]}).text
    value = {"p": {"q": [1]}, "r": ["s"]}
    assert read(text) == {"a": [value, value], "b": [[value]]}
    assert text.startswith("a:\n-   p:\n      q:\n        - 1\n    r:\n")
    for source in ("a:\n{{ x }}\nb: 1\n", "a:\n{{ x }}\n{{ x }}\nb: 1\n"):
        assert read(render(source, x=[]).text) == {"a": [], "b": 1}
    assert read(render("k:\n  a:\n  {{ x }}\n  b: 1\n", x=[]).text) == {"k": {"a": [], "b": 1}}
    assert render("a:\n{{ x }}\nb: 1\n", x=["c"]).text == "a:\n- c\nb: 1\n"


def test_a_list_in_the_text_of_an_item_that_is_joined_is_text(render):
    found = render("a: {{ [x, 'b'] | join('; ') }}\n", x="to do:\n- one\n- two").text
    assert read(found) == {"a": "to do:\n- one\n- two; b"}


def test_what_is_built_as_text_is_text_where_that_is_said(render):
    source = 'a: [{{ x | join(", ") | string }}]\nb: {{ x | json }}\nc: "{{ x | tojson }}"\nd: {{ x | join(", ") }}\n'
    assert read(render(source, x=["p", "q"]).text) == {"a": ["p, q"], "b": '["p", "q"]', "c": '["p", "q"]', "d": "p, q"}


COMPACT = """
a: {{ short | compact }}
b: {{ long | compact }}
c:
  {{ nested | compact }}
d:
  {{ items | compact }}
e: {{ text | compact }}
"""


def test_compact_values_stand_on_one_line_where_they_fit(render):
    long = {"one": "x" * 60, "two": ["y" * 30, {"deep": [1, None, "yes"]}]}
    items = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "text": "a\nb\n"}, []]
    context = {
        "short": {"a": "1", "b": [True, "no"]}, "long": long, "nested": {"kept": long, "short": [1, 2]},
        "items": items, "text": "{{x}}",
    }  # fmt: skip
    text = render(COMPACT, **context).text
    assert read(text) == {"a": context["short"], "b": long, "c": context["nested"], "d": items, "e": "{{x}}"}
    lines = text.splitlines()
    assert "a: {a: '1', b: [true, 'no']}" in lines
    assert "  two: [yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy, {deep: [1, null, 'yes']}]" in lines
    assert "  - {name: data, emptyDir: {}}" in lines
    assert "    text: |" in lines
