"""A template pack to start from: the example of the documentation, under another name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from keyword import iskeyword
from pathlib import Path

from wurzel.exceptions import UsageError

_EXAMPLE = "organisation-pack"
_NAME = "acme"
_SUFFIXES = (".py", ".j2", ".yaml", ".toml")
_READ_ME = """# {title}

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
_PROJECT = """# For `wurzel templates check` in this folder, once the pack is installed.
version: 1
templates: [{name}]
variables: {{owner: platform}}
"""


def pack_files(name: str) -> Mapping[str, str]:
    """Path to text of every file of a new pack. Raises `UsageError` when the name cannot be that of a pack."""
    module = name.replace("-", "_")
    if not is_name(name) or iskeyword(module) or name == "wurzel":
        hint = "Use lower-case letters, digits and -, as in globex or big-corp; the package is then globex_wurzel."
        raise UsageError(f"{name!r} cannot be the name of a pack", hint=hint)
    title = name.replace("-", " ").title()
    names = {"from_acme": f"from_{module}", "acme_wurzel": f"{module}_wurzel", "ACME": module.upper(), "Acme": title}
    names[_NAME] = name
    files = example_files(_EXAMPLE, names, _SUFFIXES)
    texts = {"README.md": _READ_ME, "wurzel.yaml": _PROJECT}
    return files | {path: text.format(name=name, module=module, title=title) for path, text in texts.items()}


def is_name(name: str) -> bool:
    """Whether it is a name in lower case, with `-` between its words."""
    return re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is not None


def example_files(example: str, names: Mapping[str, str], suffixes: Collection[str]) -> dict[str, str]:
    """Path to text of an example's files under other `names`, longer words before those that they contain."""
    folder = example_folder(example)
    found = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and "snapshots" not in path.parts)
    return {_renamed(path.relative_to(folder).as_posix(), names): _renamed(_text(path), names) for path in found}


def example_folder(example: str = _EXAMPLE) -> Path:
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
