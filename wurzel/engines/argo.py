"""Argo Workflows on a cluster: the rendered Workflow, run by the cluster's own controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wurzel.engines.cluster import AT_ONCE, OnCluster
from wurzel.engines.driver import Case, Outcome, collected

DEFINITION = "workflows.argoproj.io"
KEPT = ("schedule=null", "targets.argo.workflow_template=false", "targets.argo.pod_gc=null")
"""What makes it one Workflow whose pods can be looked at when it is over."""
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


def binding(namespace: str) -> dict[str, Any]:
    """Gives the account of the pods of a namespace what Argo's executor needs."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "workflow-executor"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "workflow-executor"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }


class ClusterWorkflow(OnCluster):
    """Submits the Workflow, on a claim that its pods share."""

    target = "argo"
    name = "Argo, cluster"
    how = (
        "created with strict validation, run by the cluster's own controller,"
        f" {AT_ONCE} cases at a time; data on a claim"
    )
    executor = "Argo"

    def missing(self) -> str:
        """Whether there is a cluster with Argo."""
        if reason := self.cluster.missing:
            return reason
        return "" if self.cluster.has(DEFINITION) else "Argo's CRDs are not on the cluster"

    def version(self) -> str:
        """The image of Argo's executor, which has the controller's version, in front."""
        return f"{self.executor}, {self.cluster.version}"

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render, create, wait, read."""
        sets, name, note = self.settings(case, *KEPT)
        self.cluster.apply(ROLE, binding(self.cluster.namespace), *self.storage(name))
        files = self.rendered(
            case, case.project(folder / "project"), *sets, f"targets.argo.artifacts={self.place(name)}"
        )
        created = next(one for one in self.cluster.send(*reversed(files)) if one.startswith("workflow."))
        selector = f"workflows.argoproj.io/workflow={created.partition('/')[2]}"
        code = self.cluster.wait(lambda: self.cluster.workflow_state(created), selector)
        log = self.cluster.log(selector) if code else ""
        pods = self.cluster.read("get", "pods", f"--selector={selector}")["items"]
        if pods and code in {0, "failed"}:
            self.executor = next(one["image"] for one in pods[0]["spec"]["initContainers"] if one["name"] == "init")
            self.fetch(case, name, created, pods, folder / "data")
        return Outcome(code, collected(folder / "data"), log, note)

    def storage(self, name: str) -> list[dict[str, Any]]:
        """Objects that the data of a workflow needs."""
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        return [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}]

    def place(self, name: str) -> str:
        """The option `artifacts`."""
        return f"{{volume: {{name: {name}, per_run: false}}}}"

    def fetch(self, case: Case, name: str, created: str, pods: list[Any], folder: Path) -> None:
        """The datasets, in a folder here."""
        del created
        image = next(one["image"] for one in pods[0]["spec"]["containers"] if one["name"] == "main")
        self.cluster.files(name, f"{name}/{case.data_dir}", folder, image)
