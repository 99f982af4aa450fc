"""What a step reads: the datasets of each of its inputs, and the values that `run` takes of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.opening import Dataset, open_dataset
from wurzel.datacontract.reader import Reader
from wurzel.exceptions import DatasetError, UsageError, WrongDataset

if TYPE_CHECKING:
    from wurzel.core.fields import DataField
    from wurzel.core.typed_step import StepTypes
    from wurzel.datacontract.manifest import Part


_CHANGED = "To edit an input, copy it to self.workdir. Run the step that writes it again."


class Input:
    """One input of a step: a field of its `Inputs`, or all that it takes."""

    def __init__(self, field: DataField, datasets: Sequence[Dataset], *, mapped: bool = False) -> None:
        """Check that the datasets are what the field takes.

        With `mapped`, the step takes one item and is called for each, so that lists of them are welcome too. Raises
        `WrongDataset` when a dataset has another contract, or a field of one item does not get exactly one.
        """
        shape = field.shape
        self.field = field
        self.datasets = datasets
        self.skipped = bool(datasets) and all(dataset.skipped for dataset in datasets)
        self.reader = Reader(shape.listed if mapped else shape, datasets)
        self.absent = field.optional and (self.skipped or not datasets)
        if not shape.many and not mapped and not self.skipped and not self.absent:
            self._check_one()

    @cached_property
    def total(self) -> int:
        """How many items there are; in a set, each counts once."""
        return self.reader.count()

    @property
    def in_order(self) -> bool:
        """Whether its items are those of its parts, one after the other; not for a set that is made of several."""
        return self.total == self.reader.items

    def value(self, start: int = 0, stop: int | None = None) -> Any:
        """What `run` takes for the items from `start` to `stop`; each call opens a stream from its start.

        Raises `DatasetError` when a part is damaged, `ContractFailedException` when an item breaks the contract.
        """
        if self.absent:
            return None
        if self.field.form == "value":
            return self.reader.value(start, stop)
        stream = self.reader.stream(start, stop)
        return stream.once() if self.field.form == "iterator" else stream

    def size(self, start: int, stop: int) -> int:
        """Bytes of the parts that begin within these items, so that slices add up to the whole."""
        return self.reader.size(0, stop) - self.reader.size(0, start)

    def _check_one(self) -> None:
        if self.reader.items == 1:
            return
        given = ", ".join(f"{dataset.path} ({dataset.items})" for dataset in self.datasets)
        raise WrongDataset(
            f"the input {self.field.name} takes one item, but there are {self.reader.items}: {given}",
            hint="Let all but one of the steps before it be skipped, or take a list.",
        )


class Inputs:
    """All inputs of a step, opened."""

    def __init__(self, types: StepTypes, given: Mapping[str, Sequence[Path]], *, mapped: bool) -> None:
        """Open the folders that are given for each input, by its name.

        Raises `DatasetError` when a dataset is missing or damaged, `WrongDataset` when a dataset has another contract.
        """
        self.all = [
            Input(field, [open_dataset(folder) for folder in given.get(field.name, ())], mapped=mapped)
            for field in types.inputs
        ]
        self._class = types.input_class
        self._files = InputFiles(self.datasets)

    @property
    def datasets(self) -> list[Dataset]:
        """All datasets, by input and in order."""
        return [dataset for one in self.all for dataset in one.datasets]

    @property
    def has_data(self) -> bool:
        """Whether there is anything to read; a source has nothing, nor has a self-consuming step at first."""
        return any(one.datasets for one in self.all) or self._class is not None

    @property
    def skipped(self) -> bool:
        """Whether there are datasets, and every one of them is skipped."""
        given = [one for one in self.all if one.datasets]
        return bool(given) and all(one.skipped for one in given)

    @property
    def lacking(self) -> Input | None:
        """An input of one item that has none, since all steps before it were skipped, and that is not optional."""
        return next((one for one in self.all if one.skipped and not one.field.shape.many and not one.absent), None)

    @property
    def digest(self) -> str:
        """Stands for all data, so that slices of different inputs are never put together."""
        lines = [f"{one.field.name}\0{dataset.digest}" for one in self.all for dataset in one.datasets]
        return sha256("\n".join(lines).encode()).hexdigest()

    def expect(self, digest: str) -> None:
        """Raise `DatasetError` unless the datasets are those that `of_inputs` gave this digest for."""
        from wurzel.invocation.digests import of_inputs

        if of_inputs((one.field.name, dataset.digest) for one in self.all for dataset in one.datasets) == digest:
            return
        shown = ", ".join(str(dataset.path) for dataset in self.datasets)
        raise DatasetError("was changed by something else since this run began", where=shown, hint="Run it again.")

    def value(self, cut: Input | None = None, start: int = 0, stop: int | None = None) -> Any:
        """What `run` takes, with one of the inputs cut to some of its items."""
        values = {one.field.name: one.value(start, stop) if one is cut else one.value() for one in self.all}
        return self._class(**values) if self._class is not None else values[""]

    def check(self) -> None:
        """Raise what a stream met, even where `run` has swallowed the error; the first of them.

        Raises `DatasetError` when a file was changed while the step ran.
        """
        for one in self.all:
            one.reader.check()
        self._files.check()


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
                raise DatasetError("was changed while the step ran", where=str(part.path), hint=_CHANGED)


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


def by_name(types: StepTypes, folders: Sequence[Path], class_name: str) -> dict[str, list[Path]]:
    """The folders of each input: `NAME=DIR` where the class has `Inputs`, otherwise all are of the only one.

    Raises `UsageError` when a name is missing or unknown, or an input that is needed has no folder.
    """
    if types.input_class is None:
        return {"": list(folders)}
    names = [field.name for field in types.inputs]
    found: dict[str, list[Path]] = {}
    for folder in folders:
        name, given, path = str(folder).partition("=")
        if not given or name not in names or not path:
            raise _unnamed(str(folder), name if given else "", names, class_name)
        found.setdefault(name, []).append(Path(path))
    if missing := [field.name for field in types.inputs if field.name not in found and not field.optional]:
        shown = " ".join(f"-i {name}=DIR" for name in missing)
        raise UsageError(f"{class_name} needs the input {' and '.join(missing)}", hint=f"Give {shown}.")
    return found


def _unnamed(folder: str, name: str, names: Sequence[str], class_name: str) -> UsageError:
    from wurzel.suggestion import did_you_mean

    advice = did_you_mean(name, names)
    return UsageError(
        f"{class_name} has no input {name!r}"
        if name
        else f"-i {folder} does not say which input of {class_name} it is",
        hint=f"{advice} Write NAME=DIR; its inputs are {', '.join(names)}.".lstrip(),
    )
