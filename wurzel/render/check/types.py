"""Static types of what templates read: Python annotations, as far as they tell which attributes exist."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from wurzel.named_tuples import NamedTuple
from wurzel.render.check.described import field_types, is_described

UNKNOWN: Any = Any
"""The type of an unknown value; everything is allowed with it."""

_WORDS = {str: "text", int: "whole number", float: "number", bool: "boolean", type(None): "null", Any: "any value"}


class Module(NamedTuple):
    """An imported template: its macros and variables."""

    name: str
    names: frozenset[str]


class Attribute(NamedTuple):
    """An attribute: its type, or the names that could have been meant."""

    type: Any
    known: Sequence[str] = ()

    @property
    def is_missing(self) -> bool:
        """Whether there is no such attribute."""
        return bool(self.known)


def alternatives(kind: Any) -> list[Any]:
    """The types a value may have, without `Annotated` metadata."""
    origin = get_origin(kind)
    if origin is Annotated:
        return alternatives(get_args(kind)[0])
    if origin is Union or origin is types.UnionType:
        return [found for part in get_args(kind) for found in alternatives(part)]
    if origin is Literal:
        return list(dict.fromkeys(type(value) for value in get_args(kind)))
    return [kind]


def attribute(kind: Any, name: str) -> Attribute:
    """The attribute `name` of a value of this type."""
    if isinstance(kind, Module):
        return Attribute(UNKNOWN, () if name in kind.names else sorted(kind.names) or ("",))
    found: list[Any] = []
    known: list[str] = []
    for part in alternatives(kind):
        if part is type(None):
            continue
        result = _attribute(part, name)
        if result.is_missing:
            known += result.known
        else:
            found.append(result.type)
    if found:
        return Attribute(joined(found))
    return Attribute(UNKNOWN, tuple(dict.fromkeys(known)))


def fields(kind: Any) -> Sequence[str]:
    """The fields of a value of this type; none if it may be anything but a record or null."""
    parts = [part for part in alternatives(kind) if part is not type(None)]
    found = [name for part in parts if is_described(part) for name in field_types(part)]
    return tuple(dict.fromkeys(found)) if all(is_described(part) for part in parts) else ()


def element(kind: Any) -> Any:
    """The type of the items in a `for` over a value of this type."""
    return joined(_element(part) for part in alternatives(kind) if part is not type(None))


def entry(kind: Any, index: Any = None) -> Any:
    """The type of `value[…]`; `index` is the key if it is a constant."""
    found = []
    for part in alternatives(kind):
        args = get_args(part)
        if _is_mapping(part):
            found.append(args[1] if len(args) == 2 else UNKNOWN)  # noqa: PLR2004 - key and value
        elif get_origin(part) is tuple and isinstance(index, int) and Ellipsis not in args and index < len(args):
            found.append(args[index])
        elif part is not type(None):
            found.append(str if part is str else _element(part))
    return joined(found)


def called(owner: Any, method: str) -> Any:
    """The return type of a method, for the few methods of mappings that templates loop over."""
    for part in alternatives(owner):
        args = get_args(part)
        if _is_mapping(part) and len(args) == 2:  # noqa: PLR2004 - key and value
            key, value = args
            return {
                "items": Sequence[tuple[key, value]],  # type: ignore[valid-type]
                "keys": Sequence[key],  # type: ignore[valid-type]
                "values": Sequence[value],  # type: ignore[valid-type]
                "get": UNKNOWN,
            }.get(method, UNKNOWN)
    return UNKNOWN


def joined(kinds: Iterable[Any]) -> Any:
    """One type for a value that may have any of several."""
    found = list(dict.fromkeys(kinds))
    if not found or any(kind is UNKNOWN or isinstance(kind, Module) for kind in found):
        return UNKNOWN
    return found[0] if len(found) == 1 else Union[tuple(found)]  # noqa: UP007 - made at run time


def is_collection(kind: Any) -> bool:
    """Whether a value of this type certainly is a list or a mapping, or null."""
    parts = [part for part in alternatives(kind) if part is not type(None)]
    return bool(parts) and all(_is_mapping(part) or _is_list(part) or is_described(part) for part in parts)


def is_free_text(kind: Any) -> bool:
    """Whether a value of this type may be any text, since no rule restricts the type."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Union or origin is types.UnionType:
        return any(map(is_free_text, args))
    if origin is Annotated and args[0] is str:
        from wurzel.ir.names import is_restricted

        return not is_restricted(args[1:])
    return is_free_text(args[0]) if origin is Annotated else kind is str


def spell(kind: Any) -> str:
    """The type in words, as in the documentation: text, list of Stage, mapping of text to text, …."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return spell(args[0])
    return _spell_several(origin, args) or _spell_container(kind, args) or _WORDS.get(kind) or _name(kind)


def _spell_several(origin: Any, args: tuple[Any, ...]) -> str:
    if origin is Union or origin is types.UnionType:
        return " or ".join(dict.fromkeys(spell(part) for part in args))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in args)
    return ""


def _spell_container(kind: Any, args: tuple[Any, ...]) -> str:
    if _is_mapping(kind):
        return f"mapping of {spell(args[0])} to {spell(args[1])}" if args else "mapping"
    if get_origin(kind) is tuple and args and Ellipsis not in args:
        return f"({', '.join(map(spell, args))})"
    if _is_list(kind):
        return f"list of {spell(args[0])}" if args else "list"
    return ""


def _name(kind: Any) -> str:
    if isinstance(kind, Module):
        return f"macros of `{kind.name}`"
    return str(getattr(kind, "__name__", kind))


def described_in(kind: Any) -> list[type]:
    """The described classes that a type contains."""
    parts = [kind] if is_described(kind) else [found for part in get_args(kind) for found in described_in(part)]
    return list(dict.fromkeys(parts))


def _attribute(kind: Any, name: str) -> Attribute:
    if is_described(kind):
        found = field_types(kind)
        if name in found:
            return Attribute(found[name])
        return Attribute(UNKNOWN, () if hasattr(kind, name) else tuple(found) or ("",))
    if _is_mapping(kind):
        return Attribute(UNKNOWN) if hasattr(dict, name) else Attribute(entry(kind))
    base = list if _is_list(kind) else kind
    if base in {str, int, float, bool, list}:
        return Attribute(UNKNOWN, () if hasattr(base, name) else [part for part in dir(base) if part[:1] != "_"])
    return Attribute(UNKNOWN)


def _element(kind: Any) -> Any:
    args = get_args(kind)
    if _is_mapping(kind) or (_is_list(kind) and (get_origin(kind) is not tuple or Ellipsis in args)):
        return args[0] if args else UNKNOWN
    return joined(args) if get_origin(kind) is tuple else UNKNOWN


def _is_mapping(kind: Any) -> bool:
    base = get_origin(kind) or kind
    return isinstance(base, type) and issubclass(base, Mapping)


def _is_list(kind: Any) -> bool:
    base = get_origin(kind) or kind
    return isinstance(base, type) and issubclass(base, Sequence) and not (issubclass(base, str) or is_described(base))


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of an annotated type, as far as pydantic can tell."""
    from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return False
    except PydanticSchemaGenerationError:  # the annotation is a class that pydantic does not know
        pass
    return True


def name_of(annotation: Any) -> str:
    """An annotation as its author wrote it."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
