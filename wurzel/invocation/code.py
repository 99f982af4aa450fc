"""The code of a step: files of the project and of what is developed beside it, and installed distributions.

Found by reading imports, without importing anything. A package of the project that is reached counts with every file in
it, since prompts, queries and plug-ins lie beside modules; an installed distribution counts by name, version and what
its wheel brought, with those it requires. Keys are names of modules, never paths, so that a checkout, an installed
wheel and a container agree. Where a name is computed, all that the texts of the file name counts; of a name that comes
from elsewhere, `computed` says where it is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wurzel.invocation.digests import combine
from wurzel.invocation.distributions import Distributions
from wurzel.invocation.modules import GROUP, GUESS, NAMED, UNSEEN, Import, Modules, file_of, package_of, with_parents
from wurzel.invocation.path_texts import REFERENCE
from wurzel.invocation.units import Naming, Texts, Unit, Units, depends
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.invocation.distributions import Distribution
    from wurzel.ir.model import Pipeline, Step

_HOME = Path(__file__).parents[1]
_NEEDED = ("pydantic",)
"""What every step imports, and so runs."""
_TABLES = ("pandas", "pandera", "pyarrow")
"""What steps import for data frames."""
_STEPS = "wurzel.steps"
_NO_TEXTS: Texts = MappingProxyType({})


class Computed(NamedTuple):
    """An import whose name is computed, such as one from a setting: what it loads is not seen."""

    path: Path
    line: int
    function: str


class Reached(NamedTuple):
    """What a step runs: source, and distributions with all that they require."""

    units: Sequence[Unit]
    distributions: Sequence[Distribution]
    computed: Sequence[Computed]
    """Where it imports what nothing tells the name of."""
    named: Sequence[Naming]


class _Module(NamedTuple):
    """What importing a module brings."""

    names: Sequence[str]
    """The modules that it imports, and the packages around them."""
    units: Mapping[str, Unit]
    installed: Mapping[str, Distribution]


class Code:
    """Finds the code of steps; what is read once serves all steps."""

    def __init__(
        self,
        root: Path,
        digests: FileDigests,
        *,
        not_source: Iterable[Path] = (),
        wurzel: Path = _HOME,
        packages: bool = True,
        path: str = "",
    ) -> None:
        """Look for modules where they are imported from: in the project first.

        Runs write into `not_source`, folders within packages. `packages` says whether to look at installed
        distributions, which takes long the first time. `path` is the `PYTHONPATH` that steps get.
        """
        root = root.absolute()
        self._digests = digests
        self._modules = Modules(root, wurzel, [str(root / one) for one in path.split(os.pathsep) if one])
        self._units = Units(root, digests, self._modules, not_source=not_source, wurzel=wurzel)
        self._uses: dict[str, list[str]] = {}
        self._computed: dict[str, list[Computed]] = {}
        self._read: dict[str, list[Unit]] = {}
        self._naming: dict[str, Naming] = {}
        self._used_names: dict[int, set[str]] = {}
        self._completed: dict[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]], Sequence[Unit]] = {}
        self._ignored: set[str] = set()
        self._exports: Sequence[Import] | None = None
        self._reached: dict[tuple[frozenset[str], frozenset[str], bool], Reached] = {}
        self._followed: dict[tuple[str, frozenset[str]], _Module] = {}
        self._distributions = Distributions(digests if packages else None)

    def digests(self, step: Step, bases: Iterable[str] = (), texts: Texts = _NO_TEXTS) -> dict[str, str]:
        """Digests of the source and packages behind a step.

        `bases` are modules of base classes, if known; `texts` are what settings say, which paths may be made of.
        """
        found = self.of(step, bases)
        units = [*found.units, *self._read_by(found, texts)]
        code, chosen = (
            sorted(self._units.lines(unit for unit in units if unit.is_chosen == of)) for of in (False, True)
        )
        return {
            "code": combine(code),
            **({"folders": combine(chosen)} if chosen else {}),
            "packages": combine(
                part for one in found.distributions for part in (one.name, one.version, one.code or "by version")
            ),
        }

    def of(self, step: Step, bases: Iterable[str] = ()) -> Reached:
        """All code that a step may run."""
        kinds = _contracts(step)
        tables = any("dataframe" in kind.containers for kind in step.types)
        own = frozenset(name.partition(":")[0] for name in (step.run, *kinds))
        roots = own | {*bases}
        key = (own, roots, tables)
        if key not in self._reached:
            self._reached[key] = self._follow(own, roots, tables=tables)
        return self._reached[key]

    def files(self, step: Step, bases: Iterable[str] = (), texts: Texts = _NO_TEXTS) -> list[Path]:
        """The source files of a step, but for those of wurzel; a folder that a setting names and code lists as one."""
        found = self.of(step, bases)
        reached = (*found.units, *self._read_by(found, texts))
        units = [unit for unit in reached if unit.name.partition(".")[0] != "wurzel"]
        # As one, so that a new file in it changes no rendered file.
        folders = [unit.folder for unit in units if unit.is_chosen and not self._units.is_written_into(unit.folder)]
        files = [unit.folder / file for unit in units for file in unit.files]
        return [*folders, *(file for file in files if not any(map(file.is_relative_to, folders)))]

    def _follow(self, own: Iterable[str], roots: Iterable[str], *, tables: bool) -> Reached:
        mine = {name.partition(".")[0] for name in own}
        top = frozenset(mine | self._neighbours(mine))
        shaping = self._units.shaping if self._distributions.known else []
        units = {unit.name: unit for unit in shaping}
        installed: dict[str, Distribution] = {}
        computed: list[Computed] = []
        needed = [*_NEEDED, *(_TABLES if tables else ())] if shaping else []
        todo = [parent for name in [*roots, *needed] for parent in with_parents(name)]
        seen = set(todo)
        while todo:
            name = todo.pop()
            found = self._module(name, top)
            units |= found.units
            installed |= found.installed
            computed += self._computed.get(name, ())
            new = [used for used in found.names if used not in seen]
            seen.update(new)
            todo += new
        packages = self._distributions.with_required(installed.values())
        named = tuple(self._naming[name] for name in sorted(seen) if name in self._naming)
        return Reached(tuple(units.values()), packages, tuple(computed), named)

    def _read_by(self, found: Reached, texts: Texts) -> Sequence[Unit]:
        """Files and folders that modules name with the help of others, or of settings; the same for most steps."""
        if id(found) not in self._used_names:
            forms = (one.module for naming in found.named for one in naming.read if one.level == NAMED)
            self._used_names[id(found)] = {name for form in forms for name in REFERENCE.findall(form)}
        names = self._used_names[id(found)]
        used = {name: tuple(sorted({*texts[name]})) for name in sorted(names & texts.keys())}
        key = (id(found), tuple(used.items()))
        if key not in self._completed:
            self._completed[key] = tuple(self._units.completed(found.named, names, used))
        return self._completed[key]

    def _module(self, name: str, mine: frozenset[str]) -> _Module:
        """What importing a module brings; read once, since most steps reach most of the same modules."""
        key = (name, mine)
        if key not in self._followed:
            units: dict[str, Unit] = {}
            installed: dict[str, Distribution] = {}
            used = [
                parent
                for used in self._imports(name, mine, units, installed)
                if used.partition(".")[0] not in self._ignored
                for parent in with_parents(used)
            ]
            self._followed[key] = _Module(tuple(dict.fromkeys(used)), units, installed)
        return self._followed[key]

    def _neighbours(self, mine: Iterable[str]) -> set[str]:
        """Top names of what is installed in one distribution with a step's own module."""
        owners = [self._distributions.owner(name) for name in mine if self._modules.is_installed(name)]
        return {module.partition(".")[0] for owner in owners if owner is not None for module in owner.modules}

    def _imports(
        self, name: str, mine: Collection[str], units: dict[str, Unit], installed: dict[str, Distribution]
    ) -> Iterator[str]:
        """Count a module, and give the names of those that it imports."""
        if name.startswith(GROUP):
            yield from self._loaded(name.removeprefix(GROUP), installed)
            return
        top = name.partition(".")[0]
        if top == "wurzel":
            if self._distributions.known:  # otherwise only files of the project are asked for
                yield from self._of_wurzel(name, units)
            return
        if self._modules.spec(top) is None or self._modules.is_builtin(top):
            self._ignored.add(top)
            return
        spec = self._modules.spec(name)
        if top not in mine and self._modules.is_installed(top) and not self._counts_by_files(name, installed):
            return
        if (path := file_of(spec)) is not None:
            unit = self._units.of_module(name)
            units[unit.name] = unit
            yield from self._used(name, path, package_of(name, spec))
            units |= {read.name: read for read in self._read.get(name, ())}

    def _loaded(self, group: str, installed: dict[str, Distribution]) -> Iterator[str]:
        """What brings the entry points of a group: distributions, and modules of those that are developed here."""
        for one in self._distributions.with_entry_points(group):
            if one.is_local:
                yield from (module for name, module in one.entries if name == group)
            else:
                installed[one.name] = one

    def _counts_by_files(self, name: str, installed: dict[str, Distribution]) -> bool:
        """Whether an installed module counts as source does; for the others their distribution counts."""
        owner = self._distributions.owner(name)
        if owner is None or owner.is_local:
            return self._distributions.known
        installed[owner.name] = owner
        return False

    def _of_wurzel(self, name: str, units: dict[str, Unit]) -> Iterator[str]:
        """Ready-made steps count one by one, and the package around them by what is taken from it."""
        if not name.startswith(f"{_STEPS}."):
            return
        path = file_of(self._modules.spec(name))
        if path is None:
            yield from self._exported(name.removeprefix(f"{_STEPS}."))
            return
        units[name] = Unit(name, path.parent, (path.name,))
        yield from self._used(name, path, package_of(name, self._modules.spec(name)))

    def _exported(self, name: str) -> Iterator[str]:
        """The module that `from wurzel.steps import name` loads."""
        if self._exports is None:
            path = file_of(self._modules.spec(_STEPS))
            self._exports = self._digests.imports(path) if path is not None else []
        for one in self._exports:
            if name in one.names:
                yield one.module

    def _used(self, name: str, path: Path, package: str) -> list[str]:
        """What a module imports; each step follows most of the same modules."""
        if name not in self._uses:
            read = self._digests.imports(path) if path.suffix == ".py" else ()
            guesses = [guess for one in read if one.level == GUESS for guess in one.modules(package)]
            if not name.startswith(f"{_STEPS}."):
                unseen = [one for one in read if one.level == UNSEEN]
                self._computed[name] = [Computed(path, int(one.module), one.names[0]) for one in unseen]
                if naming := tuple(filter(depends, read)):
                    self._naming[name] = Naming(name, path, naming)
                named = [one for one in read if one.level == NAMED and "\0" not in one.module]
                alone = (one.module for one in named if not one.names)
                self._read[name] = [unit for text in alone for unit in self._units.named(name, path, text)]
                scripts = (os.path.normpath(one.module) for one in named)
                guesses += [text.removesuffix(".py").replace("/", ".") for text in scripts if text.endswith(".py")]
            self._uses[name] = [module for one in read if one.level >= 0 for module in one.modules(package)]
            self._uses[name] += [module for guess in guesses for module in self._modules.guessed(guess)]
        return self._uses[name]


def _contracts(step: Step) -> list[str]:
    return [name for kind in step.types for name in kind.contract.split(" | ")]


def bases(step: Step) -> tuple[str, ...]:
    """Modules of the classes behind a step and of all that they derive from, and those that its settings name.

    As far as the classes are imported.
    """
    found: dict[str, None] = {}
    for name in (step.run, *_contracts(step)):
        found |= dict.fromkeys(base.__module__ for base in getattr(_imported(name), "__mro__", ()))
    for one in step.settings:
        named = one.value if one.given else one.default
        if "ImportString" in one.type and isinstance(named, str):
            found[named.replace(":", ".")] = None
    return tuple(sorted(found))


def _imported(name: str) -> Any:
    module, _, path = name.partition(":")
    value: Any = sys.modules.get(module)
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def python_path(pipeline: Pipeline) -> str:
    """The `PYTHONPATH` of all steps."""
    given = [env.get("PYTHONPATH", "") for env in (pipeline.env, *(step.env for step in pipeline.steps))]
    return os.pathsep.join(dict.fromkeys(filter(None, given)))
