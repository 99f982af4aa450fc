"""Installed distributions: which one a module comes from, what it requires, and what stands for its code.

Two machines with the same packages agree, whether pip or uv installed them and wherever the environment is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.invocation.digests import FileDigests, combine, status
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern

if TYPE_CHECKING:
    from importlib.metadata import Distribution as Metadata

_NATIVE = pattern(r"\.(so|pyd|dylib|dll|a|lib)(\.[0-9.]+)?$")
_REQUIREMENT = pattern(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?", re.DOTALL)
_EXTRA = pattern(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_SCHEME = 2
"""Of what is remembered between runs."""


class Requirement(NamedTuple):
    """A distribution that another one requires: always, or for one of some extras."""

    name: str
    extras: tuple[str, ...]
    """Extras of the required one."""
    wanted_by: tuple[str, ...]
    """Extras of the requiring one; none for always."""


class Distribution(NamedTuple):
    """An installed distribution."""

    name: str
    """As PEP 503 normalizes it."""
    version: str
    code: str
    """Digest of its files as they were installed; empty where the name and version say all there is to say."""
    is_local: bool
    """Installed from a folder of this machine, so that its files count like those of the project."""
    requires: tuple[Requirement, ...]
    modules: tuple[str, ...]
    """The packages and modules it brings, by their dotted names, the outermost ones that no other can extend."""
    entries: tuple[tuple[str, str], ...]
    """Group and module of each of its entry points."""


class Distributions:
    """The distributions below the folders that Python imports from; remembered between runs."""

    def __init__(self, digests: FileDigests | None) -> None:
        """Remember what is found with `digests`; without it nothing is looked for, and nothing is known."""
        self.known = digests is not None
        self._digests = digests or FileDigests()
        self._sites = [path for path in map(Path, dict.fromkeys(sys.path)) if path.is_dir()] if self.known else []

    def owner(self, module: str) -> Distribution | None:
        """The distribution that brings a module, or the package around it."""
        name = module
        while name:
            if name in self._by_module:
                return self._by_name[self._by_module[name]]
            name = name.rpartition(".")[0]
        return None

    def with_entry_points(self, group: str) -> list[Distribution]:
        """Those that have entry points of a group, sorted by name."""
        return sorted(one for one in self._by_name.values() if group in dict(one.entries))

    def with_required(self, roots: Iterable[Distribution]) -> list[Distribution]:
        """Distributions and all that they require, as far as it is installed, sorted by name.

        Extras of a root cannot be known, so none of them count; what is installed for another reason does not either.
        """
        todo: list[tuple[str, tuple[str, ...]]] = [(root.name, ()) for root in roots]
        seen: set[tuple[str, tuple[str, ...]]] = set()
        while todo:
            key = todo.pop()
            found = self._by_name.get(key[0])
            if key in seen or found is None:
                continue
            seen.add(key)
            todo += [
                (needed.name, needed.extras)
                for needed in found.requires
                if not needed.wanted_by or not set(needed.wanted_by).isdisjoint(key[1])
            ]
        return [self._by_name[name] for name in sorted({name for name, _ in seen})]

    @cached_property
    def _by_name(self) -> dict[str, Distribution]:
        found: dict[str, Distribution] = {}
        for site in self._sites:
            for distribution in self._below(site):
                found.setdefault(distribution.name, distribution)
        return found

    @cached_property
    def _by_module(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for distribution in self._by_name.values():
            for module in distribution.modules:
                found.setdefault(module, distribution.name)
        return found

    def _below(self, site: Path) -> list[Distribution]:
        """Those of one folder; what they were is remembered for as long as no file that says so has changed."""
        key = f"distributions:{site}"
        known = self._digests.notes.get(key)
        now = [_SCHEME, *_signature(site)]
        if known is None or known[0] != now:
            found = [read(one) for one in _metadata(site)]
            known = [now, [distribution for distribution in found if distribution is not None]]
            self._digests.note(key, known)
        return [_from_json(item) for item in known[1]]


def read(metadata: Metadata) -> Distribution | None:
    """What is known of an installed distribution; nothing when its own records cannot be read."""
    name, version = metadata.metadata["Name"], metadata.version
    if not isinstance(name, str) or not isinstance(version, str):
        return None  # left by an installer that was stopped
    record = metadata.read_text("RECORD") or ""
    files = list(_recorded(record))
    origin = _json(metadata.read_text("direct_url.json"))
    is_pure = all(tag.endswith("-any") for tag in _tags(metadata.read_text("WHEEL") or ""))
    return Distribution(
        _normal(name),
        version,
        combine(_counted(files)) if files and is_pure else "",
        "dir_info" in origin,
        tuple(filter(None, map(_requirement, metadata.requires or ()))),
        tuple(_modules((path for path, _ in files), metadata.read_text("top_level.txt") or "")),
        tuple(dict.fromkeys(_entries(metadata.read_text("entry_points.txt") or ""))),
    )


def _metadata(site: Path) -> Iterable[Metadata]:
    from importlib.metadata import distributions  # slow: only for what is not remembered

    return distributions(path=[str(site)])


def _signature(site: Path) -> list[Any]:
    """What changes when a distribution below a folder comes, goes or is reinstalled."""
    folders = [name for name in os.listdir(site) if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208 - names
    parts: list[Any] = []
    for folder in sorted(folders):
        for name in ("RECORD", "METADATA", "direct_url.json", ""):
            try:
                found = os.stat(f"{site}/{folder}/{name}")  # noqa: PTH116 - paths of 80 distributions cost 2 ms
            except OSError:
                continue
            parts.append([name or folder, *status(found)])
    return parts


def _recorded(record: str) -> Iterator[tuple[str, str]]:
    """Path and hash of each line of a RECORD."""
    import csv

    for row in csv.reader(record.splitlines()):
        if row:
            yield row[0].replace("\\", "/"), row[1] if len(row) > 1 else ""


def _counted(files: Iterable[tuple[str, str]]) -> list[str]:
    """The lines that say the same wherever and with whatever tool a wheel was installed."""
    return sorted(
        f"{path},{digest}"
        for path, digest in files
        if not path.startswith(("..", "/"))
        and "__pycache__" not in path.split("/")
        and not path.partition("/")[0].endswith(".dist-info")
        and not _NATIVE.search(path)
    )


def _tags(wheel: str) -> list[str]:
    return [line.partition(":")[2].strip() for line in wheel.splitlines() if line.startswith("Tag:")]


def _modules(paths: Iterable[str], top_level: str) -> list[str]:
    """The outermost packages among recorded paths: for `google/api/x.py` and `google/api/__init__.py`, `google.api`."""
    files = [path.split("/") for path in paths if path.endswith((".py", ".so", ".pyd", ".pyi"))]
    files = [parts for parts in files if not parts[0].endswith(".dist-info") and parts[0] not in {"..", ""}]
    packages = {tuple(parts[:-1]) for parts in files if parts[-1].startswith("__init__.")}
    found: dict[str, None] = {}
    for parts in files:
        around = [tuple(parts[:count]) for count in range(1, len(parts)) if tuple(parts[:count]) in packages]
        name = around[0] if around else (*parts[:-1], parts[-1].partition(".")[0])
        if all(part.isidentifier() for part in name):
            found[".".join(name)] = None
    return list(found) or top_level.split()


def _entries(text: str) -> Iterator[tuple[str, str]]:
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif "=" in line and line[0] not in "#;":
            yield group, re.split(r"[:\[]", line.partition("=")[2])[0].strip()


def _requirement(text: str) -> Requirement | None:
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    extras = tuple(sorted(_normal(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip()))
    wanted_by = tuple(_normal(extra) for extra in _EXTRA.findall(match[3] or ""))
    return Requirement(_normal(match[1]), extras, wanted_by)


def _normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _json(text: str | None) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _from_json(item: Any) -> Distribution:
    name, version, code, is_local, requires, modules, entries = item
    needed = tuple(Requirement(needs, tuple(extras), tuple(wanted_by)) for needs, extras, wanted_by in requires)
    return Distribution(name, version, code, is_local, needed, tuple(modules), tuple(map(tuple, entries)))
