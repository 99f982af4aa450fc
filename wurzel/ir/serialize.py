"""The IR as JSON, and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from wurzel.datacontract.secrets import key_in
from wurzel.exceptions import PipelineError
from wurzel.ir.check import BY_REFERENCE, check
from wurzel.ir.json_form import json_form
from wurzel.ir.model import IR_VERSION, Pipeline
from wurzel.patterns import pattern
from wurzel.regular_file import read_file

if TYPE_CHECKING:
    from wurzel.ir.model import Step

MAX_BYTES = 512 * 1024 * 1024
"""Largest file `load` reads; 10,000 steps need some 20 MB."""

_COMPRESSED = {b"BZ": "bzip2", b"\x1f\x8b": "gzip"}
"""How a file that starts with these bytes is compressed."""
_HEADER = "//"
"""Key of the header in files that `wurzel render` wrote: their second line."""


def dump(pipeline: Pipeline) -> str:
    """The pipeline as JSON text, defaults left out, so that a reviewer sees what was asked for."""
    data = {"version": IR_VERSION, **json_form(pipeline)}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


_SHARED = ("resources", "retry", "timeout")
"""Fields of steps that `defaults` may have."""

_LATEST: list[tuple[Pipeline | None, str]] = [(None, "")]
"""The pipeline whose text was asked for last, since the checks and files of several targets ask for the same."""

_STRING = pattern(r'"(?:[^"\\]|\\.)*"')
_MARKS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "{}$"}


def dump_for_jobs(pipeline: Pipeline) -> str:
    """The part of a pipeline that its jobs read, as JSON with a line for each step.

    What all steps have, and most have alike, is in `defaults`. `{`, `}` and `$` in texts are escaped: Argo expands
    `{{…}}`, and the kubelet `$(…)`, wherever they find them.
    """
    known, text = _LATEST[0]
    if known is not pipeline:
        text = _text_for_jobs(pipeline)
        _LATEST[0] = pipeline, text
    return text


def _text_for_jobs(pipeline: Pipeline) -> str:
    kept: dict[str, Any] = {"version": IR_VERSION, **json_form(pipeline, without={"steps"}, for_jobs=True)}
    found = [_step_of_jobs(step) for step in pipeline.steps]
    if defaults := _defaults(found):
        kept["defaults"] = defaults
    head = json.dumps(kept, ensure_ascii=False).removesuffix("}")
    lines = [
        {key: value for key, value in step.items() if key not in defaults or value != defaults[key]} for step in found
    ]
    steps = ",\n".join(f"  {json.dumps(line, ensure_ascii=False)}" for line in lines)
    text = _STRING.sub(lambda text: text[0].translate(_MARKS), f'{head}, "steps": [\n{steps}\n]}}\n')
    return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair, as JSON escapes it


def digest_of(ir: bytes) -> str:
    """The digest of an IR file, which `WURZEL_IR_SHA256` has in jobs; the header of a rendered one does not count."""
    if ir.startswith(b'{\n  "//": '):
        ir = ir[:2] + ir[ir.index(b"\n", 2) + 1 :]
    return sha256(ir).hexdigest()


def _step_of_jobs(step: Step) -> dict[str, Any]:
    """A step without what only renderers read, and without settings that have their defaults."""
    found = json_form(step, without={"settings"}, for_jobs=True)
    settings = [
        json_form(setting, without=() if setting.parameter else {"default"}, for_jobs=True)
        for setting in step.settings
        if setting.given or setting.parameter or setting.secret or setting.required
    ]
    return {**found, "settings": settings} if settings else found


def _defaults(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Values that most steps share, of fields that all steps have: one without the field would get the value."""
    found = {}
    for key in _SHARED if len(steps) > 1 else ():
        values = [json.dumps(step[key]) for step in steps if key in step]
        ((value, count),) = Counter(values).most_common(1) or [("", 0)]
        if len(values) == len(steps) and count > 1:
            found[key] = json.loads(value)
    return found


def _with_defaults(data: dict[str, Any], where: str) -> dict[str, Any]:
    """A pipeline with its `defaults` put into the steps that do not set them."""
    defaults, steps = data.pop("defaults"), data.get("steps")
    if not isinstance(defaults, dict) or (unknown := sorted(defaults.keys() - {*_SHARED})):
        wrong = f".{unknown[0]}" if isinstance(defaults, dict) else ""
        raise PipelineError(f"defaults{wrong}: may only have {', '.join(_SHARED)}", where=where)
    if isinstance(steps, list):
        data["steps"] = [{**defaults, **step} if isinstance(step, dict) else step for step in steps]
    return data


