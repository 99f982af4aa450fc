"""Rules for containers: image, environment, resources, mounts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from wurzel.ir.quantity import amount
from wurzel.validation.metadata import check_name

if TYPE_CHECKING:
    from decimal import Decimal

    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_IMAGE = re.compile(r"[^\s@]+(@[A-Za-z0-9_+.-]+:[0-9a-fA-F]{32,})?")
_PULL = ("Always", "IfNotPresent", "Never")
_MESSAGE = ("File", "FallbackToLogsOnError")
_STANDARD = {"cpu", "memory", "ephemeral-storage"}


def check_container(
    container: Node, volumes: Collection[str], inherited: Collection[str] = (), *, complete: bool = True
) -> Iterator[Problem]:
    """A container.

    It need not have an image itself unless `complete`, since defaults may provide one; `inherited` are mount paths from
    defaults.
    """
    image = container["image"]
    if complete and not image.text:
        yield image.problem("has no image")
    elif image and not _IMAGE.fullmatch(image.text):
        yield image.problem(f"{image.quoted} is not an image", "Write for example ghcr.io/acme/rag:1.4.")
    for field, known in (("imagePullPolicy", _PULL), ("terminationMessagePolicy", _MESSAGE)):
        yield from container[field].check_known(known)
    for field in ("command", "args"):
        yield from _check_words(container[field])
    yield from check_env(container["env"])
    yield from check_resources(container["resources"])
    yield from check_mounts(container["volumeMounts"], volumes, inherited)


def check_env(env: Node) -> Iterator[Problem]:
    """Names, values and sources of environment variables."""
    seen: set[str] = set()
    for variable in env:
        name = variable["name"]
        if not ENV_NAME.fullmatch(name.text):
            yield name.problem(f"{name.quoted} is not the name of an environment variable")
        elif name.text in seen:
            yield name.problem(f"{name.quoted} is set twice")
        seen.add(name.text)
        value, source = variable["value"], variable["valueFrom"]
        if value and not isinstance(value.value, str):
            yield value.problem(f"{value.quoted} is not text", "Put it in quotes.")
        if value.text and source:
            yield variable.problem("has both value and valueFrom")
        if source:
            yield from _check_source(source)


def check_resources(resources: Node) -> Iterator[Problem]:
    """Quantities, requests within limits, and devices that have a limit."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for kind in ("requests", "limits"):
        for name, quantity in resources[kind].entries():
            try:
                amounts[kind, name] = amount(str(quantity.value))
            except ValueError as error:
                yield quantity.problem(str(error))
                continue
            if name not in _STANDARD and "/" not in name and not name.startswith("hugepages-"):
                yield quantity.problem(f"{name!r} is not a resource", "Write cpu, memory or a device, nvidia.com/gpu.")
    for (kind, name), asked in amounts.items():
        limit = amounts.get(("limits", name))
        if kind == "requests" and limit is not None and asked > limit:
            yield resources["requests"][name].problem(
                f"asks for {resources['requests'][name].quoted}, more than the limit {resources['limits'][name].quoted}"
            )
        if kind == "requests" and "/" in name and limit != asked:
            yield resources["requests"][name].problem("a device needs a limit that equals the request")


def check_mounts(mounts: Node, volumes: Collection[str], inherited: Collection[str] = ()) -> Iterator[Problem]:
    """Every mount names a volume and has a unique path."""
    paths = set(inherited)
    for mount in mounts:
        path, name = mount["mountPath"], mount["name"]
        if name.text not in volumes:
            yield name.problem(f"{name.quoted} is not a volume of this pod", f"Volumes: {', '.join(sorted(volumes))}.")
        if not path.text.startswith("/") or ":" in path.text:
            yield path.problem(f"{path.quoted} is not an absolute path without ':'")
        elif path.text in paths:
            yield path.problem(f"{path.quoted} is mounted twice")
        paths.add(path.text)
        if mount["subPath"] and mount["subPathExpr"]:
            yield mount.problem("has both subPath and subPathExpr")
        for field in ("subPath", "subPathExpr"):
            if mount[field].text.startswith("/") or ".." in mount[field].text.split("/"):
                yield mount[field].problem(f"{mount[field].quoted} leads out of the volume")


def _check_words(words: Node) -> Iterator[Problem]:
    if words and not isinstance(words.value, list):
        yield words.problem(f"{words.quoted} is not a list")
    for word in words:
        if not isinstance(word.value, str):
            yield word.problem(f"{word.quoted} is not text", "Put it in quotes.")


def _check_source(source: Node) -> Iterator[Problem]:
    kinds = [key for key, _ in source.entries()]
    if len(kinds) != 1:
        yield source.problem(f"has {len(kinds)} sources", "Give exactly one, such as secretKeyRef.")
    for kind in ("secretKeyRef", "configMapKeyRef"):
        if source[kind]:
            yield from check_name(source[kind]["name"])
            if not _CONFIG_KEY.fullmatch(source[kind]["key"].text):
                yield source[kind]["key"].problem(f"{source[kind]['key'].quoted} is not a key")
