"""The manifest of a dataset: what it holds, in which files, with which digests. No time, host or absolute path."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_json

from wurzel.exceptions import DatasetError

if TYPE_CHECKING:
    from wurzel.datacontract.shape import Container, Shape

FORMAT = 1
NAME = "manifest.json"

_LONGEST = 200
_LARGEST = 1 << 30
_MOST = 1 << 62
"""More items or bytes than any file has."""
_CONTAINERS = frozenset({"list", "set", "dataframe"})
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
        manifest = _parsed(folder, _loaded(path))
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(path), hint=_AGAIN) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else _one_line(error)
        raise DatasetError(f"is not a manifest of a dataset: {reason}", where=str(path), hint=_AGAIN) from None
    _check_files(folder, manifest)
    return manifest


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _loaded(path: Path) -> Any:
    """The JSON in a manifest; a pipe would keep whoever opens it waiting, and a device might never end."""
    about = path.stat()
    if not S_ISREG(about.st_mode):
        raise ValueError("it is not a regular file")
    if about.st_size > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST >> 20} MiB")
    return from_json(path.read_bytes(), allow_inf_nan=False)


def is_part(name: str) -> bool:
    """Whether a file's name is that of a part."""
    stem, _, suffix = name.partition(".")
    number = stem.removeprefix("part-")
    return number != stem and number.isascii() and number.isdigit() and suffix in {"json", "parquet"}


def part_name(number: int, suffix: str) -> str:
    """Name of the file of a part, counted from 0."""
    return f"part-{number:05d}{suffix}"


def _parsed(folder: Path, data: Any) -> Manifest:
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    if data["format"] != FORMAT:
        raise ValueError(f"its format is {data['format']!r}, this wurzel reads {FORMAT}")
    containers = tuple(_list_of(data, "containers"))
    if not isinstance(data["contract"], str) or not set(containers) <= _CONTAINERS:
        raise ValueError(f"its contract is {data['contract']!r} in {list(containers)!r}")
    parts = tuple(_part(folder, item) for item in _list_of(data, "parts"))
    names = [part.path.name for part in parts]
    if len(set(names)) < len(names):
        raise ValueError("it names a part twice")
    if _count(data, "items", _MOST) != sum(part.items for part in parts):
        raise ValueError(f"its parts have {sum(part.items for part in parts)} items, but it says {data['items']}")
    return Manifest(data["contract"], containers, parts, _slice(data["slice"]) if "slice" in data else None)


def _part(folder: Path, item: Any) -> Part:
    if not isinstance(item, dict):
        raise ValueError(f"{item!r} is not a part")
    name, digest = item["file"], item["sha256"]
    if not isinstance(name, str) or not is_part(name):
        raise ValueError(f"{name!r} is not the name of a part")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is not the digest of {name}")
    size = _count(item, "bytes", _MOST)
    return Part(folder / name, _count(item, "items", size if name.endswith(".json") else _MOST), size, digest)


def _slice(data: Any) -> Slice:
    if not isinstance(data, dict) or set(data) != set(Slice._fields):
        raise ValueError(f"{data!r} is not a slice")
    of = _count(data, "of", _MOST)
    number = _count(data, "number", of)
    if not number or data["by"] not in {"items", "parts"} or not isinstance(data["input"], str):
        raise ValueError(f"{data!r} is not a slice")
    return Slice(number, of, data["by"], data["input"])


def _list_of(data: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(data[name], list):
        raise ValueError(f"{name} is {data[name]!r}, not a list")
    return list(data[name])


def _count(data: dict[str, Any], name: str, most: int) -> int:
    number = data[name]
    if type(number) is not int or not 0 <= number <= most:
        raise ValueError(f"{name} is {number!r}, not a whole number from 0 to {most}")
    return number


def _check_files(folder: Path, manifest: Manifest) -> None:
    sizes = {path.name: _size(path) for path in folder.iterdir() if is_part(path.name)}
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


def _size(path: Path) -> int:
    try:
        about = path.stat()
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(path), hint=_AGAIN) from None
    if not S_ISREG(about.st_mode):
        raise DatasetError("is not a regular file", where=str(path), hint=_AGAIN)
    return about.st_size
