"""YAML 1.2 text to nodes, by the events of ruamel.yaml's C parser: with positions, and hardened against hostile files.

Scalars follow the core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `no` and `1:30` are text. Keys are always
text as written. Anchors, aliases and merge keys (`<<`) work; the expansion of aliases is limited.
"""

from __future__ import annotations

import re
from typing import Any

from wurzel.datacontract.secrets import looks_like_key
from wurzel.exceptions import ConfigError, Problem
from wurzel.ir.scalars import scalar
from wurzel.named_tuples import NamedTuple
from wurzel.project.nodes import Findings, Node, Origin, Value
from wurzel.yaml_events import CParser, MarkedYAMLError, YAMLError

MAX_DEPTH = 100
"""How deep mappings and lists may be nested."""
MAX_ALIASED = 100_000
"""How many nodes all aliases together may expand to."""

_TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep"
_TAGS = (None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_INSIDE_WORD = r"""(?<=[^\s,\[\]{}"'])[:?](?=[^\s,\[\]{}])"""
_MERGE = "<<"
_UNREADABLE = "[^\t\n\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"


def parse(data: bytes, source: str, findings: Findings) -> Node:
    """The single document in `data`; a null node if it is empty.

    Errors in single values are added to `findings`. Raises `ConfigError` when the text is not UTF-8 or not YAML, or its
    aliases expand too far.
    """
    text = _decoded(data, source)
    try:
        try:
            root, found = _built(data, source, {})
        except MarkedYAMLError:
            root, found = _built(*_relaxed(text, source))
    except MarkedYAMLError as error:
        findings.add(*_explained(error, text, source))
        findings.check()
    except YAMLError:
        findings.add(_first_unreadable(text, source), "contains a control character, which YAML does not allow")
        findings.check()
    findings.absorb(found)
    return root


def _built(data: bytes, source: str, restored: dict[int, str]) -> tuple[Node, Findings]:
    builder = _Builder(source, restored)
    builder.read(data)
    return builder.root, builder.findings


def _relaxed(text: str, source: str) -> tuple[bytes, str, dict[int, str]]:
    """The text with `:` and `?` inside words replaced by other single characters, and how to restore them.

    The C parser only knows YAML 1.1, where `{image: rag:1.4}` and `{url: x?y}` are errors; in 1.2 they are text.
    """
    free = (char for char in map(chr, range(0xE000, 0xF8FF)) if char not in text)
    stands_for = {next(free): mark for mark in ":?"}
    marks = {mark: char for char, mark in stands_for.items()}
    relaxed = re.sub(_INSIDE_WORD, lambda match: marks[match[0]], text)
    return relaxed.encode(), source, {ord(char): mark for char, mark in stands_for.items()}


class _Frame:
    """A mapping or list that is still open."""

    __slots__ = ("anchor", "height", "key", "merges", "merging", "node", "size")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: tuple[str, int, int] | None = None
        self.merging = False
        self.merges: list[Node] = []
        self.size = 1
        self.height = 1


class _Anchored(NamedTuple):
    """The node of an anchor, and how many nodes it contains."""

    node: Node
    size: int
    height: int


class _Builder:
    """Builds the tree from parser events, without recursion."""

    def __init__(self, source: str, restored: dict[int, str]) -> None:
        self.source = source
        self.restored = restored
        self.findings = Findings()
        self.root = Node(None, source, 1, 1)
        self.documents = 0
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.aliased = 0

    def read(self, data: bytes) -> None:
        parser = CParser(data)
        handlers = {
            "ScalarEvent": self.scalar,
            "AliasEvent": self.alias,
            "MappingStartEvent": self.mapping,
            "SequenceStartEvent": self.sequence,
            "MappingEndEvent": self.end,
            "SequenceEndEvent": self.end,
            "DocumentStartEvent": self.document,
        }
        while (event := parser.get_event()) is not None:
            handler = handlers.get(type(event).__name__)
            if handler is not None:
                handler(event)

    def document(self, event: Any) -> None:
        self.documents += 1
        self.anchors = {}
        if self.documents > 1:
            self.refuse(event, "starts a second document", "Keep one document in the file.")
        if event.version not in {None, (1, 2)}:
            self.wrong(event, "declares another version of YAML", "It is read as YAML 1.2; remove the line %YAML.")

    def scalar(self, event: Any) -> None:
        mark = event.start_mark
        text = event.value.translate(self.restored) if self.restored else event.value
        untagged = event.implicit[0] and event.tag is None
        if self.expects_key():
            self.open_key(text, mark, merge=untagged and text == _MERGE)
            return
        if event.tag not in _TAGS:
            self.wrong(event, f"the tag {event.tag} is not supported", "Write the untagged value.")
        value: Value = text
        if untagged:
            try:
                value = scalar(text)
            except ValueError as error:
                self.wrong(event, str(error))
        node = Node(value, self.source, mark.line + 1, mark.column + 1, text if value is not text else None)
        self.check_text(text, node)
        self.add(_Anchored(node, 1, 0), event.anchor)

    def check_text(self, text: str, node: Node) -> None:
        if "\0" in text:
            self.findings.add(node.origin, "contains a NUL character, which a file or variable cannot contain")
        if kind := looks_like_key(text):
            self.findings.add(
                node.origin,
                f"looks like a secret ({kind}; not shown)",
                "Set secrets by reference: secrets: {VARIABLE: {name: …, key: …}}."
                " If this one is real, it is no longer secret: revoke it.",
            )

    def alias(self, event: Any) -> None:
        name = event.anchor
        if self.expects_key():
            self.refuse(event, f"the alias *{name} is used as a key", "Write keys as text.")
        known = self.anchors.get(name)
        if known is None:
            inside = name in self.anchors
            self.refuse(event, f"*{name} refers to itself" if inside else f"there is no anchor &{name} before *{name}")
            return
        self.aliased += known.size
        if self.aliased > MAX_ALIASED:
            self.refuse(event, f"aliases expand to more than {MAX_ALIASED} values", "Use fewer aliases.")
        if len(self.stack) + known.height > MAX_DEPTH:
            self.refuse(event, _TOO_DEEP)
        node = known.node.at(event.start_mark.line + 1, event.start_mark.column + 1)
        self.add(_Anchored(node, known.size, known.height), None)

    def mapping(self, event: Any) -> None:
        self.open(event, {})

    def sequence(self, event: Any) -> None:
        self.open(event, [])

    def open(self, event: Any, value: Value) -> None:
        if self.expects_key():
            self.refuse(event, "a mapping or list is used as a key", "Write keys as text; quote {{ … }}.")
        if event.tag not in _TAGS:
            self.wrong(event, f"the tag {event.tag} is not supported", "Write the plain value.")
        if len(self.stack) == MAX_DEPTH:
            self.refuse(event, _TOO_DEEP)
        mark = event.start_mark
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(Node(value, self.source, mark.line + 1, mark.column + 1), event.anchor))

    def end(self, _event: Any) -> None:
        frame = self.stack.pop()
        fields = frame.node.fields
        for merged in frame.merges:
            for key, node in merged.fields.items():
                fields.setdefault(key, node)
        self.add(_Anchored(frame.node, frame.size, frame.height), frame.anchor)

    def expects_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None

    def open_key(self, text: str, mark: Any, *, merge: bool) -> None:
        frame = self.stack[-1]
        place = Origin(self.source, mark.line + 1, mark.column + 1)
        first = frame.node.fields.get(text)
        if first is not None and not merge:
            name = "a key" if looks_like_key(text) else f"the key {text!r}"
            self.findings.add(place, f"{name} is already on line {first.key_line}", "Remove or rename one of the two.")
        self.check_text(text, Node(text, self.source, place.line, place.column))
        frame.key = (text, place.line, place.column)
        frame.merging = merge

    def add(self, finished: _Anchored, anchor: str | None) -> None:
        """Put a finished node into the open mapping or list, or make it the root."""
        node = finished.node
        if anchor:
            self.anchors[anchor] = finished
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.size += finished.size
        frame.height = max(frame.height, finished.height + 1)
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
        elif frame.merging:
            self.merge(frame, node)
        elif frame.key is not None:
            key, node.key_line, node.key_column = frame.key
            frame.node.fields[key] = node
        frame.key = None
        frame.merging = False

    def merge(self, frame: _Frame, node: Node) -> None:
        sources = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(item.value, dict) for item in sources):
            self.findings.add(node.origin, "`<<` merges mappings only", "Write <<: *anchor of a mapping.")
        frame.merges += sources

    def wrong(self, event: Any, message: str, hint: str = "") -> None:
        self.findings.add(Origin(self.source, event.start_mark.line + 1, event.start_mark.column + 1), message, hint)

    def refuse(self, event: Any, message: str, hint: str = "") -> None:
        self.wrong(event, message, hint)
        self.findings.check()


