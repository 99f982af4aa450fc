"""Digests of the code behind a step, so that a step runs again when its code has changed.

Code is found by reading import statements, without importing anything: every file a step's module and contracts reach,
at the top of a module or within a function, counts by its bytes; an installed package, unless the step lives in it,
counts by its version. What is imported by computed names, or read as a data file, is not seen.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wurzel.invocation.digests import combine

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Step

_IMPORT = re.compile(
    rb"(?:^|[;:])[ \t]*(?:import[ \t]+([\w.,\t ]+)|from[ \t]+(\.*[\w.]*)[ \t]+import[ \t\\\n]*(\([^)]*\)|[\w.,\t *]+))",
    re.MULTILINE,
)
_NAME = re.compile(rb"[\w.]+")
_SITE = {"site-packages", "dist-packages"}
_OURS = ("core", "datacontract")  # what shapes data in every step


class _Module(NamedTuple):
    """A module as far as its digest goes: what stands for its code, and the names it imports."""

    digest: str
    imports: tuple[str, ...]


class Code:
    """Digests of the code of steps; what is read once serves all steps."""

    def __init__(self, root: Path, digests: FileDigests) -> None:
        """Look for modules below `root` first, then where Python looks."""
        self._root = root
        self._digests = digests
        self._specs: dict[str, ModuleSpec | None] = {}
        self._modules: dict[tuple[str, bool], _Module | None] = {}
        self._sites: dict[Path, dict[str, str]] = {}
        self._steps: dict[tuple[str, ...], str] = {}

    def digest(self, step: Step) -> str:
        """Digest of everything that is code to a step."""
        types = [kind for kind in (step.input, step.output) if kind is not None]
        kinds = [name for kind in types for name in kind.contract.split(" | ")]
        key = (step.run, *kinds, *step.sources)
        if key not in self._steps:
            roots = {kind.partition(":")[0] for kind in (step.run, *kinds)}
            sources = (f"{source}\0{self._digests.file(self._root / source)}" for source in step.sources)
            self._steps[key] = combine([self._base, *sources, *self._reached(roots)])
        return self._steps[key]

    @cached_property
    def _base(self) -> str:
        home = Path(__file__).parents[1]
        files = sorted(file for part in _OURS for file in (home / part).rglob("*.py"))
        files.append(home / "runtime" / "step.py")
        return combine([sys.implementation.name, *map(str, sys.version_info[:2]), *map(self._digests.file, files)])

    def _reached(self, roots: Iterable[str]) -> list[str]:
        """What stands for each module that can be reached, sorted by name."""
        own = {name.partition(".")[0] for name in roots}
        seen = {parent for name in roots for parent in _with_parents(name)}
        todo = list(seen)
        found = []
        while todo:
            name = todo.pop()
            module = self._module(name, name.partition(".")[0] in own)
            if module is None:
                continue
            found.append(f"{name}\0{module.digest}")
            new = {parent for used in module.imports for parent in _with_parents(used)} - seen
            seen |= new
            todo += new
        return sorted(found)

    def _module(self, name: str, own: bool) -> _Module | None:
        key = (name, own)
        if key not in self._modules:
            self._modules[key] = self._read(name, own)
        return self._modules[key]

    def _read(self, name: str, own: bool) -> _Module | None:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or (top == "wurzel" and not name.startswith("wurzel.steps.")):
            return None
        home = _file(self._spec(top))
        if home is not None and not own and top != "wurzel" and _SITE & set(home.parts):
            return _Module(self._version(home, top), ()) if name == top else None
        spec = self._spec(name)
        path = _file(spec)
        if spec is None or path is None:
            return None
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        imports = tuple(_imports(_source(path), package)) if path.suffix == ".py" else ()
        return _Module(self._digests.file(path), imports)

    def _spec(self, name: str) -> ModuleSpec | None:
        if name not in self._specs:
            parent, _, _ = name.rpartition(".")
            if parent:
                above = self._spec(parent)
                places = above.submodule_search_locations if above is not None else None
                self._specs[name] = PathFinder.find_spec(name, list(places)) if places is not None else None
            else:
                self._specs[name] = PathFinder.find_spec(name, [str(self._root)]) or _installed(name)
        return self._specs[name]

    def _version(self, path: Path, top: str) -> str:
        """The version of an installed package, or the digest of its first file when its folder tells none."""
        site = path.parents[1] if path.name == "__init__.py" else path.parent
        return self._versions(site).get(top.lower().replace("-", "_")) or self._digests.file(path)

    def _versions(self, site: Path) -> Mapping[str, str]:
        if site not in self._sites:
            folders = (folder.name.removesuffix(".dist-info").partition("-") for folder in site.glob("*.dist-info"))
            self._sites[site] = {name.lower().replace(".", "_"): version for name, _, version in folders}
        return self._sites[site]


def _source(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # the step will say why


def _file(spec: ModuleSpec | None) -> Path | None:
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _with_parents(name: str) -> Iterator[str]:
    """The name of a module and of all packages around it: importing it runs them all."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _installed(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        return None


def _imports(source: bytes, package: str) -> Iterator[str]:
    """Names of modules that a module may import; `from a import b` names `a` and perhaps the module `a.b`."""
    for plain, base, names in _IMPORT.findall(source):
        if plain:
            yield from (part.split()[0].decode() for part in plain.split(b",") if part.strip())
            continue
        origin = _absolute(base.decode(), package)
        if origin is not None:
            yield origin
            yield from (f"{origin}.{name.decode()}" for name in _NAME.findall(names))


def _absolute(name: str, package: str) -> str | None:
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    around = package.split(".")
    if level > len(around):
        return None
    return ".".join([*around[: len(around) - level + 1], *filter(None, [name[level:]])])
