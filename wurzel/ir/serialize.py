"""The IR as JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wurzel.datacontract.secrets import key_in
from wurzel.exceptions import PipelineError
from wurzel.ir.model import IR_VERSION, Pipeline

MAX_BYTES = 512 * 1024 * 1024
"""Largest file `load` reads; 10,000 steps need some 20 MB."""

_BY_REFERENCE = "Secrets are given by reference: secrets: {VARIABLE: {name: …, key: …}}."


def dump(pipeline: Pipeline) -> str:
    """The pipeline as JSON text, defaults left out, so that a reviewer sees what was asked for."""
    data = {"version": IR_VERSION, **pipeline.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def load(path: Path) -> Pipeline:
    """The pipeline in a JSON file that `wurzel inspect --json` wrote.

    Raises:
        PipelineError: when the file is no IR of a version this wurzel reads; the message names the place in it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PipelineError(f"the file is larger than {MAX_BYTES} bytes", where=str(path))
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise PipelineError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise PipelineError(
            f"is not JSON: {error}", where=str(path), hint="Write it with: wurzel inspect PIPELINE --json"
        ) from error
    if isinstance(data, dict) and not _is_version(data.get("version")):
        raise PipelineError(
            f"has version {data.get('version')!r}; this wurzel reads version {IR_VERSION}",
            where=str(path),
            hint="Write it anew with this version: wurzel inspect PIPELINE --json",
        )
    if place := key_in(data):
        raise PipelineError(f"{place} looks like a secret (not shown)", where=str(path), hint=_BY_REFERENCE)
    try:
        # Strict, or `true` would count as 1 and "2" as 2; as JSON, or lists would not count as tuples.
        pipeline = Pipeline.model_validate_json(text, strict=True)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:20]]
        raise PipelineError("is not a wurzel pipeline:\n  " + "\n  ".join(lines), where=str(path)) from error
    _check(pipeline, str(path))
    return pipeline


def _is_version(value: Any) -> bool:
    return type(value) is int and value == IR_VERSION


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the IR."""
    return Pipeline.model_json_schema()


def _check(pipeline: Pipeline, where: str) -> None:
    """What the models cannot say: there are steps, ids are unique and each step comes after what it needs."""
    if not pipeline.steps:
        raise PipelineError("the pipeline has no steps", where=where)
    seen: set[str] = set()
    for step in pipeline.steps:
        if step.id in seen:
            raise PipelineError(f"two steps have the id {step.id!r}", where=where)
        for need in step.needs:
            if need not in seen:
                raise PipelineError(f"the step {step.id!r} needs {need!r}, which does not come before it", where=where)
        for what, names in (("needs", step.needs), ("sets", [setting.variable for setting in step.settings])):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise PipelineError(f"the step {step.id!r} {what} {twice!r} twice", where=where)
        for setting in step.settings:
            if setting.secret and (setting.given or setting.parameter or setting.default is not None):
                raise PipelineError(
                    f"the step {step.id!r} gives the secret setting {setting.name} a value (not shown)",
                    where=where,
                    hint=_BY_REFERENCE,
                )
        seen.add(step.id)
