"""Filters of the pack's templates."""

import ast
from collections.abc import Iterator
from typing import Any

REGISTRY = "registry.acme.example/"


def vault_path(secret: str, owner: str) -> str:
    """Where the vault keeps a secret of a team."""
    return f"teams/{owner}/{secret}"


def from_acme(image: str) -> str:
    """The image in Acme's registry; one that is there, or that the platform fills in, as it is."""
    return image if image.startswith((REGISTRY, "$")) else REGISTRY + image


def is_floating(image: str) -> bool:
    """Whether an image has no version, or one that the platform fills in, so that it is another one tomorrow."""
    last = image.strip().rpartition("/")[2]
    tag = last.partition("@")[0].partition(":")[2]
    return "$" in last or "}}" in last or ("@" not in last and tag in {"", "latest"})


def unarchived(file: Any) -> list[str]:
    """The workflows of a file, and templates in them, whose logs are not archived."""
    found = []
    for value in _mappings(file.documents):
        spec = value.get("spec")
        if str(value.get("apiVersion")).startswith("argoproj.io/") and isinstance(spec, dict):
            inner = spec.get("workflowSpec", spec)
            found += [] if inner.get("archiveLogs") is True else [str(value.get("kind"))]
        found += ["archiveLogs"] if value.get("archiveLogs", True) is not True else []
    return found


def named(file: Any, *names: str) -> list[Any]:
    """What a rendered file says under these names, at any depth; Argo ignores their case in `podSpecPatch`."""
    wanted = [name.lower() for name in names]
    return [value for name, value in _entries(file) if name.lower() in wanted]


def images(file: Any) -> list[str]:
    """The images that a rendered file runs, whatever the platform calls them."""
    found = []
    for name, value in _entries(file):
        is_list = name in {"services", "images"} and isinstance(value, list)
        found += map(_image, value if is_list else [value] if name.lower() in {"image", "container"} else [])
        if name == "uses" and str(value).startswith("docker://"):
            found.append(value.removeprefix("docker://"))
    return [item for item in found if item]


def _image(value: Any) -> str:
    """The image in a value: of GitLab, of a volume, or of the `images` of kustomize, which replace parts of others."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    name = value.get("newName") or value.get("name") or value.get("reference") or ""
    marks = {"newTag": ":", "digest": "@"}
    return name + "".join(f"{mark}{value[key]}" for key, mark in marks.items() if value.get(key))


def _entries(file: Any) -> Iterator[tuple[str, Any]]:
    if not file.path.endswith(".py"):
        yield from _of_document(file.documents)
        return
    for node in ast.walk(ast.parse(file.text)):
        pairs = [(node.arg, node.value)] if isinstance(node, ast.keyword) else []
        if isinstance(node, ast.Dict):
            both = zip(node.keys, node.values, strict=True)
            pairs = [(str(key.value), value) for key, value in both if isinstance(key, ast.Constant)]
        yield from (
            (str(name), value.value if isinstance(value, ast.Constant) else ast.unparse(value)) for name, value in pairs
        )


def _mappings(value: Any) -> Iterator[dict[Any, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(each)


def _of_document(value: Any) -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else [("", item) for item in value]
    for name, each in inner:
        if name:
            yield str(name), each
        if isinstance(each, dict | list):
            yield from _of_document(each)
