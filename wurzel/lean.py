"""Imports of libraries without what a cold start has no use for: 25 ms of pydantic, 11 of Jinja, 5 of ruamel.yaml.

They import these parts by name at their top. For that import alone stand-ins take their place. What the library takes
from these loads the real module when it is first used. Other code only ever gets the real one: as soon as it asks a
module of the library for such a part, the library is completed; pydantic by that part, which may need another.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

_JINJA = ("jinja2.bccache", "jinja2.compiler", "jinja2.lexer", "jinja2.parser")
"""What compiles templates, which are compiled already."""
_EXPORTED = ("ruamel.yaml.cyaml", "ruamel.yaml.main")
_ERRORS = "reader scanner parser composer constructor emitter serializer representer"
_RUAMEL = (*_EXPORTED, *(f"ruamel.yaml.{name}" for name in _ERRORS.split()))
"""All but errors and events; the parser in C takes only errors from these."""
_PYDANTIC = (
    "pydantic_core.core_schema",
    "pydantic.json_schema",
    "pydantic.types",
    "pydantic._internal._generate_schema",
    "pydantic._internal._validators",
)
"""What builds validators and JSON Schemas, and types that few models have."""


class _Later:
    """A class or function of such a module, for the modules of the library that have imported it."""

    def __init__(self, home: str, name: str) -> None:
        self._place = home, name

    def _real(self) -> Any:
        home, name = self._place
        module = import_module(home)
        if isinstance(module, _StandIn):
            raise AttributeError(f"{home} is needed for this import")  # which `typing` only asks for
        if home in _PYDANTIC and not getattr(module.__spec__, "_initializing", False):
            _settle(home)
        return getattr(module, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._real()(*args, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __get__(self, _instance: object, _owner: type | None = None) -> Any:
        return self._real()

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._real())


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)

    def _real(self) -> ModuleType:
        return import_module(self.__name__)


class _Partial(ModuleType):
    """A module of pydantic that has stand-ins, which other code does not see."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return found._real() if type(found) in _BOTH else found  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        if (part := f"{self.__name__}.{name}") in _PYDANTIC:
            return import_module(part)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


_BOTH = (_Later, _StandIn)


def load_pydantic() -> None:
    """Import what models are defined with, unless that was done before."""
    if "pydantic" in sys.modules:
        return
    sys.modules |= {name: _StandIn(name) for name in _PYDANTIC}
    try:
        for name in ("pydantic", "pydantic.main", "pydantic.fields", "pydantic.type_adapter"):
            import_module(name)
    except Exception:  # noqa: BLE001 - a version that needs more of them is imported as usual
        for name in [name for name in sys.modules if name.startswith("pydantic.")]:
            del sys.modules[name]
        sys.modules.pop("pydantic", None)
    finally:
        _remove_stand_ins(_PYDANTIC)
    for module in _of_pydantic():
        kinds = {type(value) for value in vars(module).values()}
        if module.__name__ in {"pydantic", "pydantic_core"} or not kinds.isdisjoint(_BOTH):
            module.__class__ = _Partial


def _of_pydantic() -> list[ModuleType]:
    return [module for name, module in [*sys.modules.items()] if name.startswith("pydantic")]


@cache
def _settle(home: str) -> None:
    """Put this module, and what is imported from it, in the place of their stand-ins: `except` wants real classes."""
    real = import_module(home)
    for names in [vars(module) for module in _of_pydantic() if type(module) is _Partial]:
        for name, value in [*names.items()]:
            if type(value) is _StandIn and value.__name__ == home:
                names[name] = real
            elif type(value) is _Later and value._place[0] == home:  # noqa: SLF001
                names[name] = getattr(real, value._place[1])  # noqa: SLF001


def load_jinja() -> None:
    """Import Jinja, unless that was done before."""
    _load(("jinja2",), _JINJA)


def load_ruamel() -> None:
    """Import ruamel.yaml with its errors and events, unless that was done before."""
    _load(("ruamel.yaml", "_ruamel_yaml"), _RUAMEL, _EXPORTED)


def _load(modules: tuple[str, ...], later: Sequence[str], exported: Sequence[str] = ()) -> None:
    """Import a library, the first of these modules, with stand-ins; its package has all names of those `exported`."""
    if modules[0] in sys.modules:
        return
    lacking = _lacking(modules[0], later, exported)
    sys.modules |= {name: _StandIn(name) for name in later}
    try:
        with contextlib.suppress(Exception):  # a version that needs more of them is imported as usual
            for name in modules:
                import_module(name)
                for module in [module for each, module in [*sys.modules.items()] if each.startswith(modules)]:
                    if module.__name__ == modules[0] or _Later in map(type, _names(module).values()):
                        module.__class__ = lacking
    finally:
        _remove_stand_ins(later)


def _remove_stand_ins(names: Sequence[str]) -> None:
    for name in names:
        if isinstance(sys.modules.get(name), _StandIn):
            sys.modules.pop(name, None)


def _lacking(package: str, later: Sequence[str], exported: Sequence[str]) -> type[ModuleType]:
    """The class of its modules until anybody asks one of them for some of the rest, which is imported then."""
    parts = {name.rpartition(".")[2] for name in later}

    def complete() -> None:
        _remove_stand_ins(later)  # of another thread
        for module in map(import_module, later):
            _names(sys.modules[package]).update(_exports(module) if module.__name__ in exported else {})
        for module in [module for module in [*sys.modules.values()] if type(module) is Lacking]:
            names = _names(module)
            names.update({key: one._real() for key, one in [*names.items()] if type(one) is _Later})  # noqa: SLF001
            module.__class__ = ModuleType  # type: ignore[assignment]

    class Lacking(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            if name != "__dict__" and type(found := super().__getattribute__(name)) is not _Later:
                return found
            complete()
            return getattr(self, name)

        def __getattr__(self, name: str) -> Any:
            if self.__name__ == package and (name in parts or (exported and not name.startswith("__"))):
                complete()
                return getattr(self, name)
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

        def __dir__(self) -> Any:
            complete()
            return dir(self)

    return Lacking


def _names(module: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
    return found


def _exports(module: ModuleType) -> dict[str, Any]:
    """What `from module import *` imports."""
    exported = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
    return {each: getattr(module, each) for each in exported}
