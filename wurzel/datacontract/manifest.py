"""The manifest of a dataset: what it holds, in which files, with which digests. No time, host or absolute path."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest, sha256
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from wurzel.datacontract.names import class_path
from wurzel.exceptions import DatasetError, WrongDataset
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Container, Shape

FORMAT = 2
FORMATS = (1, FORMAT)
"""Formats that are read. Format 1 knew no files, and kept a part for each call where sets were mapped."""
NAME = "manifest.json"
AGAIN = "Run the step that writes it again."


class Part(NamedTuple):
    """One file of a dataset: items of one call of `run` up to 64 MiB, or a file that a step wrote."""

    path: Path
    name: str
    """Path below the dataset: `part-00000.json`, `00000/report.pdf`, `00000/site/index.html`."""
    items: int
    """Items or rows; 1 for a `File`, 0 for a file within a `Folder`."""
    size: int
    sha256: str
    executable: bool = False

    @property
    def ordinal(self) -> int | None:
        """Number of the `File` or `Folder` that it belongs to; `None` for a part of items or rows."""
        head, slash, _ = self.name.partition("/")
        return int(head) if slash else None

    def read(self) -> bytes:
        """The bytes of the part. Raises `DatasetError` when they are not those that were written."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise unreadable(self.path, error) from None
        self.check(sha256(data).hexdigest())
        return data

    def verify(self, file: BufferedReader) -> None:
        """Raise `DatasetError` unless an open file holds the bytes that were written, which are not kept."""
        try:
            found = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self.path, error) from None
        self.check(found)

    def check(self, digest: str) -> None:
        """Raise `DatasetError` unless this is the digest of the bytes that were written."""
        if digest != self.sha256:
            raise DatasetError(
                "is damaged: its digest is not the one in the manifest", where=str(self.path), hint=AGAIN
            )


class Empty(NamedTuple):
    """An empty folder within a `Folder`."""

    path: Path
    name: str
    """Path below the dataset."""


class Slice(NamedTuple):
    """Which slice of a step's work a dataset is, and what was cut.

    `by` is `items` where one call took all of the input, so that the calls of all slices count as one; `portions` and
    `parts` where the calls are the same however many slices there are: those of `shards: {items: …}`, and those of a
    step that is mapped over items.
    """

    number: int
    of: int
    by: str
    input: str


