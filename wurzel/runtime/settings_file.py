"""Settings of a step from a YAML or JSON file: `params.yaml#rag.split`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wurzel.exceptions import UsageError
from wurzel.regular_file import read_file
from wurzel.suggestion import did_you_mean, listed


def read_settings(reference: str) -> Mapping[str, Any]:
    """The mapping in `FILE`, or below a dotted key: `FILE#KEY`. Raises `UsageError` when there is none."""
    file, _, key = (reference, "", "") if Path(reference).exists() else reference.rpartition("#")
    path = Path(file or key)
    value = _read(path)
    for depth, part in enumerate(parts := key.split(".") if file and key else []):
        if not isinstance(value, dict) or part not in value:
            raise _no_key(value, part, f"{path}#{'.'.join(parts[:depth])}".rstrip("#"))
        value = value[part]
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"contains {value!r}, not settings by name", where=reference)
    return value


def _read(path: Path) -> Any:
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8 text", where=str(path)) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint="See --settings.") from None
    if path.suffix == ".json":
        from pydantic_core import from_json

        try:
            return from_json(text)
        except ValueError as error:
            raise UsageError(f"is not JSON: {error}", where=str(path)) from None
    from wurzel.datacontract.plain_yaml import NotYaml, load_yaml

    try:
        return load_yaml(text)
    except NotYaml as error:
        raise UsageError(f"is not YAML: {error.message}", where=f"{path}:{error.line}") from None


def _no_key(value: Any, part: str, where: str) -> UsageError:
    names = [str(name) for name in value] if isinstance(value, dict) else []
    hint = did_you_mean(part, names) or listed(names)
    return UsageError(f"has no key {part!r}", where=where, hint=hint)
