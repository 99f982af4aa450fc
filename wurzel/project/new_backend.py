"""A backend to start from: the example of the documentation, under another name."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from wurzel.backends.registry import BUILT_IN
from wurzel.exceptions import UsageError
from wurzel.project.new_pack import example_files, is_name

_EXAMPLE = "slurm-backend"
_READ_ME = """# A backend for {title}

`wurzel render PIPELINE -t {name}` writes files for {title}.

    pip install --editable .
    pytest

It is the example of the documentation, a backend for Slurm, under your name: `{package}/backend.py` has the options of
the target, the table of what it supports, and what the template sees; the template writes the file. Replace what is
Slurm's. The test fails where something of a pipeline is dropped in silence.
"""


def backend_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new backend. Raises `UsageError` when the name cannot be that of a target."""
    if not is_name(name) or iskeyword(name) or "-" in name or name in {*BUILT_IN, "wurzel"}:
        hint = "Use lower-case letters and digits, and none of the built-in targets, such as: pbs."
        raise UsageError(f"{name!r} cannot be the name of a target", hint=hint)
    package, title = f"wurzel_{name}", name.capitalize()
    names = {"acme-slurm": f"wurzel-{name}", "acme_slurm": package, "Slurm": title, "slurm": name}
    files = example_files(_EXAMPLE, names, (".py", ".j2", ".toml"))
    return {**files, "README.md": _READ_ME.format(name=name, title=title, package=package)}
