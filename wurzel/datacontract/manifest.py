"""The manifest of a dataset: what it holds, in which files, with which digests. No time, host or absolute path."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_json

from wurzel.exceptions import DatasetError

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Container, Shape

FORMAT = 1
NAME = "manifest.json"

_AGAIN = "Run the step that writes it again."


class Part(NamedTuple):
    """One file of a dataset: what one call of `run` gave."""

    path: Path
    items: int
    size: int
    sha256: str

    def read(self) -> bytes:
        """The bytes of the part.

        Raises:
            DatasetError: when they are not those that were written.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DatasetError(f"cannot be read: {error.strerror}", where=str(self.path), hint=_AGAIN) from None
        if sha256(data).hexdigest() != self.sha256:
            raise DatasetError(
                "is damaged: its digest is not the one in the manifest", where=str(self.path), hint=_AGAIN
            )
        return data


class Slice(NamedTuple):
    """Which slice of a step's work a dataset is, and what was cut: the `items` of one input, or whole `parts`."""

    number: int
    of: int
    by: str
    input: str
    """Digest of the whole input, so that slices of different inputs are never put together."""


class Manifest(NamedTuple):
    """Contract, containers and parts of a dataset."""

    contract: str
    containers: tuple[Container, ...]
    parts: tuple[Part, ...]
    slice: Slice | None = None

    def text(self) -> bytes:
        """The manifest as JSON; equal manifests give equal bytes."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "contract": self.contract,
            "containers": self.containers,
            "items": sum(part.items for part in self.parts),
            "parts": [
                {"file": part.path.name, "items": part.items, "bytes": part.size, "sha256": part.sha256}
                for part in self.parts
            ],
        }
        if self.slice is not None:
            data["slice"] = self.slice._asdict()
        return to_json(data, indent=2) + b"\n"


def contract_name(shape: Shape) -> str:
    """`module:Class` of a contract; those of a union with ` | ` between them, in order."""
    return " | ".join(f"{contract.__module__}:{contract.__qualname__}" for contract in shape.contracts)


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a folder, after a look at the files it names: they are there, with the right sizes.

    Raises:
        DatasetError: when the folder is not a complete dataset.
    """
    path = folder / NAME
    try:
        manifest = _parsed(folder, from_json(path.read_bytes()))
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(path), hint=_AGAIN) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"is no manifest of a dataset: {error}", where=str(path), hint=_AGAIN) from None
    _check_files(folder, manifest)
    return manifest


def is_part(name: str) -> bool:
    """Whether a file's name is that of a part."""
    stem, _, suffix = name.partition(".")
    number = stem.removeprefix("part-")
    return number != stem and number.isascii() and number.isdigit() and suffix in {"json", "parquet"}


def part_name(number: int, suffix: str) -> str:
    """Name of the file of a part, counted from 0."""
    return f"part-{number:05d}{suffix}"


def _parsed(folder: Path, data: Any) -> Manifest:
    if data["format"] != FORMAT:
        raise ValueError(f"its format is {data['format']!r}, this wurzel reads {FORMAT}")
    parts = []
    for item in data["parts"]:
        name = item["file"]
        if not isinstance(name, str) or not is_part(name):
            raise ValueError(f"{name!r} is no name of a part")
        parts.append(Part(folder / name, int(item["items"]), int(item["bytes"]), str(item["sha256"])))
    cut = Slice(**data["slice"]) if "slice" in data else None
    return Manifest(str(data["contract"]), tuple(data["containers"]), tuple(parts), cut)


def _check_files(folder: Path, manifest: Manifest) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if is_part(path.name)}
    for part in manifest.parts:
        size = sizes.pop(part.path.name, None)
        if size is None:
            raise DatasetError(f"is incomplete: {part.path.name} is missing", where=str(folder), hint=_AGAIN)
        if size != part.size:
            raise DatasetError(
                f"is damaged: it has {size} bytes, its manifest says {part.size}", where=str(part.path), hint=_AGAIN
            )
    if sizes:
        raise DatasetError(f"holds {min(sizes)}, which its manifest does not name", where=str(folder), hint=_AGAIN)
