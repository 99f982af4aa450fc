"""A Kubernetes cluster by its kubeconfig: kubectl, in a new namespace that is removed at the end."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from wurzel.engines.driver import Case, Driver, Outcome
from wurzel.engines.process import EngineFailed, Finished, finished, not_found, program_of

KUBECTL = ("cluster", "kubectl")
"""Engine and program."""
AT_ONCE = 6
"""Cases that are run side by side: a controller waits most of the time."""
TOO_LONG = "takes too long"
NO_IMAGE = {"ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"}
"""Why a pod waits for an image that it will hardly get."""
_HARMLESS = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_READER = 3600
"""Seconds that a pod may take in which a claim is read."""


class Cluster:
    """kubectl in a namespace that exists as long as this is used as a context."""

    def __init__(
        self, seconds: float = 600, *, config: str = "", namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> None:
        """The cluster of a kubeconfig, or of `KUBECONFIG`.

        Args:
            seconds: longest time for a run.
            config: path of the kubeconfig.
            namespace: a name for the namespace; a new one if empty.
            labels: of the namespace, such as those for Pod Security.
        """
        self.seconds = seconds
        self.config = config or os.environ.get("KUBECONFIG", "")
        self.namespace = namespace or f"wurzel-prove-{uuid.uuid4().hex[:8]}"
        self.labels = dict(labels or {})
        self._applying = threading.Lock()  # cases side by side apply some of the same objects

    def __enter__(self) -> Self:
        """Nothing is made before something is run."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the namespace, if it was made."""
        if self.__dict__.get("missing") == "":
            self.kubectl("delete", "namespace", self.namespace, "--wait=false", check=False)

    @cached_property
    def missing(self) -> str:
        """Why nothing can be run on it; '' if something can. Makes the namespace."""
        if not self.config:
            return "there is no cluster: set KUBECONFIG"
        if missing := not_found(*KUBECTL, "https://kubernetes.io/docs/tasks/tools/"):
            return missing
        if (done := self.kubectl("get", "--raw=/readyz", check=False)).returncode:
            return f"the cluster of KUBECONFIG does not answer: {done.stderr.strip()}"
        phase = self.kubectl("get", "namespace", self.namespace, "-o", "jsonpath={.status.phase}", check=False).stdout
        if phase == "Terminating":  # by a run that has just ended
            self.kubectl("wait", "--for=delete", f"namespace/{self.namespace}", "--timeout=180s")
        namespace = {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": self.labels}
        }  # fmt: skip
        try:
            self.apply(namespace)
        except EngineFailed as error:
            return f"a namespace cannot be made: {error.message.strip()}"
        return ""

    @cached_property
    def version(self) -> str:
        """Versions of the server and of what runs containers on its first node."""
        server = self.read("version")["serverVersion"]["gitVersion"]
        node = self.read("get", "nodes")["items"][0]["status"]["nodeInfo"]
        return f"Kubernetes {server}, kubelet {node['kubeletVersion']}, {node['containerRuntimeVersion']}"

    def has(self, definition: str) -> bool:
        """Whether it knows a kind of object, by the name of its definition."""
        return self.kubectl("get", "crd", definition, check=False).returncode == 0

    def kubectl(self, *arguments: str | Path, check: bool = True) -> Finished:
        """The finished kubectl."""
        words = [program_of(*KUBECTL), "--kubeconfig", self.config, "--namespace", self.namespace, *arguments]
        return finished(words, Path.cwd(), os.environ, check=check)

    def read(self, *arguments: str) -> Any:
        """What kubectl gives as JSON."""
        return json.loads(self.kubectl(*arguments, "-o", "json").stdout)

    def apply(self, *objects: Mapping[str, Any], verb: str = "apply") -> list[str]:
        """Apply objects, or `create` them; their names, each with its kind."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{number}.json") for number in range(len(objects))]
            for file, content in zip(files, objects, strict=True):
                file.write_text(json.dumps(content), encoding="utf-8")
            with self._applying:
                return self.send(*files, verb=verb)

    def send(self, *files: Path, verb: str = "create") -> list[str]:
        """Create the objects of files as they are; their names, each with its kind.

        Unknown fields are errors, as `fieldValidation=Strict` makes them.
        """
        named = [f"--filename={file}" for file in files]
        return self.kubectl(verb, "--validate=strict", "--output=name", *named).stdout.split()

    def wait(self, state: Callable[[], str], selector: str) -> int | str:
        """0 once `state` gives `done`; otherwise `failed`, or why the pods of a selector do not end."""
        started = time.monotonic()
        while not (said := state() or self._refused(selector)):
            taken = time.monotonic() - started
            if taken > self.seconds:
                return TOO_LONG
            time.sleep(1 + min(taken / 20, 4))  # kubectl starts twice for each look, which takes CPU from the pods
        return 0 if said == "done" else said

    def _refused(self, selector: str) -> str:
        """The image that a pod waits for in vain, or ''."""
        for pod in self.read("get", "pods", f"--selector={selector}")["items"]:
            status = pod.get("status", {})
            for one in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
                if one["state"].get("waiting", {}).get("reason") in NO_IMAGE:
                    return f"{one['image']} cannot be pulled"
        return ""

    def job_state(self, name: str) -> str:
        """`done` or `failed`, or '' while a Job runs."""
        conditions = self.read("get", "job", name).get("status", {}).get("conditions", [])
        kinds = {item["type"] for item in conditions if item["status"] == "True"}
        return "done" if "Complete" in kinds else "failed" if "Failed" in kinds else ""

    def workflow_state(self, name: str) -> str:
        """`done` or `failed`, or '' while a Workflow runs."""
        phase = self.kubectl("get", name, "-o", "jsonpath={.status.phase}").stdout
        return {"Succeeded": "done", "Failed": "failed", "Error": "failed"}.get(phase, "")

    def log(self, selector: str) -> str:
        """What there is to see of pods: their containers' last lines, events, and how the cluster describes them."""
        tail = ("logs", f"--selector={selector}", "--all-containers", "--prefix", "--tail=20", "--ignore-errors")
        events = self.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False).stdout[-1500:]
        pods = self.kubectl("describe", "pods", f"--selector={selector}", check=False).stdout[-1500:]
        return events + pods + self.kubectl(*tail, check=False).stdout[-3000:]

    def files(self, claim: str, path: str, folder: Path, image: str) -> Path:
        """The files below a path on a claim, in a folder here, by a pod of an image that has `tar`."""
        name = f"read-{claim}"
        container = {
            "name": "read", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sleep", str(_READER)],
            "securityContext": _HARMLESS, "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }  # fmt: skip
        spec = {
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
            "restartPolicy": "Never",
        }
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=180s")
        packed = '[ ! -d "$0" ] || tar -C "$0" -c . | base64'
        written = base64.b64decode(self.kubectl("exec", name, "--", "sh", "-c", packed, f"/data/{path}").stdout)
        self.kubectl("delete", "pod", name, "--wait=false", "--grace-period=1")
        if written:
            with tarfile.open(fileobj=io.BytesIO(written)) as content:
                content.extractall(folder, filter="data")
        return folder


class OnCluster(Driver):
    """What the drivers of a cluster share: they run a case by the real controllers, in the images that it names."""

    waits = True

    def __init__(self, cluster: Cluster, sets: Sequence[str] = ()) -> None:
        """`sets` are more fields that each case gets."""
        self.cluster = cluster
        self.sets = tuple(sets)

    def missing(self) -> str:
        """Whether there is a cluster."""
        return self.cluster.missing

    def version(self) -> str:
        """Versions of the cluster."""
        return self.cluster.version

    def run_all(self, cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
        """Side by side."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = pool.map(lambda case: super(OnCluster, self).run_all([case], folder), cases)
            return {label: outcome for found in outcomes for label, outcome in found.items()}

    def settings(self, case: Case, *more: str) -> tuple[list[str], str, str]:
        """Fields to set for a case, a name for its objects, and a note on what is set."""
        name = f"{case.label}-{uuid.uuid4().hex[:6]}"
        sets, note = case.adapted(self.target)
        own = [f"targets.{self.target}.name={name}", f"targets.{self.target}.namespace=null", *more]
        return [*self.sets, *sets, *own], name, note
