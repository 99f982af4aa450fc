import json
import subprocess
import sys
import textwrap

import pytest

from wurzel import CommandStep, File, NoSettings
from wurzel.exceptions import PipelineError
from wurzel.ir.attributes import summary
from wurzel.ir.introspect import introspect
from wurzel.ir.model import Retry, Shards
from wurzel.ir.pods import Limits, Resources
from wurzel.utils import WZ


def load(name):
    return __import__(name).pipeline


def ids(pipeline):
    return [step.id for step in pipeline.steps]


def test_a_chain_in_order_with_its_types(project):
    project("chain")
    pipeline = introspect(load("chain"), name="chain", entrypoint="chain:pipeline")
    assert ids(pipeline) == ["words", "upper", "reverse"]
    words, upper, reverse = pipeline.steps
    assert (words.predecessors, upper.predecessors, reverse.predecessors) == ((), ("words",), ("upper",))
    assert words.run == "steps:Words"
    assert words.description == "Give words."
    assert words.inputs == ()
    assert upper.inputs[0].type == words.outputs[0].type
    assert (words.outputs[0].type.contract, words.outputs[0].type.containers) == ("steps:Word", ("list",))
    assert pipeline.entrypoint == "chain:pipeline"


def test_the_docstring_of_a_class_of_wurzel_describes_no_step():
    class Copy(CommandStep[NoSettings, None, File]):
        command = ("echo", "hello")

    class Documented(Copy):
        """Say hello.

        To everyone.
        """

    class Derived(Documented):
        pass

    assert [summary(cls) for cls in (Copy, Documented, Derived)] == ["", "Say hello.", "Say hello."]


def test_predecessors_keep_the_order_of_the_arrows(project):
    project("fanin")
    pipeline = introspect(load("fanin"), name="fanin")
    assert pipeline.steps[-1].predecessors == ("join-b", "join-a", "join-c")
    assert ids(pipeline) == ["words-b", "join-b", "words-a", "join-a", "words-c", "join-c", "shout"]


def test_settings_with_variable_default_and_kind(project):
    project("credentials")
    _, step = introspect(load("credentials"), name="credentials").steps
    token, user = step.settings
    assert (token.variable, token.secret, token.required, token.default) == ("SECRET_SUFFIX__TOKEN", True, True, None)
    assert (user.variable, user.secret, user.required, user.default) == ("SECRET_SUFFIX__USER", False, False, "anna")
    assert token.description == "never shown"


def test_class_attributes_become_needs(project):
    project("chain")
    from steps import Words

    class Hungry(Words):
        resources = {"cpu": 2, "memory": "1Gi", "limits": {"memory": "2Gi"}}
        retry = 3
        timeout = "1h30m"
        shards = 4

    Hungry.__qualname__ = "Hungry"
    (step,) = introspect(WZ(Hungry), name="x").steps
    assert step.resources == Resources(cpu="2", memory="1Gi")
    assert step.limits == Limits(memory="2Gi")
    assert step.retry == Retry(limit=3)
    assert step.timeout == 5400
    assert step.shards == Shards(max=4)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("resources", {"cpus": 1}, "cpus"),
        ("resources", {"memory": "lots"}, "lots"),
        ("retry", {"limit": -1}, "limit"),
        ("timeout", "soon", "soon"),
        ("shards", 0, "shards"),
        ("shards", True, "shards is True"),
        ("shards", 2.0, r"shards is 2\.0"),
        ("shards", "2", "shards is '2'"),
        ("retry", True, "limit: Input should be a valid integer"),
        ("retry", {"limit": True}, "limit: Input should be a valid integer"),
        ("retry", {"limit": 1, "factor": True}, "factor: Input should be a valid number"),
        ("retry", {"limit": 1, "backoff": True}, "True is not a duration"),
        ("timeout", True, "True is not a duration"),
        ("resources", {"cpu": True}, "True is not a Kubernetes quantity"),
        ("resources", {"gpu": True}, "gpu: Input should be a valid integer"),
        ("resources", {"gpu": "1"}, "gpu: Input should be a valid integer"),
        ("resources", {"gpu": {"requests.amd.com/gpu": 1}}, r"'requests.amd.com/gpu' is not a device"),
        ("resources", {"gpu": {"node.kubernetes.io/x": 1}}, r"'node.kubernetes.io/x' is not a device"),
        ("resources", {"gpu": {"amd": 1}}, r"steps:Bad: gpu\.amd\.\[key\]: Value error, 'amd' is not a device"),
        ("resources", {"gpu": {"amd.com/gpu": -1}}, r"steps:Bad: gpu\.amd\.com/gpu: Input should be greater"),
        ("resources", {"limits": {"memory": True}}, "True is not a Kubernetes quantity"),
    ],
)
def test_a_bad_class_attribute_is_named(project, attribute, value, message):
    project("chain")
    from steps import Words

    bad = type("Bad", (Words,), {attribute: value, "__module__": "steps", "__qualname__": "Bad"})
    with pytest.raises(PipelineError, match=message) as caught:
        introspect(WZ(bad), name="x")
    assert "steps:Bad" in str(caught.value)


