"""What leads out of a template cannot be read by it."""

import pytest

from wurzel.exceptions import TemplateError
from wurzel.ir.model import Pipeline
from wurzel.render import Renderer


def rendered(tmp_path, expression, **context):
    (tmp_path / "x").mkdir(exist_ok=True)
    (tmp_path / "x" / "a.yaml.j2").write_text(f"a: {{{{ {expression} }}}}\n")
    return Renderer([tmp_path]).render("x/a.yaml.j2", context).text


@pytest.mark.parametrize(
    "expression",
    [
        '"{0.__class__.__init__.__globals__}".format(pipeline)',
        '"{p.__class__}".format_map({"p": pipeline})',
        '"{0.__class__}"["format"](pipeline)',
        '["{0.__class__}"] | map(attribute="format") | first',
        '("{0" ~ ".__class__}").format(pipeline)',
        '(["a"] | map("upper")).gi_frame.f_builtins["open"]',
        '(["a"] | map("upper"))["gi_frame"]',
        '[["a"] | map("upper")] | map(attribute="gi_frame.f_globals") | list',
        '(["a"] | map("upper")).gi_code.co_filename',
        "namespace.mro()",
        'pipeline.parse_file("/etc/passwd")',
        'pipeline.parse_raw("{}")',
        "pipeline.model_copy()",
        "pipeline.model_fields",
        'pipeline["model_dump"]()',
        "pipeline.copy()",
        "pipeline.json()",
    ],
)
def test_it_is_refused_and_says_where(tmp_path, expression):
    with pytest.raises(TemplateError, match="leads out of the template") as caught:
        rendered(tmp_path, expression, pipeline=Pipeline.model_construct(name="rag"))
    assert caught.value.where.endswith("x/a.yaml.j2:1")


def test_the_same_names_are_read_where_they_are_data(tmp_path):
    data = {"format": "csv", "f_score": 1, "copy": "x", "model_name": "m"}
    text = rendered(tmp_path, "[d['format'], d.f_score, d['copy'], d.model_name]", d=data)
    assert text.replace(" ", "") == "a:\n-csv\n-1\n-x\n-m\n"


def test_text_is_formatted_by_the_filter(tmp_path):
    assert rendered(tmp_path, '"%s-%d" | format(name, 3)', name="rag") == "a: rag-3\n"


@pytest.mark.parametrize(
    "tag", ["import ['x/b.j2'] as b", "from ('x/b.j2',) import b", "extends ['x/b.j2']", "import 1 as b"]
)
def test_a_list_of_names_is_refused_where_one_is_needed(tmp_path, tag):
    write(tmp_path, tag)
    with pytest.raises(TemplateError, match="needs the name of one template") as caught:
        Renderer([tmp_path]).render("x/a.yaml.j2", {})
    assert caught.value.where.endswith("x/a.yaml.j2:1")
    problems = Renderer([tmp_path]).checker({"x/a.yaml.j2": None}).problems()
    assert any("one template" in problem.message for problem in problems)


def test_a_computed_name_that_is_not_text_is_refused(tmp_path):
    write(tmp_path, "import names as b")
    with pytest.raises(TemplateError, match="needs the name of one template"):
        Renderer([tmp_path]).render("x/a.yaml.j2", {"names": ["x/b.j2"]})


def write(folder, tag):
    (folder / "x").mkdir()
    (folder / "x" / "b.j2").write_text("{% macro b() %}1{% endmacro %}")
    (folder / "x" / "a.yaml.j2").write_text(f"{{% {tag} %}}\n")


@pytest.mark.parametrize(
    "expression",
    [
        '(xs | map("upper")) | pprint',
        '"%s" | format(xs | map("upper"))',
        '"%(a)s" | format(a=xs | map("upper"))',
        '"%s" % (xs | map("upper"))',
        '"%s %s" % (1, xs | map("upper"))',
        '(xs | map("upper")) | upper',
        '[xs | map("upper")] | pprint',
        "cycler(1) | pprint",
        "range | title",
    ],
)
def test_no_address_is_written(tmp_path, expression):
    with pytest.raises(TemplateError, match="has no text"):
        rendered(tmp_path, expression, xs=["a"])


def test_numbers_and_values_are_formatted_as_before(tmp_path):
    assert (
        rendered(tmp_path, '[7 % 4, "%s-%d" % ("a", 1), "ab" | upper, [1] | pprint]')
        == "a:\n  - 3\n  - a-1\n  - AB\n  - '[1]'\n"
    )
