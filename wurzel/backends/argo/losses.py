"""Values of `templateDefaults` and of the workflow's `spec` that a template does not get.

Argo merges `templateDefaults` into each template by a strategic merge: mappings by key, some lists by a key of their
items.
"""

from __future__ import annotations

from collections.abc import Iterator

from wurzel.backends.losses import Lines, Loss, Merge
from wurzel.render.yaml_tree import YamlNode, documents

_DEFAULTS = Merge(
    "Argo merges mappings of templateDefaults and lists whose items have names, but replaces other lists and texts.",
    lists={
        "env": "name",
        "volumeMounts": "mountPath",
        "volumeDevices": "devicePath",
        "volumes": "name",
        "initContainers": "name",
        "sidecars": "name",
        "tolerations": "key",
        "hostAliases": "ip",
        "parameters": "name",
        "artifacts": "name",
        "ports": "containerPort",
    },
    texts=frozenset({"podSpecPatch"}),
    needed=frozenset({"podSpecPatch"}),
)
_WORKFLOW = Merge(
    "What a template has replaces what its workflow has for all pods.",
    deep=False,
    only=frozenset({"nodeSelector", "affinity", "tolerations", "securityContext"}),
)
_PODS = ("container", "script", "containerSet")


def losses(text: str) -> Iterator[Loss]:
    """Shared values that templates with pods do not get."""
    lines = Lines(text)
    for document in documents(text):
        spec = document.root.at("spec")
        spec = (spec.at("workflowSpec") or spec) if spec is not None else None
        templates = spec.at("templates") if spec is not None else None
        if spec is None or templates is None:
            continue
        for _, template in templates.entries:
            if any(template.at(key) is not None for key in _PODS):
                yield from _of_template(spec, template, lines)


def _of_template(spec: YamlNode, template: YamlNode, lines: Lines) -> Iterator[Loss]:
    name = template.at("name")
    owner = f"the template {name.text() if name is not None else ''!r}"
    yield from _WORKFLOW.losses(owner, spec, template, lines)
    defaults = spec.at("templateDefaults")
    if defaults is not None:
        yield from _DEFAULTS.losses(owner, defaults, template, lines)
        yield from _WORKFLOW.losses("templateDefaults", spec, defaults, lines)
