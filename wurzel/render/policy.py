"""Policies: `policies.j2` of a pack or a project writes nothing; it checks rendered files, and may reject them.

Each layer's policy runs separately. Its imports are searched from its own layer downwards, so that nothing above it,
such as a project's file of the same name, can replace a part of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from wurzel.exceptions import Problem, WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.render.characters import presented
from wurzel.render.environment import Environment
from wurzel.render.jinja_types import running
from wurzel.render.layers import POLICIES, Layer, Layers
from wurzel.render.text import Held, Text
from wurzel.render.values import NotAValue, freeze, show, text_of

_WRITES = "a policy writes nothing: it only calls fail(…)"


_CHANGES = "the policy changed the pipeline or its options"
_READ_ONLY = "Policies must only read their context: remove calls such as labels.update(…) or env.clear()."


class Failure(NamedTuple):
    """One violation of a policy."""

    message: str
    at: str
    """Dotted path of the value, e.g. `steps.export.resources.cpu`; '' for the pipeline as a whole."""
    policy: str
    """The policy's layer and line."""


class Policies:
    """The policies of all layers, which are read once and run for every target."""

    def __init__(self, layers: Layers) -> None:
        self._policies = [_Policy(layers, layer) for layer in layers.layers if layer.has_policy]

    def run(
        self, context: Callable[[], Mapping[str, Any]], state: Callable[[], Any] = lambda: None
    ) -> tuple[list[Failure], list[Problem]]:
        """The violations, and errors in the policies themselves.

        Each policy gets its own `context`, so that none can empty the files of the next; `state` is what they
        share and may not change.
        """
        failures: list[Failure] = []
        broken: list[Problem] = []
        before = state()
        for policy in self._policies:
            try:
                failures += policy.run(context())
            except WurzelError as error:
                broken.append(Problem(error.message, error.where, error.hint))
            if state() != before:
                broken.append(Problem(_CHANGES, policy.where, _READ_ONLY))
                break  # those that follow would judge what it left behind
        return failures, broken


class _Policy:
    """The policy of one layer."""

    def __init__(self, layers: Layers, layer: Layer) -> None:
        self._layer = layer
        self._found: list[Failure] = []
        below = layers.layers[layers.layers.index(layer) + 1 :]
        own = copy(layers)
        own.layers = (layer, *(each for each in below if each.kind != "project" or layer.kind == "project"))
        own.hide(())
        # A rename of what stands above, such as a project's, must not lead a policy to another macro or file.
        known = {"", *(each.name for each in own.layers if each.is_own)}
        own.renames = tuple(each for each in layers.renames if each.owner in known)
        self._environment = Environment(own)

        def fail(message: Any = "", at: Any = "") -> Text:
            return self._fail(message, at)

        fail.__qualname__ = "fail"  # as errors of Python name it
        self._environment.globals["fail"] = fail

    @property
    def where(self) -> str:
        """Its file, for messages."""
        return self._environment.layers.labelled(f"{POLICIES}:1")

    def run(self, context: Mapping[str, Any]) -> list[Failure]:
        """Its violations. Raises `WurzelError` when the policy itself fails, or writes anything."""
        self._found = []
        written = self._environment.run(POLICIES, context)
        for piece in written.pieces:
            if isinstance(piece, Held) or piece[0].strip():
                line = piece.line if isinstance(piece, Held) else piece[1]
                where = self._environment.layers.labelled(f"{POLICIES}:{line}")
                raise WurzelError(_WRITES, where=where, hint="Put other text in a comment: {# … #}.")
        return self._found

    def _fail(self, message: Any, at: Any) -> Text:
        """`fail(message, at=path)`, as a policy calls it."""
        text = message.as_value() if isinstance(message, Text) else text_of(freeze(message))
        if not text.strip():
            raise NotAValue("fail() needs a message", 'Write fail("at most 8 cpu").')
        path = at.as_value() if isinstance(at, Text) else at
        if not isinstance(path, str):
            raise NotAValue(f"{show(at)} is not a path", 'Write for example at="steps.export.resources.cpu".')
        place = running(sys._getframe(1)).removeprefix(f"{self._layer.name}!")  # noqa: SLF001 - the line that calls it
        whose = f"policy of {self._layer.label}, {place}" if self._layer.is_pack else f"policy {place}"
        self._found.append(Failure(_one_line(text), _one_line(path), whose))
        return Text(())


def _one_line(text: str) -> str:
    """The text as one line, without what a terminal would act on: values of a project may be part of it."""
    return presented(" ".join(text.split()))
