"""The CI file that checks rendered files on every commit, and can push updated ones."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wurzel.backends.ci.home import Home
from wurzel.backends.ci.shell import RUNNERS
from wurzel.backends.github.options import PINS
from wurzel.backends.github.triggers import path_filter
from wurzel.backends.gitlab.place import image_for, path_pattern
from wurzel.exceptions import UsageError
from wurzel.invocation import call
from wurzel.records import dataclass
from wurzel.render.header import command_of, sign, within
from wurzel.render.output import File

if TYPE_CHECKING:
    from wurzel.project.place import Place
    from wurzel.render import Renderer

Platform = Literal["github", "gitlab"]

PATHS: Mapping[Platform, str] = {"github": ".github/workflows/wurzel{}.yml", "gitlab": ".gitlab/wurzel{}.yml"}
"""Where the file is written, below the top of the repository; `-` and a project's folder stand for the braces."""
PATTERNS: Mapping[Platform, Callable[[str], str]] = {"github": path_filter, "gitlab": path_pattern}
"""How each platform writes a pattern for a file, or for the files in a folder."""
_ACCEPT = Path(__file__).with_name("accept.py")
_NAME = r"[A-Z_][A-Z0-9_]{0,99}"
MESSAGE = "Render pipelines"
"""Message of a commit with updated files."""


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
    secrets: tuple[str, ...] = ()
    """Names of secrets that the installation reads as variables, such as that of a private index."""
    python: str = ""
    """Version of Python; '' to choose by the project's files."""

    image: bool = False
    """Build the image and push it, instead of checking."""
    role: str = ""
    """The role of AWS whose identity may push the image."""
    outside: bool = False
    """Allow template folders outside the project."""

    @property
    def wurzel(self) -> list[str]:
        """The words that every command starts with."""
        return ["wurzel", "--allow-outside"] if self.outside else ["wurzel"]

    def command(self) -> str:
        """The command that writes the file."""
        what = call.options(push=self.push, merge_requests=self.merge_requests, image=self.image, role=self.role)
        how = call.options(token=self.token, e=self.environment, install=self.install, secret=self.secrets)
        return shlex.join([*self.wurzel, "ci", self.platform, *what, *how, *call.options(python=self.python)])


def ci_file(
    choices: Choices, renderer: Renderer, home: Home, variables: Mapping[str, Any], paths: Sequence[str] = ()
) -> File:
    """The file to write, with our header.

    `paths`, only for `push`, are files that may be pushed although they are new. The path of the result is below the
    top of the repository.
    """
    options = ["-e", choices.environment] if choices.environment else []
    setup, install = ("pip", choices.install) if choices.install else (home.setup, home.install)
    words = [*RUNNERS.get(setup, ()), *choices.wurzel, "render"]
    context = common_context(choices, home, variables) | {
        "push": choices.push,
        "merge_requests": choices.merge_requests,
        "check": shlex.join([*words, "--check", *options]),
        "render": shlex.join([*words, "--prune", "--format", "json", *options]),
        "setup": setup,
        "install": install,
        "secrets": {name: f"${{{{ secrets.{name} }}}}" for name in choices.secrets},
        "image": image_for(setup, choices.python or home.python),
        "accept": _ACCEPT.read_text(encoding="utf-8").strip() if choices.push else "",
        "paths": "\n".join(sorted(home.below(path) for path in paths)),
        "message": MESSAGE,
        "token": choices.token or ("WURZEL_PUSH_TOKEN" if choices.platform == "gitlab" else ""),
        "report": home.below("gl-code-quality-report.json"),
    }
    return signed(choices, renderer, home, context)