def test_a_cycle_is_named(project):
    project("chain")
    from steps import Reverse, Upper

    upper, reverse = WZ(Upper), WZ(Reverse)
    upper >> reverse >> upper
    with pytest.raises(PipelineError, match=r"upper >> reverse >> upper|reverse >> upper >> reverse"):
        introspect(reverse, name="x")


def test_one_id_twice_is_an_error_not_a_merge(project):
    project("chain")
    from steps import Upper, Words

    words = WZ(Words)
    with pytest.raises(PipelineError, match="two steps have the id 'upper'") as caught:
        introspect([words >> WZ(Upper), words >> WZ(Upper)], name="x")
    assert "name=" in str(caught.value)


def test_a_step_without_its_input(project):
    project("chain")
    from steps import Upper

    with pytest.raises(PipelineError, match=r"'upper' needs list\[Word\] but no step comes before it"):
        introspect(WZ(Upper), name="x")


def test_what_is_no_pipeline(project):
    project("chain")
    from steps import Words

    for value in (7, "text", [], [1], {}, None):
        with pytest.raises(PipelineError, match=r"is .+, not a pipeline"):
            introspect(value, name="x")
    with pytest.raises(PipelineError, match="x: returns None, not a pipeline"):
        introspect(lambda: None, name="x")
    with pytest.raises(PipelineError, match=r"WZ\(Words\)"):
        introspect(Words, name="x")
    with pytest.raises(PipelineError, match="cannot be called without arguments"):
        introspect(lambda needed: needed, name="x")


def test_an_error_within_the_function_is_shown_with_its_own_lines_only():
    def broken():
        return len(5)

    with pytest.raises(
        PipelineError, match=r"^x: raised TypeError: object of type 'int' has no len\(\)\nTrace"
    ) as caught:
        introspect(broken, name="x")
    assert str(caught.value).count('  File "') == 1


def test_a_local_class_cannot_be_run_elsewhere(project):
    project("chain")
    from steps import Words

    class Local(Words):
        pass

    with pytest.raises(PipelineError, match="cannot be imported"):
        introspect(WZ(Local), name="x")


def test_nested_settings_are_flattened(project):
    root = project("chain")
    (root / "nested.py").write_text(
        textwrap.dedent("""
        from pydantic import Field, SecretStr
        from steps import Word
        from wurzel.core import Settings, TypedStep
        from wurzel.core.settings import SettingsLeaf
        from wurzel.utils import WZ

        class Db(SettingsLeaf):
            USER: str = "u"
            PASSWORD: SecretStr

        class S(Settings):
            DB: Db
            TAGS: list[str] = Field(default_factory=list)
            MODE: dict[str, int] = {"a": 1}

        class Load(TypedStep[S, None, list[Word]]):
            def run(self, inpt: None) -> list[Word]:
                return []

        last = WZ(Load)
        """)
    )
    (step,) = introspect(__import__("nested").last, name="x").steps
    assert [(s.name, s.variable, s.secret, s.required) for s in step.settings] == [
        ("DB__USER", "LOAD__DB__USER", False, False),
        ("DB__PASSWORD", "LOAD__DB__PASSWORD", True, True),
        ("TAGS", "LOAD__TAGS", False, False),
        ("MODE", "LOAD__MODE", False, False),
    ]
    assert [s.default for s in step.settings] == ["u", None, [], {"a": 1}]
    assert [s.text for s in step.settings] == [True, True, False, False]


def test_ten_thousand_steps_in_a_chain_and_in_diamonds(project):
    project("chain")
    from steps import Join, Upper, Words

    step = WZ(Words)
    for number in range(9_999):
        step = step >> WZ(Upper, name=f"up-{number}")
    assert len(introspect(step, name="x").steps) == 10_000
    layer = [WZ(Words, name=f"w{number}") for number in range(10)]
    for depth in range(999):
        below = [WZ(Upper, name=f"u{depth}-{number}") for number in range(10)]
        for upper in layer:
            for lower in below:
                upper >> lower
        layer = below
    last = WZ(Join)
    for step in layer:
        step >> last
    assert len(introspect(last, name="x").steps) == 10_001


def test_the_ir_is_the_same_for_every_hash_seed(project):
    root = project("scheduled")
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "wurzel", "inspect", "scheduled", "--json"],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["version"] == 2
