"""From environment variables to the data of a settings class.

A variable holds the text itself when its field accepts text, otherwise JSON; `__` descends into nested settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic_core import from_json

from wurzel.datacontract.secrets import hiding

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

DELIMITER = "__"

_TEXT = (str, bytes, PurePath)
_NETWORK_MODULES = {"pydantic.networks", "pydantic_core._pydantic_core"}
_TEXT_NAMES = {("decimal", "Decimal"), ("uuid", "UUID"), ("re", "Pattern")}


def prefixes(step_id: str, class_name: str) -> tuple[str, ...]:
    """What the variables of a step start with, strongest first."""
    return tuple(dict.fromkeys((f"{step_id.upper().replace('-', '_')}{DELIMITER}", f"{class_name.upper()}{DELIMITER}")))


def is_text(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    """Whether a variable holds the text of such a value itself; otherwise it holds JSON.

    Text are `str`, paths, secrets, URLs, `Decimal`, `UUID`, patterns, enums and literals of `str`, and `X | None` of
    these, and what `Json[X]` reads. `None` is then no value of a variable: it is said by `--null` or a settings file.
    """
    if _is_json(annotation) or any(map(_is_json, metadata)):
        return True
    origin = get_origin(annotation)
    if origin is Annotated:
        return is_text(get_args(annotation)[0], annotation.__metadata__)
    if origin is Literal:
        return all(value is None or isinstance(value, str) for value in get_args(annotation))
    if origin in {Union, UnionType}:
        rest = [argument for argument in get_args(annotation) if argument is not NoneType]
        return len(rest) == 1 and is_text(rest[0])
    kind = origin or annotation
    return isinstance(kind, type) and _is_text_type(kind, annotation)


def _is_json(mark: Any) -> bool:
    kind = mark if isinstance(mark, type) else type(mark)
    return (kind.__module__, kind.__name__) == ("pydantic.types", "Json")


def _is_text_type(kind: type, annotation: Any) -> bool:
    if issubclass(kind, hiding()):
        return is_text(_hidden_type(annotation))
    if issubclass(kind, Enum):
        return all(isinstance(member.value, str) for member in kind)
    name = (kind.__module__, kind.__name__)
    return issubclass(kind, _TEXT) or name in _TEXT_NAMES or kind.__module__ in _NETWORK_MODULES


def _hidden_type(annotation: Any) -> Any:
    """`T` of `Secret[T]` and of its sub-classes; `str` of `SecretStr`, `bytes` of `SecretBytes`."""
    if arguments := get_args(annotation):
        return arguments[0]
    bases = getattr(annotation, "__orig_bases__", ())
    return next((_hidden_type(base) for base in bases if get_args(base)), Any)


def encode(value: Any, *, text: bool) -> str:
    """The JSON form of a value as the text of a variable; `text` says whether `is_text` holds for its field."""
    if text and isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The nested settings class of a field of type `X` or `X | None`."""
    kind = _some(annotation)
    return kind if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel) else None


def key_of(name: str, field: FieldInfo) -> str:
    """The key under which pydantic takes the value of a field."""
    return _keys_of(name, field)[0]