class Manifest(NamedTuple):
    """Contract, containers and parts of a dataset."""

    contract: str
    containers: tuple[Container, ...]
    parts: tuple[Part, ...]
    slice: Slice | None = None
    skipped: bool = False
    """Whether the step was not run, because its `when` or that of a step before it was false."""
    folders: tuple[Empty, ...] = ()
    format: int = FORMAT

    @property
    def items(self) -> int:
        """Items, rows, files or folders in all parts."""
        folders = {ordinal_of(folder.name) for folder in self.folders}
        folders |= {ordinal_of(part.name) for part in self.parts if not part.items and part.ordinal is not None}
        return len(folders) or sum(part.items for part in self.parts)

    def text(self) -> bytes:
        """The manifest as JSON; equal manifests give equal bytes."""
        data: dict[str, Any] = {"format": FORMAT, "contract": self.contract, "containers": self.containers}
        if self.skipped:
            data["skipped"] = True
        data |= {"items": self.items, "parts": [_written(part) for part in self.parts]}
        if self.folders:
            data["folders"] = [folder.name for folder in self.folders]
        if self.slice is not None:
            data["slice"] = self.slice._asdict()
        return to_json(data, indent=2) + b"\n"

    @property
    def canonical(self) -> dict[str, Any]:
        """What makes two datasets equal, as JSON values: neither the format of the manifest nor its slice counts."""
        return {
            "contract": self.contract,
            "containers": list(self.containers),
            "skipped": self.skipped,
            "parts": [_canonical(part) for part in self.parts],
            "folders": [folder.name for folder in self.folders],
        }

    def canonical_text(self) -> bytes:
        """The canonical manifest as bytes, which the store keeps as `datasets/<digest>.json`."""
        return to_json(self.canonical) + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text: what stands for the data wherever it is compared."""
        return sha256(self.canonical_text()).hexdigest()


def joined(manifests: Sequence[Manifest]) -> Manifest:
    """The manifest of several datasets as one: names count on, paths stay where they are."""
    parts: list[Part] = []
    folders: list[Empty] = []
    start = 0
    for manifest in manifests:
        for part in manifest.parts:
            is_file = part.ordinal is not None
            name = _moved(part.name, start) if is_file else part_name(len(parts), part.path.suffix)
            parts.append(part._replace(name=name))
        folders += [folder._replace(name=_moved(folder.name, start)) for folder in manifest.folders]
        start += manifest.items
    skipped = all(manifest.skipped for manifest in manifests)
    return manifests[0]._replace(parts=tuple(parts), folders=tuple(folders), skipped=skipped, slice=None)


def check_agreement(slices: Sequence[Manifest], where: str) -> None:
    """Slices agree on whether the step runs; those of a step that is mapped over items may each have items or not.

    Raises `WrongDataset` when they do not: to gather them would lose the items of those that were skipped.
    """
    cuts = [(cut.number, one.skipped) for one in slices if (cut := one.slice) is not None and cut.by != "parts"]
    skipped, others = ([number for number, is_skipped in cuts if is_skipped is wanted] for wanted in (True, False))
    if skipped and others:
        raise WrongDataset(
            f"its slices disagree: slice {skipped[0]} was skipped by its condition, slice {others[0]} was not",
            where=where,
            hint=f"`when` must depend on its input and the settings alone. {AGAIN}",
        )


def _moved(name: str, start: int) -> str:
    head, _, rest = name.partition("/")
    return f"{ordinal_name(int(head) + start)}/{rest}"


def _written(part: Part) -> dict[str, Any]:
    about = {"file": part.name, "items": part.items, "bytes": part.size, "sha256": part.sha256}
    return about | {"executable": True} if part.executable else about


def _canonical(part: Part) -> dict[str, Any]:
    about = {"path": part.name, "items": part.items, "bytes": part.size}
    return about | {"sha256": part.sha256, "executable": part.executable}


def contract_name(shape: Shape) -> str:
    """`module:Class` of a contract; those of a union with ` | ` between them, in order."""
    return " | ".join(map(class_path, shape.contracts))


def type_name(contract: str, containers: Sequence[str]) -> str:
    """A contract in its containers, as an author writes it: `list[pkg:Doc]`."""
    for container in reversed(containers):
        contract = f"{container}[{contract}]"
    return contract


def is_part(name: str) -> bool:
    """Whether a file's name is that of a part of items or rows."""
    stem, _, suffix = name.partition(".")
    number = stem.removeprefix("part-")
    return number != stem and number.isascii() and number.isdigit() and suffix in {"json", "parquet"}


def part_name(number: int, suffix: str) -> str:
    """Name of the file of a part, counted from 0."""
    return f"part-{number:05d}{suffix}"


def is_ordinal(name: str) -> bool:
    """Whether a name is that of the folder of one `File` or `Folder`."""
    return len(name) >= len(ordinal_name(0)) and name.isascii() and name.isdigit()


def ordinal_of(name: str) -> int:
    """Number of the `File` or `Folder` that a file's name belongs to."""
    return int(name.partition("/")[0])


def ordinal_name(number: int) -> str:
    """Name of the folder of a `File` or `Folder`, counted from 0."""
    return f"{number:05d}"


def unreadable(path: Path, error: OSError) -> DatasetError:
    """The error for a file of a dataset that cannot be read."""
    return DatasetError(f"cannot be read: {error.strerror}", where=str(path), hint=AGAIN)


def incomplete(folder: Path) -> DatasetError:
    """The error for a folder whose dataset was not written to its end, which the manifest is."""
    return DatasetError(f"is incomplete: it has no {NAME}", where=str(folder), hint=AGAIN)
