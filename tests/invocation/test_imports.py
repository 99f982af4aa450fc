import pytest

from wurzel.invocation.imports import imports
from wurzel.invocation.modules import UNSEEN, Import


def modules(source, package="app"):
    """Names of the modules that a file of a package may load."""
    return {name for one in imports(source.encode()) for name in one.modules(package)}


@pytest.mark.parametrize(
    "source",
    [
        "import plug",
        "import plug as p, os",
        "from plug import V",
        "from plug import *",
        "def f():\n    if x:\n        from plug import V",
        "class A:\n    import plug",
        "try:\n    import plug\nexcept ImportError: pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING: import plug",
        "x = 1; import plug",
        "from plug import (  # noqa: F401 (kept)\n    V,  # )\n    W,\n)",
        "from \\\n plug \\\n import V",
        'import importlib\nimportlib.import_module("plug")',
        'import importlib as il\nx = lambda: il.import_module(name="plug").V',
        'from importlib import import_module as load\nload("plug")',
        'import importlib\nload = importlib.import_module\nload("plug")',
        'import builtins\nbuiltins.__import__("plug")',
        '__import__("plug")',
        '__import__("plug", fromlist=["V"])',
        '__import__("plug", globals(), locals(), ("V",), 0)',
        'from importlib.resources import files\nfiles("plug").joinpath("x")',
        'import pkgutil\npkgutil.get_data("plug", "x.txt")',
        'from importlib.resources import read_text\nread_text("plug", "x.txt")',
        'import pydoc\npydoc.locate("plug")',
        'import importlib\ngetattr(importlib, "import_module")("plug")',
        'exec("from plug import V", globals())',
        """eval("__import__('plug').V")""",
        'import subprocess\nsubprocess.run([sys.executable, "-m", "plug"])',
        'subprocess.run(["python", "-mplug"])',
        'subprocess.run([sys.executable, "-c", "import plug"])',
        'os.system("python3.11 -m plug --all")',
        'instantiate({"_target_": "plug.V"})',
        "async def f():\n    async with a as b:\n        import plug",
        "match x:\n    case 1:\n        import plug",
    ],
)
def test_every_form_of_an_import_is_found(source):
    assert "plug" in modules(source)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from . import a", {"app", "app.a"}),
        ("from .a import b", {"app.a", "app.a.b"}),
        ("from .. import a", set()),
        ('import_module(".a", __package__)', {"app.a"}),
        ('import_module(".a", package="lib.x")', {"lib.x.a"}),
        ('import_module("..a", "lib.x")', {"lib.a"}),
        ('__import__("a", globals(), locals(), ["b"], 1)', {"app.a", "app.a.b"}),
        ("import_module(name)", {"app"}),
        ('import_module(f"plugins.{name}")', {"app", "plugins", "app.plugins", "@plugins."}),
        ("files(__package__)", {"app"}),
        ("files(name)", set()),
        ("# import plug", set()),
        ('"import plug"', set()),
    ],
)
def test_relative_names_are_made_absolute_and_texts_count_where_names_are_computed(source, found):
    assert modules(source) == found


def test_a_relative_import_starts_at_the_package():
    assert modules("from ..b import c", "app.a") == {"app.b", "app.b.c"}
    assert list(Import(1, "x").modules("")) == []


@pytest.mark.parametrize("source", [b"def", b"\0", b"\xff\xfe", b"(" * 10_000, b""])
def test_what_is_not_python_imports_nothing(source):
    assert imports(source) == []


def test_modules_that_are_found_or_run_by_name_count():
    source = b"find_spec('a')\nrunpy.run_module('b')\npkgutil.resolve_name('c.d:E')\nfind_spec('.f', 'g')"
    assert {name for one in imports(source) for name in one.modules("")} >= {"a", "b", "c.d", "g.f"}


@pytest.mark.parametrize(
    "source",
    [
        'import_module("pl" "ug")',
        'NAME = "plug"\nimport_module(NAME)',
        'for name in ("other", "plug"): import_module(name)',
        'import_module({"a": "plug"}[x])',
        'run_path(Path(__file__).with_name("plug.py"))',
        'importlib.util.spec_from_file_location("x", "./plug.py")',
        'importlib.machinery.SourceFileLoader("x", HERE / "plug.py").load_module()',
    ],
)
def test_what_a_text_names_may_be_what_a_computed_name_is(source):
    assert "plug" in modules(source)


@pytest.mark.parametrize(
    "source",
    [
        'entry_points(group="my.plugins")',
        'from importlib.metadata import entry_points as eps\neps().select(group="my.plugins")',
        'metadata.entry_points().get("my.plugins")',
        'pkg_resources.iter_entry_points("my.plugins")',
        'manager.load_setuptools_entrypoints("my.plugins")',
    ],
)
def test_a_group_of_entry_points_counts(source):
    assert "@my.plugins" in modules(source)


@pytest.mark.parametrize(
    ("source", "unseen"),
    [
        ("importlib.import_module(settings.MODULE)", ["1 import_module"]),
        ("x = 1\n__import__(os.environ['PLUGIN'])", ["2 __import__"]),
        ("import_module(os.environ.get('PLUGIN', 'plug'))", ["1 import_module"]),
        ("import_module(f'{name}')", ["1 import_module"]),
        ("import_module(name=config['module'])", ["1 import_module"]),
        ("runpy.run_path(path)\nrunpy.run_module(name)", ["1 run_path", "2 run_module"]),
        ("spec_from_file_location(name, path)", ["1 spec_from_file_location"]),
        ("entry_points(group=group)", ["1 entry_points"]),
        ("from importlib import import_module as load\nload(name)", ["2 import_module"]),
        ("path.read_text()\nframe.locate(name)", []),
        ("import_module('a')\nimport_module(__name__)\nimport_module(f'.{name}', __package__)", []),
        ("import_module('plugins.' + name)\nimport_module('plugins.{}'.format(name))", []),
        ("for name in ('a', 'b'):\n    import_module(name)", []),
        ("LAZY = {'a': 'b'}\ndef load(name):\n    return import_module(LAZY[name])", []),
        ("class A:\n    name: str = 'a'\n    def load(self):\n        import_module(self.name)", []),
        ("[import_module(one.name) for one in iter_modules(plugins.__path__, 'plugins.')]", []),
        ("runpy.run_path('scripts/' + name)\nPATH = 'a.py'\nspec_from_file_location(name, PATH)", []),
    ],
)
def test_a_name_that_no_text_is_part_of_is_not_seen(source, unseen):
    found = [one for one in imports(source.encode()) if one.level == UNSEEN]
    assert [f"{one.module} {one.names[0]}" for one in found] == unseen
