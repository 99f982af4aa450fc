import ast
import os
import subprocess
import sys
from zipfile import ZipFile

import pytest

from tests.plain import plain_step
from wurzel.invocation.code import Code
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.path_forms import Forms
from wurzel.invocation.sources import with_sources
from wurzel.ir.model import DataType, Pipeline, Setting


@pytest.fixture
def digest(tmp_path):
    """Digests of the code behind a class, with nothing remembered from before."""

    def digest(run="app.steps:Load", contract="app.types:Doc"):
        step = plain_step(id="load", run=run, output=DataType(contract=contract))
        return Code(tmp_path, FileDigests()).digests(step)

    write(tmp_path, "app/__init__.py", "")
    write(tmp_path, "app/types.py", "")
    return digest


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def sources(root, run="app.steps:Load"):
    """The files of the project that count for a class."""
    step = plain_step(id="load", run=run, output=DataType(contract="app:Doc"))
    files = Code(root, FileDigests(), packages=False).files(step)
    return {file.relative_to(root).as_posix() for file in files}


@pytest.mark.parametrize(
    ("statement", "file"),
    [
        ("", "app/steps.py"),
        ("", "app/__init__.py"),
        ("", "app/types.py"),
        ("from app.extra import LIMIT", "app/extra.py"),
        ("import app.extra", "app/extra.py"),
        ("import os, app.extra as extra", "app/extra.py"),
        ("from . import extra", "app/extra.py"),
        ("from .extra import (  # the limit\n    LIMIT,\n)", "app/extra.py"),
        ("from app import (\n    types,\n    extra,\n)", "app/extra.py"),
        ("from app import \\\n    extra", "app/extra.py"),
        ("def run():\n    from .deep.er import thing", "app/deep/er.py"),
        ("def run():\n    from .deep.er import thing", "app/deep/__init__.py"),
        ("if True: from .deep.er import thing", "app/deep/er.py"),
        ("import alone", "alone.py"),
        ("import alone", "last.py"),
        ("from .middle import x", "app/extra.py"),
    ],
)
def test_every_imported_file_counts(tmp_path, digest, statement, file):
    write(tmp_path, "app/steps.py", statement)
    write(tmp_path, "app/middle.py", "from app import extra")
    write(tmp_path, "alone.py", "from last import x")
    for name in ("app/extra.py", "app/deep/__init__.py", "app/deep/er.py", "last.py"):
        write(tmp_path, name, "")
    before = digest()
    assert digest() == before
    with (tmp_path / file).open("a") as source:
        source.write("\n# changed\n")
    assert digest() != before


@pytest.mark.parametrize("name", ["prompt.txt", "sql/top.sql", "plugins/one.py", "deep/er/data.json", "py.typed"])
def test_every_file_of_a_package_that_is_reached_counts(tmp_path, digest, name):
    write(tmp_path, "app/steps.py", "x = 1")
    before = digest()
    write(tmp_path, f"app/{name}", "1")
    first = digest()
    write(tmp_path, f"app/{name}", "2")
    assert len({before["code"], first["code"], digest()["code"]}) == 3


@pytest.mark.parametrize("name", ["free/prompt.txt", "free/deep/top.sql", "free/deep/er.py"])
def test_every_file_of_a_package_without_init_counts(tmp_path, digest, name):
    write(tmp_path, "free/deep/steps.py", "x = 1")
    write(tmp_path, "free/whole/__init__.py", "")
    write(tmp_path, "free/whole/steps.py", "x = 1")
    for run, counts in (("free.deep.steps:Load", True), ("free.whole.steps:Load", False)):
        before = digest(run)
        write(tmp_path, name, run)
        assert (digest(run) != before) == counts


def test_a_module_in_folders_without_init_that_nothing_has_imported_yet_is_found(tmp_path, digest):
    write(tmp_path, "app/steps.py", "def run():\n    from unseen.deep.er import x")
    write(tmp_path, "unseen/deep/er.py", "x = 1")
    before = digest()
    write(tmp_path, "unseen/deep/er.py", "x = 2")
    assert digest()["code"] != before["code"]


