"""Checks of rendered Kubernetes and Argo manifests, in layers; nothing here needs a cluster.

1. wurzel's own rules: what the API server and Argo's controller check and no schema can express.
2. Strict structure, with the extra `validate`: unknown fields and wrong types.
3. `argo lint --offline`, when `argo` is on the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from wurzel.ir.model import MAX_OBJECT_BYTES
from wurzel.validation import metadata
from wurzel.validation.manifest import Document, documents, is_foreign

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node
    from wurzel.validation.workflow import Known

_KINDS = {
    "CronJob": "batch/v1",
    "Job": "batch/v1",
    "Workflow": "argoproj.io/v1alpha1",
    "WorkflowTemplate": "argoproj.io/v1alpha1",
    "ClusterWorkflowTemplate": "argoproj.io/v1alpha1",
    "CronWorkflow": "argoproj.io/v1alpha1",
    "ServiceAccount": "v1",
    "PersistentVolumeClaim": "v1",
    "ConfigMap": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
}
_TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate")


def check_files(files: Mapping[str, str], *, restricted: bool = True, kubernetes_version: str = "") -> list[Problem]:
    """Every problem in these files, found by all checkers that are installed.

    `restricted` holds pods to that Pod Security Standard; the version of Kubernetes is the newest known when empty.
    """
    from wurzel.validation.lint import lint
    from wurzel.validation.structure import check_structure

    found, problems = _read(files)
    if problems:
        return problems
    return [
        *check_manifests(files, restricted=restricted),
        *check_structure(found, kubernetes_version),
        *lint(files, found),
    ]


def check_manifests(files: Mapping[str, str], *, restricted: bool = True) -> list[Problem]:
    """Problems found by wurzel's own rules, which need nothing installed."""
    found, problems = _read(files)
    known = {
        document.name: {template["name"].text: template for template in document.root["spec"]["templates"]}
        for document in found
        if document.kind in _TEMPLATES
    }
    for document in found:
        problems += _check(document, known, restricted=restricted)
    return list(dict.fromkeys(problems))


def _read(files: Mapping[str, str]) -> tuple[list[Document], list[Problem]]:
    found: list[Document] = []
    problems: list[Problem] = []
    for file, text in files.items():
        read, wrong = documents(file, text)
        found += read
        problems += wrong
    return found, problems


def _check(document: Document, known: Known, *, restricted: bool) -> Iterator[Problem]:
    root, kind = document.root, document.kind
    if not kind or not root["apiVersion"].text:
        yield root.problem("has no kind and apiVersion", "Every object needs both.")
        return
    version = _KINDS.get(kind)
    if is_foreign(root) or version is None:  # kubernetes-validate knows which kinds there are
        yield from metadata.check_metadata(root["metadata"])
        return
    if root["apiVersion"].text != version:
        yield root["apiVersion"].problem(f"{root['apiVersion'].quoted} must be {version} for a {kind}")
    if len(document.text.encode()) > MAX_OBJECT_BYTES:
        yield root.problem(f"is {len(document.text.encode())} bytes; Kubernetes takes at most {MAX_OBJECT_BYTES}")
    yield from _rules(root, kind, known, restricted=restricted)


def _rules(root: Node, kind: str, known: Known, *, restricted: bool) -> Iterator[Problem]:
    from wurzel.validation import job, workflow

    jobs = {"CronJob": job.check_cronjob, "Job": job.check_job}
    workflows = {"Workflow": workflow.check_workflow, "CronWorkflow": workflow.check_cron_workflow}
    workflows |= dict.fromkeys(_TEMPLATES, workflow.check_workflow_template)
    if kind in jobs:
        yield from jobs[kind](root, restricted=restricted)
    elif kind in workflows:
        yield from workflows[kind](root, known, restricted=restricted)
    elif kind == "PersistentVolumeClaim":
        yield from job.check_claim(root)
    elif kind != "Kustomization":
        yield from metadata.check_metadata(root["metadata"])
