"""IR files are held to what introspection would have given, since they come from anywhere."""

import json

import pytest

from wurzel.exceptions import PipelineError
from wurzel.ir.model import IR_VERSION, MAX_SHARDS
from wurzel.ir.serialize import dump, load
from wurzel.testing.variants import full_pipeline


def changed(tmp_path, path, value):
    """Load the pipeline that asks for everything, with one value replaced."""
    tree = json.loads(dump(full_pipeline()))
    *home, key = path
    holder = tree
    for name in home:
        holder = holder[name]
    holder[key] = value
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(tree))
    return load(file)


def test_what_is_dumped_is_loaded(tmp_path):
    assert changed(tmp_path, ["version"], IR_VERSION) == full_pipeline()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["steps"], []),
        (["name"], "x" * 300),
        (["name"], "../../x"),
        (["steps", 0, "id"], ""),
        (["steps", 0, "id"], "../x"),
        (["steps", 0, "id"], "a\nb"),
        (["steps", 0, "run"], "no class"),
        (["steps", 0, "run"], "m:C; touch pwned"),
        (["steps", 0, "sources"], ["/etc/passwd"]),
        (["steps", 0, "sources"], ["a/../../x"]),
        (["steps", 0, "sources"], ["a\nb"]),
        (["steps", 1, "settings", 0, "variable"], "A B"),
        (["steps", 1, "settings", 0, "variable"], ""),
        (["steps", 1, "settings", 0, "name"], "a.b"),
        (["steps", 1, "settings", 0, "variable"], "SUFFIX__TIMES"),
        (["steps", 1, "settings", 0, "default"], "redis://:hunter2@cache"),
        (["steps", 1, "env"], {"A": "hunter2 https://me:hunter2@h"}),
        (["description"], "ghp_" + "hunter2hunter2" * 3),
        (["steps", 1, "needs"], ["words"]),
        (["steps", 1, "needs"], [{"step": "words"}, {"step": "words"}]),
        (["steps", 1, "needs"], [{"step": "join"}]),
        (["steps", 1, "needs"], [{"step": "words", "output": "train"}]),
        (["steps", 1, "needs"], [{"step": "words", "input": "docs"}]),
        (["steps", 1, "inputs"], [{"name": name, "type": {"contract": "m:X"}} for name in ("a", "a")]),
        (["steps", 1, "inputs"], [{"name": name, "type": {"contract": "m:X"}} for name in ("a", "")]),
        (["steps", 1, "inputs"], [{"name": "../x", "type": {"contract": "m:X"}}]),
        (["steps", 1, "outputs"], [{"name": name, "type": {"contract": "m:X"}} for name in ("_a", "b")]),
        (["steps", 1, "outputs"], []),
        (["steps", 1, "shards"], 3),
        (["steps", 1, "shards"], {"max": MAX_SHARDS + 1}),
        (["steps", 1, "shards"], {"items": 0}),
        (["steps", 1, "shards"], {"max": True}),
        (["steps", 1, "shards"], {"max": "2"}),
        (["steps", 1, "when"], 1),
        (["steps", 1, "retry", "limit"], 2**31),
        (["steps", 1, "retry", "factor"], float("inf")),
        (["steps", 1, "resources", "gpu"], 10**40),
        (["parallelism"], 10**40),
        (["version"], True),
        (["parallelism"], True),
        (["steps", 0, "polls"], 1),
        (["steps", 0, "polls"], "yes"),
        (["steps", 1, "retry", "limit"], True),
        (["steps", 1, "retry", "factor"], True),
        (["steps", 1, "timeout"], True),
        (["steps", 1, "resources", "gpu"], True),
        (["steps", 1, "settings", 0, "given"], 1),
    ],
)
def test_what_introspection_never_gives_is_refused(tmp_path, path, value):
    with pytest.raises(PipelineError) as caught:
        changed(tmp_path, path, value)
    assert "pipeline.json" in caught.value.where
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("update", [{"given": True, "value": "hunter2"}, {"default": "hunter2"}, {"parameter": True}])
def test_a_secret_setting_with_a_value_is_refused(tmp_path, update):
    setting = {"name": "TOKEN", "variable": "SUFFIX__TOKEN", "secret": True}
    with pytest.raises(PipelineError, match=r"steps\.1\.settings\.0: the secret setting TOKEN has a value") as caught:
        changed(tmp_path, ["steps", 1, "settings"], [setting | update])
    assert "hunter2" not in str(caught.value)


WORDS, SUFFIX = {"step": "words"}, {"step": "suffix"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ["steps", 1, "needs"],
            [{"step": "wrods"}],
            "steps.1.needs.0.step: there is no step 'wrods'. Did you mean",
        ),
        (["steps", 1, "needs"], [SUFFIX], "steps.1.needs.0.step: these steps form a cycle: suffix >> suffix"),
        (["steps", 0, "needs"], [SUFFIX], "steps.0.needs.0.step: these steps form a cycle: words >> suffix >> words"),
        (["steps", 2, "id"], "suffix", "steps.2.id: two steps have the id 'suffix'"),
        (["steps", 1, "needs"], [], "steps.1.inputs.0: no edge in needs leads to this input of the step 'suffix'"),
        (["steps", 1, "needs"], [WORDS, WORDS], "steps.1.needs: the step 'suffix' needs 'words' twice"),
        (
            ["steps", 1, "needs"],
            [WORDS | {"output": "train"}],
            "steps.1.needs.0.output: the step 'words' has no",
        ),
        (["steps", 1, "needs"], [WORDS | {"input": "docs"}], "steps.1.needs.0.input: the step 'suffix' has no input"),
        (["steps", 1, "shard_by"], "docs", "steps.1.shard_by: the step 'suffix' has no input 'docs'"),
    ],
)
def test_a_wrong_edge_is_named_with_its_place(tmp_path, path, value, message):
    with pytest.raises(PipelineError) as caught:
        changed(tmp_path, path, value)
    assert message in str(caught.value)


def test_a_step_that_comes_too_early_is_named_with_what_it_needs(tmp_path):
    steps = json.loads(dump(full_pipeline()))["steps"]
    with pytest.raises(PipelineError, match=r"steps\.0\.needs\.0\.step: 'words' comes after 'suffix', which needs it"):
        changed(tmp_path, ["steps"], [steps[1], steps[0], *steps[2:]])
