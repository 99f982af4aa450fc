"""Where a project keeps its modules: its folder, `src`, and what the files that package it name instead."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_HINTS = r"\b(?:package-dir|where|from|sources|packages|module-root|python-source)\"?[ \t]*[=\]]"
"""Keys of a pyproject.toml that may name a folder; without them it is not parsed, which takes milliseconds."""
_OTHERS = (
    r"(?m)^[ \t]*package_dir[ \t]*=\s*=[ \t]*(\S+)",  # setup.cfg
    r"(?m)^[ \t]*where[ \t]*=[ \t]*(\S+)",
    r"""package_dir[ \t]*=[ \t]*\{[ \t]*(?:""|'')[ \t]*:[ \t]*["']([^"']+)["']""",  # setup.py
    r"""find_(?:namespace_)?packages\([ \t]*(?:where[ \t]*=[ \t]*)?["']([^"']+)["']""",
)


def source_folders(root: Path) -> list[Path]:
    """Where the modules of a project are: its folder first, then others that are not packages themselves."""
    names = dict.fromkeys(("src", *_declared(root)))
    folders = (root / name for name in names)
    return [root, *(folder for folder in folders if folder.is_dir() and not (folder / "__init__.py").exists())]


def _declared(root: Path) -> Iterator[str]:
    for name in _FILES:
        path = f"{root}/{name}"
        try:
            about = os.stat(path)  # noqa: PTH116 - asked often
        except OSError:
            continue
        for folder in _named(path, about.st_mtime_ns, about.st_size):
            inside = posixpath.normpath(folder)
            if inside != "." and not inside.startswith(("../", "/")) and inside != "..":
                yield inside


@lru_cache(maxsize=16)
def _named(path: str, _mtime: int, _size: int) -> tuple[str, ...]:
    """The folders that a file names; it is read again when it has changed."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    if not path.endswith(".toml"):
        found = [name for pattern in _OTHERS for name in re.findall(pattern, text)]
    elif re.search(_HINTS, text) is not None:
        found = [name for name in _of_pyproject(text) if isinstance(name, str)]
    else:
        found = []
    return tuple(name for name in dict.fromkeys(found) if name and "\0" not in name)


def _of_pyproject(text: str) -> Iterator[Any]:
    """What build backends call the folder that packages are below; one that does not declare it has `src`."""
    import tomllib

    try:
        tool = _at(tomllib.loads(text), "tool")
    except tomllib.TOMLDecodeError:
        return
    yield _at(tool, "setuptools", "package-dir", "")
    yield from _items(_at(tool, "setuptools", "packages", "find", "where"))
    yield _at(tool, "pdm", "build", "package-dir")
    yield _at(tool, "uv", "build-backend", "module-root")
    yield _at(tool, "maturin", "python-source")
    yield from (_at(item, "from") for item in _items(_at(tool, "poetry", "packages")))
    for build in (_at(tool, "hatch", "build"), _at(tool, "hatch", "build", "targets", "wheel")):
        yield from (posixpath.dirname(item) for item in _items(_at(build, "packages")) if isinstance(item, str))
        sources = _at(build, "sources")
        yield from _items(sources)
        yield from (old for old, new in sources.items() if new == "") if isinstance(sources, dict) else ()


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
