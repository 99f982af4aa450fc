"""Builds and pushes an image, with docker, podman or buildah, and pins its digest in wurzel.yaml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wurzel.exceptions import StepFailed, UsageError
from wurzel.project.edit import Place, edited
from wurzel.project.load import FILE

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.project.nodes import Node

Builder = Literal["docker", "podman", "buildah"]
BUILDERS: Sequence[Builder] = ("docker", "podman", "buildah")
_EPOCH = "0"
"""Time of all files, in seconds since 1970: with that of the build, no two images would be equal."""


def builder(name: Builder | None = None) -> Builder:
    """The program that builds: the one that is named, or the first one installed.

    Raises `UsageError` when it is not here, or is a docker without BuildKit, which secrets of a build need.
    """
    here = [one for one in ([name] if name else BUILDERS) if shutil.which(one)]
    if not here:
        hint = "Install one of them, or build with another program: the Dockerfile is an ordinary one."
        raise UsageError(f"there is no {name or ', '.join(BUILDERS)} here", hint=hint)
    usable = [one for one in here if one != "docker" or _call(["docker", "buildx", "version"]).returncode == 0]
    if not usable:
        raise UsageError("docker has no buildx here", hint="Install the plugin (docker-buildx), or podman or buildah.")
    return usable[0]


def build(program: Builder, folder: Path, name: str, options: Sequence[str] = ()) -> None:
    """Build an image from the Dockerfile in a folder; what the program prints goes to stderr.

    `options` are further words, such as `--secret`. Raises `StepFailed` when it cannot be built.
    """
    start = {
        # https://github.com/moby/buildkit/blob/master/docs/build-repro.md
        "docker": ["docker", "buildx", "build", f"--output=type=docker,name={name},rewrite-timestamp=true"],
        "podman": ["podman", "build", "--layers", f"--timestamp={_EPOCH}", "--tag", name],
        "buildah": ["buildah", "build", "--layers", f"--timestamp={_EPOCH}", "--tag", name],
    }[program]
    words = [*start, *options, str(folder)]
    done = subprocess.run(words, env={**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}, stdout=2, check=False)
    if done.returncode:
        raise StepFailed(f"{program} build exited with {done.returncode}", hint="Its output says why.")


def push(program: Builder, name: str) -> str:
    """Push an image; gives the name to run it by, with its digest. Raises `StepFailed` when it cannot be pushed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "digest")
        more = [] if program == "docker" else [f"--digestfile={file}"]
        done = subprocess.run([program, "push", *more, name], stdout=2, check=False)
        if done.returncode:
            raise StepFailed(f"{program} push exited with {done.returncode}", hint="Its output says why.")
        digest = file.read_text().strip() if file.exists() else _pushed(name)
    return f"{repository(name)}@{digest}"


def repository(name: str) -> str:
    """The name of an image without tag and digest."""
    name = name.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def _pushed(name: str) -> str:
    """The digest that docker has pushed an image with."""
    done = _call(["docker", "image", "inspect", name])
    digests = json.loads(done.stdout)[0].get("RepoDigests", []) if done.returncode == 0 else []
    for found in digests:
        if found.startswith(f"{repository(name)}@"):
            return str(found).partition("@")[2]
    raise StepFailed("was pushed, but docker does not say with which digest", where=name)


def _call(words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, capture_output=True, check=False)


def pinned_file(project: Project, image: str, environment: str | None) -> str:
    """The text of wurzel.yaml with `image`, a name with a digest, in place of every name of the same repository.

    What an environment gets is written to the environment, also where it stands for all of them. Raises `UsageError`
    when no pipeline names the image, or for an unknown environment; `ConfigError` when a place cannot be changed.
    """
    start: Place = ("environments", environment) if environment is not None else ()
    overrides = project.overrides(environment)
    found: dict[Place, str] = {}
    for name in project.names(environment):
        given: dict[Place, str] = {}
        for layer in filter(None, (project.pipelines[name], overrides.get(name))):
            given |= dict(_images(layer))
        same = [place for place, old in given.items() if repository(old) == repository(image)]
        found |= {(*start, "pipelines", name, *place): image for place in same}
    if not found:
        hint = f"Set it where steps run in it: image: {repository(image)}:TAG."
        raise UsageError(f"no pipeline has {repository(image)} as its `image`", where=project.file, hint=hint)
    return edited((project.root / FILE).read_bytes().decode(), found, FILE)


def _images(node: Node) -> Iterator[tuple[Place, str]]:
    """The images of a pipeline, its steps and targets."""
    for key, inner in node.fields.items():
        if key == "image" and isinstance(inner.value, str):
            yield (key,), inner.value
        yield from (((key, *place), text) for place, text in _images(inner))