@pytest.mark.parametrize(
    "statement",
    [
        'for n in ("one", "two"): import_module("plugins." + n)',
        'import_module(f"plugins.{n}")',
        'import plugins\n[import_module(m.name) for m in iter_modules(plugins.__path__, "plugins.")]',
        'PLACE = "plugins/one.py"\nspec_from_file_location(n, PLACE)',
    ],
)
def test_what_is_imported_by_a_computed_name_counts(tmp_path, statement):
    write(tmp_path, "app/steps.py", statement)
    write(tmp_path, "plugins/one.py", "from alone import x")
    for name in ("app/__init__.py", "alone.py", "other.py"):
        write(tmp_path, name, "x = 1")
    assert sources(tmp_path) == {"app/__init__.py", "app/steps.py", "plugins/one.py", "alone.py"}


FILES = ("notes.txt", "texts/one.txt", "texts/two.txt", "bin/clean.sh", "bin/plug-in.py", "bin/x.py", "bin/y.py")
FILES += ("alone.sql", "a (b).csv", "LOOKUP", ".rules")
TEXTS = {"texts/one.txt", "texts/two.txt"}
BIN = {name for name in FILES if name.startswith("bin/")}
DERIVED = "".join(f'class Part{number}(Base):\n    DATA = Base.DATA / "{number}"\n' for number in range(6))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('open("notes.txt").read()', {"notes.txt"}),
        ('exec(open("./bin/plug-in.py").read())', BIN),
        ('Path(__file__).with_name("notes.txt")', {"notes.txt"}),
        ('HERE = Path(__file__).parent\ntext = (HERE / "texts" / "one.txt").read_text()', {"texts/one.txt"}),
        ('Path("texts/x").with_name("two.txt")', {"texts/two.txt"}),
        ('(Path("texts") / "x.txt").with_stem("two")', TEXTS),
        ('Path(__file__).with_stem("notes").read_text()', {"notes.txt"}),
        ('NAME = "notes.txt"', {"notes.txt"}),
        ('sqlite3.connect("notes.txt").execute("select 1 from created")', {"notes.txt"}),
        ('CDLL("./notes.txt")', {"notes.txt"}),
        (f'open("notes.txt"), chat("{"Answer in a word. " * 20}")', {"notes.txt"}),
        ('open("notes.txt"), chart.with_stem("a**/b")', {"notes.txt"}),
        ('scan_csv("a (b).csv")', {"a (b).csv"}),
        ('HERE = Path(__file__).parent\nHERE.joinpath("texts", f"{name}.txt")', TEXTS),
        ('os.path.join(os.path.dirname(__file__), "texts", name)', TEXTS),
        ('open(f"texts/{name}.txt")', TEXTS),
        ('open("texts/%s.txt" % name)', TEXTS),
        ('glob("texts/*.txt")', TEXTS),
        ('open(f"{folder}/notes.txt")', {"notes.txt"}),
        ('open(os.path.dirname(__file__) + "/notes.txt")', {"notes.txt"}),
        ('T = "texts"\nopen(f"{T}/one.txt")', {"texts/one.txt"}),
        ('T = "texts"\nopen("{}/{}.txt".format(T, name))', TEXTS),
        ('def load(name="two"):\n    return (Path("texts") / (name + ".txt")).read_text()', TEXTS),
        ('Path(__file__).parent / f"texts/{name}.txt"', TEXTS),
        ('os.walk("texts")', TEXTS),
        ('Environment(loader=FileSystemLoader("texts"))', TEXTS),
        ('sys.path.insert(0, "bin")', BIN),
        ('open("LOOKUP"), open(".rules"), open("a (b).csv")', {"LOOKUP", ".rules", "a (b).csv"}),
        ('Path(__file__).with_suffix(".sql")', {"alone.sql"}),
        ('os.path.splitext(__file__)[0] + ".sql"', {"alone.sql"}),
        ('glob.glob("*.sql") + folder.glob("*.csv")', {"alone.sql"}),
        ('subprocess.run(shlex.split("sh bin/clean.sh"))', {"bin/clean.sh"}),
        ('subprocess.run(["sh", "clean.sh"], cwd="bin")', BIN),
        ('read = [open(name) for name in "notes.txt LOOKUP".split()]', {"notes.txt"}),
        ('@dataclass\nclass C:\n    path: str = "notes.txt"\nopen(C().path)', {"notes.txt"}),
        ('resources.files("texts").joinpath("two.txt")', {"texts/two.txt"}),
        ('subprocess.run(["sh", "bin/clean.sh"])', {"bin/clean.sh"}),
        ('os.system("sh bin/clean.sh --all")', {"bin/clean.sh"}),
        ('subprocess.run([sys.executable, "bin/x.py"])', BIN),
        ('spec_from_file_location("plug", "bin/plug-in.py")', BIN),
        ('class C(CommandStep):\n    command = ["sh", "bin/clean.sh", "{input}"]', {"bin/clean.sh"}),
        ('for t in ("texts", "x"):\n    os.walk(t)', TEXTS),
        ('class C:\n    T: Final = "texts"\n    def f(self): return os.listdir(self.T)', TEXTS),
        ('read_parquet("texts"), getattr(x, "bin")', TEXTS),
        ('Path(__file__).parent.glob("*.sql")', {"alone.sql"}),
        ('table = read_csv("notes.txt")\ntable.rename(columns=x).to_csv(y)', {"notes.txt"}),
        ('json.dumps(load("notes.txt"))', {"notes.txt"}),
        ('text = open("notes.txt").read()\nPath("texts").write_text(text)', {"notes.txt"}),
        ('CACHE = Path("texts")\ndef get(key):\n    path = CACHE / key\n    path.write_text(x)', set()),
        ('CACHE = Path("texts")\nCACHE.iterdir()\n(CACHE / key).write_text(x)', set()),
        ('def get(key):\n    path = f"texts/{key}.txt"\n    open(path)\n    open(path, "w")', set()),
        ('def get():\n    at = Path("texts")\n    at.mkdir()\n    at.glob("*.txt")', set()),
        ('Path("texts").iterdir()\nPath("texts/x/y").touch()', set()),
        ('def get(path="texts"):\n    os.walk(path)\ndef put(path="bin"):\n    open(f"{path}/x", "w")', TEXTS),
        ('TEXTS = Path("texts")\nfor one in TEXTS.iterdir():\n    save(one.read_text(), OUT / one.name)', TEXTS),
        ('T = {"a": "texts"}\nopen(f"{T[key]}/one.txt")', {"texts/one.txt"}),
        ('def at():\n    return "texts"\nopen(at() + "/one.txt")', {"texts/one.txt"}),
        ('open("texts" + os.sep + "one.txt")', TEXTS),
        ('SimpleDirectoryReader(input_dir="texts"), dataset("bin")', TEXTS | BIN),
        ('SentenceTransformer("./texts"), open(file="LOOKUP")', TEXTS | {"LOOKUP"}),
        ('glob.glob("*.nil", root_dir="texts")', TEXTS),
        ("sql(\"select * from 'notes.txt' join 'texts/one.txt'\")", {"notes.txt", "texts/one.txt"}),
        (
            'class A:\n    def __init__(self, at): self.at = at\n    def f(self): self.at.iterdir()\nA(Path("texts"))',
            TEXTS,
        ),
        (
            'def at(k):\n    return os.path.join("texts", k)\ndef f():\n    p = at(x)\n    open(p)\n    open(p, "w")',
            set(),
        ),
        ('class A:\n    at: Path\n    def f(self): open(self.at / x), (self.at / x).touch()\nA(Path("texts"))', set()),
        ('read_index("notes.txt"), write_index(x, "notes.txt")', set()),
        ('json.loads("texts"), x.parse("texts")', set()),
        ('class S(Settings):\n    F: Path = Path("notes.txt")', set()),
        ('open("notes.txt", "w")', set()),
        ('ZipFile("notes.txt", "w")', set()),
        ('Path("notes.txt").open(mode="a")', set()),
        ('OUT = Path("notes.txt")\nOUT.write_text("x")', set()),
        ('P = {"log": "notes.txt"}\nopen(P["log"]), open(P["log"], "a")', set()),
        ('P = {"log": Path("texts"), "a": P["a"]}\n(P["log"] / x).touch(), open(P["log"] / x), open(P["a"])', set()),
        ('Path("texts").mkdir()', set()),
        ('sqlite3.connect("notes.txt").execute("INSERT INTO x VALUES (1)")', set()),
        ('open("notes")', set()),
        ('Path("data") / "part.json"', set()),
        ('os.walk("link")', set()),
        ('Path(__file__).parent / "." / name', set()),
    ],
)
def test_files_that_a_module_names_count_if_it_reads_them(tmp_path, line, found):
    write(tmp_path, "alone.py", line)
    for name in (*FILES, "data/part.json", "other.txt"):
        write(tmp_path, name, "")
    (tmp_path / "link").symlink_to("data")
    step = plain_step(id="load", run="alone:Load", output=DataType(contract="alone:Doc"))
    files = Code(tmp_path, FileDigests(), packages=False, not_source=[tmp_path / "data"]).files(step)
    assert {file.relative_to(tmp_path).as_posix() for file in files} == {"alone.py", *found}


