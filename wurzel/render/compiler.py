# ruff: noqa: N802, N815 - jinja names a visitor after its node
"""Compiles templates so that text stays text and every expression stays a value.

Jinja's own code generator turns both into strings and joins them. Here template text is written as a constant
`(text, line, template)` and an expression as a call of `hold`, which keeps its value until the file is complete.
"""

from __future__ import annotations

from collections.abc import Container
from copy import copy
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from wurzel.render.bounds import GROWING
from wurzel.render.internals import may_be_internal
from wurzel.render.lines import BREAK, JOINT, SEAM, joint
from wurzel.render.structure import ONE_NAME, OUTSIDE, outside

_WRITTEN_OUT = (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict)


class Generator(CodeGenerator):
    """Jinja's code generator, with changes where output is written and joined."""

    _own_blocks: tuple[tuple[str, int], ...] = ()
    _label: str = ""
    _margin: int = 0
    """Spaces before the next tag, if there is nothing else before it on its line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._filters: list[nodes.Filter] = []
        self._margins: list[int] = []

    def write_commons(self) -> None:
        """Like jinja's, with the names that our code uses; an inline `if` without `else` is strictly undefined."""
        super().write_commons()
        self.writeline("hold = environment.hold")
        self.writeline("hold_at = environment.hold_at")
        self.writeline("hold_line = environment.hold_line")
        self.writeline("seam = environment.seam")
        self.writeline("mark = environment.mark")
        self.writeline("glue = environment.glue")
        self.writeline("cond_expr_undefined = undefined")

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Like jinja's; also records the template's top-level blocks, and its name for messages."""
        self._label = self.environment.labelled(str(self.name))  # type: ignore[attr-defined] # it is ours
        self._own_blocks = tuple((item.name, item.lineno) for item in node.body if isinstance(item, nodes.Block))
        for line in outside(node):
            self.fail(OUTSIDE, line)
        super().visit_Template(node, frame)

    def visit_Extends(self, node: nodes.Extends, frame: Frame) -> None:
        """Like jinja's, after reporting the template that extends, to find cycles and misspelt blocks."""
        self._check_one_name(node.template)
        self.writeline(f"environment.extends({self.name!r}, {node.lineno}, {self._own_blocks!r})", node)
        super().visit_Extends(node, frame)

    def visit_Import(self, node: nodes.Import, frame: Frame) -> None:
        """Like jinja's, but refuses what is not the name of one template."""
        self._check_one_name(node.template)
        super().visit_Import(node, frame)

    def visit_FromImport(self, node: nodes.FromImport, frame: Frame) -> None:
        """Like jinja's, but refuses what is not the name of one template."""
        self._check_one_name(node.template)
        super().visit_FromImport(node, frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Write text and held values."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        ends = [*map(_is_break, node.nodes[1:]), False]
        starts_line = True
        for child, ends_line in zip(node.nodes, ends, strict=True):
            if isinstance(child, nodes.TemplateData):
                self._write_data(child, frame)
                self._margin = _margin(child.data, starts_line=starts_line)
                starts_line = child.data in {BREAK, JOINT, SEAM}
                continue
            margin, self._margin, starts_line = self._margin, 0, False
            self.start_write(frame, child)
            if margin:
                self._hold(child, frame, "hold_at", f", {margin}")
            else:
                self._hold(child, frame, "hold_line" if ends_line else "hold")
            self.end_write(frame)
        if frame.require_output_check:
            self.outdent()

    def _write_data(self, node: nodes.TemplateData, frame: Frame) -> None:
        if node.data == SEAM:
            self.simple_write("seam", frame, node)
        elif node.data == JOINT:
            self.simple_write(repr(joint(node.lineno, self._label)), frame, node)
        elif node.data and not _is_break(node):
            self.simple_write(repr((node.data, node.lineno, self._label)), frame, node)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        """Like jinja's, but refuses to loop over text and sets, and to give names to the letters of text.

        The tree is kept and compiled again, so the check is added to a copy of the loop.
        """
        checked = copy(node)
        checked.iter = _checked(node.iter, "pairs" if isinstance(node.target, nodes.Tuple) else "looped")
        super().visit_For(checked, frame)

    def visit_Assign(self, node: nodes.Assign, frame: Frame) -> None:
        """Like jinja's, but refuses to give names to the letters of text."""
        if isinstance(node.target, nodes.Tuple) and not isinstance(node.node, nodes.Tuple):
            node = copy(node)
            node.node = _checked(node.node, "parts")
        super().visit_Assign(node, frame)

    def visit_Mod(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Like jinja's, but `"%s" % x` writes only values."""
        self._bounded("modulo", node, frame)

    def visit_Mul(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Like jinja's, but `"x" * n` makes no text that is larger than any file."""
        self._bounded("times", node, frame)

    def visit_Pow(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Like jinja's, but refuses numbers that take minutes to compute."""
        self._bounded("power", node, frame)

    def visit_Add(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Like jinja's, but makes no text or list that is larger than any file."""
        self._bounded("plus", node, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """Like jinja's, but counts what is searched or compared, unless it is written out and so is small."""
        sides = [node.expr, *(each.expr for each in node.ops)]
        small = any(map(_is_constant, sides))
        node = copy(node)
        node.ops = [_counted(each, small=small) for each in node.ops]
        super().visit_Compare(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """Like jinja's, but counts what a slice copies."""
        if isinstance(node.arg, nodes.Slice):
            node = copy(node)
            node.node = _checked(node.node, "scanned")
        super().visit_Getitem(node, frame)

    def _bounded(self, function: str, node: nodes.BinExpr, frame: Frame) -> None:
        self.write(f"environment.{function}(")
        self.visit(node.left, frame)
        self.write(", ")
        self.visit(node.right, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """Join values into one value, or into rendered text if a part is rendered text."""
        self.write("glue((")
        for item in node.nodes:
            self.visit(item, frame)
            self.write(", ")
        self.write(f"), {node.lineno}, {self._label!r})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Like jinja's; what a `call` block returns is written like any expression."""
        if not forward_caller:
            super().visit_Call(node, frame)
            return
        margin = self._margins.pop()
        self.write("hold_at(" if margin else "hold(")
        super().visit_Call(node, frame, forward_caller=True)
        self._end_hold(node, f", {margin}" if margin else "")

    def visit_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:
        """Like jinja's; remembers the text before it while its body is compiled."""
        self._margins.append(self._margin)
        self._margin = 0
        super().visit_CallBlock(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """Like jinja's, but refuses private names, through which a template could reach and change anything."""
        if node.attr.startswith("_"):
            self.fail(f"templates cannot read {node.attr!r}: names that begin with `_` are private", node.lineno)
        growing = node.attr in GROWING
        if not may_be_internal(node.attr) and not growing:
            super().visit_Getattr(node, frame)
            return
        self.write("environment.growing(" if growing else "environment.public(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:
        """Like jinja's; what the filter returns is written like any expression."""
        self._margins.append(self._margin)
        self._margin = 0
        self._filters.append(node.filter)
        super().visit_FilterBlock(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        """Like jinja's, but an unknown one fails even in a branch that is not reached."""
        self._check_known(node, "filter", self.environment.filters)
        if not self._filters or node is not self._filters[-1]:
            super().visit_Filter(node, frame)
            return
        self._filters.pop()
        margin = self._margins.pop()
        self.write("hold_at(" if margin else "hold(")
        super().visit_Filter(node, frame)
        self._end_hold(node, f", {margin}" if margin else "")

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:
        """Like jinja's, but an unknown one fails even in a branch that is not reached."""
        self._check_known(node, "test", self.environment.tests)
        super().visit_Test(node, frame)

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:
        """Like jinja's, but refuses an `include` whose output would be lost."""
        if frame.buffer is not None and not node.with_context:
            self.fail("`include … without context` is not allowed in a macro, `call`, `set` or `filter`", node.lineno)
        margin, self._margin = self._margin, 0
        if margin:
            self.simple_write(f"mark({margin}, {node.lineno}, {self._label!r}, '`{{% include %}}`')", frame, node)
        super().visit_Include(node, frame)
        if margin:
            self.simple_write("mark()", frame, node)

    def visit_EvalContextModifier(self, node: nodes.EvalContextModifier, frame: Frame) -> NoReturn:
        """Refuse `autoescape`: quoting depends on the position and cannot be switched."""
        self.fail("`autoescape` has no meaning here: every value is quoted for its position", node.lineno)

    visit_ScopedEvalContextModifier = visit_EvalContextModifier

    def _check_known(self, node: nodes.Filter | nodes.Test, kind: str, known: Container[str]) -> None:
        if node.name not in known:
            self.fail(f"No {kind} named {node.name!r}", node.lineno)

    def _check_one_name(self, node: nodes.Node) -> None:
        constant = isinstance(node, nodes.Const) and not isinstance(node.value, str)
        if constant or isinstance(node, nodes.List | nodes.Tuple | nodes.Dict):
            self.fail(f"{ONE_NAME}; only `include` takes a list", node.lineno)

    def _hold(self, node: nodes.Expr, frame: Frame, function: str, more: str = "") -> None:
        self.write(f"{function}(")
        self.visit(node, frame)
        self._end_hold(node, more)

    def _end_hold(self, node: nodes.Expr, more: str = "") -> None:
        self.write(f", {node.lineno}, {self._label!r}, {describe(node)!r}{more})")


def _margin(data: str, *, starts_line: bool) -> int:
    """How many spaces are before the next tag on its line, if there is nothing else."""
    _, broken, last = data.rpartition("\n")
    return len(last) if (broken or starts_line) and not last.strip(" ") else 0


def _checked(value: nodes.Node, check: str) -> nodes.Call:
    """A call of a function of the environment that looks at a value before it is used."""
    function = nodes.EnvironmentAttribute(check, lineno=value.lineno)
    return nodes.Call(function, [value], [], None, None, lineno=value.lineno)


def _counted(side: nodes.Operand, *, small: bool) -> nodes.Operand:
    searches = side.op in {"in", "notin"}
    if _is_constant(side.expr) if searches else small:
        return side
    return nodes.Operand(side.op, _checked(side.expr, "searched" if searches else "compared"))


def _is_constant(node: nodes.Node) -> bool:
    """Whether it is written out, with nothing in it that may be large."""
    return isinstance(node, _WRITTEN_OUT) and all(isinstance(each, nodes.Const) for each in node.iter_child_nodes())


def _is_break(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and node.data == BREAK


def describe(node: nodes.Node | None) -> str:
    """The expression as its author wrote it, if it is short enough for a message; otherwise empty."""
    if isinstance(node, nodes.Name | nodes.Const):
        return str(node.name) if isinstance(node, nodes.Name) else repr(node.value)
    owner = describe(node.node) if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Call) else ""
    if not owner:
        return ""
    if isinstance(node, nodes.Getattr):
        return f"{owner}.{node.attr}"
    if isinstance(node, nodes.Filter):
        return f"{owner} | {node.name}"
    if isinstance(node, nodes.Call):
        return f"{owner}({'…' if node.args or node.kwargs else ''})"
    return f"{owner}[{describe(node.arg) or '…'}]" if isinstance(node, nodes.Getitem) else ""
