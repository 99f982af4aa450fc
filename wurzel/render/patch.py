"""Applies a merge patch to single values of a finished YAML file, and leaves every other character as it is.

RFC 7386 with two additions: a mapping applied to a list selects its items by `name` or `key=value`, and its key `+`
contains items to add.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wurzel.exceptions import Problem
from wurzel.named_tuples import NamedTuple
from wurzel.render.quoting.yaml_scalar import key as written_key
from wurzel.render.quoting.yaml_slot import is_part
from wurzel.render.quoting.yaml_value import after_key, entries, inline, parts
from wurzel.render.values import NotAValue
from wurzel.render.yaml_tree import Document, YamlNode, dash, is_picked
from wurzel.suggestion import LOOSE, did_you_mean, listed

ADD = "+"
"""Key of a patch for a list, with items to append."""

_MOST = 20
_COMMENT = re.compile(r"[ \t]*(#[^\n]*)?")
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)?")


class Edit(NamedTuple):
    """A replacement for the text between two offsets, and the path in the patch it comes from."""

    start: int
    end: int
    text: str
    path: str


class Patcher:
    """Finds the edits that a patch makes to a document, and what in it matches nothing."""

    def __init__(self, text: str, locate: Callable[[str], str]) -> None:
        self.edits: list[Edit] = []
        self.problems: list[Problem] = []
        self._text = text
        self._locate = locate

    def document(self, document: Document, patch: Mapping[str, Any], path: str) -> None:
        """Apply a patch to a document."""
        root = document.root
        if not root.is_mapping:
            self._refuse(path, "the document is not a mapping")
        else:
            self._node(root, patch, path)

    def _node(self, node: YamlNode, patch: Mapping[str, Any], path: str) -> None:
        if node.flow:
            self._edit(node.start, node.end, self._flow(node, patch, path), path)
        elif node.is_sequence:
            self._items(node, patch, path)
        else:
            self._mapping(node, patch, path)

    def _mapping(self, node: YamlNode, patch: Mapping[str, Any], path: str) -> None:
        removed = []
        for index, (name, old) in enumerate(node.entries):
            key = name.text() if name is not None else None
            if key is None or key not in patch:
                continue
            if patch[key] is None:
                removed.append(index)
            else:
                self._value(node, key, old, patch[key], f"{path}.{key}")
        self._change(node, removed, self._new_keys(node, patch, path), path)

    def _new_keys(self, node: YamlNode, patch: Mapping[str, Any], path: str) -> dict[str, Any]:
        """What a patch adds to a mapping; refuses to remove what is not there."""
        known, added = node.keys(), {}
        for key, value in patch.items():
            place = f"{path}.{key}"
            if key in known:
                continue
            if key == ADD:
                self._refuse(place, "items can only be added to a list, and this is a mapping", "Write its keys.")
            elif value is None:
                self._missing(place, f"there is no key {key!r} to remove", key, known)
            else:
                added[key] = self._fresh(value, place)
        return added

    def _items(self, node: YamlNode, patch: Mapping[str, Any], path: str) -> None:
        removed = []
        for name, value in patch.items():
            if name == ADD:
                continue
            place, found = f"{path}.{name}", node.picked(name)
            if len(found) != 1:
                self._not_one(place, node, name)
            elif value is None:
                removed += [index for index, (_, item) in enumerate(node.entries) if item is found[0]]
            elif isinstance(value, Mapping):
                self._node(found[0], value, place)
            else:
                self._refuse(place, "the patch of a list item must be a mapping", "Write its changes, or null.")
        self._change(node, removed, self._added(patch, path), path)

    def _not_one(self, path: str, node: YamlNode, by: str) -> None:
        found, what = len(node.picked(by)), repr(by) if "=" in by else f"the name {by!r}"
        message = f"{found} items have {what}" if found else f"no item has {what}"
        known = [f"{key}={text}" for key, text in node.texts_in_items() if "=" in by and key == by.partition("=")[0]]
        self._missing(path, message, by, known or node.names())

    def _added(self, patch: Mapping[str, Any], path: str) -> list[Any]:
        added = patch.get(ADD, [])
        if not isinstance(added, list):
            self._refuse(f"{path}.{ADD}", "the items to add must be a list", "Write +: [a, b].")
            return []
        return added

    def _value(self, owner: YamlNode, key: str, old: YamlNode, new: Any, path: str) -> None:
        if old.is_alias:
            self._refuse(path, "here it is only an alias of a value elsewhere in the file")
        elif isinstance(new, Mapping) and old.entries:
            self._node(old, new, path)
        elif not _same(old, new):
            self._replace(owner, key, old, self._whole(old, new, path), path)

    def _whole(self, old: YamlNode, new: Any, path: str) -> Any:
        """A value that replaces another completely."""
        if isinstance(new, Mapping) and old.is_sequence:
            for name in new:
                if name != ADD:
                    self._missing(f"{path}.{name}", f"no item has the name {name!r}", name, [])
            return self._added(new, path)
        if isinstance(new, Mapping) and old.is_mapping:
            for name, value in new.items():
                if value is None:
                    self._missing(f"{path}.{name}", f"there is no key {name!r} to remove", name, [])
        return self._fresh(new, path)

    def _fresh(self, value: Any, path: str) -> Any:
        """A value where there was none: items added to a missing list become the list."""
        self._check_fresh(value, path)
        return without_nulls(value)

    def _check_fresh(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            return
        if ADD not in value:
            for name, item in value.items():
                self._check_fresh(item, f"{path}.{name}")
            return
        self._added(value, path)
        for name in value:
            if name != ADD:
                self._missing(f"{path}.{name}", f"there is no list to select {name!r} from", name, [])

    def _replace(self, owner: YamlNode, key: str, old: YamlNode, new: Any, path: str) -> None:
        name = next(name for name, value in owner.entries if name is not None and value is old)
        colon = self._text.index(":", name.end) + 1
        column = owner.column
        head, broken, rest = self._written(lambda: after_key(new, column, literal=self._room(old, column)), path)
        if not broken and old.start != old.end and "\n" not in self._text[colon : old.end]:
            self._edit(old.start, old.end, head, path)
            return
        end = self._line_end(old.end)
        comment = self._comment(colon, old, end)
        self._edit(colon, end, (f" {head}" if head else "") + comment + broken + rest, path)

    def _comment(self, colon: int, old: YamlNode, end: int) -> str:
        """The comment on the line of a key, which is kept when its value changes."""
        text = self._text
        if old.style in {"|", ">"}:
            match = _HEADER.match(text, old.start)
        elif "\n" in text[colon : old.start]:
            match = _COMMENT.match(text, colon)
        else:
            match = _COMMENT.match(text, old.end, end) if "\n" not in text[old.start : old.end] else None
        return f" {match.group(1)}" if match and match.group(1) else ""

    def _room(self, node: YamlNode, column: int) -> bool:
        """Whether text may be a block here: a more indented comment right below would become part of it."""
        rest = self._text[self._line_end(node.end) :].lstrip("\n")
        margin = len(rest) - len(rest.lstrip(" "))
        return rest[margin : margin + 1] != "#" or margin <= column

    def _change(self, node: YamlNode, removed: Sequence[int], added: Any, path: str) -> None:
        """Remove entries of a block, and append others."""
        column, start = node.column, self._line_end(node.end) + 1
        head, broken, rest = self._written(lambda: entries(added, column, literal=self._room(node, column)), path)
        if len(removed) == len(node.entries):
            self._refill(node, head + broken + rest, path)
            return
        for index in removed:
            self._remove(node, index, path)
        if added:
            self._edit(start, start, f"{' ' * column}{head}{broken}{rest}\n", path)

    def _refill(self, node: YamlNode, lines: str, path: str) -> None:
        """Replace a whole block."""
        before = self._text[: node.start].rstrip()
        if lines:
            self._edit(self._start(node, 0), node.end, lines, path)
        elif "#" in before[before.rfind("\n") + 1 :]:
            self._edit(node.start, node.end, "{}" if node.is_mapping else "[]", path)
        else:
            self._edit(len(before), node.end, " {}" if node.is_mapping else " []", path)

    def _remove(self, node: YamlNode, index: int, path: str) -> None:
        start, end = self._start(node, index), self._line_end(node.entries[index][1].end)
        line = self._text.rfind("\n", 0, start) + 1
        if not self._text[line:start].strip():
            self._edit(line, end + 1, "", path)
        elif self._text[end : (following := self._start(node, index + 1))].strip():
            self._refuse(path, "a comment follows the entry to remove on the first line of its item")
        else:
            self._edit(start, following, "", path)

    def _start(self, node: YamlNode, index: int) -> int:
        key, value = node.entries[index]
        return key.start if key is not None else dash(node, value, self._text)

    def _flow(self, node: YamlNode, patch: Mapping[str, Any], path: str) -> str:
        """A mapping or list in brackets, rebuilt from the text of the entries it keeps."""
        kept = []
        for key, value in node.entries:
            name = (key.text() if key is not None else next((by for by in patch if is_picked(value, by)), "")) or ""
            old = self._text[value.start : value.end]
            if name in patch and (new := patch[name]) is None:
                continue
            if name in patch and isinstance(new, Mapping) and value.entries:
                old = self._flow(value, new, f"{path}.{name}")
            elif name in patch:
                old = self._inline(self._whole(value, new, f"{path}.{name}"), f"{path}.{name}")
            kept.append(f"{self._text[key.start : key.end]}: {old}" if key is not None else old)
        if node.is_mapping:
            for name, value in self._new_keys(node, patch, path).items():
                kept.append(f"{written_key(name, flow=True)}: {self._inline(value, f'{path}.{name}')}")
            return f"{{{', '.join(kept)}}}"
        for name in patch:
            if name != ADD and len(node.picked(name)) != 1:
                self._not_one(f"{path}.{name}", node, name)
        kept += [self._inline(item, path) for item in self._added(patch, path)]
        return f"[{', '.join(kept)}]"

    def _inline(self, value: Any, path: str) -> str:
        return "".join(self._written(lambda: inline(value), path))

    def _written(self, write: Callable[[], str], path: str) -> tuple[str, str, str]:
        """The text of a value: its first line, and the rest."""
        try:
            head, broken, rest = write().partition("\n")
        except NotAValue as error:
            self._refuse(path, str(error), error.hint)
            return "", "", ""
        return head, broken, rest

    def _line_end(self, offset: int) -> int:
        found = self._text.find("\n", offset)
        return found if found >= 0 else len(self._text)

    def _edit(self, start: int, end: int, text: str, path: str) -> None:
        self.edits.append(Edit(start, end, text, path))

    def _missing(self, path: str, message: str, name: str, known: Sequence[str]) -> None:
        self._refuse(path, message, did_you_mean(name, known, cutoff=LOOSE) or listed(known))

    def _refuse(self, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{path}: {message}", self._locate(path), hint))


def without_nulls(value: Any) -> Any:
    """A value to add: without `null` entries of mappings (RFC 7386), and with `+` alone as a list."""
    if isinstance(value, Mapping) and isinstance(value.get(ADD), list):
        return value[ADD]
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _same(old: YamlNode, new: Any) -> bool:
    if isinstance(new, Mapping | list) or old.text() is None:
        return False
    (part,) = parts(new)
    return is_part(old.event, part, (old.event.anchor, old.event.tag))
