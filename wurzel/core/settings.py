"""Settings of steps: classes whose fields are read from the environment."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from operator import is_not
from os import environ as _environ
from types import NoneType
from typing import Any, Self, TypeAlias, cast
from weakref import ref

from pydantic import BaseModel, ConfigDict

from wurzel.core.environment import (
    DELIMITER,
    Variables,
    completed,
    encode,
    fields_of,
    is_text,
    refined,
    split_name,
)
from wurzel.exceptions import StaticTypeError

__all__ = [
    "NoSettings",
    "Settings",
    "SettingsBase",
    "SettingsLeaf",
    "encode",
    "is_text",
    "provided_settings",
    "providing",
]

CO_OPTIMIZED = 1
"""Flag of the code of functions, and not of modules and class bodies (`inspect.CO_OPTIMIZED`)."""

_OUTSIDE: dict[int, tuple[Any, Mapping[str, Any]]] = {}
"""Settings that have read variables, by address, with what they were given otherwise; only as long as they live."""
_SEALED: ContextVar[bool] = ContextVar("sealed", default=False)
_PROVIDED: ContextVar[Mapping[type, Any]] = ContextVar("provided", default={})  # noqa: B039 - never changed


class SettingsBase(BaseModel):
    """Fields read from environment variables of exactly their names when an object is made.

    Text fields take the variable's text, others JSON; `FIELD__INNER` descends into nested settings and mappings and
    refines what `FIELD` itself says. Arguments given to the constructor, by name or as a mapping, win. Unknown fields
    are refused. Settings made in the body of a class, such as the default in `DB: Db = Db()`, read no variables, and
    settings made elsewhere are a default without what they have read.
    `model_config = {"env_prefix": "X_"}` puts a prefix before every name.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_default=True,
        arbitrary_types_allowed=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,
        **cast("ConfigDict", {"env_prefix": "", "env_nested_delimiter": DELIMITER}),  # as pydantic-settings names them
    )

    def __init__(self, mapping: Mapping[str, Any] | None = None, /, **values: Any) -> None:
        cls = type(self)
        values = {**(mapping or {}), **values}
        if not _SEALED.get() and not _in_class_body():
            prefix = cast("str", cls.model_config.get("env_prefix", ""))
            fields = fields_of(cls)
            given = {fields[name][0] if name in fields else name: value for name, value in values.items()}
            found = _surroundings(cls, prefix)
            values = completed(cls, refined(cls, found, given))
            if found:
                super().__init__(**values)
                _remember(self, given)
                return
        super().__init__(**values)

    # Pydantic then validates a nested object without calling `__init__`, which would read the environment again.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """As of any model. Pydantic makes one of each default."""
        made = super().__deepcopy__(memo)
        if (given := _given_besides(self)) is not None:
            _remember(made, given)
        return made

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Keep what a default read when it was made, elsewhere in a module, out of the class.

        Raises `StaticTypeError` for one of `pydantic_settings`, which does not tell what it has read.
        """
        super().__pydantic_init_subclass__(**options)
        for name, field in cls.model_fields.items():
            field.default = _unread(field.default, f"{cls.__name__}.{name}")

    @classmethod
    def with_prefix(cls, prefix: str) -> type[Self]:
        """A class with the same fields, read from variables that start with `prefix`."""
        config = cast("ConfigDict", {**cls.model_config, "env_prefix": prefix})
        metaclass: Any = type(cls)
        return cast(
            "type[Self]", metaclass(cls.__name__, (cls,), {"__module__": cls.__module__, "model_config": config})
        )


class SettingsLeaf(SettingsBase):
    """Settings nested in a field of other settings."""


class Settings(SettingsLeaf):
    """Settings of a step: `class SplitSettings(Settings): BATCH_SIZE: int = 100`.

    `wurzel step` reads them from `<ID>__<FIELD>`, then `<CLASSNAME>__<FIELD>`; see `wurzel.core.loading`.
    """


NoSettings: TypeAlias = None
"""Stands for settings where a step has none."""


@contextmanager
def sealed() -> Iterator[None]:
    """Keep settings that are made meanwhile from reading the environment."""
    token = _SEALED.set(True)
    try:
        yield
    finally:
        _SEALED.reset(token)


@contextmanager
def providing(step_class: type, settings: Any) -> Iterator[None]:
    """Let steps of this class that are made meanwhile have these settings instead of reading them."""
    token = _PROVIDED.set({**_PROVIDED.get(), step_class: settings})
    try:
        yield
    finally:
        _PROVIDED.reset(token)


def provided_settings(step_class: type, settings_class: type) -> Any:
    """The settings a new step starts with."""
    if settings_class is NoneType:
        return None
    provided = _PROVIDED.get()
    return provided[step_class] if step_class in provided else settings_class()


def _in_class_body() -> bool:
    """Whether a class is just being defined: `DB: Db = Db()` is a default, which no environment may change."""
    frame = sys._getframe(2)  # noqa: SLF001 - nothing else tells
    while frame is not None and frame.f_code.co_name != "<module>":
        if not frame.f_code.co_flags & CO_OPTIMIZED:  # 3.13 hides the names of a class from its comprehensions
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _remember(made: SettingsBase, given: Mapping[str, Any]) -> None:
    key = id(made)
    _OUTSIDE[key] = ref(made, lambda _: _OUTSIDE.pop(key, None)), given


def _given_besides(settings: SettingsBase) -> Mapping[str, Any] | None:
    """What settings were given besides the variables that they have read; `None` if they have read none."""
    reference, given = _OUTSIDE.get(id(settings), (lambda: None, {}))
    return given if reference() is settings else None


def _unread(default: Any, where: str) -> Any:
    """A default in which no settings have read the environment; itself where none have."""
    if isinstance(default, SettingsBase) and (given := _given_besides(default)) is not None:
        with sealed():
            return type(default)({name: _unread(value, where) for name, value in given.items()})
    if isinstance(default, getattr(sys.modules.get("pydantic_settings"), "BaseSettings", ())):
        kind = type(default).__name__
        raise StaticTypeError(
            f"{where}: its default has an object of {kind}, which pydantic_settings reads from the environment",
            hint=f"Derive {kind} from wurzel's SettingsLeaf; variables of the step set it then.",
        )
    if type(default) in {list, tuple}:
        items = [_unread(item, where) for item in default]
        return type(default)(items) if any(map(is_not, items, default)) else default
    changed = {key: new for key, value in _parts(default).items() if (new := _unread(value, where)) is not value}
    if type(default) is dict:
        return {**default, **changed} if changed else default
    made = copy(default) if changed else default
    for name, value in changed.items():
        object.__setattr__(made, name, value)
    return made


def _parts(value: Any) -> Mapping[Any, Any]:
    """The entries of a mapping, or the fields of a model or dataclass."""
    if type(value) is dict:
        return value
    if isinstance(value, BaseModel):
        return vars(value)
    names = () if isinstance(value, type) else getattr(value, "__dataclass_fields__", ())
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _surroundings(cls: type[SettingsBase], prefix: str) -> dict[str, Any]:
    """What the process environment says of the fields; a name that fits no field is not for them."""
    fields = fields_of(cls)
    names = {name.removeprefix(prefix): value for name, value in _environ.items() if name.startswith(prefix)}
    return Variables().read(cls, {name: names[name] for name in names if split_name(name, fields)[0] is not None})
