"""Templates as their compiler reads them, without running anything: tree, blocks, parent and other references."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from jinja2 import nodes

from wurzel.exceptions import Problem, TemplateError
from wurzel.named_tuples import NamedTuple
from wurzel.render.layers import Found, Layer, Layers, label
from wurzel.render.mistakes import syntax

if TYPE_CHECKING:
    from wurzel.render.environment import Environment

BASE = ".base"
"""Suffix of the file beside an ejected template with the original that was copied."""
_NAMES = re.compile(r"""["']([\w./!-]+\.j2)["']""")
_COMPUTED = re.compile(r"""{%[-+]?\s*(?:extends|include|import|from)\s+[^\s"']""")
"""A reference whose name is not a text."""
_GUARDS = frozenset({"defined", "undefined"})
_REFERENCES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
_MARKERS = ("<<<<<<< ", ">>>>>>> ")
_CONFLICT = "unresolved conflict of an update"
_RESOLVE = "Keep the right lines of both sides, and delete the lines with <<<<<<<, |||||||, ======= and >>>>>>>."


class Reference(NamedTuple):
    """A reference to another template; `names` is empty if the name is computed."""

    node: nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport
    names: Sequence[str]
    needed: bool
    """Whether it is an error if none of them exists."""


class Source:
    """One template, read."""

    def __init__(self, found: Found, environment: Environment) -> None:
        """Read a template; a syntax error is in `problem`."""
        self.found = found
        self.label = label(found)
        self.tree: nodes.Template = nodes.Template([], lineno=1)
        self.problem = self._read(environment)
        blocks: list[nodes.Block] = []
        self.references: list[Reference] = []
        self.guarded: set[str] = set()
        """Names that the template tests with `is defined` or `is undefined`."""
        for node in self.tree.find_all(nodes.Node):
            if isinstance(node, nodes.Block):
                blocks.append(node)
            elif isinstance(node, _REFERENCES):
                self.references.append(_reference(node))
            elif isinstance(node, nodes.Test) and node.name in _GUARDS and isinstance(node.node, nodes.Name):
                self.guarded.add(node.node.name)
        self.blocks: Mapping[str, nodes.Block] = {b.name: b for b in sorted(blocks, key=lambda block: block.lineno)}
        extending = [reference for reference in self.references if isinstance(reference.node, nodes.Extends)]
        self.extends = extending[0] if extending else None

    def _read(self, environment: Environment) -> Problem | None:
        try:
            text = self.found.read()
            if line := conflict(text):
                return Problem(_CONFLICT, self.at(line), _RESOLVE)
            self.tree = environment.tree(text, self.found)
        except jinja2.TemplateSyntaxError as error:
            message, hint = syntax(error.message or "", environment.filters, environment.tests)
            return Problem(message, self.at(error.lineno), hint)
        except TemplateError as error:
            place = error.where.rpartition(":")[2]
            return Problem(error.message, self.at(int(place) if place.isdecimal() else 1), error.hint)
        return None

    def at(self, line: int) -> str:
        """`template:line`."""
        return f"{self.label}:{line}"

    @property
    def mentions(self) -> list[str]:
        """Names of templates in the text of one that cannot be parsed, which it may refer to once it is fixed."""
        if not self.problem or not self.found.path.is_file() or not os.access(self.found.path, os.R_OK):
            return []
        return _NAMES.findall(self.found.path.read_text(encoding="utf-8", errors="replace"))

    @property
    def is_copy(self) -> bool:
        """Whether it is a whole ejected copy, which `wurzel templates update` updates."""
        return self.found.path.with_name(self.found.path.name + BASE).is_file()

    @property
    def top_blocks(self) -> list[nodes.Block]:
        """Blocks that are not inside another block."""
        return [node for node in self.tree.body if isinstance(node, nodes.Block)]


class Sources:
    """Reads templates of a set of layers, each once."""

    def __init__(self, layers: Layers, environment: Environment) -> None:
        self.layers = layers
        self._environment = environment
        self._read: dict[Path, Source] = {}
        self._named: dict[tuple[str, Layer | None], Source | None] = {}
        self._reaching: dict[Path, bool] = {}

    def read(self, found: Found) -> Source:
        """A template that was found."""
        if found.path not in self._read:
            self._read[found.path] = Source(found, self._environment)
        return self._read[found.path]

    def get(self, name: str, asking: Layer | None = None) -> Source | None:
        """The template that a name in a template of layer `asking` refers to, or `None` if it does not exist."""
        if (name, asking) not in self._named:
            try:
                self._named[name, asking] = self.read(self.layers.find(name, asking))
            except TemplateError:  # no such template or pack
                self._named[name, asking] = None
        return self._named[name, asking]

    def may_reach_own(self, name: str, asking: Layer | None = None) -> bool:
        """Whether a template leads to one of the project or a pack, as far as can be told without parsing any."""
        try:
            found = self.layers.find(name, asking)
        except TemplateError:
            return False
        if found.layer.is_own:
            return True
        if found.path not in self._reaching:
            self._reaching[found.path] = True  # for templates that include each other
            text = found.read()
            names = _NAMES.findall(text)
            reaches = bool(_COMPUTED.search(text)) or any(self.may_reach_own(each, found.layer) for each in names)
            self._reaching[found.path] = reaches
        return self._reaching[found.path]

    def chain(self, source: Source) -> tuple[list[Source], bool]:
        """A template, the one it extends, and so on; and whether the chain is complete.

        It is incomplete if a name is computed, a template is missing or broken, or the chain is circular.
        """
        chain = [source]
        while chain[-1].extends is not None:
            parent = self.parent(chain[-1])
            if parent is None or parent in chain or parent.problem:
                return chain, False
            chain.append(parent)
        return chain, source.problem is None

    def parent(self, source: Source) -> Source | None:
        """The template that one extends, if its name is known and it exists."""
        if source.extends is None or not source.extends.names:
            return None
        return self.get(source.extends.names[0], source.found.layer)


def _reference(node: nodes.Node) -> Reference:
    template = node.template  # type: ignore[attr-defined] # all four have one
    names: list[str] = []
    if isinstance(template, nodes.Const):
        value = template.value
        names = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
    elif isinstance(template, nodes.List | nodes.Tuple):
        constants = [item.value for item in template.items if isinstance(item, nodes.Const)]
        names = constants if len(constants) == len(template.items) else []
    return Reference(node, names, not getattr(node, "ignore_missing", False))  # type: ignore[arg-type]


def conflict(text: str) -> int:
    """The first line of an unresolved conflict; 0 if there is none."""
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(_MARKERS)), 0)
