"""Docker: a container of a pod, as restricted as its manifest says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wurzel.engines.pod import Done, Object, words_of
from wurzel.engines.process import Finished, finished, not_found, program_of


class Docker:
    """The docker of this machine, or that of `options`."""

    def __init__(self, *options: str) -> None:
        """`options` precede each command, such as `-H` and a socket."""
        self.options = options

    def missing(self) -> str:
        """Why no container can be run; '' if one can."""
        if missing := not_found("docker", "docker", "apt-get install docker.io"):
            return missing
        done = self("version", check=False)
        return f"docker does not answer: {done.stderr.strip()}" if done.returncode else ""

    def version(self) -> str:
        """That of its daemon."""
        return f"docker {self('version', '--format={{.Server.Version}}').stdout.strip()}"

    def __call__(self, *arguments: str, check: bool = True, seconds: float | None = None) -> Finished:
        """The finished command."""
        words: list[str | Path] = [program_of("docker", "docker"), *self.options, *arguments]
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        return finished(words, Path.cwd(), environment, seconds=seconds, check=check)


@dataclass(frozen=True)
class Containers:
    """Runs containers in docker with the restrictions that the manifest asks for."""

    docker: Docker
    image: str = ""
    """The image of all containers, in place of the one that each names."""
    options: Sequence[str] = ()
    """More arguments of `docker run`."""
    seconds: float | None = None
    """Longest time for a container."""

    def command(
        self, container: Object, env: Mapping[str, str], mounts: Mapping[str, Path], security: Object
    ) -> list[str]:
        """The arguments of `docker run`."""
        arguments = list(self.options)
        if (user := security.get("runAsUser")) is not None:
            group = security.get("runAsGroup")
            arguments.append(f"--user={user}" if group is None else f"--user={user}:{group}")
        if security.get("readOnlyRootFilesystem"):
            arguments.append("--read-only")
        if security.get("allowPrivilegeEscalation") is False:
            arguments.append("--security-opt=no-new-privileges")
        arguments += [f"--cap-drop={name}" for name in security.get("capabilities", {}).get("drop", [])]
        for path, folder in mounts.items():
            arguments.append(f"--mount=type=bind,source={folder},target={path}")
        for name, value in env.items():
            arguments.append(f"--env={name}={value}")
        first, *rest = words_of(container, env)
        return [*arguments, f"--entrypoint={first}", self.image or container["image"], *rest]

    def run(self, container: Object, env: Mapping[str, str], mounts: Mapping[str, Path], security: Object) -> Done:
        """What came of a container, which is gone then."""
        words = self.command(container, env, mounts, security)
        done = self.docker("run", "--rm", *words, check=False, seconds=self.seconds)
        return Done(done.returncode, done.stdout + done.stderr)
