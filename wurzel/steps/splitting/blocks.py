"""A Markdown text as a tree of blocks, each a range of whole lines; markdown-it-py decides what is a block.

Only the block rules of the parser run: what stands inside a paragraph is looked at when a paragraph must be cut.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from wurzel.exceptions import UsageError

try:
    from markdown_it import MarkdownIt
    from markdown_it.parser_block import ParserBlock
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token
except ImportError as error:
    raise UsageError(
        "splitting Markdown needs the package markdown-it-py", hint="Install it: pip install 'wurzel[markdown]'"
    ) from error

MAX_NESTING = 120
"""Lists and quotes nested deeper than this many levels stay whole: the parser and we call ourselves once a level."""

BLANK = " \t\n"

Kind = Literal[
    "heading", "paragraph", "list", "item", "quote", "table", "row", "fence", "code", "html", "rule", "definition"
]

_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "blockquote_open": "quote",
    "table_open": "table",
    "tr_open": "row",
    "fence": "fence",
    "code_block": "code",
    "html_block": "html",
    "hr": "rule",
    "definition": "definition",
}


@dataclass(slots=True, eq=False)
class Block:
    """A block of Markdown: `text[start:end]` of the source, from the start of a line to the end of one.

    `content` is the text of a heading or paragraph without the marks of what it stands in; `level` is that of a
    heading; `indent` is the column at which the content of an item starts. `lines` are its first line and the one
    after its last, as the parser says; `origin` is where the first of them starts.
    """

    kind: Kind
    start: int = 0
    end: int = 0
    origin: int = 0
    level: int = 0
    indent: int = 0
    content: str = ""
    children: list[Block] = field(default_factory=list)
    lines: Sequence[int] = (0, 0)


@dataclass(slots=True)
class Document:
    """The top-level blocks of a text, and the link definitions that its paragraphs may use."""

    blocks: list[Block]
    env: dict[str, Any]


class _Parser(ParserBlock):
    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:  # noqa: N803 - as the base names them
        """Also note how far the content of a list item is indented, which no token says."""
        if isinstance(state, _Recorder) and state.open[-1][0].kind == "item":
            state.open[-1][0].indent = state.blkIndent
        super().tokenize(state, startLine, endLine)


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables."""
    md = MarkdownIt()
    md.block = _Parser()
    return md.configure("commonmark", {"maxNesting": MAX_NESTING, "inline_definitions": True}).enable("table")


def parse(text: str) -> Document:
    """The blocks of a text whose line ends are line feeds.

    Every line that is not blank belongs to exactly one block on each level, so blocks put together again give the
    text without blank lines between them.
    """
    env: dict[str, Any] = {}
    source = text.replace("\0", "\ufffd")
    if not source.endswith("\n"):
        source += "\n"  # without it the parser stumbles over some last lines
    root = _Recorder(source, env).record()
    _set_offsets(root, text)
    return Document(root.children, env)


def closes(text: str, quotes: int = 0) -> bool:
    """Whether the last block of a text ends with it, so that what comes after a blank line is not part of it.

    `quotes` is how many block quotes that block, and what comes after, stand in.
    """
    marks = "> " * quotes
    *_, last = walk(parse(f"{text}\n{marks}\n{marks}x").blocks)
    return last.content == "x"


def is_paragraph(text: str, *, quotes: int | None = None) -> bool:
    """Whether a text is one paragraph, in whatever containers, or in just so many quotes and nothing else."""
    found = list(walk(parse(text).blocks))
    if not found or any(len(block.children) != 1 for block in found[:-1]) or found[-1].kind != "paragraph":
        return False
    return quotes is None or [block.kind for block in found[:-1]] == ["quote"] * quotes


class _Recorder(StateBlock):
    """Builds blocks where the parser would build a list of tokens, which for large texts is most of its work."""

    def __init__(self, text: str, env: dict[str, Any]) -> None:
        super().__init__(text, parser(), env, [])
        self.root = Block("item")
        self.open: list[tuple[Block, Token]] = [(self.root, Token("root", "", 1, map=[0, self.lineMax]))]
        self.leaf: tuple[Block, Token] | None = None
        self.ignored = Token("ignored", "", 0)

    def record(self) -> Block:
        """The whole text as one block; `start` and `end` of every block are not set yet."""
        self.md.block.tokenize(self, 0, self.lineMax)
        self._finish_leaf()
        self._finish(*self.open.pop())
        return self.root

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Note what the parser found; it fills in the token after this call, so a block is finished later."""
        self._finish_leaf()
        if nesting < 0:
            self.level -= 1
        level = self.level
        if nesting > 0:
            self.level += 1
        kind = _KINDS.get(ttype)
        if kind is not None:
            return self._begin(kind, Token(ttype, tag, nesting, level=level))
        if nesting < 0 and ttype[:-5] + "open" in _KINDS:
            self._finish(*self.open.pop())
        elif ttype == "inline" and self.open[-1][0].kind in {"heading", "paragraph"}:
            token = Token(ttype, tag, nesting)
            self.leaf = self.open[-1][0], token
            return token
        return self.ignored

    def _begin(self, kind: Kind, token: Token) -> Token:
        block = Block(kind)
        self.open[-1][0].children.append(block)
        if token.nesting:
            self.open.append((block, token))
        else:
            self.leaf = block, token
        return token

    def _finish_leaf(self) -> None:
        if self.leaf is not None:
            block, token = self.leaf
            self.leaf = None
            if token.type == "inline":
                block.content = token.content
            else:
                self._finish(block, token)

    def _finish(self, block: Block, token: Token) -> None:
        if token.map is not None:
            block.lines = token.map
        if block.kind == "heading":
            block.level = int(token.tag[1:])


def _set_offsets(root: Block, text: str) -> None:
    """Set `start` and `end`; a line that no child claims, such as the second of a table, goes to the child before."""
    starts = _line_starts(text)
    first_line = root.children[0].lines[0] if root.children else 0
    todo = [(root, first_line, len(starts) - 1)]
    while todo:
        block, first, last = todo.pop()
        block.start = starts[first]
        block.origin = starts[block.lines[0]]
        block.end = _trimmed(text, block.start, starts[last])
        children = block.children
        bounds = [first, *(child.lines[0] for child in children[1:]), last]
        todo.extend(zip(children, bounds[:-1], bounds[1:], strict=True) if children else ())


def _line_starts(text: str) -> Sequence[int]:
    starts = array("Q", [0])
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    starts.append(len(text))
    return starts


def _trimmed(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] in BLANK:
        end -= 1
    return end


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """All blocks, each before its children, in the order of the text."""
    todo = list(reversed(blocks))
    while todo:
        block = todo.pop()
        yield block
        todo.extend(reversed(block.children))