def common_context(choices: Choices, home: Home, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates of all CI files see."""
    return {
        "variables": variables,
        "environment": choices.environment,
        "folder": home.folder,
        "suffix": _suffix(home),
        "cd": home.cd,
        "python": choices.python or home.python,
        "watched": _watched(home, choices),
        "actions": {
            name.partition("/")[2].replace("-", "_"): {"uses": f"{name}@{commit}", "version": version}
            for name, (commit, version) in PINS.items()
        },
        "expressions": _expressions(choices),
    }


def signed(choices: Choices, renderer: Renderer, home: Home, context: Mapping[str, Any]) -> File:
    """A CI file with our header, and its path below the top of the repository."""
    kind = "-image" if choices.image else ""
    text = renderer.render(f"ci/{choices.platform}{kind}.yml.j2", context).text
    command = within(home.folder, choices.command())
    return File(_path(home, choices), sign(text, command=command, source="wurzel.yaml", packs=renderer.layers.versions))


def _path(home: Home, choices: Choices) -> str:
    return PATHS[choices.platform].format(("-image" if choices.image else "") + _suffix(home))


def _suffix(home: Home) -> str:
    """What tells the file and its jobs from those of other projects of the repository; '' at the top."""
    return f"-{home.slug}".rstrip("-")


def _watched(home: Home, choices: Choices) -> list[str]:
    """Patterns of the files whose change starts the jobs; empty for all files."""
    if not home.watched:
        return []
    rendered = [] if choices.image else [f".github/workflows/{home.slug}*", f".gitlab/{home.slug}*"]
    pattern = PATTERNS[choices.platform]
    return [*map(pattern, home.watched), *rendered, _path(home, choices)]


def unlisted(place: Place, paths: Sequence[str]) -> list[str]:
    """For each CI file that would refuse to push one of these new files, the command that updates it."""
    home = Home(place.folder)
    wanted = {home.below(path) for path in paths}
    commands = []
    for name in PATHS.values():
        path = place.top / name.format(_suffix(home))
        text = path.read_bytes() if path.is_file() else b""
        command = command_of(text)
        listed = {line.strip(" '") for line in text.decode(errors="replace").splitlines()}
        if "--push" in command and not wanted <= listed:
            commands.append(shlex.join(command))
    return commands


def check_choices(choices: Choices) -> None:
    """Refuse options that do not go together, and anything but a name as `--token`, above all a token itself.

    Raises `UsageError` without showing the value.
    """
    import re

    if choices.image and (choices.push or choices.merge_requests or choices.environment):
        raise UsageError("--image writes a separate file; leave out --push, --merge-requests and --env")
    if choices.role and not choices.image:
        raise UsageError("--role is for --image", hint="Add --image, or leave out --role.")
    if choices.merge_requests and choices.platform != "gitlab":
        raise UsageError("--merge-requests is for gitlab", hint="On GitHub, pull requests are always checked.")
    if choices.token and not choices.push:
        raise UsageError("--token is for --push", hint="Add --push, or leave out --token.")
    for name in choices.secrets:
        if not re.fullmatch(_NAME, name):
            hint = "Write for example --secret REGISTRY_TOKEN, and store the value on the platform."
            raise UsageError("--secret takes the name of a secret, in capitals, not its value", hint=hint)
    if choices.token and not re.fullmatch(_NAME, choices.token):
        raise UsageError("--token takes the name of a secret, in capitals, not the token", hint="E.g. WURZEL_TOKEN.")


def _expressions(choices: Choices) -> dict[str, str]:
    """Expressions for GitHub; none of them is ever used inside a script, where its value would be code."""
    token = f"secrets.{choices.token}" if choices.token else "github.token"
    return {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "changed": "${{ steps.render.outputs.changed }}",
        "token": f"${{{{ {token} }}}}",
        "patch": "${{ runner.temp }}/wurzel",
        "if_check": f"github.event_name == 'push' && github.event.head_commit.message == '{MESSAGE}' ||"
        " github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != github.repository",
        "if_push": f"github.event_name == 'push' && github.event.head_commit.message != '{MESSAGE}'",
        "if_main": "github.event_name == 'push' || github.ref_name == github.event.repository.default_branch",
        "if_changed": "needs.render.outputs.changed == 'true'",
        "image": "${{ steps.push.outputs.image }}",
        "github_token": "${{ github.token }}",
        "registry_user": "${{ secrets.REGISTRY_USER }}",
        "registry_password": "${{ secrets.REGISTRY_PASSWORD }}",
        "if_patch": "steps.render.outputs.changed == 'true'",
    }
