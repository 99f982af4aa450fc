"""Variables: declared by packs, given by projects, and wrong ones found where they stand."""

import json

import pytest

from tests.command import invoke
from wurzel.exceptions import ConfigError
from wurzel.project.explain import rows
from wurzel.project.nodes import Node
from wurzel.project.resolve import resolve

DECLARED = """version: 1
variables:
  cost_center: {required: true, pattern: "[0-9]{4}", description: Who pays for it.}
  slack: {default: "#ops"}
  owner: {}
  replicas: {default: 1}
  domains: {type: list}
"""
GIVEN = """version: 1
templates: [globex]
variables: {cost_center: 0042, slack: "#file"}
pipelines:
  rag:
    entrypoint: mypkg.pipelines:rag
    variables: {slack: "#pipeline"}
    defaults: {variables: {owner: all}}
    steps:
      embed: {variables: {slack: "#step", cost_center: "1234"}}
environments:
  prod:
    variables: {cost_center: 4711}
    pipelines: {rag: {steps: {load-docs: {variables: {owner: prod}}}}}
"""


@pytest.fixture
def globex(pack):
    return pack("globex", "2.1.0", {"wurzel-pack.yaml": DECLARED})


def values(resolved):
    return [resolved.pipeline.variables, *(step.variables for step in resolved.pipeline.steps)]


def refused(pipeline, project, **options):
    with pytest.raises(ConfigError) as caught:
        resolve(pipeline, project, **options)
    return [str(problem) for problem in caught.value.problems]


def test_the_narrower_value_wins(globex, pipeline, project):
    found = project(GIVEN)
    shared, load, embed = values(resolve(pipeline, found))
    assert shared == {"cost_center": "0042", "slack": "#pipeline", "owner": None, "replicas": 1, "domains": None}
    assert load == {**shared, "owner": "all"}
    assert embed == {**shared, "owner": "all", "slack": "#step", "cost_center": "1234"}
    shared, load, embed = values(resolve(pipeline, found, environment="prod"))
    assert (shared["cost_center"], load["cost_center"], embed["cost_center"]) == ("4711", "4711", "1234")
    assert (load["owner"], embed["owner"]) == ("prod", "all")
    shared, _, embed = values(resolve(pipeline, found, sets=["variables.slack='#set'"]))
    assert (shared["slack"], embed["slack"]) == ("#set", "#step")


def test_everything_wrong_is_said_at_its_line_at_once(globex, pipeline, project):
    text = GIVEN.replace("0042", "42").replace("cost_center: 4711", "cost_centre: 4711")
    text = text.replace('"1234"', '"12345"').replace("owner: all", "replicas: many, domains: a")
    hint = "\n  cost_center: Who pays for it. (globex 2.1.0)"
    assert refused(pipeline, project(text), environment="prod") == [
        f"wurzel.yaml:3:26: variables.cost_center: 42 does not match [0-9]{{4}}{hint}",
        "wurzel.yaml:8:38: variables.replicas: 'many' is not a number\n  globex 2.1.0 declares it.",
        "wurzel.yaml:8:53: variables.domains: 'a' is not a list\n  globex 2.1.0 declares it.",
        f"wurzel.yaml:10:56: variables.cost_center: '12345' does not match [0-9]{{4}}{hint}",
        "wurzel.yaml:13:17: variables: there is no variable 'cost_centre'\n  Did you mean cost_center?",
    ]


def test_what_is_required_and_missing_is_said_at_the_pipeline(globex, pipeline, project):
    text = GIVEN.replace("cost_center: 0042, ", "")
    assert refused(pipeline, project(text)) == [
        "wurzel.yaml:5:3: variables.cost_center is missing\n  cost_center: Who pays for it. (globex 2.1.0)"
    ]


def test_without_a_pack_that_declares_it_a_variable_is_unknown(pipeline, project):
    text = "version: 1\nvariables: {a: 1}\npipelines: {rag: {entrypoint: 'mypkg.pipelines:rag'}}\n"
    assert refused(pipeline, project(text)) == [
        "wurzel.yaml:2:13: variables: there is no variable 'a'\n  No pack in `templates:` declares any."
    ]


