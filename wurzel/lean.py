"""Imports of libraries without the parts that a cold start has no use for: 11 ms of Jinja, 5 ms of ruamel.yaml.

Both import these parts by name at their top. For that import alone stand-ins take their place. What the library takes
from these loads the real module when it is first used, by wurzel or anybody else.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
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
    if _load(("ruamel.yaml", "_ruamel_yaml"), _RUAMEL):
        package = sys.modules["ruamel.yaml"]
        vars(package)["__getattr__"] = _exports(package)


def _load(modules: Sequence[str], later: Sequence[str]) -> bool:
    """Whether a library, the first of these modules, was imported with stand-ins."""
    if modules[0] in sys.modules:
        return False
    sys.modules |= {name: _StandIn(name) for name in later}
    try:
        with contextlib.suppress(Exception):  # a version that needs more of them is imported as usual
            for name in modules:
                import_module(name)
    finally:
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
            del sys.modules[name]
    return modules[0] in sys.modules


def _exports(package: ModuleType) -> Callable[[str], Any]:
    """What gives a package, when it is first asked for one of them, all that it would have imported with `*`."""

    def get(name: str) -> Any:
        if (names := vars(package)).pop("__getattr__", None) and not (name.startswith("__") and name != "__all__"):
            for home in map(import_module, _EXPORTED):
                exported = getattr(home, "__all__", None) or [each for each in vars(home) if not each.startswith("_")]
                names.update({each: getattr(home, each) for each in exported})
        if name in names:
            return names[name]
        raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")

    return get
