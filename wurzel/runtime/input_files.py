"""Files of the datasets that a step reads: whether they are still what they were when it began."""

from __future__ import annotations

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
        parts = [part for dataset in datasets for part in dataset.parts]
        paths = [part.path.absolute() for part in parts]  # the step may leave the current folder
        self._files = [(path, part, _status(path)) for path, part in zip(paths, parts, strict=True)]

    def check(self) -> None:
        """Raise `DatasetError` if one of them has other bytes than the manifest says, and had not before."""
        for path, part, before in self._files:
            now = _status(path)
            if now != before and _differs(path, part, now, before):
                raise DatasetError("was changed while the step ran", where=str(part.path), hint=_HINT)


def _status(path: Path) -> tuple[int, ...]:
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns, S_ISREG(about.st_mode)


def _differs(path: Path, part: Part, now: tuple[int, ...], before: tuple[int, ...]) -> bool:
    is_file = bool(now and now[-1])
    if part.ordinal is None and (not is_file or now[0] != before[0]):
        return False
    if not is_file:
        return True
    try:
        with path.open("rb") as file:
            part.verify(file)
    except (DatasetError, OSError):
        return True
    return False