def test_every_pack_that_declares_a_variable_is_asked(pack, globex, pipeline, project):
    pack(
        "dept",
        "1.0",
        {"wurzel-pack.yaml": 'version: 1\nvariables: {slack: {pattern: "#dept-.*", default: "#dept-x"}}\n'},
    )
    text = GIVEN.replace("[globex]", "[dept, globex]").replace(', slack: "#file"', "")
    text = text.replace('    variables: {slack: "#pipeline"}\n', "").replace('slack: "#step", ', "")
    assert resolve(pipeline, project(text)).pipeline.variables["slack"] == "#dept-x"
    wrong = text.replace("cost_center: 0042", 'cost_center: 0042, slack: "#ops"')
    assert refused(pipeline, project(wrong)) == [
        "wurzel.yaml:3:39: variables.slack: '#ops' does not match #dept-.*\n  dept 1.0 declares it."
    ]


def test_an_ir_keeps_its_variables_and_wurzel_yaml_still_wins(globex, pipeline, project):
    whole = resolve(pipeline, project(GIVEN)).pipeline
    assert resolve(whole, None).pipeline == whole
    again = resolve(whole, project(GIVEN.replace("#pipeline", "#other"))).pipeline
    assert again.variables["slack"] == "#other"
    assert [step.variables["slack"] for step in again.steps] == ["#other", "#step"]


def test_explain_says_where_each_comes_from(globex, pipeline, project):
    found = {row.path: (row.value, row.origin) for row in rows(resolve(pipeline, project(GIVEN)))}
    assert found["variables.cost_center"] == ("0042", "wurzel.yaml:3:26")
    assert found["variables.replicas"] == ("1", "pack globex: wurzel-pack.yaml:6:23")
    assert found["steps.embed.variables.slack"] == ("#step", "wurzel.yaml:10:34")
    assert "steps.load-docs.variables.slack" not in found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("items: {}", "variables: templates cannot read 'items' as variables.items"),
        ("a-b: {}", "variables: templates cannot read 'a-b' as variables.a-b"),
        ('a: {pattern: "("}', "variables.a.pattern: unclosed group"),
        ('a: {pattern: "a)(b"}', "variables.a.pattern: unopened group"),
        ('a: {pattern: "(?!a)b"}', "variables.a.pattern: look-around, including look-ahead and look-behind, is not"),
        ('a: {pattern: "a{1000}{1000}{1000}"}', "variables.a.pattern: Compiled regex exceeds size limit"),
        ('a: {pattern: "x", default: y}', "variables.a.default: 'y' does not match x"),
        ('a: {pattern: "x", type: number}', "variables.a: only text can have a pattern, not a number"),
        ("a: {type: list, default: x}", "variables.a.default: 'x' is not a list"),
        ("a: {required: true, default: x}", "variables.a: has a default, so `required` has no effect"),
        ("a: {require: true}", "Did you mean required?"),
        ("a: 1", "variables.a: 1 is not a mapping"),
    ],
)
def test_a_wrong_declaration_is_the_packs_error(pack, project, line, message):
    pack("globex", "1.0", {"wurzel-pack.yaml": f"version: 1\nvariables:\n  {line}\n"})
    found = project(GIVEN)
    with pytest.raises(ConfigError, match=r"pack globex: wurzel-pack\.yaml:3:") as caught:
        found.packs()
    assert message in str(caught.value)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)*b"])
def test_no_pattern_takes_for_ever(pack, project, pipeline, pattern):
    """Python's engine needs hours for these."""
    pack("globex", "1.0", {"wurzel-pack.yaml": f'version: 1\nvariables: {{owner: {{pattern: "{pattern}"}}}}\n'})
    text = f"version: 1\ntemplates: [globex]\nvariables: {{owner: {'a' * 64}}}\n" + GIVEN[GIVEN.index("pipelines") :]
    said = refused(pipeline, project(text.replace('cost_center: "1234"', "").replace("cost_center: 4711", "")))
    assert any(f"does not match {pattern}" in each for each in said)


def test_a_whole_value_matches_a_pattern(pack, project):
    declared = 'version: 1\nvariables: {a: {pattern: "x|[0-9]{2}"}}\n'
    pack("globex", "1.0", {"wurzel-pack.yaml": declared})
    (found,) = project(GIVEN).packs()
    fitting = [
        text for text in ("x", "12", "xy", "12\n", "ax", "123") if not found.variables["a"].broken(Node(text, ""))
    ]
    assert fitting == ["x", "12"]


def test_the_schema_of_wurzel_yaml_knows_them(globex, project):
    project(GIVEN)
    schema = json.loads(invoke("schema").stdout)
    told = schema["definitions"]["StepConfig"]["properties"]["variables"]
    assert told["properties"]["cost_center"]["pattern"] == "^(?:[0-9]{4})$"
    assert told["additionalProperties"] is False
    assert schema["properties"]["variables"]["properties"]["slack"]["default"] == "#ops"
