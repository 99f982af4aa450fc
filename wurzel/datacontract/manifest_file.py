"""Reads a manifest, and holds the files beside it to it: all are there, with the right sizes, and no others."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG
from typing import Any

from pydantic_core import from_json

from wurzel.datacontract.manifest import (
    AGAIN,
    FORMATS,
    NAME,
    Empty,
    Manifest,
    Part,
    Slice,
    incomplete,
    is_ordinal,
    is_part,
    unreadable,
)
from wurzel.datacontract.names import from_text, to_text
from wurzel.exceptions import DatasetError, shortened

_LONGEST = 200
_LARGEST = 1 << 30
_MOST = 1 << 62
"""More items or bytes than any file has."""
_CONTAINERS = frozenset({"list", "set", "dataframe"})


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder whose files are there with the right sizes. Raises `DatasetError` if they are not."""
    path = folder / NAME
    try:
        manifest = parsed(folder, _loaded(path))
    except OSError as error:
        raise (unreadable(path, error) if os.path.lexists(path) else incomplete(folder)) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else _one_line(error)
        raise DatasetError(f"is not a manifest of a dataset: {reason}", where=str(path), hint=AGAIN) from None
    _check_files(folder, manifest)
    return manifest


def manifest_of(data: Any, folder: Path) -> Manifest:
    """The manifest in `canonical` form, for `folder`; looks at no file. Raises `ValueError` when it is not one."""
    try:
        parts = [{**part, "file": part["path"]} for part in data["parts"]]
        skipped = {"skipped": True} if data["skipped"] is True else {}
        same = {name: data[name] for name in ("contract", "containers", "folders")}
        manifest = _body(folder, {**same, **skipped, "parts": parts})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"is not a manifest: {_one_line(error)}") from None
    if manifest.canonical != data:
        raise ValueError("is not a canonical manifest")
    return manifest


def _one_line(error: Exception) -> str:
    return shortened(" ".join(str(error).split()), _LONGEST)


def _loaded(path: Path) -> Any:
    """The JSON in a manifest; only of a regular file, since reading a pipe or device might never end."""
    about = path.stat()
    if not S_ISREG(about.st_mode):
        raise ValueError("it is not a regular file")
    if about.st_size > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST >> 20} MiB")
    return from_json(path.read_bytes(), allow_inf_nan=False)


def parsed(folder: Path, data: Any) -> Manifest:
    """The manifest of a dataset in a folder, from its JSON; nothing is looked up on disk.

    Raises:
        ValueError, KeyError, TypeError: when it is not a manifest.
    """
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    form = data["format"]
    if type(form) is not int or form not in FORMATS:
        raise ValueError(f"its format is {form!r}, this wurzel reads {' and '.join(map(str, FORMATS))}")
    manifest = _body(folder, data)._replace(format=form)
    if _count(data, "items", _MOST) != manifest.items:
        raise ValueError(f"its parts have {manifest.items} items, but it says {data['items']}")
    return manifest


def _body(folder: Path, data: dict[str, Any]) -> Manifest:
    containers = tuple(_list_of(data, "containers"))
    if not isinstance(data["contract"], str) or not set(containers) <= _CONTAINERS:
        raise ValueError(f"its contract is {data['contract']!r} in {list(containers)!r}")
    parts = tuple(_part(folder, item) for item in _list_of(data, "parts"))
    folders = tuple(_folder(folder, name) for name in (_list_of(data, "folders") if "folders" in data else ()))
    _check_names([*(part.name for part in parts), *(empty.name for empty in folders)])
    cut = slice_of(data["slice"]) if "slice" in data else None
    return Manifest(data["contract"], containers, parts, cut, _skipped(data, parts), folders)


def _skipped(data: dict[str, Any], parts: tuple[Part, ...]) -> bool:
    if "skipped" not in data:
        return False
    if data["skipped"] is not True or parts:
        raise ValueError(f"skipped is {data['skipped']!r}, with {len(parts)} parts")
    return True


def _check_names(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise ValueError("it names a part twice")
    if len({"/" in name for name in names}) > 1:
        raise ValueError("it names both parts and files")


def _part(folder: Path, item: Any) -> Part:
    if not isinstance(item, dict):
        raise ValueError(f"{item!r} is not a part")
    name, digest = item["file"], item["sha256"]
    if not isinstance(name, str) or not (is_part(name) or _is_file(name)):
        raise ValueError(f"{name!r} is not the name of a part")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is not the digest of {name}")
    size = _count(item, "bytes", _MOST)
    most = 1 if "/" in name else size if name.endswith(".json") else _MOST
    executable = item.get("executable", False)
    if type(executable) is not bool:
        raise ValueError(f"executable is {executable!r}")
    return Part(folder / from_text(name), name, _count(item, "items", most), size, digest, executable)


def _is_file(name: str) -> bool:
    """Whether this is the path of a file below a folder `00000`: it must not lead out of the dataset."""
    ordinal, *rest = name.split("/")
    return is_ordinal(ordinal) and bool(rest) and "\0" not in name and not {"", ".", ".."} & set(rest)


def _folder(folder: Path, name: Any) -> Empty:
    if not isinstance(name, str) or not _is_file(name):
        raise ValueError(f"{name!r} is not the name of a folder")
    return Empty(folder / from_text(name), name)


def slice_of(data: Any) -> Slice:
    """The slice that these JSON values are. Raises `ValueError` when they are not one."""
    if not isinstance(data, dict) or set(data) != set(Slice._fields):
        raise ValueError(f"{data!r} is not a slice")
    of = _count(data, "of", _MOST)
    number = _count(data, "number", of)
    if not number or data["by"] not in {"items", "portions", "parts"} or not isinstance(data["input"], str):
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
    sizes = dict(_files(folder, folder))
    for part in manifest.parts:
        size = sizes.pop(part.name, None)
        if size is None:
            raise DatasetError(f"is incomplete: {part.name} is missing", where=str(folder), hint=AGAIN)
        if size != part.size:
            raise DatasetError(
                f"is damaged: it has {size} bytes, its manifest says {part.size}", where=str(part.path), hint=AGAIN
            )
    known = {str(path) for empty in manifest.folders for path in (empty.name, *PurePosixPath(empty.name).parents)}
    if others := [name for name, size in sizes.items() if size is not None or name not in known]:
        raise DatasetError(f"contains {min(others)}, which its manifest does not list", where=str(folder), hint=AGAIN)


def _files(top: Path, folder: Path) -> list[tuple[str, int | None]]:
    """Names and sizes of all files of a dataset that are there; empty folders have no size."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    if folder == top:
        names = [name for name in names if is_part(name) or is_ordinal(name)]
    found: list[tuple[str, int | None]] = []
    if not names and folder != top:
        found.append((to_text(str(folder.relative_to(top)), "backslashreplace"), None))
    for name in names:
        path = folder / name
        mode, size = _mode_and_size(path, follow=folder == top and is_part(name))
        if S_ISDIR(mode) and not (folder == top and is_part(name)):
            found += _files(top, path)
        elif S_ISREG(mode):
            found.append((to_text(str(path.relative_to(top)), "backslashreplace"), size))
        else:
            raise DatasetError("is not a regular file", where=str(path), hint=AGAIN)
    return found


def _mode_and_size(path: Path, *, follow: bool) -> tuple[int, int]:
    try:
        about = path.stat(follow_symlinks=follow)
    except OSError as error:
        raise unreadable(path, error) from None
    return about.st_mode, about.st_size
