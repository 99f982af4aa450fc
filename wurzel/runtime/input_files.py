"""Files of the datasets that a step reads: whether they are still what they were when it began."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from wurzel.exceptions import DatasetError

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Part
    from wurzel.datacontract.opening import Dataset

_HINT = "To edit an input, copy it to self.workdir. Run the step that writes it again."


class InputFiles:
    """Files of datasets, with the status that they had when these were opened.

    Parts of items are verified when they are opened, and so is what takes the place of one; of these only a change in
    place counts. Files and folders are given to the step as paths, so that wurzel does not know when
    they are read.
    """

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        """Note the status of all files; costs one system call for each."""
        self._files: list[tuple[str, Part, tuple[int, ...]]] = []
        for dataset in datasets:
            here = "" if dataset.path.is_absolute() else f"{Path.cwd()}/"  # the step may leave the current folder
            paths = ((f"{here}{part.path}", part) for part in dataset.parts)
            self._files += [(path, part, _status(path)) for path, part in paths]

    def check(self) -> None:
        """Raise `DatasetError` if one of them has other bytes than the manifest says, and had not before."""
        for path, part, before in self._files:
            now = _status(path)
            if now != before and _differs(path, part, now, before):
                raise DatasetError("was changed while the step ran", where=str(part.path), hint=_HINT)


def _status(path: str) -> tuple[int, ...]:
    try:
        about = os.stat(path)  # noqa: PTH116 - an object for each path takes several times as long as the call
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns, S_ISREG(about.st_mode)


def _differs(path: str, part: Part, now: tuple[int, ...], before: tuple[int, ...]) -> bool:
    is_file = bool(now and now[-1])
    if part.ordinal is None and (not is_file or now[0] != before[0]):
        return False
    if not is_file:
        return True
    try:
        with Path(path).open("rb") as file:
            part.verify(file)
    except (DatasetError, OSError):
        return True
    return False
