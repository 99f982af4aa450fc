"""What the kubelet does with the containers of a pod, without a cluster: variables, mounts, and running them.

This stands in for Kubernetes; it is not Kubernetes. A runner runs each container, as a process or in docker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from wurzel.named_tuples import NamedTuple

Object = dict[str, Any]
"""A part of a manifest."""


class Done(NamedTuple):
    """What came of a container."""

    code: int
    output: str


class Runner(Protocol):
    """Runs one container; `mounts` has the folder behind each mount path, `security` the two contexts merged."""

    def run(self, container: Object, env: Mapping[str, str], mounts: Mapping[str, Path], security: Object) -> Done:
        """Its exit code and output."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` by the value of a variable and `$$` by `$` (k8s.io/kubernetes/third_party/forked/golang/expansion)."""
    out, at = "", 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "$$":
            out, at = out + "$", at + 2
        elif two == "$(" and ")" in text[at + 2 :]:
            end = text.index(")", at)
            name = text[at + 2 : end]
            out, at = out + env.get(name, f"$({name})"), end + 1
        elif two.startswith("$"):
            out, at = out + two, at + 2
        else:
            out, at = out + text[at], at + 1
    return out


def words_of(container: Object, env: Mapping[str, str]) -> list[str]:
    """Program and arguments of a container."""
    return [expand(word, env) for word in [*container["command"], *container.get("args", [])]]


def environment(container: Object, secrets: Mapping[tuple[str, str], str], fields: Mapping[str, str]) -> dict[str, str]:
    """The variables of a container; `secrets` by (name, key), `fields` by path of the downward API."""
    env: dict[str, str] = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if "secretKeyRef" in source:
            env[variable["name"]] = secrets[source["secretKeyRef"]["name"], source["secretKeyRef"]["key"]]
        elif "fieldRef" in source:
            env[variable["name"]] = fields[source["fieldRef"]["fieldPath"]]
        else:
            env[variable["name"]] = expand(variable.get("value", ""), env)
    return env


@dataclass
class Pod:
    """A pod: its volumes are folders below `root`, and persistent ones below `claims`."""

    spec: Object
    root: Path
    claims: Path
    runner: Runner
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    def volume(self, name: str) -> Path:
        """The folder of a volume, with what is projected into it."""
        (found,) = [volume for volume in self.spec["volumes"] if volume["name"] == name]
        claim = found.get("persistentVolumeClaim")
        folder = self.claims / claim["claimName"] if claim else self.root / name
        make_writable(folder)
        for item in found.get("downwardAPI", {}).get("items", []):
            (folder / item["path"]).write_text(self.fields[item["fieldRef"]["fieldPath"]], encoding="utf-8")
        for file, text in self.config_maps.get(found.get("configMap", {}).get("name"), {}).items():
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    def mounts(self, container: Object) -> dict[str, Path]:
        """Mount path to folder."""
        found = {}
        for mount in container["volumeMounts"]:
            folder = self.volume(mount["name"])
            if mount.get("subPath"):
                folder /= mount["subPath"]
                make_writable(folder)
            found[mount["mountPath"]] = folder
        return found

    def run(self, container: Object) -> Done:
        """What came of one container."""
        env = environment(container, self.secrets, self.fields)
        security = {**self.spec.get("securityContext", {}), **container.get("securityContext", {})}
        return self.runner.run(container, env, self.mounts(container), security)

    def run_all(self) -> Done:
        """Init containers one after the other, then the one container; stops at the first failure."""
        done = Done(0, "")
        for container in [*self.spec.get("initContainers", []), *self.spec["containers"]]:
            done = self.run(container)
            if done.code:
                break
        return done


def make_writable(folder: Path) -> None:
    """An emptyDir: anyone can write to it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
