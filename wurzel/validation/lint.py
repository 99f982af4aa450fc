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
_ARGO = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


def lint(files: Mapping[str, str], documents: Sequence[Document]) -> Iterator[Problem]:
    """Findings of Argo's linter in files with Argo objects; a warning if it is not installed.

    All files go into one call, so that a reference to a WorkflowTemplate in another file resolves.
    """
    import shutil

    program = shutil.which("argo")
    named = {document.file for document in documents if document.kind in _ARGO}
    if program is None and named:
        _log.warning("argo is not installed, so its checks were skipped (see %s)", _INSTALL)
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
            yield Problem(f"argo lint did not run: {error}", hint=f"Fix {program}, or remove it from PATH.")
            return
    if done.returncode:
        found = list(_findings(done.stdout, paths))
        output = (done.stdout + done.stderr).strip() or f"exit code {done.returncode} without output"
        yield from found or [Problem(f"argo lint failed: {output}", where=", ".join(files))]


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
