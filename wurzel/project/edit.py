"""Changes single values of `wurzel.yaml`, and leaves every other character of it as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wurzel.exceptions import ConfigError, Problem
from wurzel.render.patch import Patcher
from wurzel.render.patched import apply, differs, expected
from wurzel.render.verify import Unreadable
from wurzel.render.yaml_tree import Document, YamlNode, documents

Place = tuple[str, ...]
"""Keys from the outside in."""


def edited(text: str, changes: Mapping[Place, Any], where: str) -> str:
    """The text with other values at some places; mappings on the way are made, ends of lines stay as they are.

    `where` names the file in messages. Raises `ConfigError` when a place cannot be changed, such as one behind an
    alias.
    """
    if "\r\n" in text:
        return edited(text.replace("\r\n", "\n"), changes, where).replace("\n", "\r\n")
    document = _document(text, where)
    patch: dict[str, Any] = {}
    for place, value in changes.items():
        inner = patch
        for key in place[:-1]:
            inner = inner.setdefault(key, {})
        inner[place[-1]] = _replacing(document.root.below(place), value)
    patcher = Patcher(text, lambda _: where)
    patcher.document(document, patch, where)
    if patcher.problems:
        raise ConfigError(patcher.problems)
    new, _ = apply(text, patcher.edits)

    def wanted() -> Iterator[Any]:
        yield document.start
        yield from expected(document.root, patch)
        yield ("DocumentEndEvent",)

    if problem := differs(new, wanted()):
        raise ConfigError([Problem(f"cannot be changed without touching more: {problem}", where, "Edit it by hand.")])
    return new


def setting_place(text: str, place: Place, name: str, where: str) -> Place:
    """The place of a setting below `settings`: as it is written there, `DB: {HOST: …}` or `DB__HOST`.

    Raises `ConfigError` like `edited`.
    """
    node = _document(text, where).root.below(place)
    parts = name.split("__")
    for count in range(len(parts), 0, -1):
        head = "__".join(parts[:count])
        found = node.at(head) if node is not None else None
        if found is not None and (count == len(parts) or found.is_mapping):
            rest = "__".join(parts[count:])
            return setting_place(text, (*place, head), rest, where) if rest else (*place, head)
    return (*place, name)


def _document(text: str, where: str) -> Document:
    """The file with its places. Raises `ConfigError` for what only YAML 1.2 allows, as in `{image: a:1}`."""
    try:
        (document,) = documents(text)
    except Unreadable as error:
        line = text.count("\n", 0, error.offset) + 1
        text = f"cannot be changed: {error}, for readers of YAML 1.1"
        raise ConfigError([Problem(text, f"{where}:{line}", "Quote the value, or edit the file by hand.")]) from None
    return document


def _replacing(old: YamlNode | None, new: Any) -> Any:
    """A patch that makes a mapping exactly this one: it removes all other keys."""
    if old is None or not old.is_mapping or not isinstance(new, Mapping):
        return new
    known = old.keys()
    gone = {key: None for key in known if key not in new}
    return gone | {key: _replacing(old.at(key), value) for key, value in new.items()}