def load(path: Path) -> Pipeline:
    """The pipeline in a JSON file that `wurzel inspect --json` wrote.

    Raises `PipelineError` when the file is not an IR of a version that this wurzel reads; the message names the place.
    """
    return parse(read(path), str(path))


def read(path: Path) -> bytes:
    """The bytes of an IR file, also of one that is compressed. Raises `PipelineError` when unreadable, or too large."""
    try:
        found = read_file(path) if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise PipelineError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if found is not None and (kind := _COMPRESSED.get(found[:2])):
        found = _decompressed(found, kind, path)
    if found is None:
        raise PipelineError(f"the file is larger than {MAX_BYTES} bytes", where=str(path))
    return found


def _decompressed(data: bytes, kind: str, path: Path) -> bytes | None:
    """The contents of a compressed file; `None` if they are too large."""
    import bz2
    import zlib

    reader = bz2.BZ2Decompressor() if kind == "bzip2" else zlib.decompressobj(wbits=31)
    try:
        found = reader.decompress(data, MAX_BYTES + 1)
    except (OSError, zlib.error) as error:
        raise PipelineError(f"is damaged: {error}", where=str(path)) from error
    if not reader.eof and len(found) <= MAX_BYTES:
        raise PipelineError("is damaged: it ends too early", where=str(path))
    return found if len(found) <= MAX_BYTES else None


def parse(ir: bytes, where: str) -> Pipeline:
    """The pipeline in JSON that `wurzel inspect --json` wrote.

    Raises `PipelineError` when it is not an IR of a version that this wurzel reads; the message names the place.
    """
    try:
        text = ir.decode()
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PipelineError(
            f"is not JSON: {error}", where=where, hint="Write it with: wurzel inspect PIPELINE --json"
        ) from error
    if isinstance(data, dict) and not _is_version(data.get("version")):
        found = f"version {data['version']!r}" if "version" in data else "no version"
        raise PipelineError(
            f"has {found}; this wurzel reads version 1 or {IR_VERSION}",
            where=where,
            hint="Write it again with this version: wurzel inspect PIPELINE --json",
        )
    if isinstance(data, dict) and (data["version"] == 1 or not data.keys().isdisjoint({_HEADER, "defaults"})):
        data.pop(_HEADER, None)
        data = _with_defaults(data, where) if "defaults" in data else data
        data = upgraded(data, where) if data["version"] == 1 else data
        text = json.dumps(data)
    if place := key_in(data):
        raise PipelineError(f"{place} looks like a secret (not shown)", where=where, hint=BY_REFERENCE)
    try:
        # Strict, or `true` would count as 1 and "2" as 2; as JSON, or lists would not count as tuples.
        pipeline = Pipeline.model_validate_json(text, strict=True)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:20]]
        raise PipelineError("is not a wurzel pipeline:\n  " + "\n  ".join(lines), where=where) from error
    check(pipeline, where)
    return pipeline


_NEW = frozenset({"inputs", "outputs", "when", "shard_by"})
"""Fields of a step that version 1 did not have."""


def upgraded(data: dict[str, Any], where: str) -> dict[str, Any]:
    """A pipeline of version 1 as one of version 2; what does not fit is left for the model to refuse.

    Raises `PipelineError` when a step has a field that came with version 2.
    """
    steps = data.get("steps")
    if isinstance(steps, list):
        for number, step in enumerate(steps):
            if new := sorted(_NEW.intersection(step if isinstance(step, dict) else ())):
                raise PipelineError(f"steps.{number}.{new[0]}: version 1 does not have this field", where=where)
        steps = [_upgraded_step(step) if isinstance(step, dict) else step for step in steps]
    return {**data, "version": IR_VERSION, "steps": steps}


def _upgraded_step(step: dict[str, Any]) -> dict[str, Any]:
    """Ids in `needs`, one `input` (null for a source), one `output` and a number of `shards` as version 2 has them."""
    found: dict[str, Any] = {}
    for key, value in step.items():
        if key == "needs" and isinstance(value, list):
            found[key] = [{"step": need} for need in value]
        elif key in {"input", "output"}:
            found[f"{key}s"] = [] if value is None else [{"type": value}]
        else:
            found[key] = {"max": value} if key == "shards" else value
    return found


def _is_version(value: Any) -> bool:
    return type(value) is int and 1 <= value <= IR_VERSION


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the IR."""
    return Pipeline.model_json_schema()
