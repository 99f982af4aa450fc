"""`argo lint --offline --strict`, when `argo` is on the path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem

if TYPE_CHECKING:
    from wurzel.validation.manifest import Document

_SECONDS = 60
_ARGO = ("Workflow", "WorkflowTemplate", "CronWorkflow")


def lint(files: Mapping[str, str], documents: Sequence[Document]) -> Iterator[Problem]:
    """What Argo's own linter says of files that hold its objects; nothing when it is not installed."""
    import shutil

    program = shutil.which("argo")
    named = {document.file for document in documents if document.kind in _ARGO}
    if program is None or not named:
        return
    yield from _run(program, {file: text for file, text in files.items() if file in named})


def _run(program: str, files: Mapping[str, str]) -> Iterator[Problem]:
    import subprocess
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="wurzel-lint-") as folder:
        for number, (file, text) in enumerate(files.items()):
            path = Path(folder) / f"{number}.yaml"
            path.write_text(text, encoding="utf-8")
            done = subprocess.run(
                [program, "lint", "--offline", "--strict", "--output", "simple", str(path)],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode:
                said = (done.stdout + done.stderr).strip().replace(str(path), file)
                yield Problem(f"argo lint: {said}", where=file)
