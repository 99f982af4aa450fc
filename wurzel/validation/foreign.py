"""Checks objects of kinds that neither Kubernetes nor Argo define against the schemas of packs and projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wurzel.exceptions import Problem, UsageError
from wurzel.validation.manifest import Node, documents, is_foreign

Schemas = Mapping[tuple[str, str], Mapping[str, Any]]
"""`apiVersion` and `kind` to the schema of such objects."""

_OPEN = "x-kubernetes-preserve-unknown-fields"


def read_schemas(folders: Iterable[Path]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The schemas of the CustomResourceDefinitions in the YAML files below some folders, or in files.

    Raises `UsageError` when there is no such folder, or a file in it cannot be read.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for folder in folders:
        if not folder.exists():
            message = f"there is no folder {folder.as_posix()!r} with schemas"
            raise UsageError(message, hint="See `validate: {schemas: …}`.")
        files = [folder] if folder.is_file() else sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")])
        for file in files:
            read, problems = documents(file.as_posix(), file.read_text(encoding="utf-8"))
            if problems:
                raise UsageError(str(problems[0]))
            for document in read:
                found |= _definition(document.root.value)
    return found


def _definition(value: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    if value.get("kind") != "CustomResourceDefinition":
        return {}
    spec = value.get("spec") or {}
    return {
        (f"{spec['group']}/{version['name']}", spec["names"]["kind"]): version["schema"]["openAPIV3Schema"]
        for version in spec.get("versions", [])
        if "schema" in version
    }


def check_foreign(files: Mapping[str, str], schemas: Schemas) -> tuple[list[Problem], list[str]]:
    """Violations of the schemas, and notes about kinds without a schema and templates that are elsewhere."""
    read = [document for file, text in files.items() for document in documents(file, text)[0]]
    names = {document.name for document in read if document.kind == "WorkflowTemplate"}
    problems: list[Problem] = []
    notes: list[str] = []
    for root in (document.root for document in read):
        version, kind, where = root["apiVersion"].text, root["kind"].text, root.path.rstrip(": ")
        if (schema := schemas.get((version, kind))) is not None and is_foreign(root):
            problems += _differences(root, schema)
        elif is_foreign(root):
            what = f"only the structure is checked, since there is no schema of {version} {kind}"
            notes.append(f"{where}: {what}; bring one: validate: {{schemas: [crds/]}}")
        notes += [
            f"{where}: the WorkflowTemplate {reference!r} is not rendered here, so it is not checked"
            for reference in _references(root.value)
            if reference not in names
        ]
    return problems, notes


def _references(value: Any) -> Iterator[str]:
    """Names of the WorkflowTemplates that an object refers to."""
    if isinstance(value, dict):
        for key, item in value.items():
            is_one = key in {"templateRef", "workflowTemplateRef"} and isinstance(item, dict)
            if is_one and not item.get("clusterScope") and isinstance(item.get("name"), str):
                yield item["name"]
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _differences(root: Node, schema: Mapping[str, Any]) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator

    strict = {**_closed(schema), "additionalProperties": False}
    strict["properties"] = {**strict.get("properties", {}), "apiVersion": {}, "kind": {}, "metadata": {}}
    for error in Draft202012Validator(strict).iter_errors(root.value):
        yield Problem(error.message, where=f"{root.path}{'.'.join(map(str, error.absolute_path))}")


def _closed(schema: Any) -> Any:
    """The schema, with unknown fields refused, which an API server would drop in silence."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(item) for key, item in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and not schema.get(_OPEN):
        closed["additionalProperties"] = False
    return closed
