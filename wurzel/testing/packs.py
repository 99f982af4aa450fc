"""The kit for template packs: sample pipelines render, the files are valid, and every override has an effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.backends.registry import BUILT_IN, get
from wurzel.exceptions import WurzelError
from wurzel.render.layers import SUFFIX
from wurzel.testing.snapshots import compared, updating
from wurzel.testing.variants import full_pipeline

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.ir.model import Pipeline
    from wurzel.render import Renderer

_OPTIONS: Mapping[str, Mapping[str, Any]] = {"argo": {"artifacts": {"s3": {"bucket": "sample-data"}}}}
"""Options that a target needs for the sample pipelines."""


def check_pack(  # noqa: PLR0913 - each is one choice of a test
    pack: str,
    snapshots: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    variables: Mapping[str, Any] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    environments: Sequence[str | None] = (None,),
    pipelines: Sequence[Pipeline] = (),
    below: Sequence[str] = (),
    validate: bool = True,
    update: bool | None = None,
) -> int:
    """Render sample pipelines with a pack for every target, validate the files, and compare them with snapshots.

    Args:
        pack: name of the installed pack.
        snapshots: folder with reviewed files to compare with; `None` compares nothing.
        targets: targets to render for; by default all built-in ones.
        variables: values of the variables that the pack requires, and of others that show what they change.
        options: options by target, as a project would give them, for what renders only with them.
        environments: environments to render, `None` for no environment.
        pipelines: pipelines to render; by default a small one and one that uses every feature.
        below: packs that this one builds on, the most specific first.
        validate: run the platforms' own linters, as `wurzel render --validate` does.
        update: write the snapshots instead of comparing; by default when the test is called with `--update`.

    Returns:
        How many files were rendered.

    Raises:
        AssertionError: with all findings; a difference names target, file and line.
    """
    update = updating() if update is None else update
    chosen = list(targets) or list(BUILT_IN)
    samples = list(pipelines) or [_small(), full_pipeline()]
    findings: list[str] = []
    found: dict[str, str] = {}
    with _project([pack, *below], variables or {}, options or {}, samples) as (project, renderer):
        findings += _templates(renderer, chosen)
        for environment, sample, target in product(environments, samples, chosen) if not findings else ():
            try:
                result = _render(project, renderer, sample, target, environment)
            except WurzelError as error:
                findings.append(f"{target}: {sample.name}: {error}")
                continue
            found |= _texts(result, environment)
            findings += _validated(result, renderer) if validate else ()
            findings += _lost(result, target)
        if not findings:
            findings += _without_effect(pack, project, renderer, samples, chosen)
    if snapshots is not None:
        tops = {*chosen, *environments}
        findings += compared(Path(snapshots), found, partial(_is_snapshot, tops), update=update and not findings)
    if findings:
        raise AssertionError("\n".join(dict.fromkeys(findings)))
    return len(found)


def _is_snapshot(tops: Collection[str | None], path: str) -> bool:
    """Whether a path may be a file that was rendered: below a target or environment, and not a template of the pack."""
    return path.partition("/")[0] in tops and not path.endswith(SUFFIX)


def _lost(result: JobResult, target: str) -> list[str]:
    """What the pack writes for all jobs and one of them does not get."""
    from wurzel.backends.inherited import warnings

    return [f"{target}: {problem}" for problem in warnings([result], {target: get(target)})]


def _small() -> Pipeline:
    """A minimal source and step, which get the defaults of a pack."""
    whole = full_pipeline()
    source, busy, _ = whole.steps
    kept = {"id", "run", "needs", "inputs", "outputs", "sources"}
    step = type(busy)(**{name: getattr(busy, name) for name in kept})
    return type(whole)(name="small", entrypoint="pipelines:small", image=whole.image, steps=(source, step))


@contextmanager
def _project(
    packs: Sequence[str],
    variables: Mapping[str, Any],
    options: Mapping[str, Mapping[str, Any]],
    samples: Sequence[Pipeline],
) -> Iterator[tuple[Any, Renderer]]:
    """A project in a scratch folder that uses packs."""
    import json
    from tempfile import TemporaryDirectory

    from wurzel.project.load import FILE, load
    from wurzel.project.open import renderer_of

    known = {
        sample.name: {"entrypoint": sample.entrypoint or "pipelines:sample", "targets": dict(options)}
        for sample in samples
    }
    config = {"version": 1, "templates": list(packs), "variables": dict(variables), "pipelines": known}
    with TemporaryDirectory() as folder:
        path = Path(folder, FILE)
        path.write_text(json.dumps(config), encoding="utf-8")
        try:
            project = load(path)
            renderer = renderer_of(project)
        except WurzelError as error:  # a pack that cannot be read is a finding as well
            raise AssertionError(str(error)) from error
        yield project, renderer


def _render(project: Any, renderer: Renderer, sample: Pipeline, target: str, environment: str | None) -> JobResult:
    from wurzel.backends.job import Job
    from wurzel.backends.rendering import render
    from wurzel.project.nodes import node_of
    from wurzel.project.options import validate_options
    from wurzel.project.resolve import resolve

    resolved = resolve(sample, project, environment=environment)
    targets = resolved.tree.fields["targets"].fields
    for name, value in _OPTIONS.get(target, {}).items():
        own = targets.setdefault(target, node_of({}, "sample"))
        own.fields.setdefault(name, node_of(value, "sample"))
    options = validate_options(resolved, target, get(target).options_model)
    command = f"wurzel render {sample.name} -t {target}"
    (result,) = render([Job(resolved.pipeline, target, options, command, resolved.locate, environment)], renderer)
    return result


def _templates(renderer: Renderer, targets: Sequence[str]) -> list[str]:
    from wurzel.backends.checking import check_templates

    try:
        check_templates(renderer, {target: get(target) for target in targets})
    except WurzelError as error:
        return [str(error)]
    return []


def _texts(result: JobResult, environment: str | None) -> dict[str, str]:
    """By path below the snapshots: environment, target, pipeline, path as written."""
    folder = f"{environment}/" if environment else ""
    top = f"{folder}{result.job.target}/{result.job.pipeline.name}"
    return {f"{top}/{file.output.path}": file.rendered.text for file in result.files}


def _validated(result: JobResult, renderer: Renderer) -> list[str]:
    from wurzel.backends.checking import validate

    problems, _ = validate([result], renderer.layers.schemas)
    return [f"{result.job.target}: {result.job.pipeline.name}: {problem}" for problem in problems]


def _without_effect(
    pack: str, project: Any, renderer: Renderer, samples: Sequence[Pipeline], targets: Sequence[str]
) -> list[str]:
    """Templates of the pack that have no effect on any file."""
    layers = renderer.layers
    layer = next(each for each in layers.layers if each.is_pack and each.name == pack)
    findings = []
    for found in layers.of(layer):
        target = found.name.partition("/")[0]
        if target not in targets:
            continue
        try:
            kept = _both(project, renderer, samples, target)
            layers.hide([found.path])
            hidden = _both(project, _again(project, renderer), samples, target)
        finally:
            layers.hide(())
        if kept == hidden:
            findings.append(f"{target}: {found.name}: the override changes nothing in any sample pipeline")
    return findings


def _again(project: Any, renderer: Renderer) -> Renderer:
    """A renderer with the same hidden files, and nothing compiled yet."""
    from wurzel.project.open import renderer_of

    fresh = renderer_of(project)
    fresh.layers = renderer.layers
    return fresh


def _both(project: Any, renderer: Renderer, samples: Sequence[Pipeline], target: str) -> list[str]:
    texts: list[str] = []
    for sample in samples:
        try:
            result = _render(project, renderer, sample, target, None)
        except WurzelError as error:  # others need the template, so it has an effect
            texts.append(str(error))
            continue
        texts += [file.rendered.text for file in result.files]
    return texts
