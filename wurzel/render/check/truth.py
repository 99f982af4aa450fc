"""Finds rendered text that is the condition of an `if` or `for`, also in branches that no render reaches."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

_KEEPS_TEXT = frozenset({"trim", "indent", "replace"})
_ASKING = (nodes.If, nodes.For)
_RENDERING = frozenset({"caller", "super", "block_of"})


def conditions(tree: nodes.Template) -> Iterator[int]:
    """Lines of `if`, `elif` and `for … if` whose condition is text rendered by a macro, block or `set` block."""
    return _Conditions(tree).lines()


class _Conditions:
    def __init__(self, tree: nodes.Template) -> None:
        self._macros = set(_RENDERING)
        self._modules = {"self"}
        self._asking: list[nodes.Node] = []
        blocks: list[str] = []
        stored: list[str] = []
        assigned: list[tuple[str, nodes.Node]] = []
        for node in tree.find_all(nodes.Node):
            if isinstance(node, _ASKING):
                self._asking.append(node)
            elif isinstance(node, nodes.Macro):
                self._macros.add(node.name)
            elif isinstance(node, nodes.Import):
                self._modules.add(node.target)
            elif isinstance(node, nodes.FromImport):
                self._macros |= {name if isinstance(name, str) else name[1] for name in node.names}
            elif isinstance(node, nodes.AssignBlock) and isinstance(node.target, nodes.Name):
                blocks.append(node.target.name)
            elif isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
                assigned.append((node.target.name, node.node))
            elif isinstance(node, nodes.Name) and node.ctx == "store":
                stored.append(node.name)
        self._modules -= set(stored)
        self._texts = {name for name in blocks if stored.count(name) == 1}
        self._texts |= {name for name, value in assigned if stored.count(name) == 1 and self._is_text(value)}

    def lines(self) -> Iterator[int]:
        for node in self._asking:
            yield from (test.lineno for test in _asked(node.test) if self._is_text(test))  # type: ignore[attr-defined]

    def _is_text(self, node: nodes.Node) -> bool:
        while isinstance(node, nodes.Filter) and node.name in _KEEPS_TEXT and node.node is not None:
            node = node.node
        if isinstance(node, nodes.Name):
            return node.name in self._texts
        called = node.node if isinstance(node, nodes.Call) else None
        if isinstance(called, nodes.Getattr):
            return isinstance(called.node, nodes.Name) and called.node.name in self._modules
        return isinstance(called, nodes.Name) and called.name in self._macros


def _asked(test: nodes.Node | None) -> Iterator[nodes.Node]:
    """The expressions whose truth a condition asks for."""
    if isinstance(test, nodes.And | nodes.Or):
        yield from _asked(test.left)
        yield from _asked(test.right)
    elif isinstance(test, nodes.Not):
        yield from _asked(test.node)
    elif test is not None:
        yield test
