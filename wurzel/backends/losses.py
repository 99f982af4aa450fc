"""Compares what jobs, tasks or templates inherit with what they have themselves, in the files as they are rendered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.render.yaml_tree import YamlNode


_REFERENCE = "!reference"


class Loss(NamedTuple):
    """What one job, task or template does not get, because its own value replaces it."""

    owner: str
    """What has its own value, e.g. `the job 'train'`."""
    key: str
    lost: Sequence[int]
    """Lines of the file, from 1, that have no effect."""
    own: Sequence[int]
    """Lines of the value that replaces them; that of the key is the first."""
    why: str
    """What the platform does, as a sentence."""
    needed: bool = False
    """Whether lines that wurzel writes are missed as well."""


class Lines:
    """Finds the line of an offset."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def of(self, node: YamlNode) -> int:
        """The line that a node starts on, from 1."""
        return bisect_right(self._starts, node.start)

    def all_of(self, node: YamlNode) -> list[int]:
        """The lines of a node."""
        return list(range(self.of(node), bisect_right(self._starts, max(node.start, node.end - 1)) + 1))


class Merge(NamedTuple):
    """How a platform merges what is inherited."""

    why: str
    lists: Mapping[str, str] = {}
    """Lists whose items are merged, by their key, each with the key by which items are the same."""
    deep: bool = True
    """Whether mappings are merged."""
    texts: frozenset[str] = frozenset()
    """Texts of several settings, which are replaced as a whole."""
    needed: frozenset[str] = frozenset()
    """Keys whose lines are missed even if wurzel wrote them."""
    only: frozenset[str] = frozenset()
    """The keys that are inherited; all, if empty."""

    def losses(self, owner: str, shared: YamlNode, own: YamlNode, lines: Lines, path: str = "") -> Iterator[Loss]:
        """Values of `shared` that those of `own`, a mapping, replace."""
        values = {key.text(): (key, value) for key, value in own.entries if key is not None}
        for key, value in shared.entries:
            name = key.text() if key is not None else None
            if name is None or name not in values or (self.only and not path and name not in self.only):
                continue
            at, replacing = values[name]
            if self.deep and value.is_mapping and replacing.is_mapping:
                yield from self.losses(owner, value, replacing, lines, f"{path}{name}.")
            elif lost := self._lost(name, value, replacing, lines):
                rows = [lines.of(at), *lines.all_of(replacing)]
                yield Loss(owner, path + name, lost, rows, self.why, name in self.needed)

    def _lost(self, name: str, shared: YamlNode, own: YamlNode, lines: Lines) -> list[int]:
        if any(node.is_alias or node.event.tag == _REFERENCE for node in (own, *(item for _, item in own.entries))):
            return []  # it repeats what is written elsewhere
        if shared.is_sequence or shared.is_mapping:
            same_kind = shared.is_sequence == own.is_sequence and shared.is_mapping == own.is_mapping
            if name in self.lists and same_kind:
                return []
            known = {_events(entry) for entry in own.entries} if same_kind else set()
            return [line for entry in shared.entries if _events(entry) not in known for line in lines.all_of(entry[1])]
        return [lines.of(shared)] if name in self.texts and _events((None, shared)) != _events((None, own)) else []


def _events(entry: tuple[YamlNode | None, YamlNode]) -> tuple[object, ...]:
    return (*(entry[0].events() if entry[0] is not None else ()), *entry[1].events())
