"""`--set KEY=VALUE`: a dotted path below the pipeline and a value in YAML, as the strongest layer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wurzel.exceptions import ConfigError
from wurzel.project.nodes import Findings, Node, Origin, value_text

_PART = r'"([^"]*)"|\'([^\']*)\'|([^."\']+)'
_QUOTED = tuple("\"'|>&!")
_QUOTE = "Put the value in quotes, and these in shell quotes."
_FORM = (
    "Write for example --set steps.embed.resources.memory=4Gi; quote a key with a dot in it: --set 'labels.\"a.b\"=c'."
)


def parse_sets(sets: Iterable[str], findings: Findings) -> Node | None:
    """One layer from all `--set` options, later ones stronger, if any. Raises `ConfigError` for what is not YAML."""
    root: Node | None = None
    for text in sets:
        key, equals, value = text.partition("=")
        parts = _parts(key)
        if not equals or not parts:
            findings.add(Origin("--set"), f"{key!r} is not KEY=VALUE" if not equals else f"{key!r} is not a key", _FORM)
            continue
        root = root or Node({}, "--set")
        _put(root, parts, _value(value, f"--set {key}", findings))
    return root


def _parts(key: str) -> list[str]:
    """The keys of a dotted path; empty if it is not a valid path."""
    if not re.fullmatch(rf"(?:{_PART})(?:\.(?:{_PART}))*", key):
        return []
    return ["".join(match.groups(default="")) for match in re.finditer(_PART, key)]


def _value(text: str, source: str, findings: Findings) -> Node:
    from wurzel.project.parse import parse  # imports a YAML library

    inner = Findings()
    node = Node(None, source)
    try:
        node = parse(text.encode("utf-8", "surrogateescape"), source, inner)
        inner.check()
    except ConfigError as error:
        for problem in error.problems:
            findings.add(Origin(source), problem.message, problem.hint)
        return node
    _relocate(node, source)
    if _loses_text(text.strip(), node):
        read = "nothing" if node.value is None else repr(node.written)
        findings.add(node.origin, f"{value_text(Node(text, source))} is read as {read}: # starts a comment", _QUOTE)
    return node


def _loses_text(text: str, node: Node) -> bool:
    """Whether a comment swallowed part of what was most likely meant as text."""
    if node.value is None:
        return text.startswith("#")
    return isinstance(node.written, str) and text[:1] not in _QUOTED and node.written.split() != text.split()


def _relocate(node: Node, source: str) -> None:
    """Replace positions by the option's name: line and column inside one option do not help."""
    node.line = node.column = node.key_line = node.key_column = 0
    node.source = source
    children = node.fields.values() if isinstance(node.value, dict) else node.value
    if not isinstance(children, str | int | float | None):
        for child in children:
            _relocate(child, source)


def _put(root: Node, parts: list[str], node: Node) -> None:
    holder = root
    for part in parts[:-1]:
        child = holder.fields.get(part)
        if child is None or not isinstance(child.value, dict):
            child = holder.fields[part] = Node({}, node.source)
        holder = child
    holder.fields[parts[-1]] = node
