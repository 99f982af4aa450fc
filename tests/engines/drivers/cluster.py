"""A real cluster: rendered CronJobs and Workflows in a namespace of our own.

It is that of `make cluster`, or given by KUBECONFIG and IMAGE. The namespace enforces the "restricted" Pod Security
Standard and is removed at the end. Needed: kubectl, a default storage class, and an image of the folder that
`conformance.py --context DIR` writes, where the cluster can get it. A Workflow is run where Argo's CRDs are; its
controller must watch the namespace.
"""

import base64
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property

import yaml

from tests.engines.cluster.build import BIN
from tests.engines.cluster.image import load_image
from tests.engines.cluster.node import KUBECONFIG, SERVER
from tests.engines.drivers.argo import MOUNTED, REMEMBERED, mount, unpack
from tests.engines.drivers.cronjob import note
from tests.engines.drivers.object_stores import missing, serving
from wurzel.engines.driver import Driver, Outcome, collected

NAMESPACE = "wurzel-conformance"
SECONDS = 600
AT_ONCE = 6
"""Cases that are run side by side: a controller waits most of the time."""
WHERE = f"in a restricted namespace, {AT_ONCE} cases at a time"
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "workflow-executor"},
    "rules": [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
        {"apiGroups": ["argoproj.io"], "resources": ["workflowartifactgctasks"], "verbs": ["list", "watch"]},
        {"apiGroups": ["argoproj.io"], "resources": ["workflowartifactgctasks/status"], "verbs": ["patch"]},
    ],
}


