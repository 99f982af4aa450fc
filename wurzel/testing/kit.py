"""Checks that a backend handles every feature that a pipeline can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

from wurzel.backends.contract import reachable
from wurzel.backends.options import TargetOptions
from wurzel.backends.registry import get
from wurzel.backends.support import unsupported_uses
from wurzel.exceptions import PreflightError
from wurzel.ir.features import FEATURES
from wurzel.render.check.described import is_described, members
from wurzel.render.check.types import spell
from wurzel.testing.variants import full_pipeline, variants

if TYPE_CHECKING:
    from wurzel.backends.base import Backend, OutputFile
    from wurzel.ir.model import Pipeline

_LEVELS = ("native", "emulated", "unsupported")


def check_backend(target: str, **options: Any) -> int:
    """Check that a backend drops no feature of a pipeline silently, and that its declarations are true.

    Args:
        target: name of a built-in or installed backend.
        options: options of the target for the check.

    Returns:
        How many fields were changed and found in the rendered files or in a report.

    Raises:
        AssertionError: with all findings.
    """
    backend = get(target)
    chosen = backend.options_model(**options)
    base = full_pipeline()
    contexts = context_findings(backend, backend.files(base, chosen))
    findings = [*_table(backend), *_options(backend), *contexts, *undescribed(backend)]
    before = render_texts(base, target, chosen)
    count = 0
    for variant in variants():
        count += 1
        reports = unsupported_uses(backend, variant.pipeline, options=chosen)
        reported = any(report.feature == variant.feature for report in reports)
        if reported or variant.feature in backend.read_by_jobs(variant.pipeline, chosen):
            continue
        try:
            after = render_texts(variant.pipeline, target, chosen)
        except PreflightError:
            continue  # refusing a pipeline is not silent
        if after == before:
            findings.append(
                f"{target} silently drops {variant.path}: `{variant.feature}` is declared as"
                f" {backend.support_of(variant.feature).level}, but changing it changes no file"
            )
    if findings:
        raise AssertionError("\n".join(findings))
    return count


def render_texts(pipeline: Pipeline, target: str, options: TargetOptions | None = None) -> dict[str, str]:
    """The text of every file a target writes for a pipeline, by path, without the header."""
    from wurzel.backends.job import Job
    from wurzel.backends.rendering import render
    from wurzel.render import Renderer

    chosen = options or get(target).options_model()
    (result,) = render([Job(pipeline, target, chosen, "")], Renderer())
    return {file.output.path: file.rendered.text for file in result.files}


def _table(backend: Backend) -> list[str]:
    findings = []
    for name, support in backend.support.items():
        if name not in FEATURES:
            findings.append(f"{backend.name} declares {name!r}, which is not a feature")
        if support.level not in _LEVELS:
            findings.append(f"{backend.name}: the level of {name} is {support.level!r}")
        if support.level != "native" and not support.note:
            what = f"{backend.name}: {name} is {support.level} without a note on how"
            findings.append(f"{what}, or on why and what instead")
    return findings


def _options(backend: Backend) -> list[str]:
    if not issubclass(backend.options_model, TargetOptions):
        return [f"{backend.name}: options_model is not a subclass of TargetOptions"]
    return [
        f"{backend.name}: the option {name} has no description"
        for name, field in backend.options_model.model_fields.items()
        if not field.description
    ]


def context_findings(backend: Backend, files: Sequence[OutputFile]) -> list[str]:
    """Differences from `Backend.contexts`: other names, other types, undeclared templates."""
    said = backend.contexts()
    findings: list[str] = []
    for file in files if said else ():
        if file.template not in said:
            findings.append(f"{backend.name}: contexts() does not declare {file.template}")
            continue
        findings += differences(file.context, said[file.template], file.template)
    return findings


def undescribed(backend: Backend) -> list[str]:
    """Fields that templates see but that have no description, and classes that share the name of their description."""
    kinds = reachable(backend.contexts().values())
    findings = [
        f"{backend.name}: {kind.__name__}.{member.name} has no description: put one below it"
        for kind in kinds
        for member in members(kind).values()
        if not member.description
    ]
    names = Counter(kind.__name__ for kind in kinds)
    findings += [f"{backend.name}: two classes are called {name}" for name, count in names.items() if count > 1]
    return sorted(findings)


def differences(value: Any, kind: Any, path: str) -> Iterator[str]:
    """The parts of a value that are not of their declared type, each with its path."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return
    if origin is Annotated:
        yield from differences(value, args[0], path)
    elif origin is Union or origin is UnionType:
        found = [list(differences(value, part, path)) for part in args]
        if all(found):
            yield min(found, key=len)[0]
    elif origin is Literal:
        if value not in args:
            yield f"{path} is {value!r}, not {spell(kind)}"
    elif is_described(kind):
        yield from _fields(value, kind, path)
    else:
        yield from _container(value, kind, path)


def _fields(value: Any, kind: Any, path: str) -> Iterator[str]:
    known = members(kind)
    if not is_typeddict(kind):
        if not isinstance(value, kind):
            yield f"{path} is a {type(value).__name__}, not a {kind.__name__}"
            return
        value = {name: getattr(value, name) for name in known}
    for name in dict.fromkeys([*known, *value]):
        if name not in value or name not in known:
            yield f"{path} {'has no' if name in known else 'has an undeclared'} {name!r} ({kind.__name__})"
        else:
            yield from differences(value[name], known[name].type, f"{path}: {name}")


def _container(value: Any, kind: Any, path: str) -> Iterator[str]:
    base, args = get_origin(kind) or kind, get_args(kind)
    right = isinstance(value, base) and not (isinstance(value, str) and base is not str)
    if base is float:
        right = isinstance(value, int | float)
    if not right or (isinstance(value, bool) and base is not bool):
        yield f"{path} is {value!r}, not {spell(kind)}"
    elif isinstance(value, Mapping) and args:
        for key, item in value.items():
            yield from differences(key, args[0], f"{path}: key")
            yield from differences(item, args[1], f"{path}.{key}")
    elif isinstance(value, Sequence) and args:
        kinds = args if base is tuple and Ellipsis not in args else [args[0]] * len(value)
        if len(kinds) != len(value):
            yield f"{path} has {len(value)} items, not {len(kinds)}"
        for index, (item, part) in enumerate(zip(value, kinds, strict=False)):
            yield from differences(item, part, f"{path}[{index}]")
