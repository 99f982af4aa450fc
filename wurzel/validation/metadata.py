"""Rules for names, labels and annotations.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_LABEL = 63
LONGEST_NAME = 253
MOST_ANNOTATIONS = 256 * 1024
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def check_metadata(metadata: Node, longest: int = LONGEST_NAME, *, generated: int = 0) -> Iterator[Problem]:
    """Names, labels and annotations of an object.

    A name may have `longest` characters; `generated` are those that the platform puts behind `generateName`, 0 when the
    object must have a name.
    """
    name, prefix = metadata["name"], metadata["generateName"]
    if name:
        yield from check_name(name, longest)
    elif prefix and generated:
        yield from check_name(prefix, longest - generated, stem=True)
    else:
        yield metadata.problem("has no name", "Every object needs metadata.name.")
    if metadata["namespace"]:
        yield from check_label_name(metadata["namespace"], "a namespace")
    yield from check_labels(metadata["labels"])
    yield from check_annotations(metadata["annotations"])


def check_name(name: Node, longest: int = LONGEST_NAME, *, stem: bool = False) -> Iterator[Problem]:
    """A DNS subdomain of at most `longest` characters; `stem`: the platform puts characters behind it."""
    text = name.text.rstrip("-") if stem else name.text
    if not SUBDOMAIN.fullmatch(text):
        yield name.problem(
            f"{name.quoted} is not a Kubernetes name", "Write lower-case letters, digits, - and ., no - at the ends."
        )
    elif len(name.text) > longest:
        yield name.problem(f"{name.quoted} has {len(name.text)} characters; at most {longest} fit", "Shorten it.")


def check_label_name(name: Node, what: str) -> Iterator[Problem]:
    """A DNS label: at most 63 lower-case letters, digits and -."""
    if not DNS_LABEL.fullmatch(name.text) or len(name.text) > LONGEST_LABEL:
        yield name.problem(
            f"{name.quoted} is not the name of {what}", "Write at most 63 lower-case letters, digits and -."
        )


def check_labels(labels: Node, *, templated: bool = False) -> Iterator[Problem]:
    """Keys and values of labels, or of anything that selects by them; `templated`: Argo puts values in for `{{…}}`."""
    for key, value in labels.entries():
        yield from _check_key(key, value)
        text = value.value
        if templated and "{{" in value.text:
            continue
        if not isinstance(text, str):
            yield value.problem(f"{value.quoted} is not text", "Put it in quotes.")
        elif text and (not _QUALIFIED.fullmatch(text) or len(text) > LONGEST_LABEL):
            yield value.problem(
                f"{value.quoted} is not a label value",
                "Write at most 63 letters, digits, -, _ and ., none of these signs at the ends.",
            )


def check_annotations(annotations: Node) -> Iterator[Problem]:
    """Keys of annotations; their values are any text."""
    size = 0
    for key, value in annotations.entries():
        yield from _check_key(key, value)
        if isinstance(value.value, str):
            size += len(key) + len(value.value.encode())
        else:
            yield value.problem(f"{value.quoted} is not text", "Put it in quotes.")
    if size > MOST_ANNOTATIONS:
        yield annotations.problem(f"are {size} bytes; Kubernetes takes at most {MOST_ANNOTATIONS}")


def _check_key(key: str, value: Node) -> Iterator[Problem]:
    prefix, slash, name = key.rpartition("/")
    bad_prefix = slash and (not SUBDOMAIN.fullmatch(prefix) or len(prefix) > LONGEST_NAME)
    if bad_prefix or not _QUALIFIED.fullmatch(name) or len(name) > LONGEST_LABEL:
        yield value.problem(f"{key!r} is not a label key", "Write for example team or acme.example/team.")