@pytest.mark.parametrize(
    ("line", "settings", "found"),
    [
        ("from conf import DATA\nDATA.iterdir()", 'DATA = Path("texts")', TEXTS),
        ('from conf import DATA\nPath(DATA).glob("*.txt")', 'DATA = "texts"', TEXTS),
        ('from conf import DATA as D\nopen(f"{D}/one.txt")', 'T = "texts"\nDATA: Final = T', {"texts/one.txt"}),
        ("from conf import *\nos.walk(DATA)", 'DATA = environ.get("DATA", "texts")', TEXTS),
        ("import conf\nopen(conf.DATA)", "from deep import DATA", TEXTS),
        ("import conf\nread(conf.Paths().docs)", '@dataclass\nclass Paths:\n    docs: str = "texts"', TEXTS),
        ("import conf\nread(conf.Paths.PAGES.value)", 'class Paths(Enum):\n    PAGES = "texts"', TEXTS),
        ('import conf\nread(conf.PATHS["docs"])', 'PATHS = {"docs": "texts"}', TEXTS),
        ("import conf\nread(conf.paths.docs)", 'paths = Paths(docs="texts")', TEXTS),
        ('import conf\n[open(n + ".txt") for n in conf.NAMES]', 'NAMES = ["notes", "no"]', {"notes.txt"}),
        ("import conf\nopen(conf.DATA)", f'{DERIVED}DATA = "texts"', TEXTS),
        ('import conf\n(conf.OUT / "one.txt").write_text(x)', 'OUT = Path("texts")', set()),
        ("from conf import OUT\ntable.to_csv(OUT)", 'OUT = Path("notes.txt")', set()),
        ("from conf import OUT\npath = OUT / name\npath.touch()", 'OUT = Path("texts")', set()),
        ("import conf\nself.settings.DOCS.iterdir()", "", {"texts"}),
        ("import conf\n[one.iterdir() for name, one in sorted(self.settings.DOCS.items())]", "", {"texts"}),
        ("import conf\ndef words(folder):\n    folder.iterdir()\nwords(self.settings.DOCS)", "", {"texts"}),
        ('import conf\nopen(f"{self.settings.NAME}.txt")', "", {"notes.txt"}),
        ("import conf\nself.settings.DOCS.iterdir()\n(self.settings.DOCS / x).write_text(y)", "", set()),
        ("import conf\nopen(conf.docs.path)\nself.out.path.mkdir()", 'class A:\n    path = "texts"', TEXTS),
        ('from conf import NAME\nopen(f"{NAME}.sql")', 'NAME = "alone"', {"alone.sql"}),
        ("import conf\nself.settings.OUTSIDE.iterdir()", "", set()),
        ("import conf\nx.total / self.settings.NAME", "", set()),
    ],
)
def test_paths_may_be_made_of_what_other_modules_and_settings_say(tmp_path, line, settings, found):
    outside, tmp_path = tmp_path / "outside", tmp_path / "project"
    write(outside, "one.txt", "")
    write(tmp_path, "alone.py", line)
    write(tmp_path, "conf.py", settings)
    write(tmp_path, "deep.py", 'DATA = Path("texts")')
    for name in FILES:
        write(tmp_path, name, "")
    step = plain_step(id="load", run="alone:Load", output=DataType(contract="alone:Doc"))
    texts = {"DOCS": [str(tmp_path / "texts")], "NAME": ["notes"], "OUTSIDE": [str(outside), "../outside", ".."]}
    files = Code(tmp_path, FileDigests(), packages=False).files(step, (), texts)
    named = {file.relative_to(tmp_path).as_posix() for file in files}
    assert named - {"alone.py", "conf.py", "deep.py"} == found


