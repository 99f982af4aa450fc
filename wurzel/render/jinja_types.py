"""Jinja's classes as templates need them: undefined values, contexts and templates; and where a template runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import jinja2
from jinja2 import StrictUndefined, Template
from jinja2.runtime import new_context

from wurzel.render import bounds, work
from wurzel.render.text import Text
from wurzel.render.values import show
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Missing(StrictUndefined):
    """An undefined value that fails on any use, and suggests what was probably meant."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        owner, name = self._undefined_obj, self._undefined_name
        if self._undefined_hint or owner is jinja2.utils.missing or not isinstance(name, str):
            return super()._undefined_message
        if isinstance(owner, Text):
            return f"rendered text has no {name!r}; `| string` makes it a value"
        known = [str(key) for key in owner] if isinstance(owner, Mapping) else [n for n in dir(owner) if n[:1] != "_"]
        meant = did_you_mean(name, known, cutoff=LOOSE)
        return f"{show(owner)} has no {name!r}{'; d' if meant else ''}{meant[1:]}"

    def __repr__(self) -> str:
        self._fail_with_undefined_error()


class Context(jinja2.runtime.Context):
    """The names a template sees."""

    def derived(self, locals: dict[str, Any] | None = None) -> Context:  # noqa: A002 - jinja's signature
        """Like jinja's for each `scoped` block, but without copying all blocks, which no longer change."""
        context = new_context(self.environment, str(self.name), {}, self.get_all(), True, None, locals)
        context.eval_ctx = self.eval_ctx
        context.blocks = self.blocks
        return cast("Context", context)

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Like jinja's, after counting what a call costs that reads all of a large value."""
        counts = work.called(function, arguments)
        found = super().call(function, *arguments, **named)
        return bounds.scanned(found) if counts else found


class Compiled(Template):
    """A template that remembers where it is rendered, for `block_of`, and what its macros are made of."""

    _taken: frozenset[str] = frozenset()

    def _get_default_module(self, ctx: jinja2.runtime.Context | None = None) -> Any:
        """Like jinja's, which runs a file of macros once: later files use what that run took part in as well."""
        environment: Any = self.environment
        before, environment.taken = environment.taken, set()
        module = super()._get_default_module(ctx)
        self._taken |= environment.taken
        environment.taken = before | self._taken
        return module

    def new_context(self, *args: Any, **kwargs: Any) -> jinja2.runtime.Context:
        """Like jinja's; for a whole file and for each part, but not for each block."""
        context = super().new_context(*args, **kwargs)
        environment: Any = self.environment
        environment.rendering[str(self.name)] = context
        return context


def places(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    """Name and line of each template that was running, the outermost first."""
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            yield str(template.name), template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next


def running(frame: FrameType | None) -> str:
    """The label and line of the template that a frame belongs to."""
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            where = f"{template.name}:{template.get_corresponding_lineno(frame.f_lineno)}"
            return str(template.environment.labelled(where))
        frame = frame.f_back
    return ""
