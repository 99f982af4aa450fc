"""`argo lint --offline --strict`, when `argo` is on the path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem
from wurzel.validation.programs import found, run, write
from wurzel.validation.structure import ARGO

if TYPE_CHECKING:
    from wurzel.validation.manifest import Document

_INSTALL = "see https://argo-workflows.readthedocs.io/en/latest/walk-through/argo-cli/"


def lint(files: Mapping[str, str], documents: Sequence[Document]) -> Iterator[Problem]:
    """Findings of Argo's linter in files with Argo objects; a warning if it is not installed.

    All files go into one call, so that a reference to a WorkflowTemplate in another file resolves.
    """
    named = {document.file for document in documents if document.kind in ARGO}
    if named and (program := found("argo", _INSTALL)):
        yield from _run(program, {file: text for file, text in files.items() if file in named})


def _run(program: str, files: Mapping[str, str]) -> Iterator[Problem]:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="wurzel-lint-") as folder:
        paths = {str(Path(folder, f"{number}.yaml")): file for number, file in enumerate(files)}
        for path, file in paths.items():
            write(Path(path), files[file])
        done = run([program, "lint", "--offline", "--strict", "--no-color", "--output", "simple", *paths])
    if done.code:
        problems = list(_findings(done.out, paths))
        output = (done.out + done.err).strip() or f"exit code {done.code} without output"
        yield from problems or [Problem(f"argo lint failed: {output}", where=", ".join(files))]


def _findings(text: str, paths: Mapping[str, str]) -> Iterator[Problem]:
    """Parse lines `<path>: in "<name>" (<kind>): <message>`; a finding may span several lines."""
    where, lines = "", [""]
    for line in text.splitlines():
        path, separator, message = line.partition(": ")
        if separator and path in paths:
            if where:
                yield Problem(f"argo lint: {' '.join(lines)}", where=where)
            where, lines = paths[path], [message]
        else:
            lines.append(line.strip())
    if where:
        yield Problem(f"argo lint: {' '.join(lines)}", where=where)
