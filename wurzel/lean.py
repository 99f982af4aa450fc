"""Imports of libraries without what a cold start has no use for: 25 ms of pydantic, 11 of Jinja, 5 of ruamel.yaml.

They import these parts by name at their top. For that import alone stand-ins take their place. When one is used,
its module is imported and takes its place. As soon as other code asks a module of the library for anything but a few
names, the library is completed: all parts are imported, so that other code sees the library as it usually is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from inspect import isclass, isfunction, unwrap
from types import FunctionType, ModuleType
from typing import Any, NamedTuple


class _Library(NamedTuple):
    """What is imported, the package first, and which modules of it are imported later."""

    modules: tuple[str, ...]
    later: tuple[str, ...]
    exported: tuple[str, ...] = ()
    """Those of them from which the package has all names."""
    shared: frozenset[str] = frozenset()
    """Names that other code may take from the package before it is complete."""

    def loaded(self) -> list[ModuleType]:
        """Its modules that are imported."""
        packages = tuple(f"{name}." for name in self.modules)
        return [module for name, module in [*sys.modules.items()] if f"{name}.".startswith(packages)]


_JINJA = _Library(("jinja2",), ("jinja2.bccache", "jinja2.compiler", "jinja2.lexer", "jinja2.parser"))
"""Without what compiles templates, which are compiled already."""
_EXPORTED = ("ruamel.yaml.cyaml", "ruamel.yaml.main")
_ERRORS = "reader scanner parser composer constructor emitter serializer representer"
_RUAMEL = _Library(
    ("ruamel.yaml", "_ruamel_yaml"), (*_EXPORTED, *(f"ruamel.yaml.{name}" for name in _ERRORS.split())), _EXPORTED
)
"""With its errors and events; the parser in C takes only errors from the others."""
_PYDANTIC = _Library(
    ("pydantic", "pydantic.main", "pydantic.fields", "pydantic.type_adapter", "pydantic_core"),
    (
        "pydantic_core.core_schema",
        "pydantic.json_schema",
        "pydantic.types",
        "pydantic._internal._core_utils",
        "pydantic._internal._generate_schema",
        "pydantic._internal._validators",
    ),
    shared=frozenset({"ConfigDict", "Field", "SecretStr", "TypeAdapter", "ValidationError"}),
)
"""Without what builds validators and JSON Schemas, and types that few models have."""
_TRIED = {"2.11", "2.12", "2.13", "2.14"}
"""Versions of pydantic that were tried; others are imported as usual."""


class _Later:
    """A class, function or constant of such a module, for the modules of the library that have imported it."""

    def __init__(self, library: _Library, home: str, name: str) -> None:
        self.place = library, home, name

    def real(self) -> Any:
        _, home, name = self.place
        module = import_module(home)
        if isinstance(module, _StandIn):
            raise AttributeError(f"{home} is needed for this import")  # which `typing` only asks for
        return getattr(module, name)

    def _used(self) -> Any:
        found = self.real()
        _replace(self.place[0], self.place[1])
        return found

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._used()(*args, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._used(), name)

    def __get__(self, _instance: object, _owner: type | None = None) -> Any:
        return self._used()

    def __mro_entries__(self, _bases: object) -> tuple[Any]:
        return (self._used(),)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._used())


class _StandIn(ModuleType):
    def __init__(self, name: str, library: _Library) -> None:
        super().__init__(name)
        self.place = library, name, ""

    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.place[0], self.__name__, name)

    def real(self) -> ModuleType:
        return import_module(self.__name__)


_BOTH = (_Later, _StandIn)
_OWN = {"", "_ruamel_yaml", "importlib", "jinja2", "pydantic", "pydantic_core", "ruamel", "wurzel"}
"""Packages, and modules of them, that may take what there is from a library that is not complete."""


def load_pydantic() -> None:
    """Import what models are defined with, unless that was done before."""
    _load(_PYDANTIC)


def load_jinja() -> None:
    """Import Jinja, unless that was done before."""
    _load(_JINJA)


def load_ruamel() -> None:
    """Import ruamel.yaml with its errors and events, unless that was done before."""
    _load(_RUAMEL)


def _load(library: _Library) -> None:
    if library.loaded():
        return
    sys.modules |= {name: _StandIn(name, library) for name in library.later}
    try:
        for name in library.modules:
            module = import_module(name)
            if name == "pydantic" and module.VERSION.rpartition(".")[0] not in _TRIED:
                raise ImportError(name)  # noqa: TRY301 - ends as other imports that fail
    except Exception:  # noqa: BLE001 - a version that needs more of them is imported as usual
        for module in library.loaded():
            if str(getattr(module, "__file__", "")).endswith(".py"):
                del sys.modules[module.__name__]
        return
    finally:
        for name in library.later:
            if isinstance(sys.modules.get(name), _StandIn):
                del sys.modules[name]
    lacking = _lacking(library)
    for module in library.loaded():
        module.__class__ = lacking


def _complete(library: _Library) -> None:
    """Import the rest of the library, and put it in the place of the stand-ins."""
    if any(_is_importing(name) for name in library.later):
        return
    for name in library.later:
        with suppress(ModuleNotFoundError):  # in a version that has no such module
            import_module(name)
    for name in library.exported:
        _names(sys.modules[library.modules[0]]).update(_exports(sys.modules[name]))
    _replace(library, *library.later)
    for module in library.loaded():
        if type(module).__base__ is _Partial:
            for value in [*_names(module).values()]:
                if getattr(value, "__module__", "") == module.__name__:
                    _settle(value, library.later)
            module.__class__ = ModuleType


def _replace(library: _Library, *homes: str) -> None:
    """Put these modules, and what was imported from them, in the place of their stand-ins: `except` wants classes."""
    if not any(_is_importing(name) for name in homes):
        for module in library.loaded():
            if type(module).__base__ is _Partial:
                names = _names(module)
                names.update(_settled(names, homes))


def _is_importing(name: str) -> bool:
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)


def _settled(names: dict[Any, Any], homes: Sequence[str]) -> dict[Any, Any]:
    """What is to be in the place of stand-ins for these modules."""
    return {key: one.real() for key, one in [*names.items()] if type(one) in _BOTH and one.place[1] in homes}


_METHODS = {FunctionType, classmethod, staticmethod}


def _settle(value: Any, homes: Sequence[str]) -> None:
    """Put what was imported in the place of stand-ins among attributes of a class and defaults of a function."""
    for name, attribute in vars(value).copy().items() if isclass(value) else ():
        if type(attribute) is _Later:
            setattr(value, name, attribute.real())
        elif type(attribute) is dict:
            attribute.update(_settled(attribute, homes))
        elif type(attribute) in _METHODS:
            _settle(getattr(attribute, "__func__", attribute), homes)
    if isfunction(value) and isfunction(function := unwrap(value)):
        named, positional = function.__kwdefaults__ or {}, dict(enumerate(function.__defaults__ or ()))
        named.update(_settled(named, homes))
        if found := _settled(positional, homes):
            function.__defaults__ = (*(positional | found).values(),)


class _Partial(ModuleType):
    """A module of a library that is not complete."""


def _lacking(library: _Library) -> type[ModuleType]:
    class Lacking(_Partial):
        def __getattribute__(self, name: str) -> Any:
            if sys._getframe(1).f_globals.get("__name__") not in _OWN:  # noqa: SLF001 - often asked
                shared = name in library.shared and _names(self)["__name__"] == library.modules[0]
                if not shared and _shows(name) and not _is_own(_caller()):
                    _complete(library)
            found = ModuleType.__getattribute__(self, name)
            if type(found) not in _BOTH:
                return found
            real = found.real()
            _replace(library, found.place[1])
            return real

        def __getattr__(self, name: str) -> Any:
            # Imports ask for submodules before they import them.
            if _shows(name) and not _caller().startswith("importlib"):
                _complete(library)
            return ModuleType.__getattribute__(self, name)

        def __dir__(self) -> Any:
            _complete(library)
            return ModuleType.__dir__(self)

    return Lacking


def _shows(name: str) -> bool:
    """Whether the attribute of a module is more than what imports and debuggers ask every module for."""
    return name == "__dict__" or not name.startswith("__")


def _caller() -> str:
    """The module that asks another; none for a compiled template."""
    return str(sys._getframe(2).f_globals.get("__name__", ""))  # noqa: SLF001


def _is_own(caller: str) -> bool:
    if own := caller.partition(".")[0] in _OWN:
        _OWN.add(caller)
    return own


def _names(module: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
    return found


def _exports(module: ModuleType) -> dict[str, Any]:
    """What `from module import *` imports."""
    exported = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
    return {each: getattr(module, each) for each in exported}
