"""Datasets: folders of ordered parts and a manifest, complete or absent.

A step that is run in slices writes `shard-<I>-of-<N>` folders instead, each a dataset of its own; the full set of them
is read in order, as if it were one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from errno import EACCES, EBUSY, EDQUOT, EFBIG, ENOSPC, EROFS
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wurzel.datacontract.codec import Codec, Encoded, framed, unframed
from wurzel.datacontract.folders import left_by, recover, remove, replacing
from wurzel.datacontract.manifest import NAME, Manifest, Part, Slice, contract_name, is_part, part_name, read_manifest
from wurzel.datacontract.parts import codec_for
from wurzel.exceptions import ContractFailedException, DatasetError, WrongDataset

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Container, Shape

__all__ = ["Dataset", "Part", "Slice", "Writer", "gather", "open_dataset", "read", "recover", "shard_folder", "writing"]

_RUN = "Run the step that writes it first."
_FULL = "Free some space, or give a folder on another disk with -o. The previous output is still there."
_HINTS = {
    ENOSPC: _FULL,
    EDQUOT: _FULL,
    EFBIG: _FULL,
    EACCES: "Give a folder that may be written with -o.",
    EROFS: "Give a folder that may be written with -o.",
    EBUSY: "A mount point cannot be replaced: give a folder inside it with -o.",
}


class Dataset(NamedTuple):
    """A complete dataset on disk."""

    path: Path
    contract: str
    containers: tuple[Container, ...]
    parts: tuple[Part, ...]
    slices: tuple[Slice, ...] = ()

    @property
    def items(self) -> int:
        """Items in all parts; rows of tables."""
        return sum(part.items for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the parts: equal for equal data."""
        return sha256("\n".join(part.sha256 for part in self.parts).encode()).hexdigest()

    def check(self, shape: Shape) -> None:
        """Make sure that this is what a step takes.

        Raises:
            WrongDataset: when the contract or the containers are others.
        """
        if (self.contract, self.containers) != (contract_name(shape), shape.containers):
            mine, theirs = _shown(self.contract, self.containers), _shown(contract_name(shape), shape.containers)
            raise WrongDataset(
                f"holds {mine}, but the step takes {theirs}",
                where=str(self.path),
                hint="Give the folder of another step with -i, or run the step that writes it again.",
            )


def read(part: Part, codec: Codec) -> Any:
    """The value of a part.

    Raises:
        DatasetError: when the part is damaged.
        ContractFailedException: when the data breaks the contract; the message names item and field.
    """
    try:
        return codec.decode(part.read())
    except ContractFailedException as error:
        raise ContractFailedException(f"breaks its contract: {error.message}", where=str(part.path)) from None


def open_dataset(folder: Path) -> Dataset:
    """The dataset in a folder: a plain one, or the full set of its slices.

    Raises:
        DatasetError: when the folder is missing, empty, incomplete or damaged.
    """
    recover(folder)
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        raise DatasetError("there is no such dataset", where=str(folder), hint=_RUN) from None
    except NotADirectoryError:
        raise DatasetError("is a file, not the folder of a dataset", where=str(folder)) from None
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    shards = [name for name in names if shard_of(name)]
    if NAME in names and not shards:
        manifest = read_manifest(folder)
        cut = () if manifest.slice is None else (manifest.slice,)
        return Dataset(folder, manifest.contract, manifest.containers, manifest.parts, cut)
    if not names:
        raise DatasetError("is an empty folder, not a dataset", where=str(folder), hint=_RUN)
    if not shards:
        raise DatasetError(f"is incomplete: it has no {NAME}", where=str(folder), hint=_RUN)
    if len(shards) < len(names):
        other = next(name for name in names if name not in shards)
        raise DatasetError(
            f"holds slices and {other!r} at once", where=str(folder), hint="Remove it and run the step again."
        )
    return _sliced(folder, shards)


def shard_folder(folder: Path, number: int, of: int) -> Path:
    """Where slice `number` (from 1) of `of` goes."""
    return folder / f"shard-{number}-of-{of}"


def shard_of(name: str) -> tuple[int, int] | None:
    """I and N of a folder's name `shard-I-of-N`; `None` for any other name."""
    number, found, of = name.removeprefix("shard-").partition("-of-")
    if found and name.startswith("shard-") and all(text.isascii() and text.isdigit() for text in (number, of)):
        return int(number), int(of)
    return None


