"""`targets.<name>.patch`: which file and document a patch is for, and the patched files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import ConfigError, Problem, VerifyError
from wurzel.render import Finished
from wurzel.render.language import language_of
from wurzel.render.patch import Patcher
from wurzel.render.patched import Source, apply, differs, expected
from wurzel.render.trace import Origin
from wurzel.render.yaml_tree import Document, documents
from wurzel.suggestion import LOOSE, meant_or_all

if TYPE_CHECKING:
    from wurzel.backends.base import OutputFile
    from wurzel.backends.job import Job
    from wurzel.render import Rendered

_PLACE = re.compile(r"(.*):(\d+):\d+")
_FORM = "Write a mapping, or a list of {file: …, merge: …}."


class Patched(Finished):
    """A rendered file with a patch applied."""

    def __init__(self, before: Rendered, text: str, sources: Sequence[Source], job: Job) -> None:
        super().__init__(before, text, ())
        self._sources = sources
        self._job = job

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """As for any file, but a line that the patch wrote comes from the configuration."""
        return tuple(
            self._before.origins[source] if isinstance(source, int) else self._place(source) for source in self._sources
        )

    def _place(self, path: str) -> Origin:
        place = self._job.locate(path)
        match = _PLACE.fullmatch(place)
        return Origin(match.group(1), int(match.group(2)), (path,)) if match else Origin(place or path, 0)


def patched(job: Job, files: Sequence[tuple[OutputFile, Rendered]]) -> list[Rendered]:
    """The files of a job with its patch applied, in their order.

    Raises `ConfigError` with every part of the patch that matches nothing, `VerifyError` when a patched file would not
    parse to what the patch says.
    """
    found = [rendered for _, rendered in files]
    problems: list[Problem] = []
    chosen: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
    for path, name, merge in _patches(job, problems):
        index = _file(job, path, name, [file for file, _ in files], problems)
        if index is not None:
            chosen.setdefault(index, []).append((path, merge))
    for index, merges in chosen.items():
        for path, merge in merges:
            found[index] = _one(job, files[index][0].path, found[index], path, merge, problems)
    if problems:
        raise ConfigError(problems)
    return found


def _patches(job: Job, problems: list[Problem]) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Path in the configuration, file as named there, and the mapping to merge."""
    path, patch = f"targets.{job.label}.patch", job.options.patch
    if isinstance(patch, Mapping):
        yield path, None, patch
        return
    if not isinstance(patch, list):
        problems.append(Problem(f"{path}: {patch!r} is neither a mapping nor a list", job.locate(path), _FORM))
        return
    for number, item in enumerate(patch):
        place = f"{path}.{number}"
        if not isinstance(item, Mapping) or not isinstance(item.get("merge"), Mapping):
            problems.append(Problem(f"{place}: the mapping `merge` is missing", job.locate(place), _FORM))
        elif unknown := item.keys() - {"file", "merge"}:
            problems.append(Problem(f"{place}: unknown key {min(unknown)!r}", job.locate(place), _FORM))
        else:
            yield f"{place}.merge", item.get("file"), item["merge"]


def _file(job: Job, path: str, name: str | None, files: Sequence[OutputFile], problems: list[Problem]) -> int | None:
    """Number of the file that a patch is for: the main one, or the one of that path or name."""
    names = [file.path for file in files]
    found = [
        number
        for number, known in enumerate(names)
        if name is None or name == known or (name == posixpath.basename(known))
    ][: 1 if name is None else None]
    place = path if name is None else f"{path.removesuffix('.merge')}.file"
    if len(found) != 1:
        message = f"{place}: {len(found)} files are called {name!r}" if found else f"{place}: no file is named {name!r}"
        hint = meant_or_all(str(name), names, "Files", cutoff=LOOSE)
        problems.append(Problem(message, job.locate(place), hint))
        return None
    file = files[found[0]]
    if language_of(file.template) != "YAML":
        hint = f"Extend a block of {file.template} instead: see docs/templates.md."
        problems.append(
            Problem(f"{place}: {file.path} is not a YAML file, so it cannot be patched", job.locate(place), hint)
        )
        return None
    return found[0]


def _one(
    job: Job, file: str, rendered: Rendered, path: str, merge: Mapping[str, Any], problems: list[Problem]
) -> Rendered:
    found = documents(rendered.text)
    number = _document(job, file, found, path, merge, problems)
    if number is None:
        return rendered
    patcher = Patcher(rendered.text, job.locate)
    patcher.document(found[number], merge, path)
    problems += patcher.problems
    if problems:
        return rendered
    text, sources = apply(rendered.text, patcher.edits)
    _prove(job, file, text, found, number, merge, path)
    return Patched(rendered, text, sources, job)


def _document(
    job: Job, file: str, found: Sequence[Document], path: str, merge: Mapping[str, Any], problems: list[Problem]
) -> int | None:
    """Number of the document that a patch is for: the one of its `kind` and name, or the only one."""
    kinds = [document.text_at("kind") or "" for document in found]
    numbers = list(range(len(found)))
    if "kind" in merge and any(kinds):
        numbers = [number for number in numbers if kinds[number] == merge["kind"]]
        if not numbers:
            message = f"{path}.kind: {file} has no document of kind {merge['kind']!r}"
            hint = meant_or_all(str(merge["kind"]), kinds, "Kinds", cutoff=LOOSE)
            problems.append(Problem(message, job.locate(f"{path}.kind"), hint))
            return None
    elif not any(kinds):
        return numbers[-1]
    metadata = merge.get("metadata")
    if len(numbers) > 1 and isinstance(metadata, Mapping) and "name" in metadata:
        numbers = [number for number in numbers if found[number].text_at("metadata", "name") == metadata["name"]]
    if len(numbers) == 1:
        return numbers[0]
    message = f"{path}: {file} has {len(found)} documents, and the patch does not say which one"
    names = [f"{kinds[number]} {found[number].text_at('metadata', 'name') or ''}".strip() for number in numbers]
    problems.append(Problem(message, job.locate(path), f"Add kind: … (and metadata: {{name: …}}): {', '.join(names)}."))
    return None


def _prove(
    job: Job, file: str, text: str, found: Sequence[Document], number: int, merge: Mapping[str, Any], path: str
) -> None:
    def wanted() -> Iterator[Any]:
        for index, document in enumerate(found):
            yield document.start
            yield from expected(document.root, merge) if index == number else document.root.events()
            yield ("DocumentEndEvent",)

    if problem := differs(text, wanted()):
        raise VerifyError(f"{file} with {path} does not match the patch: {problem}", where=job.locate(path))
