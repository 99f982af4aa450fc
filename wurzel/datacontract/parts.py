"""The bytes of one part of a dataset, checked against its contract when written and when read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from wurzel.datacontract.codec import Codec, Encoded, short
from wurzel.datacontract.contract import JSON_CONFIG, Contract
from wurzel.datacontract.shape import Shape, shape_of
from wurzel.exceptions import ContractFailedException

_CHUNK = 1024
_SHOWN = 5
_UNWRITABLE = (PydanticSerializationError, TypeError, ValueError, RecursionError)


def codec_for(shape: Shape) -> Codec:
    """What reads and writes the parts of a dataset of this shape."""
    if shape.dataframe:
        from wurzel.datacontract.tables import TableCodec

        return TableCodec(shape.contract)
    return JsonCodec(shape)


class JsonCodec(Codec):
    """JSON: one item per line between `[` and `]`, or a single item on one line."""

    suffix = ".json"

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        item: Any = shape.contract
        for _ in shape.containers[1:]:
            item = list[item]
        self._items: TypeAdapter[list[Any]] = TypeAdapter(list[item], config=JSON_CONFIG)
        self._order_sets = _may_hold_sets(item, set())

    def encode(self, value: Any) -> Encoded:
        """See `Codec`."""
        if not self.shape.many:
            (line,) = self._lines([value])
            return Encoded(line + b"\n", 1)
        lines = list(self._lines(self._listed(value)))
        if self.shape.containers == ("set",):
            lines = sorted(set(lines))
        return Encoded(framed(lines), len(lines))

    def decode(self, data: bytes) -> Any:
        """See `Codec`."""
        if not self.shape.many:
            return self._validated(b"[" + data + b"]", 0)[0]
        items = self._validated(data, 0)
        return set(items) if self.shape.containers == ("set",) else items

    def join(self, values: Iterable[Any]) -> Any:
        """See `Codec`."""
        if self.shape.containers == ("set",):
            return set().union(*values)
        return [item for value in values for item in value]

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """See `Codec`; a set is cut in the order in which it is stored."""
        if self.shape.containers != ("set",):
            return value[start:stop]
        lines = sorted({line: item for item, line in zip(value, self._lines(list(value)), strict=True)}.items())
        return {item for _, item in lines[start:stop]}

    def _listed(self, value: Any) -> list[Any]:
        wanted = self.shape.containers[0]
        if isinstance(value, list | tuple) or (isinstance(value, set | frozenset) and wanted == "set"):
            return list(value)
        if isinstance(value, Iterator):
            return list(value)
        raise ContractFailedException(f"it is {_named(value)}, not a {wanted}")

    def _lines(self, items: list[Any]) -> Iterator[bytes]:
        for start in range(0, len(items), _CHUNK):
            try:
                checked = self._items.validate_python(items[start : start + _CHUNK])
            except ValidationError as error:
                raise self._broken(error, start) from None
            lines = self._dumped(checked, start)
            self._validated(b"[" + b",".join(lines) + b"]", start)
            yield from lines

    def _dumped(self, items: list[Any], start: int) -> list[bytes]:
        try:
            return self._json(items)
        except _UNWRITABLE:
            for index, item in enumerate(items):
                self._blame(item, start + index)
            raise

    def _json(self, items: list[Any], **options: Any) -> list[bytes]:
        plain = self._items.dump_python(items, mode="json", round_trip=True, by_alias=True, warnings=False, **options)
        if self._order_sets:
            _order_sets(items, plain)
        return [to_json(item, inf_nan_mode="constants") for item in plain]

    def _blame(self, item: Any, index: int) -> None:
        try:
            self._json([item])
        except _UNWRITABLE as error:
            reason = str(error).removeprefix("Error serializing to JSON: ")
            place = ", ".join(text for text in (self._item(index), self._culprit(item)) if text)
            raise ContractFailedException(f"{place}: it cannot be stored as JSON: {reason}") from None

    def _culprit(self, item: Any) -> str:
        for name in type(item).model_fields if isinstance(item, BaseModel) else ():
            try:
                self._json([item], include={"__all__": {name}})
            except _UNWRITABLE:
                return f"field {name!r}"
        return ""

    def _validated(self, data: bytes, start: int) -> list[Any]:
        try:
            return self._items.validate_json(data)
        except ValidationError as error:
            raise self._broken(error, start) from None

    def _item(self, index: int) -> str:
        return f"item {index}" if self.shape.many else ""

    def _broken(self, error: ValidationError, start: int) -> ContractFailedException:
        problems = error.errors(include_url=False, include_context=False)
        lines = [
            self._problem(problem["loc"], problem["msg"], problem["input"], start) for problem in problems[:_SHOWN]
        ]
        if len(problems) > _SHOWN:
            lines.append(f"and {len(problems) - _SHOWN} more")
        return ContractFailedException("\n  ".join(lines))

    def _problem(self, loc: tuple[int | str, ...], message: str, value: Any, start: int) -> str:
        index, *rest = loc or (0,)
        place = [self._item(index + start) if isinstance(index, int) else ""]
        while rest and isinstance(rest[0], int):
            place[0] += f"[{rest.pop(0)}]"
        if rest:
            first, *more = rest
            path = str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in more)
            place.append(f"field {path!r}")
        shown = ", ".join(text for text in place if text)
        return f"{shown}: {message}, not {short(value)}" if shown else f"{message}, not {short(value)}"


def framed(lines: Iterable[bytes]) -> bytes:
    """The bytes of a part with these items, each on a line of its own."""
    body = b",\n".join(lines)
    return b"[\n" + body + b"\n]\n" if body else b"[]\n"


def unframed(data: bytes) -> list[bytes]:
    """The lines that `framed` put together."""
    return data[2:-3].split(b",\n") if len(data) > len(b"[]\n") else []


def save(contract: type[Contract], path: Path, obj: Any) -> Path:
    """Write an object or a list of them to one file with the contract's suffix; gives its path."""
    listed = isinstance(obj, list)
    codec = codec_for(shape_of(list[contract] if listed else contract))  # type: ignore[valid-type]
    target = path.with_suffix(codec.suffix)
    target.write_bytes(codec.encode(obj).data)
    return target


