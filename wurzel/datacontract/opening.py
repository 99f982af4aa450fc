"""Opens datasets: folders of ordered parts and a manifest, complete or absent.

A step that is run in slices writes `shard-<I>-of-<N>` folders instead, each a dataset by itself; the full set of them
is read in order, as if it were one. A step with named outputs writes a folder for each of them into its own, or into
each of its slices: `cut/train` also stands for `cut/shard-<I>-of-<N>/train`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.folders import recover
from wurzel.datacontract.manifest import (
    FORMAT,
    NAME,
    Manifest,
    Part,
    Slice,
    check_agreement,
    contract_name,
    incomplete,
    joined,
    type_name,
)
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.exceptions import DatasetError, WrongDataset
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Container, Shape

RUN = "Run the step that writes it first."


class Dataset(NamedTuple):
    """A complete dataset on disk."""

    path: Path
    manifest: Manifest
    """Of all its slices together, where there are any."""
    slices: tuple[Slice, ...] = ()

    @property
    def contract(self) -> str:
        """`module:Class`."""
        return self.manifest.contract

    @property
    def containers(self) -> tuple[Container, ...]:
        """What contains the items: `("list",)`."""
        return self.manifest.containers

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its files, in order."""
        return self.manifest.parts

    @property
    def skipped(self) -> bool:
        """Whether its step was not run, because a condition was false; it is complete, and has no items."""
        return self.manifest.skipped

    @property
    def items(self) -> int:
        """Items in all parts; rows of tables."""
        return self.manifest.items

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def digest(self) -> str:
        """SHA-256 of its manifest: equal for equal data."""
        return self.manifest.digest

    @property
    def ordered(self) -> bool:
        """Whether its items are in the order of one unsliced run, so that a set is sorted as a whole."""
        return not self.slices and (self.manifest.format >= FORMAT or len(self.parts) <= 1)

    def check(self, shape: Shape) -> None:
        """Raise `WrongDataset` unless a step takes this; for `list[X]` a dataset of single `X` will do."""
        collected = shape.containers == ("list",) and not self.containers
        if self.contract != contract_name(shape) or (self.containers != shape.containers and not collected):
            theirs = type_name(contract_name(shape), shape.containers)
            raise WrongDataset(
                f"contains {type_name(self.contract, self.containers)}, but the step takes {theirs}",
                where=str(self.path),
                hint="Give the folder of another step with -i, or run the step that writes it again.",
            )


def open_dataset(folder: Path) -> Dataset:
    """The dataset in a folder: a plain one, or the full set of its slices; `step/output` for a named output.

    Raises `DatasetError` when the folder is missing, empty, incomplete or damaged.
    """
    recover(folder)
    if not folder.exists():
        recover(folder.parent)
        if _is_sliced(folder.parent):
            return _sliced(folder, folder.parent, folder.name)
    names = _names(folder)
    shards = [name for name in names if shard_of(name)]
    if NAME in names and not shards:
        manifest = read_manifest(folder)
        cut = () if manifest.slice is None else (manifest.slice,)
        return Dataset(folder, manifest._replace(slice=None), cut)
    if not names:
        raise DatasetError("is an empty folder, not a dataset", where=str(folder), hint=RUN)
    if found := output_names(folder):
        hint = f"Give one of them: {folder / found[0]}."
        raise DatasetError(f"contains the named outputs {', '.join(found)}", where=str(folder), hint=hint)
    if not shards:
        raise incomplete(folder)
    if len(shards) < len(names):
        other = next(name for name in names if name not in shards)
        raise DatasetError(
            f"contains slices and {other!r} at once", where=str(folder), hint="Remove it and run the step again."
        )
    return _sliced(folder, folder)


def output_names(folder: Path) -> list[str]:
    """The named outputs in the folder of a step, sliced or not; none where it is a dataset by itself."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    shards = [path for path in entries if shard_of(path.name)]
    if shards:
        return output_names(shards[0])
    names = [path.name for path in entries]
    if NAME in names or not all(name.isidentifier() and (folder / name / NAME).exists() for name in names):
        return []
    return names


def shard_folder(folder: Path, number: int, of: int) -> Path:
    """Where slice `number` (from 1) of `of` goes."""
    return folder / f"shard-{number}-of-{of}"


def shard_of(name: str) -> tuple[int, int] | None:
    """I and N of a folder's name `shard-I-of-N`; `None` for any other name."""
    number, found, of = name.removeprefix("shard-").partition("-of-")
    if found and name.startswith("shard-") and all(text.isascii() and text.isdigit() for text in (number, of)):
        return int(number), int(of)
    return None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        raise _absent(folder) from None
    except NotADirectoryError:
        raise DatasetError("is a file, not the folder of a dataset", where=str(folder)) from None
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(folder)) from None


def _absent(folder: Path) -> DatasetError:
    from wurzel.suggestion import did_you_mean

    advice = did_you_mean(folder.name, output_names(folder.parent))
    return DatasetError("there is no such dataset", where=str(folder), hint=" ".join(filter(None, [advice, RUN])))


def _is_sliced(folder: Path) -> bool:
    try:
        return any(shard_of(path.name) for path in folder.iterdir())
    except OSError:
        return False


def _sliced(folder: Path, step: Path, output: str = "") -> Dataset:
    """The slices in the folder of a step, or those of one of its outputs, as the dataset `folder`."""
    names = [name for name in _names(step) if shard_of(name)]
    found = {shard for name in names if (shard := shard_of(name))}
    totals = {of for _, of in found}
    if len(totals) > 1:
        raise DatasetError(
            f"contains slices of different runs: {', '.join(names[:4])}", where=str(folder), hint="Remove the old ones."
        )
    of = totals.pop()
    if missing := sorted(set(range(1, of + 1)) - {number for number, _ in found}):
        numbers = ", ".join(map(str, missing[:5]))
        raise DatasetError(f"is incomplete: of {of} slices, these are missing: {numbers}", where=str(folder), hint=RUN)
    manifests = [read_manifest(shard_folder(step, number, of) / output) for number in range(1, of + 1)]
    slices = [manifest.slice for manifest in manifests if manifest.slice is not None]
    first = manifests[0]
    agree = {(manifest.contract, manifest.containers) for manifest in manifests} == {(first.contract, first.containers)}
    if not agree or len(slices) < of or len({(cut.input, cut.by) for cut in slices}) > 1:
        raise DatasetError(
            "contains slices of different runs", where=str(folder), hint="Run all slices of the step again."
        )
    check_agreement(manifests, str(folder))
    return Dataset(folder, joined(manifests), tuple(slices))