def _decoded(data: bytes, source: str) -> str:
    """The text of a file without byte order mark. Raises `ConfigError` with the first byte that is not UTF-8."""
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        data = error.object
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        place = str(Origin(source, line, column))
        problem = Problem(f"the byte 0x{data[error.start]:02x} is not UTF-8", place, "Save the file as UTF-8.")
        raise ConfigError([problem]) from None


def _first_unreadable(text: str, source: str) -> Origin:
    """Place of the first character that YAML does not allow."""
    match = re.search(_UNREADABLE, text)
    before = text[: match.start()] if match else ""
    return Origin(source, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def _explained(error: Any, text: str, source: str) -> tuple[Origin, str, str]:
    """Where the parser gave up, why, and what to do."""
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or error)
    if mark is None:
        return Origin(source), f"is not valid YAML: {problem}", ""
    place = Origin(source, mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    conflict = next((number for number, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), 0)
    if conflict:
        return Origin(source, conflict, 1), "contains merge conflict markers", "Resolve the conflict first."
    char = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if "cannot start any token" in problem:
        if char == "\t":
            return place, "a tab where YAML requires spaces", "Indent with spaces."
        return place, f"a text cannot start with {char!r}", "Put the text in quotes."
    if "mapping values are not allowed" in problem:
        return place, "a mapping cannot start here", "Check the indentation; put a text that contains ': ' in quotes."
    start = error.context_mark
    context = f" ({error.context} that starts on line {start.line + 1})" if error.context and start else ""
    return place, f"is not valid YAML: {problem}{context}", "Check indentation, quotes and brackets here and above."