class Cluster:
    """kubectl in a namespace of our own; `kind` says what it is made of, for the page."""

    bucket = None
    """A server of S3 that pods can reach."""

    def __init__(self, image, kind="", config="", program="kubectl", namespace=NAMESPACE):
        self.image = image
        self.namespace = namespace
        self.kind = kind
        self.config = config or os.environ.get("KUBECONFIG", "")
        self.program = program
        self.applying = threading.Lock()

    @classmethod
    @contextmanager
    def local(cls, project, folder, namespace=NAMESPACE):
        """That of `make cluster`, with an image of the files of a project, and a bucket in a folder."""
        image = f"localhost/{namespace}:1"
        load_image(image, project)
        cluster = cls(image, "one node, by `make cluster`", str(KUBECONFIG), str(BIN / "kubectl"), namespace)
        with ExitStack() as stack:
            if not missing("versitygw"):
                cluster.bucket = stack.enter_context(serving("versitygw", folder, SERVER))
            try:
                yield cluster
            finally:
                cluster.close()

    @property
    def binding(self):
        """Gives the account of its pods the role."""
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "workflow-executor"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "workflow-executor"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": self.namespace}],
        }

    @cached_property
    def missing(self):
        """Why nothing can be run on it; '' when it can. Makes the namespace."""
        if not self.config:
            return "there is no cluster: `make cluster`, or `make conformance KUBECONFIG=… IMAGE=…`"
        if shutil.which(self.program) is None:
            return "kubectl is not on the path"
        if self.kubectl("get", "--raw=/readyz", check=False).returncode:
            return "the cluster of KUBECONFIG cannot be reached"
        if not self.image:
            return "no image was given: IMAGE=…; `conformance.py --context DIR` writes what to build it of"
        phase = self.kubectl("get", "namespace", self.namespace, "-o", "jsonpath={.status.phase}", check=False).stdout
        if phase == "Terminating":  # by a run that has just ended
            self.kubectl("wait", "--for=delete", f"namespace/{self.namespace}", "--timeout=180s")
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels}})
        return ""

    @cached_property
    def version(self):
        """Versions of the server and of what runs containers on its first node."""
        found = yaml.safe_load(self.kubectl("version", "-o", "yaml").stdout)
        node = yaml.safe_load(self.kubectl("get", "nodes", "-o", "yaml").stdout)["items"][0]["status"]["nodeInfo"]
        runner = f"kubelet {node['kubeletVersion']}, {node['containerRuntimeVersion']}"
        said = f"Kubernetes {found['serverVersion']['gitVersion']}, {runner}"
        return f"{said}; {self.kind}" if self.kind else said

    def has_argo(self):
        return self.kubectl("get", "crd", "workflows.argoproj.io", check=False).returncode == 0

    def close(self):
        """Remove the namespace, if it was made."""
        if self.__dict__.get("missing") == "":
            self.kubectl("delete", "namespace", self.namespace, "--wait=false", check=False)

    def kubectl(self, *arguments, stdin=None, check=True, text=True):
        done = subprocess.run(
            [self.program, "--kubeconfig", self.config, "--namespace", self.namespace, *arguments],
            input=stdin, capture_output=True, text=text, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def apply(self, *manifests, create=False):
        """The names of the objects; unknown fields are errors, as `fieldValidation=Strict` makes them."""
        text = yaml.safe_dump_all(manifests)
        words = ["create" if create else "apply", "--validate=strict", "-o", "name", "-f", "-"]
        with nullcontext() if create else self.applying:  # cases side by side apply some of the same objects
            return self.kubectl(*words, stdin=text).stdout.split()

    def wait(self, state):
        """`done`, `failed`, or `takes too long`, and then what there is to see."""
        deadline = time.monotonic() + SECONDS
        while not (found := state()):
            if time.monotonic() > deadline:
                found = "takes too long"
                break
            time.sleep(1)
        if found == "done":
            return 0, ""
        events = self.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False).stdout[-2000:]
        return found, events + self.kubectl("describe", "pods", check=False).stdout[-3000:]

    def job_state(self, name):
        status = yaml.safe_load(self.kubectl("get", "job", name, "-o", "yaml").stdout).get("status", {})
        kinds = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
        return "done" if "Complete" in kinds else "failed" if "Failed" in kinds else ""

    def workflow_state(self, name):
        phase = self.kubectl("get", name, "-o", "jsonpath={.status.phase}").stdout
        return {"Succeeded": "done", "Failed": "failed", "Error": "failed"}.get(phase, "")

    def status(self, name):
        """What the controller knows of a workflow."""
        return json.loads(self.kubectl("get", name, "-o", "json").stdout)["status"]

    def pods(self, name):
        """What it knows of each pod of a workflow."""
        return [node for node in self.status(name)["nodes"].values() if node["type"] == "Pod"]

    def files(self, claim, path, folder):
        """The files below a path on a claim, in a folder here; a pod writes them to its log, which needs no `exec`."""
        reader = f"read-{claim}"
        container = {
            "name": "read",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", 'tar -C "$0" -c . | base64', f"/data/{path}"],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        spec = {"containers": [container], "securityContext": security, "volumes": [volume], "restartPolicy": "Never"}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": reader}, "spec": spec})
        self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{reader}", "--timeout=120s")
        written = base64.b64decode(self.kubectl("logs", reader).stdout)
        self.kubectl("delete", "pod", reader, "--wait=false", "--grace-period=1")
        with tarfile.open(fileobj=io.BytesIO(written)) as archive:
            archive.extractall(folder, filter="data")
        return folder


class OnCluster(Driver):
    """What the drivers of a cluster share."""

    def __init__(self, cluster):
        self.cluster = cluster

    def missing(self):
        return self.cluster.missing

    def version(self):
        return self.cluster.version

    def run_all(self, cases, folder):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = pool.map(lambda case: super(OnCluster, self).run_all([case], folder), cases)
            return {label: outcome for found in outcomes for label, outcome in found.items()}

    def manifests(self, case, project, target, *sets):
        marker = [MOUNTED] if case.example == "flaky" else []
        text = case.rendered(project, target, f"image={self.cluster.image}", *sets, *marker)
        return list(yaml.safe_load_all(text))