def test_names_that_are_made_of_each_other_take_bounded_time():
    names = [f"a{number}" for number in range(16)]
    tree = ast.parse("\n".join(f'{one} = {other} / "x"' for one in names for other in names))
    forms = Forms(ast.walk(tree), {})
    assert all("x/" in " ".join(forms.of(ast.Name(name))) for name in names[:3])
    assert all(map(forms.of, map(ast.Name, names)))
    assert len(forms._known) < 1010  # three may be under way when it is reached


def test_a_file_that_a_module_names_counts_by_its_bytes(tmp_path, digest):
    write(tmp_path, "app/steps.py", 'open("notes.txt")')
    write(tmp_path, "notes.txt", "x")
    before = digest()
    write(tmp_path, "notes.txt", "y")
    assert digest()["code"] != before["code"]


def test_modules_that_steps_find_by_their_python_path_count(tmp_path):
    write(tmp_path, "alone.py", "def run():\n    import below")
    write(tmp_path, "lib/below.py", "")
    env = {"PYTHONPATH": f"none{os.pathsep}lib"}
    long = Setting(name="P", variable="LOAD__P", type="Path", given=True, value="x" * 300)  # no file has such a name
    output = DataType(contract="alone:Doc")
    step = plain_step(id="load", run="alone:Load", output=output, env=env, settings=(long,))
    pipeline = with_sources(Pipeline(name="p", entrypoint="alone:p", steps=(step,)), tmp_path)
    assert pipeline.steps[0].sources == ("alone.py", "lib/below.py")


