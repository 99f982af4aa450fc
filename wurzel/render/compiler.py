# ruff: noqa: N802 - jinja names a visitor after its node
"""Compiles templates so that text stays text and every expression stays a value.

Jinja's own code generator turns both into strings and joins them. Here template text is written as a constant
`(text, line, template)` and an expression as a call of `hold`, which keeps its value until the file is complete.
"""

from __future__ import annotations

from collections.abc import Container
from copy import copy
from typing import NoReturn

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from wurzel.render.lines import BREAK, JOINT, joint
from wurzel.render.structure import OUTSIDE, outside


class Generator(CodeGenerator):
    """Jinja's code generator, except for what is written and joined."""

    _outermost: nodes.Filter | None = None
    _own_blocks: tuple[tuple[str, int], ...] = ()
    _label: str = ""

    def write_commons(self) -> None:
        """As jinja does, with the names that our code uses; an inline `if` without `else` is strictly undefined."""
        super().write_commons()
        self.writeline("hold = environment.hold")
        self.writeline("hold_line = environment.hold_line")
        self.writeline("glue = environment.glue")
        self.writeline("cond_expr_undefined = undefined")

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """As jinja does; remembers which blocks stand at the top of this template, and what messages call it."""
        self._label = self.environment.layers.labelled(str(self.name))  # type: ignore[attr-defined] # it is ours
        self._own_blocks = tuple((item.name, item.lineno) for item in node.body if isinstance(item, nodes.Block))
        for line in outside(node):
            self.fail(OUTSIDE, line)
        super().visit_Template(node, frame)

    def visit_Extends(self, node: nodes.Extends, frame: Frame) -> None:
        """As jinja does, after saying who extends, so that cycles and misspelt blocks are found."""
        self.writeline(f"environment.extends({self.name!r}, {node.lineno}, {self._own_blocks!r})", node)
        super().visit_Extends(node, frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Write the text and the held values of one stretch of a template."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        ends = [*map(_is_break, node.nodes[1:]), False]
        for child, ends_line in zip(node.nodes, ends, strict=True):
            if isinstance(child, nodes.TemplateData):
                if _is_break(child):
                    continue
                if child.data == JOINT:
                    self.simple_write(repr(joint(child.lineno, self._label)), frame, child)
                elif child.data:
                    self.simple_write(repr((child.data, child.lineno, self._label)), frame, child)
            else:
                self.start_write(frame, child)
                self._hold(child, frame, "hold_line" if ends_line else "hold")
                self.end_write(frame)
        if frame.require_output_check:
            self.outdent()

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        """As jinja does, over what is certainly meant to be looped over.

        The tree is kept and compiled again, so it is a copy of the loop that gets the check.
        """
        checked = copy(node)
        check = nodes.EnvironmentAttribute("looped", lineno=node.lineno)
        checked.iter = nodes.Call(check, [node.iter], [], None, None, lineno=node.lineno)
        super().visit_For(checked, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """Join values to a value; join with rendered text to text."""
        self.write("glue((")
        for item in node.nodes:
            self.visit(item, frame)
            self.write(", ")
        self.write(f"), {node.lineno}, {self._label!r})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """As jinja does; what a `call` block calls is written like any expression."""
        if not forward_caller:
            super().visit_Call(node, frame)
            return
        self.write("hold(")
        super().visit_Call(node, frame, forward_caller=True)
        self._end_hold(node)

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:
        """As jinja does; what the filter gives is written like any expression."""
        self._outermost = node.filter
        super().visit_FilterBlock(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        """As jinja does; an unknown one fails even where it is not reached."""
        self._check_known(node, "filter", self.environment.filters)
        if node is not self._outermost:
            super().visit_Filter(node, frame)
            return
        self._outermost = None
        self.write("hold(")
        super().visit_Filter(node, frame)
        self._end_hold(node)

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:
        """As jinja does; an unknown one fails even where it is not reached."""
        self._check_known(node, "test", self.environment.tests)
        super().visit_Test(node, frame)

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:
        """As jinja does, except where it would write to nowhere."""
        if frame.buffer is not None and not node.with_context:
            self.fail("`include … without context` cannot stand in a macro, `call`, `set` or `filter`", node.lineno)
        super().visit_Include(node, frame)

    def visit_EvalContextModifier(self, node: nodes.EvalContextModifier, frame: Frame) -> None:
        """Refuse `autoescape`: quoting is by position and cannot be switched."""
        self._refuse_autoescape(node)

    def visit_ScopedEvalContextModifier(
        self,
        node: nodes.ScopedEvalContextModifier,
        frame: Frame,
    ) -> None:
        """Refuse `autoescape`: quoting is by position and cannot be switched."""
        self._refuse_autoescape(node)

    def _check_known(self, node: nodes.Filter | nodes.Test, kind: str, known: Container[str]) -> None:
        if node.name not in known:
            self.fail(f"No {kind} named {node.name!r}", node.lineno)

    def _hold(self, node: nodes.Expr, frame: Frame, function: str) -> None:
        self.write(f"{function}(")
        self.visit(node, frame)
        self._end_hold(node)

    def _end_hold(self, node: nodes.Expr) -> None:
        self.write(f", {node.lineno}, {self._label!r}, {describe(node)!r})")

    def _refuse_autoescape(self, node: nodes.Node) -> NoReturn:
        self.fail("`autoescape` has no meaning here: every value is quoted for where it stands", node.lineno)


def _is_break(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and node.data == BREAK


def describe(node: nodes.Node | None) -> str:
    """The expression as its author wrote it, where it is short enough to name a value by; otherwise nothing."""
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