def load(contract: type[Contract], path: Path, annotation: Any = None) -> Any:
    """Read what `save` wrote; the annotation says whether it is a list."""
    return codec_for(shape_of(contract if annotation is None else annotation)).decode(path.read_bytes())


def _named(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


_OPEN = (Any, list, dict, tuple, set, frozenset, object)


def _may_hold_sets(annotation: Any, seen: set[Any]) -> bool:
    """Whether values of this type may hold a `set`, whose order differs from process to process."""
    if get_args(annotation):
        origin = get_origin(annotation)
        inner = () if origin is Literal else get_args(annotation)
        is_set = isinstance(origin, type) and issubclass(origin, AbstractSet)
        return is_set or any(_may_hold_sets(argument, seen) for argument in inner)
    if not isinstance(annotation, type):
        return annotation is not Ellipsis and annotation is not None
    if not issubclass(annotation, BaseModel):
        return annotation in _OPEN or dataclasses.is_dataclass(annotation)
    if annotation in seen:
        return False
    seen.add(annotation)
    return annotation.model_config.get("extra") == "allow" or any(
        _may_hold_sets(field.annotation, seen) for field in annotation.model_fields.values()
    )


def _order_sets(value: Any, plain: Any) -> None:
    """Bring the lists that stand for sets in `plain`, the JSON form of `value`, into one order, in place."""
    if isinstance(plain, list):
        if not isinstance(value, list | tuple | set | frozenset) or len(value) != len(plain):
            return
        for inner, shown in zip(value, plain, strict=True):
            if isinstance(shown, list | dict):
                _order_sets(inner, shown)
        if isinstance(value, set | frozenset):
            plain.sort(key=to_json)
        return
    for name, inner in _fields_of(value, plain):
        shown = plain.get(name)
        if isinstance(shown, list | dict):
            _order_sets(inner, shown)


def _fields_of(value: Any, plain: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """What the entries of `plain` were made of, by their keys."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        aliases = {name: field.serialization_alias or name for name, field in fields.items()}
        return [
            (aliases.get(name, name), inner)
            for name, inner in (*value.__dict__.items(), *(value.model_extra or {}).items())
        ]
    if isinstance(value, Mapping):
        return zip(plain, value.values(), strict=False) if len(value) == len(plain) else ()
    return getattr(value, "__dict__", {}).items() if dataclasses.is_dataclass(value) else ()
