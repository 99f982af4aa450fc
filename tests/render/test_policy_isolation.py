"""No policy can change what another one sees, whatever the order of layers."""

from types import SimpleNamespace

import pytest

from wurzel.backends.policies import PolicyFile
from wurzel.render.layers import Layers
from wurzel.render.policy import Policies

JUDGE = "{% for file in files %}{% for each in file.documents %}{{ fail(each.kind) }}{% endfor %}{% endfor %}"


def failures(tmp_path, policy, after=""):
    """What three layers of policies report: one of the project, the judge below it, and one below that."""
    for name, text in (("own", policy), ("pack", JUDGE), ("last", after)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policies.j2").write_text(text)
    pipeline = SimpleNamespace(labels={"team": "docs"})

    def context():
        return {"files": [PolicyFile("a.yaml", "kind: Secret\n", "YAML")], "pipeline": pipeline, "variables": {"a": 1}}

    policies = Policies(Layers(["own", "pack", "last"], root=tmp_path))
    return policies.run(context, lambda: repr(pipeline))


@pytest.mark.parametrize(
    "policy",
    [
        "{% set _ = files.clear() %}",
        "{% set _ = files.pop() %}",
        "{% for file in files %}{% set _ = file.documents.clear() %}{% endfor %}",
        '{% set _ = files[0].documents[0].update({"kind": "Job"}) %}',
        "{% set files = [] %}",
        '{% macro fail(message, at="") %}{% endmacro %}',
    ],
)
def test_what_one_policy_does_to_its_files_does_not_reach_the_next(tmp_path, policy):
    found, broken = failures(tmp_path, policy)
    assert [failure.message for failure in found] == ["Secret"]
    assert not broken


def test_a_policy_that_changes_the_pipeline_is_an_error(tmp_path):
    found, (problem,) = failures(
        tmp_path, "{% set _ = pipeline.labels.clear() %}", '{% set _ = pipeline.labels.update({"team": "docs"}) %}'
    )
    assert not found
    assert problem.message == "the policy changed the pipeline or its options"
    assert problem.where == "own/policies.j2:1"
