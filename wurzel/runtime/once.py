"""Whether a step is done already in a run that goes on in another process, such as the next pod of a Job.

Beside the dataset `<name>` stands `.<name>.once`, which names the run that wrote it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from wurzel.exceptions import WriteError
from wurzel.regular_file import read_file, regular


def is_done(output: Path, run: str) -> bool:
    """Whether the dataset is complete, and this run has written it."""
    from wurzel.datacontract.dataset import output_names
    from wurzel.datacontract.manifest import NAME

    try:
        complete = (output / NAME).is_file() or bool(output_names(output))
        return complete and read_file(_mark(output)).decode() == run
    except (OSError, ValueError):
        return False


def remember(output: Path, run: str) -> None:
    """Note that this run has written the dataset. Raises `WriteError` when the note cannot be written."""
    try:
        with open(_mark(output), "w", encoding="utf-8", opener=regular) as file:
            file.write(run)
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=str(_mark(output))) from error


def forget(output: Path) -> None:
    """Remove the note, since the dataset is about to be written by another run."""
    with contextlib.suppress(OSError):
        _mark(output).unlink(missing_ok=True)


def _mark(output: Path) -> Path:
    return output.parent / f".{output.name}.once"
