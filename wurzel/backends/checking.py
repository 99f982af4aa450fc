"""Checks templates of a project and its packs, and rendered files by the platforms' own linters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.registry import get, names
from wurzel.exceptions import Problem, TemplateError, TemplateProblems, WurzelError
from wurzel.render.checked import Checked
from wurzel.render.language import language_of
from wurzel.render.layers import POLICIES

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.backends.base import Backend
    from wurzel.backends.job import JobResult
    from wurzel.render import Renderer
    from wurzel.render.more import More


def check_templates(renderer: Renderer, backends: Mapping[str, Backend]) -> None:
    """Check the templates of these targets. Raises `TemplateProblems` with every error, each with its line."""
    checked = Checked(renderer.layers, backends)
    problems: list[Problem] = []
    if not checked.before():
        problems = _problems(renderer, backends)
        if not problems:
            checked.fine()
    problems += _without_template(renderer, [more for more in renderer.layers.more if more.target in backends])
    if problems:
        raise TemplateProblems(problems)


def _problems(renderer: Renderer, backends: Mapping[str, Backend]) -> list[Problem]:
    from wurzel.backends.policies import PolicyContext
    from wurzel.render.contexts import CONTEXTS

    others = {*names(), *(name.partition("/")[0] for name in CONTEXTS)} - set(backends)
    known: dict[str, type | None] = {**contexts(backends.values()), POLICIES: PolicyContext}
    known |= {more.template: None for more in renderer.layers.more if more.target in backends}
    skipped = {more.template for more in renderer.layers.more} - known.keys()
    checker = renderer.checker(
        known,
        lambda name: name in known or (name.partition("/")[0] not in others and name not in skipped),
        lambda: _rendered_elsewhere(renderer, others),
    )
    return checker.problems()


def _without_template(renderer: Renderer, files: Iterable[More]) -> Iterator[Problem]:
    """Files of packs whose template is not there, each at the line that names it."""
    for more in files:
        try:
            renderer.layers.find(more.template)
        except TemplateError as error:
            yield Problem(error.message, more.origin, error.hint)


def check_all(renderer: Renderer) -> list[Problem]:
    """Every error in the templates of the project and its packs, for all targets; see `check_templates`.

    Also finds templates that are never used because one above does not extend them.
    """
    if not any(layer.is_own for layer in renderer.layers.layers):
        return []
    from wurzel.backends.policies import PolicyContext
    from wurzel.render.contexts import CONTEXTS

    known = {**contexts(map(get, names())), **CONTEXTS, POLICIES: PolicyContext}
    known |= {more.template: None for more in renderer.layers.more}
    checker = renderer.checker(known)
    return [*checker.problems(), *_without_template(renderer, renderer.layers.more), *checker.bypassed()]


def _rendered_elsewhere(renderer: Renderer, folders: Collection[str]) -> Iterator[str]:
    """Names of templates in these folders, and of those that targets of the same names and commands render."""
    from wurzel.render.contexts import CONTEXTS

    for target in set(names()) & set(folders):
        try:
            backend = get(target)
        except WurzelError:  # a target that is not rendered may not be installed
            continue
        if backend.templates is not None:
            renderer.layers.add(backend.name, backend.templates)
            yield from contexts([backend])
    yield from (name for name in renderer.layers.names() if name.partition("/")[0] in folders)
    yield from CONTEXTS


def contexts(backends: Iterable[Backend]) -> dict[str, type | None]:
    """For each template that backends render, the class whose fields are the names it sees.

    `None`, for any names, where a backend does not declare it: each of its templates that is not a partial.
    """
    found: dict[str, type | None] = {}
    for backend in backends:
        declared = backend.contexts()
        if not declared and backend.templates is not None:
            files = (file.relative_to(backend.templates) for file in sorted(backend.templates.rglob("*.j2")))
            found |= {file.as_posix(): None for file in files if not file.name.startswith("_")}
        found |= declared
    return found


def validate(results: Iterable[JobResult], schemas: Sequence[Path] = ()) -> tuple[list[Problem], list[str]]:
    """Findings of the platforms' own linters on rendered files, and notes about what they skip.

    `schemas` are folders with CustomResourceDefinitions.
    """
    from wurzel.validation.foreign import check_foreign, read_schemas
    from wurzel.validation.programs import told_once

    problems: list[Problem] = []
    left_out: dict[str, None] = {}
    known = read_schemas(schemas)
    with told_once():
        for result in results:
            backend = get(result.job.target)
            texts: Mapping[str, str] = {
                file.output.path: file.rendered.text
                for file in result.files
                if not file.output.optional or (backend.checks_more and language_of(file.output.template) == "YAML")
            }
            problems += backend.validate(texts, result.job.options)
            if backend.checks_more:
                found, notes = check_foreign(texts, known)
                problems += found
                left_out |= dict.fromkeys(notes)
    return problems, list(left_out)
