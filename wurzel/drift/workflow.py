"""The CI file that checks rendered files on every commit, and can push updated ones."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from wurzel.backends.github.options import PINS
from wurzel.exceptions import UsageError
from wurzel.project.load import FILE
from wurzel.project.requires import Requires, pinned
from wurzel.render.header import command_of, sign
from wurzel.render.output import File

if TYPE_CHECKING:
    from wurzel.render import Renderer

Platform = Literal["github", "gitlab"]

PATHS: Mapping[Platform, str] = {"github": ".github/workflows/wurzel.yml", "gitlab": ".gitlab/wurzel.yml"}
"""Where the file is written, below the top of the repository."""
_ACCEPT = Path(__file__).with_name("accept.py")
MESSAGE = "Render pipelines"
"""Message of a commit with updated files."""

_PIP = "python -m pip install"
_INSTALL = {
    "requirements.txt": f"{_PIP} --requirement requirements.txt",
    "pyproject.toml": f"{_PIP} .",
}


@dataclass(frozen=True)
class Choices:
    """Options of `wurzel ci`."""

    platform: Platform
    push: bool = False
    """Push updated files if rendered files are out of date."""
    token: str = ""
    """Name of the secret or variable with the token to push with."""
    merge_requests: bool = False
    """Also check in merge request pipelines of GitLab."""
    environment: str | None = None
    install: str = ""
    """Shell line that installs wurzel and what the pipelines import; '' to choose by the project's files."""
    python: str = "3.12"

    outside: bool = False
    """Allow template folders outside the project."""

    @property
    def wurzel(self) -> list[str]:
        """The words that every command starts with."""
        return ["wurzel", "--allow-outside"] if self.outside else ["wurzel"]

    def command(self) -> str:
        """The command that writes the file."""
        words = [*self.wurzel, "ci", self.platform]
        words += ["--push"] if self.push else []
        words += ["--merge-requests"] if self.merge_requests else []
        for option, value in (("--token", self.token), ("-e", self.environment), ("--install", self.install)):
            words += [option, value] if value else []
        words += ["--python", self.python] if self.python != Choices.python else []
        return shlex.join(words)


class Place(NamedTuple):
    """Where a project is."""

    project: Path
    """The folder of `wurzel.yaml`."""
    top: Path
    """The top of the repository that holds it."""
    requires: Requires = Requires("")
    """The wurzel that it needs."""


def ci_file(
    choices: Choices, renderer: Renderer, place: Place, variables: Mapping[str, Any], paths: Sequence[str] = ()
) -> File:
    """The file to write, with our header.

    Args:
        choices: the options.
        renderer: finds the template, `ci/github.yml.j2` or `ci/gitlab.yml.j2`.
        place: the project and its repository.
        variables: values of variables that hold for the whole project.
        paths: files below `project` that may be pushed although they are new; only for `push`.
    """
    project, top, requires = place
    folder = project.relative_to(top).as_posix()
    given = ["-e", choices.environment] if choices.environment else []
    path = PATHS[choices.platform]
    context: dict[str, Any] = {
        "variables": variables,
        "environment": choices.environment,
        "push": choices.push,
        "merge_requests": choices.merge_requests,
        "folder": "" if folder == "." else folder,
        "check": shlex.join([*choices.wurzel, "render", "--check", *given]),
        "render": shlex.join([*choices.wurzel, "render", "--prune", "--format", "json", *given]),
        "install": choices.install or _install(project, requires),
        "python": choices.python,
        "accept": _ACCEPT.read_text(encoding="utf-8").strip() if choices.push else "",
        "paths": "\n".join(sorted((project / path).relative_to(top).as_posix() for path in paths)),
        "message": MESSAGE,
        "token": choices.token or ("WURZEL_PUSH_TOKEN" if choices.platform == "gitlab" else ""),
        "cd": shlex.join(["cd", folder]) if folder != "." else "",
        "report": "gl-code-quality-report.json" if folder == "." else f"{folder}/gl-code-quality-report.json",
        "actions": {
            name.partition("/")[2].replace("-", "_"): {"uses": f"{name}@{commit}", "version": version}
            for name, (commit, version) in PINS.items()
        },
        "expressions": _expressions(choices),
    }
    text = renderer.render(f"ci/{choices.platform}.yml.j2", context).text
    return File(path, sign(text, command=choices.command(), source="wurzel.yaml", packs=renderer.layers.versions))


def unlisted(project: Path, paths: Sequence[str]) -> list[str]:
    """For each CI file that would refuse to push one of these new files, the command that updates it.

    Args:
        project: the folder of `wurzel.yaml`, which the paths are relative to.
        paths: new files.
    """
    top = top_of(project)
    wanted = {(project / path).relative_to(top).as_posix() for path in paths}
    commands = []
    for path in PATHS.values():
        text = (top / path).read_bytes() if (top / path).is_file() else b""
        command = command_of(text)
        listed = {line.strip(" '") for line in text.decode(errors="replace").splitlines()}
        if "--push" in command and not wanted <= listed:
            commands.append(shlex.join(command))
    return commands


def top_of(project: Path) -> Path:
    """The top of the repository that contains a folder; the folder itself outside a repository."""
    return next((folder for folder in [project, *project.parents] if (folder / ".git").exists()), project)


def check_choices(choices: Choices) -> None:
    """Refuse options that do not go together, and anything but a name as `--token`, above all a token itself.

    Raises:
        UsageError: without showing the value.
    """
    import re

    if choices.merge_requests and choices.platform != "gitlab":
        raise UsageError("--merge-requests is for gitlab", hint="On GitHub, pull requests are always checked.")
    if choices.token and not choices.push:
        raise UsageError("--token is for --push")
    if choices.token and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", choices.token):
        raise UsageError("--token takes the name of a secret, in capitals, not the token", hint="E.g. WURZEL_TOKEN.")


def _install(project: Path, requires: Requires) -> str:
    """The line that installs the project: its own files, with the wurzel that it requires beside them."""
    found = [line for name, line in _INSTALL.items() if (project / name).is_file()]
    requires = requires if found else pinned(requires, FILE)
    return shlex.join([*shlex.split(found[0] if found else _PIP), *([requires.text] if requires.text else [])])


def _expressions(choices: Choices) -> dict[str, str]:
    """Expressions for GitHub; none of them is ever used inside a script, where its value would be code."""
    token = f"secrets.{choices.token}" if choices.token else "github.token"
    return {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "changed": "${{ steps.render.outputs.changed }}",
        "token": f"${{{{ {token} }}}}",
        "patch": "${{ runner.temp }}/wurzel",
        "if_not_push": "github.event_name != 'push'",
        "if_push": f"github.event_name == 'push' && github.event.head_commit.message != '{MESSAGE}'",
        "if_changed": "needs.render.outputs.changed == 'true'",
        "if_patch": "steps.render.outputs.changed == 'true'",
    }
