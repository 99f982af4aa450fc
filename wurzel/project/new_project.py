"""A project, a step, or a backend, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from wurzel.backends.registry import BUILT_IN
from wurzel.core.typed_step import MAX_ID
from wurzel.exceptions import UsageError
from wurzel.project.new_pack import example_files, is_name

_FLOW = '''"""The pipeline {name}."""

from wurzel import WZ, NoSettings, PydanticModel, Settings, TypedStep


class Doc(PydanticModel):
    """What flows between the steps."""

    text: str


class Read(TypedStep[NoSettings, None, list[Doc]]):
    """Read documents."""

    def run(self, inpt: None) -> list[Doc]:
        return [Doc(text="Roots hold the plant."), Doc(text="Leaves catch light.")]


class ShortenSettings(Settings):
    LENGTH: int = 10


class Shorten(TypedStep[ShortenSettings, list[Doc], list[Doc]]):
    """Cut documents to a length."""

    def run(self, inpt: list[Doc]) -> list[Doc]:
        return [Doc(text=doc.text[: self.settings.LENGTH]) for doc in inpt]


pipeline = WZ(Read) >> WZ(Shorten)
'''
_CONFIGURATION = """version: 1
pipelines:
  {name}:
    entrypoint: {module}:pipeline
    steps:
      shorten: {{settings: {{LENGTH: 5}}}}
    targets:
      local: {{}}
"""
_TEST = '''from {module} import Doc, Shorten, pipeline


def test_shorten(run_step):
    result = run_step(Shorten, [Doc(text="roots")], settings={{"LENGTH": 2}})
    assert result.output == [Doc(text="ro")]


def test_pipeline(check_pipeline):
    """Compares with golden/test_pipeline; `pytest --update` writes it."""
    check_pipeline(pipeline, {{"read": [Doc(text="Soil feeds the roots.")]}})
'''
_READ_ME = """# {name}

    wurzel run          # what has changed; data is in data/
    wurzel show shorten # what a step wrote
    wurzel graph        # the steps
    wurzel render       # files of the targets in wurzel.yaml
    pytest
"""
_STEP = '''from wurzel import PydanticModel, Settings, TypedStep


class Item(PydanticModel):
    """What flows in and out: import yours instead."""

    text: str


class {cls}Settings(Settings):
    LIMIT: int = 10


class {cls}(TypedStep[{cls}Settings, list[Item], list[Item]]):
    """Say in one sentence what it does."""

    def run(self, inpt: list[Item]) -> list[Item]:
        return inpt[: self.settings.LIMIT]
'''
_STEP_TEST = """from {module} import {cls}, Item


def test_{module}(run_step):
    items = [Item(text="a"), Item(text="b")]
    assert run_step({cls}, items, settings={{"LIMIT": 1}}).output == items[:1]
"""
_EXAMPLE = "slurm-backend"
_BACKEND_READ_ME = """# A backend for {title}

`wurzel render PIPELINE -t {name}` writes files for {title}.

    pip install --editable .
    pytest

It is the example of the documentation, a backend for Slurm, under your name: `{package}/backend.py` has the options of
the target, the table of what it supports, and what the template sees; the template writes the file. Replace what is
Slurm's. The test fails where something of a pipeline is dropped in silence.
"""


def project_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new project. Raises `UsageError` when the name cannot be that of a pipeline."""
    module = _module(name, "project")
    texts = {
        f"{module}.py": _FLOW,
        "wurzel.yaml": _CONFIGURATION,
        f"test_{module}.py": _TEST,
        "golden/test_pipeline/shorten.jsonl": '{{"text":"Soil feeds"}}\n',
        ".gitignore": "/data/\n/.wurzel/\n/report.html\n__pycache__/\n",
        "README.md": _READ_ME,
    }
    return {path: text.format(name=name, module=module) for path, text in texts.items()}


def step_files(name: str) -> Mapping[str, str]:
    """Path to text of a new step and its test. Raises `UsageError` when the name cannot be that of a step."""
    module = _module(name, "step")
    cls = "".join(word.capitalize() for word in name.split("-"))
    texts = {f"{module}.py": _STEP, f"test_{module}.py": _STEP_TEST}
    return {path: text.format(module=module, cls=cls) for path, text in texts.items()}


def _module(name: str, kind: str) -> str:
    from sys import stdlib_module_names

    module = name.replace("-", "_")
    right = is_name(name) and len(name) <= MAX_ID
    if not right or iskeyword(module) or module in {*stdlib_module_names, "wurzel", "pytest"}:
        hint = "Use lower-case letters, digits and -, and no name of a module of Python, such as: drop-short."
        raise UsageError(f"{name!r} cannot be the name of a {kind}", hint=hint)
    return module


def backend_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new backend. Raises `UsageError` when the name cannot be that of a target."""
    if not is_name(name) or iskeyword(name) or "-" in name or name in {*BUILT_IN, "wurzel"}:
        hint = "Use lower-case letters and digits, and none of the built-in targets, such as: pbs."
        raise UsageError(f"{name!r} cannot be the name of a target", hint=hint)
    package, title = f"wurzel_{name}", name.capitalize()
    names = {"acme-slurm": f"wurzel-{name}", "acme_slurm": package, "Slurm": title, "slurm": name}
    files = example_files(_EXAMPLE, names, (".py", ".j2", ".toml"))
    return {**files, "README.md": _BACKEND_READ_ME.format(name=name, title=title, package=package)}
