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
    """Whether an image has no version, so that it is another one tomorrow."""
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "@" not in image and tag in {"", "latest"}


def named(file: Any, *names: str) -> list[Any]:
    """What a rendered file says under these names, at any depth; in Python, literal arguments and entries."""
    return [value for name, value in _entries(file) if name in names]


def images(file: Any) -> list[str]:
    """The images that a rendered file runs, whatever the platform calls them."""
    found = []
    for name, value in _entries(file):
        each = value if name == "services" and isinstance(value, list) else [value] if name in _IMAGES else []
        found += [item.get("name", "") if isinstance(item, dict) else item for item in each]
        if name == "uses" and str(value).startswith("docker://"):
            found.append(value.removeprefix("docker://"))
    return [item for item in found if isinstance(item, str) and item]


_IMAGES = ("image", "container")


def _entries(file: Any) -> Iterator[tuple[str, Any]]:
    if not file.path.endswith(".py"):
        yield from _of_document(file.documents)
        return
    for node in ast.walk(ast.parse(file.text)):
        pairs = [(node.arg, node.value)] if isinstance(node, ast.keyword) else []
        if isinstance(node, ast.Dict):
            both = zip(node.keys, node.values, strict=True)
            pairs = [(str(key.value), value) for key, value in both if isinstance(key, ast.Constant)]
        yield from ((str(name), value.value) for name, value in pairs if isinstance(value, ast.Constant))


def _of_document(value: Any) -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else [("", item) for item in value]
    for name, each in inner:
        if name:
            yield str(name), each
        if isinstance(each, dict | list):
            yield from _of_document(each)
