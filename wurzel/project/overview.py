"""The contents of a project: packs with versions, pipelines, targets, environments; runs no user code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import UsageError
from wurzel.project.load import FILE

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.project.resolve import Resolved

VERSION = 1
"""Version of the JSON format; within a version fields are only added, never changed or removed."""


def overview(project: Project | None, environment: str | None) -> dict[str, Any]:
    """The contents of a project, as JSON values.

    Raises `UsageError` when there is no project or environment, `TemplateError` when a pack is not installed in a
    matching version.
    """
    from wurzel.project.open import renderer_of

    if project is None:
        raise UsageError(f"there is no {FILE} here", hint="Write one with `wurzel init`, or pass module:attribute.")
    layers = renderer_of(project).layers.layers
    of_packs = (name for pack in project.packs() for name in pack.environments)
    return {
        "version": VERSION,
        "templates": list(project.templates),
        "packs": [
            {"name": layer.name, "version": layer.version, "policies": layer.has_policy}
            for layer in layers
            if layer.is_pack
        ],
        "environment": environment,
        "environments": list(dict.fromkeys([*project.environments, *of_packs])),
        "pipelines": {
            name: {
                "entrypoint": project.entrypoint(name, environment),
                "targets": list(project.targets(name, environment)),
            }
            for name in project.names(environment)
        },
    }


def as_json(found: dict[str, Any], resolved: Resolved | None) -> str:
    """An overview as JSON text, with the IR of a pipeline."""
    from wurzel.ir.serialize import dump

    if resolved is not None:
        found = {**found, "pipeline": json.loads(dump(resolved.pipeline))}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_text(found: dict[str, Any]) -> str:
    """An overview for people."""
    lines = [f"pack {pack['name']} {pack['version']}{', with policies' * pack['policies']}" for pack in found["packs"]]
    lines += [
        f"pipeline {name}  {about['entrypoint']}  {', '.join(about['targets']) or 'no targets'}"
        for name, about in found["pipelines"].items()
    ]
    lines += [f"environment {name}" for name in found["environments"]]
    return "\n".join(lines or ["this project is empty"]) + "\n"