def test_folders_that_settings_are_known_to_read_are_no_source_as_well(tmp_path):
    write(tmp_path, "alone.py", "[one.iterdir() for one in self.settings.F]")
    write(tmp_path, "docs/one.txt", "")
    about = {"name": "F", "variable": "LOAD__F", "type": "list[DirectoryPath]", "value": ["docs"], "given": True}
    for places, found in (((("*",),), ("alone.py",)), ((), ("alone.py", "docs"))):
        setting = Setting(**about, input_places=places)
        step = plain_step(id="load", run="alone:Load", output=DataType(contract="alone:Doc"), settings=(setting,))
        pipeline = with_sources(Pipeline(name="p", entrypoint="alone:p", steps=(step,)), tmp_path)
        assert pipeline.steps[0].sources == found


def test_what_git_ignores_is_no_source_unless_dvc_has_it(tmp_path):
    write(tmp_path, "app/steps.py", 'open("cut.csv"), open("words/all.txt"), open("local.txt"), open("kept.txt")')
    for name in ("cut.csv", "words/all.txt", "local.txt", "kept.txt", "app/_version.py", "cut.csv.dvc", "words.dvc"):
        write(tmp_path, name, "")
    write(tmp_path, ".gitignore", "cut.csv\nwords/\nlocal.txt\nkept.txt\n_version.py")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-f", "kept.txt"], cwd=tmp_path, check=True)
    step = plain_step(id="load", run="app.steps:Load", output=DataType(contract="app.steps:Doc"))
    pipeline = with_sources(Pipeline(name="p", entrypoint="app.steps:p", steps=(step,)), tmp_path)
    assert pipeline.steps[0].sources == ("app/steps.py", "cut.csv", "kept.txt", "words/all.txt")


def test_an_archive_counts_once_by_its_bytes(tmp_path):
    write(tmp_path, "alone.py", "import packed.inner")
    with ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("packed/__init__.py", "")
        archive.writestr("packed/inner.py", "V = 1")
    step = plain_step(id="load", run="alone:Load", output=DataType(contract="alone:Doc"))
    found = Code(tmp_path, FileDigests(), packages=False, path="lib.zip").files(step)
    assert set(found) == {tmp_path / "alone.py", tmp_path / "lib.zip"}


def test_modules_of_a_package_that_loads_them_by_name_are_followed(tmp_path):
    write(tmp_path, "app/steps.py", 'def run(name):\n    return import_module(f".{name}", __package__)')
    write(tmp_path, "app/lazy.py", "import alone")
    for name in ("app/__init__.py", "alone.py", "other.py"):
        write(tmp_path, name, "x = 1")
    assert sources(tmp_path) == {"app/__init__.py", "app/steps.py", "app/lazy.py", "alone.py"}


def test_each_folder_of_a_package_without_init_counts_with_all_its_files(tmp_path, digest, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "lib")
    write(tmp_path, "app/steps.py", "import free.one, free.two")
    files = {"free/one.py", "lib/free/two.py", "free/a.sql", "lib/free/deep/b.sql", "free/a.txt", "lib/free/a.txt"}
    for name in files:
        write(tmp_path, name, "x = 1")
    assert sources(tmp_path) >= files
    before = digest()
    write(tmp_path, "lib/free/a.txt", "x = 2")
    assert digest()["code"] != before["code"]


@pytest.mark.parametrize(
    "name",
    ["app/__pycache__/steps.cpython-311.pyc", "app/old.pyc", "app/.cache/x", "other.py", "lib/__init__.py", "x.txt"],
)
def test_what_is_not_imported_and_bytecode_do_not_count(tmp_path, digest, name):
    write(tmp_path, "app/steps.py", "x = 1")
    before = digest()
    write(tmp_path, name, "y = 2")
    assert digest() == before


