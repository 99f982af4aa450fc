"""Imports of libraries without the parts that a cold start has no use for: 11 ms of Jinja, 5 ms of ruamel.yaml.

Both import these parts by name at their top. For that import alone stand-ins take their place. What the library takes
from these loads the real module when it is first used, by wurzel or anybody else.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

_JINJA = ("jinja2.bccache", "jinja2.compiler", "jinja2.lexer", "jinja2.parser")
"""What compiles templates, which are compiled already."""
_EXPORTED = ("ruamel.yaml.cyaml", "ruamel.yaml.main")
_ERRORS = "reader scanner parser composer constructor emitter serializer representer"
_RUAMEL = (*_EXPORTED, *(f"ruamel.yaml.{name}" for name in _ERRORS.split()))
"""All but errors and events; the parser in C takes only errors from these."""


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


def load_jinja() -> None:
    """Import Jinja, unless that was done before."""
    _load(("jinja2",), _JINJA)


def load_ruamel() -> None:
    """Import ruamel.yaml with its errors and events, unless that was done before."""
    _load(("ruamel.yaml", "_ruamel_yaml"), _RUAMEL, _EXPORTED)


def _load(modules: Sequence[str], later: Sequence[str], exported: Sequence[str] = ()) -> None:
    """Import a library, the first of these modules, with stand-ins; its package has all names of those `exported`."""
    if modules[0] in sys.modules:
        return
    sys.modules |= {name: _StandIn(name) for name in later}
    try:
        with contextlib.suppress(Exception):  # a version that needs more of them is imported as usual
            for name in modules:
                import_module(name)
    finally:
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
            del sys.modules[name]
    if (package := sys.modules.get(modules[0])) is not None:
        _complete_when_asked(package, later, exported)


def _complete_when_asked(package: ModuleType, later: Sequence[str], exported: Sequence[str]) -> None:
    """Let a package import the rest of itself when it is first asked for a module, class or function of that."""
    names = vars(package)
    taken = {name: names.pop(name) for name, value in list(names.items()) if isinstance(value, _Later)}
    own = {name: names.pop(name) for name in ("__getattr__",) if name in names}
    parts = {"__all__", *taken, *(name.rpartition(".")[2] for name in later)}

    def get(name: str) -> Any:
        if name in parts or (exported and not name.startswith("__")):
            for module in map(import_module, later):
                names.update(_exports(module) if module.__name__ in exported else {})
            names.update({each: stand_in._real() for each, stand_in in taken.items()})  # noqa: SLF001
            names.pop("__getattr__", None)
            names.update(own)
            return getattr(package, name)
        if own:
            return own["__getattr__"](name)
        raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")

    names["__getattr__"] = get


def _exports(module: ModuleType) -> dict[str, Any]:
    """What `from module import *` imports."""
    exported = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
    return {each: getattr(module, each) for each in exported}
