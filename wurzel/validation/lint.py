"""`argo lint --offline --strict`, when `argo` is on the path."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem

if TYPE_CHECKING:
    from wurzel.validation.manifest import Document

_log = logging.getLogger(__name__)
_INSTALL = "https://argo-workflows.readthedocs.io/en/latest/walk-through/argo-cli/"
_SECONDS = 120
_ARGO = ("Workflow", "WorkflowTemplate", "CronWorkflow")


def lint(files: Mapping[str, str], documents: Sequence[Document]) -> Iterator[Problem]:
    """What Argo's own linter says of files that hold its objects; a warning when it is not installed.

    All files go in one call: a WorkflowTemplate in one of them is found by what refers to it in another.
    """
    import shutil

    program = shutil.which("argo")
    named = {document.file for document in documents if document.kind in _ARGO}
    if program is None and named:
        _log.warning("argo is not installed, so its checks are left out (see %s)", _INSTALL)
    elif program is not None and named:
        yield from _run(program, {file: text for file, text in files.items() if file in named})


def _run(program: str, files: Mapping[str, str]) -> Iterator[Problem]:
    import subprocess
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="wurzel-lint-") as folder:
        paths: dict[str, str] = {}
        for number, (file, text) in enumerate(files.items()):
            path = Path(folder) / f"{number}.yaml"
            path.write_text(text, encoding="utf-8")
            paths[str(path)] = file
        command = [program, "lint", "--offline", "--strict", "--no-color", "--output", "simple", *paths]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Problem(f"argo lint did not run: {error}", hint=f"Mend {program}, or take it off the path.")
            return
    if done.returncode:
        found = list(_findings(done.stdout, paths))
        said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}, and no word"
        yield from found or [Problem(f"argo lint failed: {said}", where=", ".join(files))]


def _findings(text: str, paths: Mapping[str, str]) -> Iterator[Problem]:
    """Lines `<path>: in "<name>" (<kind>): <what is wrong>`; a finding may run over several lines."""
    where, lines = "", [""]
    for line in text.splitlines():
        path, separator, said = line.partition(": ")
        if separator and path in paths:
            if where:
                yield Problem(f"argo lint: {' '.join(lines)}", where=where)
            where, lines = paths[path], [said]
        else:
            lines.append(line.strip())
    if where:
        yield Problem(f"argo lint: {' '.join(lines)}", where=where)
