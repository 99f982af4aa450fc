"""Imports Jinja without its lexer, parser and code generator: 11 ms of a cold render whose templates are all compiled.

Jinja imports them by name at its top. For that import alone stand-ins take their place. What Jinja takes from these
loads the real module when it is first used, by wurzel or anybody else.
"""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_LATER = ("jinja2.bccache", "jinja2.compiler", "jinja2.lexer", "jinja2.parser")


class _Later:
    """A class or function of such a module: it can be called, derived from and compared with as the real one."""

    def __init__(self, home: str, name: str) -> None:
        self._place = home, name

    def _real(self) -> Any:
        home, name = self._place
        return getattr(import_module(home), name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._real()(*args, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __mro_entries__(self, _bases: Any) -> tuple[Any]:
        return (self._real(),)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, cls: type) -> bool:
        return issubclass(cls, self._real())


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


def load() -> None:
    """Import Jinja, unless that was done before."""
    if "jinja2" in sys.modules:
        return
    sys.modules |= {name: _StandIn(name) for name in _LATER}
    try:
        with contextlib.suppress(Exception):  # a version that needs more of them is imported as usual
            import_module("jinja2")
    finally:
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
            del sys.modules[name]