class ClusterCronJob(OnCluster):
    """Applies the CronJob, starts a job from it by hand, and reads its claim."""

    target = "cronjob"

    def __init__(self, cluster, mode):
        super().__init__(cluster)
        self.mode = mode
        self.name = f"CronJob, {mode}, cluster"
        self.how = f"applied with strict validation, started by `kubectl create job --from`, {WHERE}"

    def run(self, case, folder):
        name = f"{case.label}-{self.mode}"
        sets = [
            'schedule={cron: "0 4 * * *", timezone: UTC}', f"targets.cronjob.layout={self.mode}",
            f"targets.cronjob.name={name}", "targets.cronjob.data={claim: {size: 100Mi}}",
            "targets.cronjob.image_pull_policy=IfNotPresent",
        ]  # fmt: skip
        self.cluster.apply(*self.manifests(case, case.project(folder / "project"), "cronjob", *sets))
        self.cluster.kubectl("create", "job", f"--from=cronjob/{name}", name)
        code, log = self.cluster.wait(lambda: self.cluster.job_state(name))
        data = self.cluster.files(f"{name}-data", f"{name}/{case.data_dir}", folder / "data")
        return Outcome(code, collected(data), log, note(case, self.mode), stops_early=self.mode == "steps")


class ClusterWorkflow(OnCluster):
    """Submits the Workflow, on a claim that its pods share or with a bucket for what they hand over."""

    target = "argo"
    executor = "Argo"

    def __init__(self, cluster, data="claim", layout="steps"):
        super().__init__(cluster)
        self.data = data
        self.layout = layout
        self.name = f"Argo, {data}, {layout}, cluster"
        place = {"s3": "artifacts in versitygw, an S3 server on the node", "claim": "data on a claim"}[data]
        self.how = f"created with strict validation, run by the cluster's own controller, {WHERE}; {place}"

    @property
    def bucket(self):
        return self.cluster.bucket if self.data == "s3" else None

    def missing(self):
        if reason := self.cluster.missing:
            return reason
        if not self.cluster.has_argo():
            return "Argo's CRDs are not on the cluster"
        return "" if self.bucket or self.data != "s3" else "its bucket is served on the node that `make cluster` makes"

    def version(self):
        """The image of Argo's executor, which has the controller's version, in front; pods are gone by then."""
        return f"{self.executor}, {self.cluster.version}"

    def run(self, case, folder):
        name = f"{case.label}-{self.data}-{self.layout}"
        bucket = None if case.example == "flaky" else self.bucket
        note = REMEMBERED if self.bucket and not bucket else ""
        place = bucket.artifacts if bucket else f"{{volume: {{name: {name}, per_run: false}}}}"
        sets = [
            f"targets.argo.artifacts={place}", f"targets.argo.name={name}", f"targets.argo.layout={self.layout}",
            "targets.argo.image_pull_policy=IfNotPresent",
        ]  # fmt: skip
        self.cluster.apply(bucket.secret if bucket else claim(name), ROLE, self.cluster.binding)
        (manifest,) = self.manifests(case, case.project(folder / "project"), "argo", *sets)
        (created,) = self.cluster.apply(manifest, create=True)
        code, log = self.cluster.wait(lambda: self.cluster.workflow_state(created))
        images = self.cluster.kubectl(
            "get", "pods", "-o", "jsonpath={.items[*].spec.initContainers[?(@.name=='init')].image}"
        )
        self.executor = images.stdout.split()[0] if images.stdout else self.executor
        if bucket:
            root = f"{mount(manifest['spec'])}/{case.data_dir}/"
            handed_over(self.cluster.pods(created), bucket.folder, root, folder / "data")
        else:
            self.cluster.files(name, f"{name}/{case.data_dir}", folder / "data")
        return Outcome(code, collected(folder / "data"), log, note)


def claim(name):
    """A volume for one workflow, that its pods share."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def handed_over(pods, bucket, root, folder):
    """Put the artifacts of a workflow's pods below a folder, as they were below `root` in the pods."""
    for pod in pods:
        for artifact in pod.get("outputs", {}).get("artifacts", []):
            if artifact.get("path", "").startswith(root) and artifact["name"] != "last":
                unpack(bucket / artifact["s3"]["key"], folder / artifact["path"].removeprefix(root))
