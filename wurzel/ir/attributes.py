"""Reads and checks what the attributes of a step class ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from wurzel.core import TypedStep
from wurzel.datacontract.names import class_path
from wurzel.exceptions import PipelineError, shortened
from wurzel.ir.model import MAX_SHARDS, Retry, Shards
from wurzel.ir.pods import MAX_COUNT, Limits, Resources
from wurzel.ir.types import parse_duration

AnyStep: TypeAlias = TypedStep[Any, Any, Any]


def asked_for(cls: type) -> dict[str, Any]:
    """What the class itself asks for; only what is set, since most steps ask for nothing."""
    needs: dict[str, Any] = {}
    try:
        if (raw := getattr(cls, "resources", None)) is not None:
            needs |= _resources(raw)
        if (raw := getattr(cls, "retry", None)) is not None:
            needs["retry"] = Retry.model_validate({"limit": raw} if isinstance(raw, int) else raw, strict=True)
        if (raw := getattr(cls, "timeout", None)) is not None:
            needs["timeout"] = parse_duration(raw)
        if (raw := getattr(cls, "shards", None)) is not None:
            needs["shards"] = _shards(raw)
        if (raw := getattr(cls, "shard_by", "")) != "":
            needs["shard_by"] = _shard_by(raw)
    except ValueError as error:
        model = next((one for one in (Resources, Limits, Retry) if one.__name__ == getattr(error, "title", "")), Shards)
        known = [*model.model_fields, *(["limits"] if model is Resources else [])]
        errors = _by_place(getattr(error, "errors", list)(), known)
        reason = "; ".join(f"{place}: {message}" for place, message in errors)
        raise PipelineError(
            reason or str(error), where=class_path(cls), hint=f"Its class attributes say {raw!r}."
        ) from error
    return needs


def _by_place(errors: Iterable[Mapping[str, Any]], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each place with its first error; of a value that may have several shapes, the errors of the shape it has.

    `known` are the keys that there are.
    """
    found: dict[str, str] = {}
    for item in errors:
        names = [str(part) for part in item["loc"] if not str(part).startswith(("constrained-", "dict["))]
        message = item["msg"]
        if item["type"] == "extra_forbidden":
            from wurzel.suggestion import closest  # imported only for an error message

            close = closest(names[-1], known)
            message = f"no such key; did you mean {close}?" if close else f"no such key; keys are {', '.join(known)}"
        found.setdefault(".".join(names), message)
    for place, message in found.items():
        if not any(other.startswith(f"{place}.") for other in found):
            yield place, message


def _resources(raw: Any) -> dict[str, Any]:
    if isinstance(raw, Resources):
        return {"resources": raw}
    fields = dict(raw) if isinstance(raw, Mapping) else raw
    limits = fields.pop("limits", None) if isinstance(fields, dict) else None
    needs: dict[str, Any] = {"resources": Resources.model_validate(fields, strict=True)}
    if limits is not None:
        needs["limits"] = Limits.model_validate(limits, strict=True)
    return needs


def _shards(raw: Any) -> Shards:
    if isinstance(raw, Shards):
        return raw
    if isinstance(raw, Mapping):
        bounds = {"items": MAX_COUNT, "max": MAX_SHARDS}
        if all(type(value) is int and 1 <= value <= bounds.get(name, 0) for name, value in raw.items()):
            return Shards.model_construct(**raw)  # pydantic's first validator costs a cold start some 20 ms
        return Shards.model_validate(dict(raw), strict=True)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MAX_SHARDS:
        raise ValueError(
            f"shards is {raw!r}; it must be a whole number, 1 to {MAX_SHARDS}, or a dict such as"
            ' {"items": 500, "max": 64}'
        )
    return Shards.model_construct(max=raw)


def _shard_by(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"shard_by is {raw!r}; it must be the name of an input")
    return raw


def flag(cls: type[AnyStep], name: str) -> bool:
    """The value of an attribute that is True or False."""
    value = getattr(cls, name)
    if not isinstance(value, bool):
        raise PipelineError(f"{name} is {shown_value(value)}, not True or False", where=class_path(cls))
    return value


def cache_key(cls: type[AnyStep]) -> str:
    """What else the output of a step depends on, as its author says."""
    if not isinstance(cls.cache_key, str):
        hint = 'Write the text of it, for example cache_key = "model-2".'
        raise PipelineError(f"cache_key is {shown_value(cls.cache_key)}, not a text", where=class_path(cls), hint=hint)
    return cls.cache_key


def summary(cls: type) -> str:
    """First paragraph of the docstring the author wrote, on one line."""
    for base in cls.__mro__:
        if base.__module__.startswith("wurzel.core."):
            break
        if doc := base.__dict__.get("__doc__"):
            return " ".join(doc.strip().partition("\n\n")[0].split())
    return ""


def shown_value(value: Any) -> str:
    """A value on one line of a message."""
    return shortened(value.__name__ if isinstance(value, type) else repr(value), 80)
