"""What every template sees: variables, the environment, and in each part that renders a step, that step."""

import pytest

from wurzel.backends.ci.home import Home
from wurzel.backends.job import Job
from wurzel.backends.registry import BUILT_IN, get
from wurzel.backends.rendering import render
from wurzel.render import Renderer
from wurzel.testing import full_pipeline

TOLD = '{{ "%s/%s/%s" | format(variables.cost, step.variables.cost, environment) if step else "no step" }}'
"""A job of several steps, and one that tells of failures, has no single step."""
PARTS = {
    "dvc": ("dvc/dvc.yaml.j2", "meta", f"cost: {TOLD}"),
    "argo": ("argo/_step.yaml.j2", "step_annotations", f"example.org/cost: {TOLD}"),
    "gitlab": ("gitlab/_job.yml.j2", "job_variables", f"COST: {TOLD}"),
    "github": ("github/_steps.yml.j2", "step_env", f"COST: {TOLD}"),
    "airflow": ("airflow/_task.py.j2", "task_bottom", f"owner={TOLD},"),
    "local": ("local/run.sh.j2", "step", f"    # {TOLD}"),
    "cronjob": ("cronjob/_container.yaml.j2", "env", f"- {{name: COST, value: {TOLD}}}"),
}


def pipeline():
    """The full pipeline; its second step pays for itself."""
    found = full_pipeline()
    costs = {step.id: "9999" if step.id == "suffix" else "1111" for step in found.steps}
    steps = tuple(step.model_copy(update={"variables": {"cost": costs[step.id]}}) for step in found.steps)
    return found.model_copy(update={"variables": {"cost": "1111"}, "steps": steps})


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_part_that_renders_a_step_sees_it(target, tmp_path):
    template, block, line = PARTS[target]
    path = tmp_path / "own" / template
    path.parent.mkdir(parents=True)
    scoped = " scoped" if template.endswith(("dvc.yaml.j2", "run.sh.j2")) else ""
    text = (
        f'{{% extends "!{template}" %}}\n{{% block {block}{scoped} %}}\n{{{{ super() }}}}\n{line}\n{{% endblock %}}\n'
    )
    path.write_text(text)
    options = get(target).options_model()
    (result,) = render([Job(pipeline(), target, options, "", environment="prod")], Renderer(["own"], root=tmp_path))
    written = "".join(file.rendered.text for file in result.files)
    for cost in ("1111", "9999"):
        assert f"1111/{cost}/prod" in written


def test_the_container_of_all_steps_has_no_single_one(tmp_path):
    path = tmp_path / "own/cronjob/_container.yaml.j2"
    path.parent.mkdir(parents=True)
    path.write_text(
        '{% extends "!cronjob/_container.yaml.j2" %}\n{% block env %}\n{{ super() }}\n'
        '- {name: STEP, value: {{ step.id if step else "all" }}}\n{% endblock %}\n'
    )
    options = get("cronjob").options_model(layout="single")
    body = pipeline()
    alike = body.model_copy(update={"steps": tuple(step.model_copy(update={"image": None}) for step in body.steps)})
    (result,) = render([Job(alike, "cronjob", options, "")], Renderer(["own"], root=tmp_path))
    text = result.files[0].rendered.text
    assert "value: all" in text
    assert "9999" not in text


@pytest.mark.parametrize(
    ("folder", "line"), [("", ""), ("a/b", "cd a/b"), ("my ml", "cd 'my ml'"), ("-ml", "cd -- -ml"), ("$x", "cd '$x'")]
)
def test_the_line_that_changes_to_a_project_is_one_command_of_a_shell(folder, line):
    assert Home(folder).cd == line
