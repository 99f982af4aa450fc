"""The CI file that builds the project's image and pushes it, with the platform's own identity where it has one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wurzel.backends.ci.home import PIP
from wurzel.backends.ci.shell import RUNNERS
from wurzel.backends.gitlab.place import image_for
from wurzel.drift.workflow import common_context, signed
from wurzel.exceptions import UsageError

if TYPE_CHECKING:
    from wurzel.backends.ci.home import Home
    from wurzel.drift.workflow import Choices
    from wurzel.project.requires import Requires
    from wurzel.render import Renderer
    from wurzel.render.output import File

BUILD_SECRETS = {"PIP_CONF": "pip", "NETRC": "netrc"}
"""Names of secrets with the contents of a file, and the id by which the Dockerfile mounts it."""
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def image_file(
    choices: Choices, renderer: Renderer, home: Home, variables: Mapping[str, Any], image: str, requires: Requires
) -> File:
    """The file to write, with our header, and its path below the top of the repository.

    `image` is what is pushed, `requires` the wurzel that builds it; packages of the project are installed in the image
    alone. Raises `UsageError` when options do not fit the image.
    """
    setup, install = home.setup, home.install
    if choices.install or requires.text:
        setup, install = "pip", choices.install or f"{PIP} {shlex.quote(requires.text)}"
    registry = registry_of(image)
    words = [*RUNNERS.get(setup, ()), *choices.wurzel, "image"]
    context = common_context(choices, home, variables) | {
        "image": image_for(setup, choices.python or home.python),
        "setup": setup,
        "install": install,
        "secrets": {},
        "build_secrets": _build_secrets(choices),
        "check": shlex.join([*words, "--check"]),
        "push": shlex.join([*words, "--push"]),
        "registry": registry,
        **_login(choices, registry),
    }
    return signed(choices, renderer, home, context)


def registry_of(image: str) -> str:
    """The registry of an image, as `docker login` names it."""
    first, slash, _ = image.partition("/")
    return first if slash and (set(".:") & set(first) or first == "localhost") else "docker.io"


def _login(choices: Choices, registry: str) -> dict[str, str]:
    """How a job proves who it is: by the platform's own token, an identity that AWS trusts, or a password."""
    aws = _ECR.fullmatch(registry)
    if aws and not choices.role:
        hint = "Write: --role arn:aws:iam::ACCOUNT:role/NAME, of a role that trusts this repository."
        raise UsageError(f"pushing to {registry} needs a role of AWS, and --role is missing", hint=hint)
    if choices.role and not aws:
        message = f"--role is for a registry of AWS, and the image is pushed to {registry}"
        raise UsageError(message, hint="Leave out --role.")
    if aws:
        return {"login": "aws", "region": aws["region"], "role": choices.role}
    is_github = choices.platform == "github" and registry == "ghcr.io"
    return {"login": "github" if is_github else "password", "region": "", "role": ""}


def _build_secrets(choices: Choices) -> dict[str, dict[str, str]]:
    unknown = [name for name in choices.secrets if name not in BUILD_SECRETS]
    if unknown:
        hint = f"With --image, a secret is the contents of a file for the build: {', '.join(BUILD_SECRETS)}."
        raise UsageError(f"--secret {unknown[0]}: the Dockerfile has no secret for that", hint=hint)
    return {
        name: {"id": BUILD_SECRETS[name], "value": f"${{{{ secrets.{name} }}}}"}
        for name in dict.fromkeys(choices.secrets)
    }
