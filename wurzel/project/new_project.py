"""A project, a step, or a backend, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from wurzel.backends.registry import BUILT_IN
from wurzel.core.step_ids import MAX_ID
from wurzel.exceptions import UsageError
from wurzel.project.new_pack import example_files, is_name

_IGNORED = "/data/\n/.wurzel/\n/report.html\n__pycache__/\n"
_READ_ME = """# {name}

    wurzel run          # what has changed; data is in data/
    wurzel show shorten # what a step wrote
    wurzel graph        # the steps
    wurzel render       # files of the targets in wurzel.yaml
    pytest
"""
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
    names = {"my-docs": name, "my_docs": _module(name, "project")}
    files = example_files("new-project", names, (".py", ".yaml", ".jsonl"))
    return {**files, ".gitignore": _IGNORED, "README.md": _READ_ME.format(name=name)}


def step_files(name: str) -> Mapping[str, str]:
    """Path to text of a new step and its test. Raises `UsageError` when the name cannot be that of a step."""
    names = {"my_step": _module(name, "step"), "MyStep": "".join(word.capitalize() for word in name.split("-"))}
    return example_files("new-step", names, (".py",))


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
    files = example_files("slurm-backend", names, (".py", ".j2", ".toml"))
    return {**files, "README.md": _BACKEND_READ_ME.format(name=name, title=title, package=package)}
