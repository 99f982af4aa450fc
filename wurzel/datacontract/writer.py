"""Writes the datasets of a step: each call of `run` is added, and all of them appear at once.

Example:
with writing(Path("data/read"), shape_of(list[Doc])) as writer:
    writer.add(docs)                        # what one call of `run` gave: a list, or an iterator, a table, …

with writing_outputs(Path("data/cut"), {"train": shape, "test": shape}, inputs=datasets) as outputs:
    step.workdir = outputs.workdir          # files that `run` returns are moved from there
    outputs["train"].add(halves.train)      # goes to data/cut/train
    outputs["test"].add(halves.test)

with writing(Path("data/cut"), shape) as writer:
    writer.skipped = True                   # complete and empty, since `when` was false
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.folders import left_by, remove, replacing
from wurzel.datacontract.manifest import NAME, Manifest, contract_name, is_ordinal, is_part
from wurzel.datacontract.opening import output_names, shard_folder, shard_of
from wurzel.datacontract.partfiles import PartFiles, explained
from wurzel.datacontract.parts import codec_for
from wurzel.exceptions import DatasetError, NotOurs
from wurzel.git_folder import REASON, in_git

if TYPE_CHECKING:
    from wurzel.datacontract.intake import Intake
    from wurzel.datacontract.manifest import Empty, Part, Slice
    from wurzel.datacontract.opening import Dataset
    from wurzel.datacontract.shape import Shape

_WORK = ".work"


class Writer:
    """Writes one dataset, call by call."""

    def __init__(self, folder: Path, shape: Shape, intake: Callable[[], Intake]) -> None:
        self.skipped = False
        """Set it where the step was not run, because a condition was false; nothing may have been added then."""
        self.seen: Callable[[Any], None] | None = None
        """Called with what is about to be stored: each item of an iterator, otherwise what a call gave as a whole."""
        self._folder = folder
        self._shape = shape
        self._files = PartFiles(folder)
        self._codec: Any = codec_for(shape)
        self._set: list[bytes] | None = None
        if shape.files:
            from wurzel.datacontract.intake import Drawer

            self._drawer = Drawer(folder, intake(), shape.contract)

    @property
    def parts(self) -> list[Part]:
        """What has been written so far."""
        return self._drawer.parts if self._shape.files else self._files.found

    @property
    def items(self) -> int:
        """Items that have been written so far."""
        return self._manifest(None).items

    @property
    def size(self) -> int:
        """Bytes that have been written so far."""
        return sum(part.size for part in self.parts)

    def add(self, value: Any) -> None:
        """Store what one call of `run` gave; an iterator is asked for its items here, and may raise anything.

        Raises `ContractFailedException` when it breaks the contract; the message names item and field, `DatasetError`
        when it cannot be written.
        """
        if isinstance(value, Iterator):
            try:
                self._add(value if self.seen is None else self._noted(value))
            finally:
                close = getattr(value, "close", None)  # of a generator: what it has opened is closed now
                if close is not None:
                    close()
            return
        if self.seen is not None:
            self.seen(value)
        self._add(value)

    def cut(self, value: Any, number: int) -> Any:
        """The first items of a value of many, in the order in which they are stored."""
        return value[:number] if self._shape.files else self._codec.cut(value, 0, number)

    def finish(self, cut: Slice | None) -> None:
        """Write what is left, and the manifest."""
        if self._set is not None:
            self._files.begin(self._codec.suffix)
            self._files.lines(self._codec.distinct(self._set))
        self._files.end()
        manifest = self._manifest(cut)
        with explained(self._folder):
            (self._folder / NAME).write_bytes(manifest.text())

    def close(self) -> None:
        """Let go of the file that is being written."""
        self._files.close()

    def _noted(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.seen(item)  # type: ignore[misc]
            yield item

    def _add(self, value: Any) -> None:
        if self._shape.files:
            for item in self._listed(value):
                self._drawer.take(item)
        elif self._shape.dataframe:
            for encoded in self._codec.encoded(value):
                self._files.add(encoded, self._codec.suffix)
        elif not self._shape.many:
            self._files.add(self._codec.encode(value), self._codec.suffix)
        elif self._shape.containers == ("set",):
            lines = [line for batch in self._codec.encoded(value) for line in batch]
            self._set = [*(self._set or ()), *self._codec.distinct(lines, value)]
        else:
            self._files.begin(self._codec.suffix)
            for batch in self._codec.encoded(value):
                self._files.lines(batch)
            self._files.end()

    def _listed(self, value: Any) -> Any:
        if not self._shape.many:
            return (value,)
        if isinstance(value, list | tuple | Iterator):
            return value
        from wurzel.datacontract.difference import not_many

        raise not_many(value, "a list")

    def _manifest(self, cut: Slice | None) -> Manifest:
        folders: tuple[Empty, ...] = tuple(self._drawer.empty) if self._shape.files else ()
        name, containers = contract_name(self._shape), self._shape.containers
        return Manifest(name, containers, tuple(self.parts), cut, self.skipped, folders)


class Outputs(Mapping[str, Writer]):
    """The writers of a step's outputs by their names; `""` where the step has one without a name."""

    def __init__(self, folder: Path, shapes: Mapping[str, Shape], inputs: Collection[Dataset]) -> None:
        self._work = folder / _WORK
        self._inputs = inputs
        self._intake: Intake | None = None
        self._writers: dict[str, Writer] = {}
        for name, shape in shapes.items():
            home = folder / name if name else folder
            home.mkdir(exist_ok=True)
            self._writers[name] = Writer(home, shape, self._taking)

    @property
    def workdir(self) -> Path:
        """An empty folder for the files of this try, on the file system of the output; it is gone afterwards."""
        self._work.mkdir(exist_ok=True)
        return self._work

    def __getitem__(self, name: str) -> Writer:
        return self._writers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._writers)

    def __len__(self) -> int:
        return len(self._writers)

    def finish(self, cut: Slice | None) -> None:
        """Write what is left, and the manifests."""
        for writer in self.values():
            writer.finish(cut)
        with explained(self._work):
            if self._intake is not None:
                self._intake.check()
            remove(self._work)

    def close(self) -> None:
        """Let go of the files that are being written."""
        for writer in self.values():
            writer.close()

    def _taking(self) -> Intake:
        from wurzel.datacontract.intake import Intake

        self._intake = self._intake or Intake(self.workdir, self._inputs)
        return self._intake


