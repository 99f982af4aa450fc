"""What to start from: a project, a step, a pack or a backend; examples of the documentation under other names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from keyword import iskeyword
from pathlib import Path

from wurzel.backends.registry import BUILT_IN
from wurzel.core.step_ids import MAX_ID
from wurzel.exceptions import UsageError

_PACK = "organisation-pack"
_SUFFIXES = (".py", ".j2", ".yaml", ".toml")
_PACK_READ_ME = """# {title}

The template pack of {title}: how its pipelines run, on all targets.

    pip install --editable .
    wurzel templates check
    pytest

`{module}_wurzel/wurzel-pack.yaml` has defaults and variables, `{module}_wurzel/policies.j2` says what no pipeline may
do, and the folders beside them change the files of each target. A project uses the pack by `templates: [{name}]`.

Everything here is an example. Names such as `registry.{name}.example` have to become yours, and what you do not need
can go: `pytest`, which needs wurzel's extra `validate`, says which template has no effect. Once there is a folder
`tests/snapshots`, `pytest --update` writes what the pack renders into it, to be reviewed with each change.
"""
_PACK_PROJECT = """# For `wurzel templates check` in this folder, once the pack is installed.
version: 1
templates: [{name}]
variables: {{owner: platform}}
"""
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
    right = _is_name(name) and len(name) <= MAX_ID
    if not right or iskeyword(module) or module in {*stdlib_module_names, "wurzel", "pytest"}:
        hint = "Use lower-case letters, digits and -, such as drop-short. Names of Python's own modules are taken."
        raise UsageError(f"{name!r} cannot be the name of a {kind}", hint=hint)
    return module


def backend_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new backend. Raises `UsageError` when the name cannot be that of a target."""
    if not _is_name(name) or iskeyword(name) or "-" in name or name in {*BUILT_IN, "wurzel"}:
        hint = "Use lower-case letters and digits, such as pbs. Names of built-in targets are taken."
        raise UsageError(f"{name!r} cannot be the name of a target", hint=hint)
    package, title = f"wurzel_{name}", name.capitalize()
    names = {"acme-slurm": f"wurzel-{name}", "acme_slurm": package, "Slurm": title, "slurm": name}
    files = example_files("slurm-backend", names, (".py", ".j2", ".toml"))
    return {**files, "README.md": _BACKEND_READ_ME.format(name=name, title=title, package=package)}


def pack_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new pack. Raises `UsageError` when the name cannot be that of a pack."""
    module = name.replace("-", "_")
    if not _is_name(name) or iskeyword(module) or name == "wurzel":
        hint = "Use lower-case letters, digits and -, as in globex or big-corp; the package is then globex_wurzel."
        raise UsageError(f"{name!r} cannot be the name of a pack", hint=hint)
    title = name.replace("-", " ").title()
    names = {"from_acme": f"from_{module}", "acme_wurzel": f"{module}_wurzel", "ACME": module.upper(), "Acme": title}
    names["acme"] = name
    files = example_files(_PACK, names, _SUFFIXES)
    texts = {"README.md": _PACK_READ_ME, "wurzel.yaml": _PACK_PROJECT}
    return files | {path: text.format(name=name, module=module, title=title) for path, text in texts.items()}


def _is_name(name: str) -> bool:
    """Whether it is a name in lower case, with `-` between its words."""
    return re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is not None


def example_files(example: str, names: Mapping[str, str], suffixes: Collection[str]) -> dict[str, str]:
    """Path to text of an example's files under other `names`, longer words before those that they contain."""
    folder = example_folder(example)
    found = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and "snapshots" not in path.parts)
    return {_renamed(path.relative_to(folder).as_posix(), names): _renamed(_text(path), names) for path in found}


def example_folder(example: str = _PACK) -> Path:
    """The folder of an example, in an installed package or in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "examples" / example
    return inside if inside.is_dir() else package.parent / "docs" / "examples" / example


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub("|".join(names), lambda found: names[found.group()], text)


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.name == "wurzel-pack.yaml":  # a new pack has no names that have changed
        text = re.sub(r"(?m)^renames:\n(  - .*\n)*", "", text)
    return text
