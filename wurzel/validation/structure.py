"""Strict structure: unknown fields and wrong types, by the models of the extra `validate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import Problem, UsageError
from wurzel.validation.manifest import is_foreign

if TYPE_CHECKING:
    from wurzel.validation.manifest import Document

ARGO = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_SKIPPED = ("Kustomization",)
_INSTALL = "Install it: pip install 'wurzel[validate]'"


def check_structure(documents: Sequence[Document], kubernetes_version: str = "") -> Iterator[Problem]:
    """Unknown fields and values of a wrong type. Raises `UsageError` without the extra `validate`."""
    for document in documents:
        if not document.kind or not document.root["apiVersion"].text:
            continue  # which `check_files` reports
        if document.kind in ARGO:
            yield from _argo(document)
        elif document.kind not in _SKIPPED and not is_foreign(document.root):
            yield from _core(document, kubernetes_version)


def _argo(document: Document) -> Iterator[Problem]:
    _need("hera", "Argo's objects")
    from hera.workflows import models
    from pydantic import ValidationError

    try:
        model = getattr(models, document.kind)
        model.model_validate(_without_plugins(document.root.value), extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        for item in error.errors():
            path = ".".join(map(str, item["loc"]))
            yield Problem(_reason(item), where=f"{document.root.path}{path}")


def _without_plugins(value: Any) -> Any:
    """The manifest without what plugins say: their fields are their own, but hera's model has none."""
    if isinstance(value, list):
        return [_without_plugins(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_template = isinstance(value.get("plugin"), dict) and "container" not in value
    return {key: {} if is_template and key == "plugin" else _without_plugins(item) for key, item in value.items()}


def _core(document: Document, version: str) -> Iterator[Problem]:
    _need("kubernetes_validate", "Kubernetes' objects")
    from kubernetes_validate import SchemaNotFoundError, ValidationError, latest_version, validate
    from kubernetes_validate.utils import VersionNotSupportedError

    wanted = version or latest_version()
    root = document.root
    try:
        validate(_as_schemas_want_it(root.value, wanted), wanted, strict=True)
    except ValidationError as error:
        path = ".".join(map(str, error.path))
        yield Problem(str(error.message), where=f"{root.path}{path}")
    except SchemaNotFoundError:
        yield root["apiVersion"].problem(f"Kubernetes {wanted} has no {root['apiVersion'].quoted} {document.kind}")
    except VersionNotSupportedError as error:
        raise UsageError(f"Kubernetes {wanted} is not known to kubernetes-validate") from error


def _as_schemas_want_it(value: Any, version: str) -> Any:
    """The manifest, adjusted where the schemas are stricter than the API servers of that version.

    The schemas of 1.27 and 1.28 require `onPodConditions` in every rule of a `podFailurePolicy`, also by exit code.
    """
    if not version.startswith(("1.27", "1.28")):
        return value
    if isinstance(value, list):
        return [_as_schemas_want_it(item, version) for item in value]
    if not isinstance(value, dict):
        return value
    added: dict[str, Any] = {"onPodConditions": []} if "onExitCodes" in value else {}
    return added | {key: _as_schemas_want_it(item, version) for key, item in value.items()}


def _need(module: str, what: str) -> None:
    if find_spec(module) is None:
        raise UsageError(f"{what} cannot be checked: {module.replace('_', '-')} is not installed", hint=_INSTALL)


def _reason(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "unknown field"
    return f"{item['msg']}: {item['input']!r}"
