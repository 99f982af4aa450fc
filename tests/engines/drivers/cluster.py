"""A real cluster, given by KUBECONFIG and IMAGE: rendered CronJobs and Workflows in a namespace of our own.

It never makes a cluster. The namespace enforces the "restricted" Pod Security Standard and is removed at the end.
Needed: kubectl, a default storage class, and an image of the folder that `conformance.py --context DIR` writes, where
the cluster can get it. A Workflow is run where Argo's CRDs are; its controller must watch the namespace.
"""

import base64
import io
import os
import shutil
import subprocess
import tarfile
import time
from functools import cached_property

import yaml

from tests.engines.drivers.argo import MOUNTED
from tests.engines.drivers.cronjob import note
from wurzel.engines.driver import Driver, Outcome, collected

NAMESPACE = "wurzel-conformance"
SECONDS = 300
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "workflow-executor"},
    "rules": [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "workflow-executor"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "workflow-executor"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
}


class Cluster:
    """kubectl in a namespace of our own; `kind` says what it is made of, for the page."""

    def __init__(self, image, kind=""):
        self.image = image
        self.kind = kind

    @cached_property
    def missing(self):
        """Why nothing can be run on it; '' when it can. Makes the namespace."""
        if not os.environ.get("KUBECONFIG"):
            return "no cluster was given: `make conformance KUBECONFIG=… IMAGE=…`"
        if shutil.which("kubectl") is None:
            return "kubectl is not on the path"
        if self.kubectl("get", "--raw=/readyz", check=False).returncode:
            return "the cluster of KUBECONFIG cannot be reached"
        if not self.image:
            return "no image was given: IMAGE=…; `conformance.py --context DIR` writes what to build it of"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
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
            self.kubectl("delete", "namespace", NAMESPACE, "--wait=false", check=False)

    def kubectl(self, *arguments, stdin=None, check=True, text=True):
        done = subprocess.run(
            ["kubectl", "--namespace", NAMESPACE, *arguments],
            input=stdin, capture_output=True, text=text, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def apply(self, *manifests, create=False):
        """The names of the objects; unknown fields are errors, as `fieldValidation=Strict` makes them."""
        text = yaml.safe_dump_all(manifests)
        verb = "create" if create else "apply"
        return self.kubectl(verb, "--validate=strict", "-o", "name", "-f", "-", stdin=text).stdout.split()

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
        self.how = "applied with strict validation, started by `kubectl create job --from`, in a restricted namespace"

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
    """Submits the Workflow on a claim that its pods share."""

    target = "argo"
    name = "Argo, cluster"
    executor = "Argo"
    how = "created with strict validation, run by the cluster's own controller on a claim, in a restricted namespace"

    def missing(self):
        return self.cluster.missing or ("" if self.cluster.has_argo() else "Argo's CRDs are not on the cluster")

    def version(self):
        """The image of Argo's executor, which has the controller's version, in front; pods are gone by then."""
        return f"{self.executor}, {self.cluster.version}"

    def run(self, case, folder):
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{case.label}-argo"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
        }
        self.cluster.apply(claim, ROLE, BINDING)
        sets = [
            f"targets.argo.artifacts={{volume: {{name: {case.label}-argo, per_run: false}}}}",
            f"targets.argo.name={case.label}", "targets.argo.image_pull_policy=IfNotPresent",
        ]  # fmt: skip
        manifests = self.manifests(case, case.project(folder / "project"), "argo", *sets)
        (created,) = self.cluster.apply(*manifests, create=True)
        code, log = self.cluster.wait(lambda: self.cluster.workflow_state(created))
        images = self.cluster.kubectl(
            "get", "pods", "-o", "jsonpath={.items[*].spec.initContainers[?(@.name=='init')].image}"
        )
        self.executor = images.stdout.split()[0] if images.stdout else self.executor
        data = self.cluster.files(f"{case.label}-argo", f"{case.label}/{case.data_dir}", folder / "data")
        return Outcome(code, collected(data), log)