def _keys_of(name: str, field: FieldInfo) -> list[str]:
    """All such keys, the one that counts most first: a path into another value is none."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [key for key in choices if isinstance(key, str)] or [name]


class Variables:
    """Reads variables whose prefix is cut off already, or values by such names, which are not `encoded`.

    A name that fits no field is refused by pydantic where the class forbids extra fields, and kept in `unknown` where
    the class does not say.
    """

    def __init__(self, *, encoded: bool = True) -> None:
        self.unknown: list[str] = []
        self._encoded = encoded

    def read(self, cls: type[BaseModel], variables: Mapping[str, Any], place: str = "") -> dict[str, Any]:
        """The data of a class, by the key of each field that has a variable."""
        fields = fields_of(cls)
        data: dict[str, Any] = {}
        inner: dict[str, dict[str, Any]] = {}
        for name, value in variables.items():
            head, rest = split_name(name, fields)
            if head is None:
                self._keep_unknown(cls, name, value, data, place)
            elif rest is None:
                key, field = fields[head]
                data[key] = self._decoded(value, field.annotation, field.metadata)
            else:
                inner.setdefault(head, {})[rest] = value
        for name, values in inner.items():
            key, field = fields[name]
            data[key] = self._refine(field.annotation, data.get(key), values, f"{place}{name}{DELIMITER}")
        return data

    def _refine(self, annotation: Any, base: Any, values: Mapping[str, Any], place: str) -> Any:
        start = base if isinstance(base, dict) else {}
        model = model_of(annotation)
        if model is not None:
            return refined(model, start, self.read(model, values, place))
        item = _item_type(annotation)
        result = dict(start)
        inner: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            head, _, rest = name.partition(DELIMITER)
            if head and rest and _descends(item):
                inner.setdefault(head, {})[rest] = value
            else:
                result[name] = self._decoded(value, item)
        for head, rests in inner.items():
            result[head] = self._refine(item, result.get(head), rests, f"{place}{head}{DELIMITER}")
        return result

    def _decoded(self, value: Any, annotation: Any, metadata: Iterable[Any] = ()) -> Any:
        return decode(value, text=is_text(annotation, metadata)) if self._encoded else value

    def _keep_unknown(self, cls: type[BaseModel], name: str, value: Any, data: dict[str, Any], place: str) -> None:
        extra = cls.model_config.get("extra")
        if extra == "forbid":
            data[name] = value  # pydantic refuses it
        elif extra == "allow":
            data[name] = self._decoded(value, Any)
        elif extra is None:
            self.unknown.append(f"{place}{name}")


def refined(cls: type[BaseModel], base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, nested settings refined field by field."""
    nested = {key_of(name, field): model_of(field.annotation) for name, field in cls.model_fields.items()}
    result = dict(base)
    for key, value in over.items():
        model = nested.get(key)
        before = as_data(result.get(key))
        if model is not None and isinstance(value, Mapping) and isinstance(before, dict):
            result[key] = refined(model, before, value)
        else:
            result[key] = value
    return result


def completed(cls: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """Data in which every nested settings class has its place, so that each missing field is reported by its name."""
    result = dict(data)
    for name, field in cls.model_fields.items():
        key = key_of(name, field)
        model = model_of(field.annotation)
        if model is None or is_text(field.annotation, field.metadata):
            continue
        value: Any = result.get(key)
        if isinstance(value, str):
            value = result[key] = decode(value, text=False)
        if key not in result and field.is_required() and get_origin(field.annotation) is None:
            value = {}
        if isinstance(value, Mapping):
            default = None if field.is_required() else as_data(field.get_default(call_default_factory=True))
            start = default if isinstance(default, dict) else {}
            result[key] = completed(model, refined(model, start, value))
    return result


def as_data(value: Any) -> Any:
    """A settings object as the values that were given to it; anything else as it is."""
    if not isinstance(value, BaseModel):
        return value
    fields = type(value).model_fields
    return {key_of(name, fields[name]): getattr(value, name) for name in value.model_fields_set if name in fields}


def decode(value: str, *, text: bool) -> Any:
    """What a variable stands for: the text itself, or the JSON in it; anything that is not valid JSON stays text."""
    if text:
        return value
    try:
        return from_json(value)
    except ValueError:
        return value


def fields_of(cls: type[BaseModel]) -> dict[str, tuple[str, FieldInfo]]:
    """Key and field, by the names that variables and arguments may use: the field's own and its aliases."""
    found: dict[str, tuple[str, FieldInfo]] = {}
    for name, field in cls.model_fields.items():
        keys = _keys_of(name, field)
        found |= {key: (key, field) for key in keys}
        found[name] = (keys[0], field)
    return found


def split_name(name: str, fields: Mapping[str, tuple[str, FieldInfo]]) -> tuple[str | None, str | None]:
    """The field a variable belongs to, and what of its name descends into that field; `None` for neither."""
    if name in fields:
        return name, None
    at = name.find(DELIMITER, 1)
    while at > 0:
        head, rest = name[:at], name[at + len(DELIMITER) :]
        if rest and head in fields and _descends(fields[head][1].annotation):
            return head, rest
        at = name.find(DELIMITER, at + 1)
    return None, None


def _descends(annotation: Any) -> bool:
    """Whether `__` leads into values of this type."""
    return annotation is Any or model_of(annotation) is not None or _is_mapping(annotation)


def _is_mapping(annotation: Any) -> bool:
    kind = _some(annotation)
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _item_type(annotation: Any) -> Any:
    arguments = get_args(_some(annotation))
    return arguments[1] if len(arguments) == 2 else Any  # noqa: PLR2004 - key and value


def _some(annotation: Any) -> Any:
    """`X` of `X | None` and of `Annotated[X, …]`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _some(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        rest = [argument for argument in get_args(annotation) if argument is not NoneType]
        return _some(rest[0]) if len(rest) == 1 else annotation
    return annotation
