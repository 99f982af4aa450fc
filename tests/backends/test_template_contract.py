"""What `wurzel templates` says of contexts, blocks and parts is what templates really get."""

from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from wurzel.backends.checking import contexts
from wurzel.backends.contract import contract
from wurzel.backends.registry import BUILT_IN, get
from wurzel.project.jobs import Request, open_jobs
from wurzel.render import Renderer
from wurzel.testing.kit import context_findings, differences


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("name", EXAMPLES)
def test_contexts_are_as_declared(project, name, target):
    project(name)
    pipeline = name if Path("wurzel.yaml").exists() else f"{name}:pipeline"
    jobs, _ = open_jobs(Request([pipeline], [target]))
    backend = get(target)
    for job in jobs:
        assert context_findings(backend, backend.files(job.pipeline, job.options)) == []


def test_a_context_that_differs_is_told():
    class Backend(type(get("dvc"))):
        def contexts(self):
            return {"dvc/dvc.yaml.j2": super().contexts()["dvc/params.yaml.j2"]}

    class File:
        template = "dvc/dvc.yaml.j2"
        context = {"pipeline": 1, "stages": []}

    found = context_findings(Backend(), [File])
    assert any("is a int, not a Pipeline" in text for text in found)
    assert any("has no 'params'" in text for text in found)
    assert any("has an undeclared 'stages'" in text for text in found)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, int),
        ("a", list[str]),
        ({"a": "b"}, dict[str, int]),
        ([1, "a"], list[int]),
        (("a", 1, 2), tuple[str, int]),
        ("a", int | None),
    ],
)
def test_values_of_other_types_are_told(value, kind):
    assert list(differences(value, kind, "x"))


@pytest.mark.parametrize("target", BUILT_IN)
def test_our_own_templates_pass_the_check(target):
    """The static check finds nothing in templates that are known to be right, whatever branch."""
    backend = get(target)
    renderer = Renderer()
    own = [layer._replace(kind="project", name="templates") for layer in renderer.layers.layers]
    renderer.layers.layers = tuple(own)
    problems = renderer.checker(contexts([backend]), lambda name: name.partition("/")[0] == target).problems()
    assert [str(problem) for problem in problems] == []


def test_blocks_name_what_only_they_see():
    found = contract(get("dvc"), Renderer())
    blocks = {block["name"]: block for block in found["files"]["dvc/dvc.yaml.j2"]["blocks"]}
    assert blocks["desc"] == {
        "name": "desc",
        "within": "stage",
        "writes": "desc: at column 4",
        "sees": {"stage": "Stage", "step": "Step"},
    }
    assert blocks["top"] == {"name": "top", "within": None, "writes": None, "sees": {}}
    assert found["types"]["StagesContext"]["fields"]["stages"]["type"] == "list of Stage"
