"""The tree of a configuration file, kept in the user's cache until a byte of the file changes.

Reading it needs a YAML library, which takes 9 ms to import: commands that write no YAML have no other use for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wurzel.invocation.digests import status
from wurzel.project.nodes import Findings, Node
from wurzel.user_cache import entry, read, write

_PARSERS = ("ruamel.yaml", "_ruamel_yaml")
_WURZEL = Path(__file__).parents[1]
_READERS = (
    *(_WURZEL / "project" / name for name in ("kept_tree.py", "nodes.py", "parse.py")),
    _WURZEL / "ir" / "scalars.py",
    _WURZEL / "datacontract" / "secrets.py",
)
"""What reads a file and keeps its tree, in every version of wurzel, released or not."""


def kept_tree(data: bytes, source: str, findings: Findings) -> Node:
    """What `parse` gives for the bytes of the file `source`; one with findings or aliases is parsed each time."""
    path, digest = entry(".tree", _READERS, _identity(source)), sha256(data).digest()
    known, packed = (path and read(path)) or (b"", None)
    if known == digest:
        return _unpacked(packed, source)
    from wurzel.project.parse import parse  # only for a file that is new

    root = parse(data, source, findings)
    if path is not None and not findings and (packed := _packed(root, set())) is not None:
        write(path, (digest, packed))
    return root


def _identity(source: str) -> Iterator[bytes]:
    """Which file it is, and which parser reads it."""
    yield os.fsencode(os.path.realpath(source))
    for spec in map(find_spec, _PARSERS):
        if spec and spec.origin:
            yield repr(status(Path(spec.origin).stat())).encode()


def _packed(node: Node, seen: set[int]) -> Any:
    """A node as plain data; `None` if a mapping or list is in it twice."""
    value: Any = node.value
    if isinstance(value, dict | list):
        if id(value) in seen:
            return None
        seen.add(id(value))
        items = [_packed(item, seen) for item in (value.values() if isinstance(value, dict) else value)]
        if None in items:
            return None
        value = dict(zip(value, items, strict=True)) if isinstance(value, dict) else items
    return value, node.text, node.line, node.column, node.key_line, node.key_column


def _unpacked(packed: Any, source: str) -> Node:
    value, text, line, column, key_line, key_column = packed
    if isinstance(value, dict):
        value = {key: _unpacked(item, source) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_unpacked(item, source) for item in value]
    node = Node(value, source, line, column, text)
    node.key_line, node.key_column = key_line, key_column
    return node
