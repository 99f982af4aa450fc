"""Imports between packages run one way, and no two files import each other; imports for type checkers count as well."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TIERS = [
    {"lean", "named_tuples", "patterns", "records", "table"},
    {"models"},
    {"exceptions", "git_folder", "hangup", "secret_names", "standard_streams", "store_url"},
    {"suggestion", "version", "yaml_events"},
    {"regular_file", "user_cache"},
    {"new_file"},
    {"datacontract"},
    {"store"},
    {"core"},
    {"ir", "steps", "utils"},
    {"invocation"},
    {"render", "validation"},
    {"backends", "runtime"},
    {"project", "report"},
    {"drift", "engines", "image"},
    {"cli"},
    {"calling"},
    {"testing", "__main__"},
    {"pytest_plugin"},
]
"""Packages from the bottom to the top: each imports from those further down alone. New ones find their place here."""

HOME = Path(__file__).parents[1] / "wurzel"


def modules(home):
    """Name to path of every module below a package folder."""
    names = {path: ".".join((home.name, *path.relative_to(home).with_suffix("").parts)) for path in home.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports(name, path, known):
    """Modules among the known ones that a module imports anywhere: at its top, in functions, for type checkers."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: 1 - node.level or None] if node.level else []
            origin = ".".join([*parts, *filter(None, [node.module])])
            for alias in node.names:
                found = next((one for one in (f"{origin}.{alias.name}", origin) if one in known), None)
                if found is not None:
                    yield found


def graph(home):
    """Module to the set of modules that it imports."""
    known = modules(home)
    return {name: set(imports(name, path, known)) for name, path in known.items()}


def package(name):
    """The part of a module's name that says in which package of wurzel it is; empty for wurzel itself."""
    return name.partition(".")[2].partition(".")[0]


def against_the_order(edges):
    """Every import that does not run down the tiers."""
    tier = {name: number for number, names in enumerate(TIERS) for name in names}
    for name, used in sorted(edges.items()):
        for other in sorted(used):
            mine, theirs = package(name), package(other)
            if name != "wurzel" and mine != theirs and not (theirs and tier[theirs] < tier[mine]):
                yield f"{name} imports {other}"


def circle(edges):
    """Modules that import each other in a circle, or an empty list."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def edges():
    return graph(HOME)


def test_imports_between_packages_run_one_way(edges):
    assert list(against_the_order(edges)) == []


def test_no_two_files_import_each_other(edges):
    assert circle(edges) == []


def test_every_package_has_its_place(edges):
    assert {package(name) for name in edges} == {"", *(name for names in TIERS for name in names)}


@pytest.mark.parametrize(
    "line",
    [
        "from wurzel.cli import main",
        "import wurzel.cli",
        "from ..cli import main",
        "from wurzel import cli",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from wurzel.cli import main",
        "def late():\n    from wurzel.cli import main",
    ],
)
def test_an_import_against_the_order_is_found(tmp_path, line):
    home = tmp_path / "wurzel"
    files = {
        "__init__": "",
        "cli/__init__": "from wurzel.core.step import Step",
        "core/__init__": "",
        "core/step": line,
    }
    for name, text in files.items():
        path = home / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    edges = graph(home)
    assert list(against_the_order(edges)) == ["wurzel.core.step imports wurzel.cli"]
    assert set(circle(edges)) == {"wurzel.cli", "wurzel.core.step"}
