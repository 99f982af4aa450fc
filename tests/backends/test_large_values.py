"""A value that no process can be started with is refused by every target that passes it as a variable."""

import pytest

from wurzel.backends.registry import BUILT_IN, get
from wurzel.backends.rendering import Job, render
from wurzel.exceptions import PreflightError
from wurzel.ir.model import Setting
from wurzel.render import Renderer
from wurzel.testing import full_pipeline


def rendered(target, *, settings="", env=""):
    pipeline = full_pipeline()
    step = pipeline.steps[-1]
    setting = Setting(name="PROMPT", variable=f"{step.id.upper()}__PROMPT", given=True, value=settings)
    step = step.model_copy(update={"settings": (setting,), "env": {"BIG": env}})
    pipeline = pipeline.model_copy(update={"steps": (*pipeline.steps[:-1], step)})
    options = get(target).options_model()
    return render([Job(pipeline, target, options, "", locate=lambda path: f"at {path}")], Renderer())


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_setting(target):
    if target == "dvc":  # it has a file of settings
        assert rendered(target, settings="x" * 140_000)
        return
    with pytest.raises(PreflightError, match=r"settings\.PROMPT: step .*: the setting PROMPT has 140\d\d\d bytes"):
        rendered(target, settings="x" * 140_000)


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_variable(target):
    with pytest.raises(PreflightError, match=r"at steps\..*\.env\.BIG: step .*: the variable BIG has 140\d\d\d bytes"):
        rendered(target, env="x" * 140_000)