@contextmanager
def writing_outputs(
    folder: Path,
    shapes: Mapping[str, Shape],
    cut: Slice | None = None,
    *,
    inputs: Collection[Dataset] = (),
    retire: Path | None = None,
) -> Iterator[Outputs]:
    """Writers whose datasets take the place of `folder` when the block ends without an error.

    Args:
        folder: the folder of the step; with `cut` that which its slices belong to.
        shapes: what each named output holds; `{"": shape}` where the step gives one dataset, without a name.
        cut: which slice this is.
        inputs: what the step reads: files in it may be given as they are, and are copied.
        retire: where the datasets that were there go; they are removed unless given.

    Raises:
        DatasetError: when the folder holds something else, or cannot be written.
        ContractFailedException: when a file was still being written.
    """
    check_ours(folder)
    target = folder if cut is None else shard_folder(folder, cut.number, cut.of)
    clear = (lambda: None) if cut is None else (lambda: make_room(folder, cut.of))
    with ExitStack() as stack:
        with explained(folder):
            outputs = Outputs(stack.enter_context(replacing(target, clear, retire=retire)), shapes, inputs)
        try:
            yield outputs
            outputs.finish(cut)
        finally:
            outputs.close()
        with explained(folder):
            stack.close()


@contextmanager
def writing(
    folder: Path, shape: Shape, cut: Slice | None = None, *, inputs: Collection[Dataset] = ()
) -> Iterator[Writer]:
    """As `writing_outputs`, for a step that gives one dataset."""
    with writing_outputs(folder, {"": shape}, cut, inputs=inputs) as outputs:
        yield outputs[""]


def check_ours(folder: Path) -> None:
    """Raise `NotOurs` for a folder that is not a dataset, or is in git's: neither is ever replaced."""
    if in_git(folder):
        raise NotOurs(REASON, where=str(folder), hint="Give another folder with -o or --data-dir.")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise NotOurs("is a file, so no dataset can be written there", where=str(folder)) from None
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    outputs = output_names(folder)
    for name in names:
        is_ours = name == NAME or name.startswith(".") or is_part(name) or shard_of(name) or name in outputs
        if not is_ours and not (is_ordinal(name) and NAME in names):
            raise NotOurs(
                f"contains {name!r}, which is not part of a dataset, so it is not replaced",
                where=str(folder),
                hint="Give another folder with -o.",
            )


def make_room(folder: Path, of: int) -> None:
    """Remove what cannot stand beside slices: plain datasets, and slices of another number, finished or not."""
    outputs = [] if any(shard_of(path.name) for path in folder.iterdir()) else output_names(folder)
    (folder / NAME).unlink(missing_ok=True)
    for path in list(folder.iterdir()):
        shard = shard_of(left_by(path.name) or path.name)
        if is_part(path.name):
            path.unlink()
        elif is_ordinal(path.name) or path.name in outputs or (shard is not None and shard[1] != of):
            remove(path)
