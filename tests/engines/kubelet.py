"""What the kubelet does with a container of a pod, without a cluster: variables, mounts, and running it.

This stands in for Kubernetes in tests; it is no Kubernetes. Containers run as plain processes or in docker.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

CONFIG = "/etc/wurzel"
"""Where a container finds the pipeline that it runs as a whole."""


class Done(NamedTuple):
    code: int
    output: str


def expand(text, env):
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


def environment(container, secrets, fields):
    """The variables of a container; `secrets` by (name, key), `fields` by path of the downward API."""
    env = {}
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
class Processes:
    """Runs containers as processes in a project folder.

    `mount` is a mount at its real path; in arguments, the paths of other mounts give way to the folders behind them.
    """

    project: Path
    mount: Path

    def run(self, container, env, mounts, _security):
        source = mounts[str(self.mount)]
        if self.mount.is_symlink() or self.mount.exists():
            self.mount.unlink()
        self.mount.symlink_to(source)
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        words = [expand(word, env) for word in [*container["command"], *container.get("args", [])]]
        for path, folder in mounts.items():
            words = [word.replace(f"{path}/", f"{folder}/") if path == CONFIG else word for word in words]
        words = [re.sub(r"(^|=)/tmp/([^/]+)$", rf"\1{mounts['/tmp']}/\2", word) for word in words]
        done = subprocess.run(
            words,
            cwd=self.project,
            env={"PATH": programs, "LANG": "C.UTF-8", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout)


@dataclass
class Pod:
    """A pod: its volumes are folders below `root`, and persistent ones below `claims`."""

    spec: dict
    root: Path
    claims: Path
    runner: object
    secrets: dict = field(default_factory=dict)
    config_maps: dict = field(default_factory=dict)
    fields: dict = field(default_factory=dict)

    def volume(self, name):
        (found,) = [volume for volume in self.spec["volumes"] if volume["name"] == name]
        claim = found.get("persistentVolumeClaim")
        folder = self.claims / claim["claimName"] if claim else self.root / name
        make_writable(folder)
        for item in found.get("downwardAPI", {}).get("items", []):
            (folder / item["path"]).write_text(self.fields[item["fieldRef"]["fieldPath"]], encoding="utf-8")
        for file, text in self.config_maps.get(found.get("configMap", {}).get("name"), {}).items():
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    def mounts(self, container):
        """Mount path to folder."""
        found = {}
        for mount in container["volumeMounts"]:
            folder = self.volume(mount["name"])
            if mount.get("subPath"):
                folder /= mount["subPath"]
                make_writable(folder)
            found[mount["mountPath"]] = folder
        return found

    def run(self, container):
        env = environment(container, self.secrets, self.fields)
        security = {**self.spec.get("securityContext", {}), **container.get("securityContext", {})}
        return self.runner.run(container, env, self.mounts(container), security)

    def run_all(self):
        """Init containers one after the other, then the one container; stops at the first failure."""
        done = Done(0, "")
        for container in [*self.spec.get("initContainers", []), *self.spec["containers"]]:
            done = self.run(container)
            if done.code:
                break
        return done


def make_writable(folder):
    """An emptyDir: anyone can write to it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