def test_the_place_of_the_project_does_not_count(tmp_path, digest):
    write(tmp_path, "app/steps.py", "from . import types")
    copy = tmp_path / "copy"
    write(copy, "app/steps.py", "from . import types")
    write(copy, "app/__init__.py", "")
    write(copy, "app/types.py", "")
    step = plain_step(id="load", run="app.steps:Load", output=DataType(contract="app.types:Doc"))
    assert Code(copy, FileDigests()).digests(step) == digest()


def test_what_an_imported_module_imports_counts(tmp_path, digest):
    write(tmp_path, "app/steps.py", "import alone")
    write(tmp_path, "alone.py", "def f():\n    from far import x")
    write(tmp_path, "far/__init__.py", "")
    before = digest()
    write(tmp_path, "far/prompt.txt", "x")
    assert digest()["code"] != before["code"]


def test_modules_that_import_each_other_are_read_once(tmp_path, digest):
    write(tmp_path, "app/steps.py", "from app import extra")
    write(tmp_path, "app/extra.py", "from app import steps")
    assert digest()


def test_a_relative_import_from_outside_is_left_to_python(tmp_path, digest):
    write(tmp_path, "app/steps.py", "from ...... import x")
    assert digest()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages with `lib` 1.0 and `plugin`."""
    folder = tmp_path / "site-packages"
    write(folder, "lib/__init__.py", "")
    write(folder, "lib-1.0.dist-info/METADATA", "Name: lib\nVersion: 1.0\n")
    write(folder, "lib-1.0.dist-info/RECORD", "lib/__init__.py,sha256=x,0\n")
    write(folder, "plugin/__init__.py", "")
    write(folder, "plugin/steps.py", "from plugin import parts")
    write(folder, "plugin/parts.py", "")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def test_an_installed_package_counts_by_its_version(tmp_path, digest, site):
    write(tmp_path, "app/steps.py", "import lib.inner")
    before = digest()
    write(site, "lib/inner.py", "# touched")
    assert digest() == before
    (site / "lib-1.0.dist-info").rename(site / "lib-1.1.dist-info")
    write(site, "lib-1.1.dist-info/METADATA", "Name: lib\nVersion: 1.1\n")
    after = digest()
    assert (after["code"], after["packages"] == before["packages"]) == (before["code"], False)


def test_what_brings_entry_points_that_are_loaded_counts(tmp_path, digest, site):
    write(tmp_path, "app/steps.py", 'def run():\n    return [one.load() for one in entry_points(group="app.plugins")]')
    before = digest()
    write(site, "lib-1.0.dist-info/entry_points.txt", "[console_scripts]\nlib = lib:main\n")
    write(site, "lib-1.0.dist-info/RECORD", "lib/__init__.py,sha256=x,0\n")
    assert digest() == before
    write(site, "lib-1.0.dist-info/entry_points.txt", "[other]\na=b\n[app.plugins]\nlib = lib:main [x]\n")
    after = digest()
    assert (after["code"], after["packages"] == before["packages"]) == (before["code"], False)
    write(site, "lib-1.0.dist-info/METADATA", "Name: lib\nVersion: 1.1\n")
    assert digest()["packages"] != after["packages"]


def test_entry_points_of_what_is_developed_here_count_by_their_files(tmp_path, digest, site):
    write(tmp_path, "app/steps.py", 'def run():\n    return entry_points(group="app.plugins")')
    write(site, "lib-1.0.dist-info/entry_points.txt", "[app.plugins]\nlib = beside.inner:main\n")
    write(site, "lib-1.0.dist-info/direct_url.json", '{"url": "file:///x", "dir_info": {"editable": true}}')
    write(tmp_path, "beside/inner.py", "x = 1")
    before = digest()
    write(tmp_path, "beside/inner.py", "x = 2")
    after = digest()
    assert (after["code"] == before["code"], after["packages"]) == (False, before["packages"])


def test_a_step_that_is_installed_counts_by_its_files(digest, site):
    before = digest("plugin.steps:Load", "plugin.steps:Doc")
    write(site, "plugin/parts.py", "# changed")
    assert digest("plugin.steps:Load", "plugin.steps:Doc") != before


def test_a_file_that_python_cannot_read_as_text_is_no_problem(tmp_path, digest):
    (tmp_path / "app" / "steps.py").write_bytes(b"# \xff\xfe latin\nimport alone\n")
    write(tmp_path, "alone.py", "")
    before = digest()
    write(tmp_path, "alone.py", "1")
    assert digest() != before