class Writer:
    """Writes parts, one after the other, into the folder of a dataset that is about to be."""

    def __init__(self, folder: Path, codec: Codec | None = None) -> None:
        self.parts: list[Part] = []
        self._folder = folder
        self._codec = codec

    def add(self, value: Any) -> None:
        """Write what one call of `run` gave.

        Raises:
            ContractFailedException: when it breaks the contract; the message names item and field.
            DatasetError: when it cannot be written.
        """
        assert self._codec is not None  # noqa: S101 - only `gather` has none, and adds bytes
        self.add_bytes(self._codec.encode(value), self._codec.suffix)

    def add_bytes(self, encoded: Encoded, suffix: str) -> None:
        """Write a part that is encoded already."""
        path = self._folder / part_name(len(self.parts), suffix)
        with _explained(path):
            path.write_bytes(encoded.data)
        self.parts.append(Part(path, encoded.items, len(encoded.data), sha256(encoded.data).hexdigest()))

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest."""
        (self._folder / NAME).write_bytes(manifest._replace(parts=tuple(self.parts)).text())


@contextmanager
def writing(folder: Path, shape: Shape, cut: Slice | None = None) -> Iterator[Writer]:
    """A writer whose dataset takes the place of `folder` when the block ends without an error.

    Args:
        folder: the dataset; with `cut` the dataset that the slice belongs to.
        shape: what its parts hold.
        cut: which slice this is.

    Raises:
        DatasetError: when the folder holds something else, or cannot be written.
    """
    _check_ours(folder)
    target = folder if cut is None else shard_folder(folder, cut.number, cut.of)
    clear = (lambda: None) if cut is None else (lambda: _make_room(folder, cut.of))
    with ExitStack() as stack:
        with _explained(folder):
            writer = Writer(stack.enter_context(replacing(target, clear)), codec_for(shape))
        yield writer
        with _explained(folder):
            writer.finish(Manifest(contract_name(shape), shape.containers, (), cut))
            stack.close()


def gather(folder: Path, into: Path | None = None) -> Dataset:
    """Turn the slices in a folder into one plain dataset: byte for byte what the step writes when it is not sliced.

    Args:
        folder: holds all slices, or a plain dataset, which stays as it is.
        into: the dataset to write; it takes the place of the slices unless given.

    Raises:
        DatasetError: when a slice is missing or damaged, or the folder cannot be written.
    """
    dataset = open_dataset(folder)
    target = folder if into is None else into
    if not dataset.slices and into is None:
        return dataset
    _check_ours(target)
    with _explained(target), replacing(target) as new:
        writer = Writer(new)
        for encoded, suffix in _merged(dataset):
            writer.add_bytes(encoded, suffix)
        writer.finish(Manifest(dataset.contract, dataset.containers, ()))
    return open_dataset(target)


def _merged(dataset: Dataset) -> Iterator[tuple[Encoded, str]]:
    if not dataset.slices or dataset.slices[0].by == "parts":
        for part in dataset.parts:
            yield Encoded(part.read(), part.items), part.path.suffix
    elif dataset.containers == ("dataframe",):
        from wurzel.datacontract.tables import merge_parquet

        yield merge_parquet(part.read() for part in dataset.parts), ".parquet"
    else:
        lines = [line for part in dataset.parts for line in unframed(part.read())]
        if dataset.containers == ("set",):
            lines = sorted(set(lines))
        yield Encoded(framed(lines), len(lines)), ".json"


def _sliced(folder: Path, names: Sequence[str]) -> Dataset:
    found = {shard for name in names if (shard := shard_of(name))}
    totals = {of for _, of in found}
    if len(totals) > 1:
        raise DatasetError(
            f"holds slices of different runs: {', '.join(names[:4])}", where=str(folder), hint="Remove the old ones."
        )
    of = totals.pop()
    if missing := sorted(set(range(1, of + 1)) - {number for number, _ in found}):
        shown = ", ".join(map(str, missing[:5]))
        raise DatasetError(f"is incomplete: of {of} slices, these are missing: {shown}", where=str(folder), hint=_RUN)
    manifests = [read_manifest(shard_folder(folder, number, of)) for number in range(1, of + 1)]
    slices = [manifest.slice for manifest in manifests if manifest.slice is not None]
    first = manifests[0]
    agree = {(manifest.contract, manifest.containers) for manifest in manifests} == {(first.contract, first.containers)}
    if not agree or len(slices) < of or len({(cut.input, cut.by) for cut in slices}) > 1:
        raise DatasetError(
            "holds slices of different runs", where=str(folder), hint="Run all slices of the step again."
        )
    parts = tuple(part for manifest in manifests for part in manifest.parts)
    return Dataset(folder, first.contract, first.containers, parts, tuple(slices))


def _check_ours(folder: Path) -> None:
    """Never replace what is no dataset."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise DatasetError("is a file, so no dataset can be written there", where=str(folder)) from None
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    for name in sorted(names):
        if not (name == NAME or name.startswith(".") or is_part(name) or shard_of(name)):
            raise DatasetError(
                f"holds {name!r}, which is not part of a dataset, so it is not replaced",
                where=str(folder),
                hint="Give another folder with -o.",
            )


def _make_room(folder: Path, of: int) -> None:
    """Remove what cannot stand beside slices: a plain dataset, and slices of another number, finished or not."""
    (folder / NAME).unlink(missing_ok=True)
    for path in list(folder.iterdir()):
        shard = shard_of(left_by(path.name) or path.name)
        if is_part(path.name):
            path.unlink()
        elif shard is not None and shard[1] != of:
            remove(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"cannot be written: {error.strerror or error}", where=str(path), hint=_HINTS.get(error.errno or 0, "")
        ) from None


def _shown(contract: str, containers: Sequence[str]) -> str:
    text = contract
    for container in reversed(containers):
        text = f"{container}[{text}]"
    return text
