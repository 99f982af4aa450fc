import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.plain import plain_step
from wurzel.backends.dvc.stages import input_paths
from wurzel.core.importing import import_object
from wurzel.invocation import code as code_module
from wurzel.invocation.code import Code
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import UNKNOWN, Fingerprints, always_runs, fingerprint, program_digest, reason
from wurzel.invocation.sources import with_sources
from wurzel.ir.introspect import introspect
from wurzel.ir.model import DataType, Edge, Retry, Shards
from wurzel.ir.pods import Resources

HEAD = """
from collections import deque
from pathlib import Path
from dataclasses import dataclass
from typing import Any, NamedTuple
from pydantic import AnyUrl, BaseModel, DirectoryPath, Field, FilePath, ImportString, Json, PostgresDsn, SecretStr
from wurzel import WZ, NoSettings, PydanticModel, SelfConsumingLeafStep, Settings, TypedStep
from wurzel.core.settings import SettingsLeaf

class Doc(PydanticModel):
    text: str

"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes the module of a pipeline of one step, and gives the kinds of its fingerprint in an environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in list(sys.modules):
        if name == "proj":
            del sys.modules[name]

    class Project:
        root = tmp_path

        def write(self, fields="", extra="", settings="S"):
            body = f"class S(Settings):\n    {fields or 'pass'}\n" if settings == "S" else ""
            (tmp_path / "proj.py").write_text(
                f"{HEAD}{body}\nclass Load(TypedStep[{settings}, None, list[Doc]]):\n    {extra or 'pass'}\n"
                "    def run(self, inpt: None) -> list[Doc]:\n        return []\n\ndef p():\n    return WZ(Load)\n"
            )
            sys.modules.pop("proj", None)
            self.pipeline = introspect(import_object("proj:p"), name="p", entrypoint="proj:p")

        def of(self, _pipeline=None, **environ):
            pipeline = _pipeline or self.pipeline
            found = Fingerprints(pipeline, FileDigests(), root=tmp_path, environ=environ)
            return found.of(pipeline.steps[0], {})

    return Project()


def changed(before, after):
    """The kinds that differ."""
    return [kind for kind in before if before[kind] != after[kind]]


@pytest.mark.parametrize(
    ("fields", "one", "same"),
    [
        ("N: int = 3", {"LOAD__N": "3"}, {}),
        ("N: int = 3", {"LOAD__N": "4"}, {"LOAD__N": " 4"}),
        ("N: float = 1", {"LOAD__N": "1"}, {"LOAD__N": "1.0"}),
        ("D: dict[str, int] = {}", {"LOAD__D": '{"a": 1, "b": 2}'}, {"LOAD__D": '{"b": 2, "a": 1}'}),
        ("D: set[str] = set()", {"LOAD__D": '["a", "b"]'}, {"LOAD__D": '["b", "a"]'}),
        ("K: SecretStr = SecretStr('')", {"LOAD__K": "one"}, {"LOAD__K": "two"}),
        ("K: dict[str, SecretStr] = {}", {"LOAD__K__a": "one"}, {"LOAD__K__a": "two"}),
        ("U: PostgresDsn | None = None", {"LOAD__U": "postgres://u:one@h/d"}, {"LOAD__U": "postgres://u:two@h/d"}),
        ("U: str = ''", {"LOAD__U": "postgres://u:one@h/d"}, {"LOAD__U": "postgres://u:two@h/d"}),
        ("T: str = Field(default_factory=lambda: __import__('os').urandom(4).hex())", {}, {}),
    ],
)
def test_values_count_as_validated_json(project, fields, one, same):
    project.write(fields)
    assert project.of(**one) == project.of(**same, OTHER="1")
    assert UNKNOWN not in project.of(**one).values()


@pytest.mark.parametrize(
    ("fields", "one", "other"),
    [
        ("N: int = 3", {}, {"LOAD__N": "4"}),
        ("K: SecretStr | None = None", {}, {"LOAD__K": "x"}),
        ("U: str = ''", {"LOAD__U": "postgres://u:x@h/d"}, {"LOAD__U": "postgres://u:x@other/d"}),
        ("D: dict[str, list[int]] = {}", {"LOAD__D": '{"a": [1, 2]}'}, {"LOAD__D": '{"a": [2, 1]}'}),
        ("P: Path = Path('absent')", {}, {"LOAD__P": "other"}),
        ("P: tuple[str, FilePath] | None = None", {"LOAD__P": '["a", "f"]'}, {"LOAD__P": '["b", "f"]'}),
        ("P: dict[FilePath, int] = {}", {"LOAD__P": '{"f": 1, "g": 2}'}, {"LOAD__P": '{"f": 3, "g": 2}'}),
    ],
)
def test_another_value_is_another_fingerprint(project, fields, one, other):
    for name in ("f", "g"):
        (project.root / name).write_text("")
    project.write(fields)
    assert changed(project.of(**one), project.of(**other)) == ["settings"]


@pytest.mark.parametrize(
    ("fields", "extra", "environ"),
    [
        ("F: FilePath = Path('f')", "", {}),
        ("F: FilePath | None = None", "", {"LOAD__F": "f"}),
        ("F: list[FilePath] = []", "", {"LOAD__F": '["f"]'}),
        ("F: tuple[FilePath, ...] = (Path('f'),)", "", {}),
        ("F: set[FilePath] = {Path('f')}", "", {}),
        ("F: dict[str, FilePath] = {}", "", {"LOAD__F": '{"a": "f"}'}),
        ("F: dict[str, list[FilePath] | None] = {}", "", {"LOAD__F": '{"a": ["f"]}'}),
        ("F: FilePath = Field(default_factory=lambda: Path('f'))", "", {}),
        ("F: Inner", "", {"LOAD__F": '{"f": "f"}'}),
        ("F: list[Inner] = []", "", {"LOAD__F": '[{"f": "f"}]'}),
        ("F: Nested = Nested()", "", {}),
        ("F: tuple[str, FilePath] = ('n', Path('f'))", "", {}),
        ("F: list[tuple[str, FilePath]] = []", "", {"LOAD__F": '[["n", "f"]]'}),
        ("F: dict[str, Inner] = {}", "", {"LOAD__F": '{"k": {"f": "f"}}'}),
        ("F: Json[list[FilePath]]", "", {"LOAD__F": '["f"]'}),
        ("F: Held", "", {"LOAD__F": '{"d": "folder"}'}),
        ("F: Pair = Pair('n', Path('folder'))", "", {}),
        ("F: Path = Path('f')", "", {}),
        ("F: str = 'f'", "input_paths = ('F',)", {}),
        ("F: list[str] = ['f']", "input_paths = ('F',)", {}),
        ("F: DirectoryPath = Path('folder')", "", {}),
        ("F: str = 'folder'", "input_paths = ('F',)", {}),
        ("F: str = './f'", "", {}),
        ("F: str = 'file:./f'", "", {}),
        ("F: dict[str, Any] = {'./f': [1]}", "", {}),
        ("F: Json[list[str]] = '[\"./f\"]'", "", {}),
        ("F: FilePath | str = ''", "", {"LOAD__F": "./f"}),
        ("F: AnyUrl | None = None", "", {"LOAD__F": "file:///proc/self/cwd/f"}),
        ("F: deque[FilePath] = deque()", "", {"LOAD__F": '["f"]'}),
        ("F: dict[FilePath, str] = {}", "", {"LOAD__F": '{"f": "a"}'}),
    ],
)
def test_a_file_counts_by_its_contents_however_it_is_named(project, fields, extra, environ):
    for place in ("a", "b"):
        (project.root / place / "folder").mkdir(parents=True)
        (project.root / place / "f").write_text("1")
        (project.root / place / "folder" / "x").write_text("1")
    for name in ("f", "folder"):
        (project.root / name).symlink_to(project.root / "a" / name)
    inner = (
        "class Inner(BaseModel):\n        f: FilePath\n    class Nested(SettingsLeaf):\n        F: FilePath = Path('f')"
        "\n    @dataclass\n    class Held:\n        d: DirectoryPath"
        "\n    class Pair(NamedTuple):\n        n: str\n        d: DirectoryPath"
    )
    project.write(f"{inner}\n    {fields}", extra)
    before = project.of(**environ)
    if not environ and "default_factory" not in fields:  # DVC's `deps` have the same files
        step = with_sources(project.pipeline, project.root).steps[0]
        deps = {os.path.normpath(path) for path in (*step.sources, *input_paths(step))}
        assert deps & {"f", "folder"}
    for name in ("f", "folder"):
        (project.root / name).unlink()
        (project.root / name).symlink_to(project.root / "b" / name)
    assert project.of(**environ) == before  # another path, the same contents
    (project.root / "b" / "f").write_text("2")
    (project.root / "b" / "folder" / "x").write_text("2")
    assert changed(before, project.of(**environ)) == ["files"]
    assert UNKNOWN not in before.values()


def test_a_file_with_a_key_is_never_read(project):
    (project.root / "key.pem").write_text("1")
    project.write("KEY_FILE: str = 'key.pem'\n    TOKEN_FILE: Path = Path('key.pem')")
    before = project.of()
    (project.root / "key.pem").write_text("2")
    assert project.of() == before


def test_where_a_file_lies_does_not_count(project):
    project.write("F: FilePath = Path('f')")
    for place in ("a", "b"):
        (project.root / place).write_text("1")
    assert project.of(LOAD__F="a") == project.of(LOAD__F=str(project.root / "b"))


def test_same_size_and_time_is_no_proof_that_a_file_is_the_same(project, monkeypatch):
    monkeypatch.setattr("wurzel.invocation.digests._SETTLED", -(10**18))
    project.write("F: FilePath = Path('f')", "def late(self):\n        from helper import T")
    digests, store = [], project.root / "digests.json"
    for text in ("T = 1", "T = 2"):
        for name in ("f", "helper.py"):
            (project.root / name).write_text(text)
            os.utime(project.root / name, (1_000_000_000, 1_000_000_000))
        known = FileDigests(store)
        found = Fingerprints(project.pipeline, known, root=project.root, environ={})
        digests.append(found.of(project.pipeline.steps[0], {}))
        known.save()
    assert changed(*digests) == ["code", "files"]


@pytest.mark.parametrize("name", ["LOG_LEVEL", "NO_COLOR", "PYTHONUNBUFFERED", "HTTPS_PROXY", "no_proxy", "MINE"])
def test_variables_that_only_shape_logs_do_not_count(project, name):
    project.write()
    before = project.of()
    for value in ("1", "2"):
        update = {"env": {name: value}, "env_ignored": ("MINE",)}
        assert project.of(project.pipeline.model_copy(update=update)) == before


def test_configured_variables_count_and_others_do_not(project):
    project.write()
    one, other = (project.pipeline.model_copy(update={"env": {"MODEL": value}}) for value in "ab")
    assert changed(project.of(one), project.of(other)) == ["settings"]
    assert project.of(OTHER="1", HOME="/x") == project.of()


def test_what_changes_no_data_does_not_count(project):
    project.write()
    step = project.pipeline.steps[0]
    changes = {"shards": Shards(max=8), "timeout": 5, "image": "a:1", "labels": {"a": "b"}, "id": "other"}
    changes |= {"sources": ("x.py",), "retry": Retry(limit=3), "resources": Resources(cpu="2")}
    for name, value in changes.items():
        other = project.pipeline.model_copy(update={"steps": (step.model_copy(update={name: value}),)})
        assert project.of(other) == project.of(), name


def test_portions_and_what_is_cut_count(project):
    project.write()
    step = project.pipeline.steps[0]
    for update in ({"shards": Shards(items=500, max=8)}, {"shard_by": "docs"}):
        other = project.pipeline.model_copy(update={"steps": (step.model_copy(update=update),)})
        assert changed(project.of(other), project.of()) == ["definition"]


def test_each_input_counts_by_its_name_and_what_it_reads_in_order(project):
    project.write()
    found = Fingerprints(project.pipeline, FileDigests(), root=project.root, environ={})
    data = {("a", "x"): "1", ("a", "y"): "2", ("b", ""): "3"}

    def digest(*edges):
        needs = tuple(Edge(step=step, output=output, input=name) for step, output, name in edges)
        return found.of(project.pipeline.steps[0].model_copy(update={"needs": needs}), data)["data"]

    edges = [("a", "x", "docs"), ("b", "", "more"), ("a", "y", "docs")]
    others = [edges[:2], [edges[2], *edges[:2]], [("a", "x", "more"), *edges[1:]], [("a", "x", "doc"), *edges[1:]]]
    assert len({digest(*each) for each in [edges, *others]}) == 5
    assert digest(edges[0], edges[2], edges[1]) == digest(*edges)


def test_what_the_author_knows_counts(project):
    project.write(extra='cache_key = "one"')
    before = project.of()
    project.write(extra='cache_key = "two"')
    assert "definition" in changed(before, project.of())


def test_a_function_that_a_setting_names_counts_by_its_name_and_its_code(project):
    project.write('F: ImportString = "proj_plug.one"')
    plug = project.root / "proj_plug.py"
    plug.write_text("def one(): pass\ndef two(): pass\n")
    before = project.of()
    assert changed(before, project.of(LOAD__F="proj_plug.two")) == ["settings"]
    plug.write_text("def one(): return 1\ndef two(): pass\n")
    assert changed(before, project.of()) == ["code"]


def test_files_in_a_folder_of_a_setting_are_told_from_code(project):
    (project.root / "docs").mkdir()
    (project.root / "docs" / "a.md").write_text("1")
    project.write("DOCS: Path = Path('docs')", "def listed(self):\n        return [*self.settings.DOCS.iterdir()]")
    before = project.of()
    (project.root / "docs" / "a.md").write_text("2")
    assert reason((before, "digest"), project.of(), "digest") == "files in a folder of a setting changed"
    (project.root / "docs" / "b.md").write_text("1")
    (project.root / "proj.py").write_text((project.root / "proj.py").read_text() + "# more")
    changes = "code and files in a folder of a setting changed"
    assert reason((before, "digest"), project.of(), "digest") == changes
    before.pop("folders")  # as earlier versions recorded it, within the code
    assert reason((before, "digest"), project.of(), "digest") == changes


def test_settings_that_cannot_be_read_are_never_unchanged(project):
    project.write("N: int = 3")
    now = project.of(LOAD__N="x")
    assert reason((now, "digest"), now, "digest") == "settings and input files unknown"
    assert reason((now | {"code": ""}, "digest"), now, "digest") == "code changed, settings and input files unknown"


def test_a_program_counts_by_what_it_prints(tmp_path):
    environ = {"PATH": os.environ["PATH"]}
    found = [program_digest(words, environ, tmp_path) for words in (["printf", "1"], ["printf", "2"])]
    assert None not in found
    assert found[0] != found[1]
    for words in (["true"], ["no-such-program"], ["printf", "1\0"]):
        assert program_digest(words, environ, tmp_path) is None


def test_the_inputs_count_in_their_order(project):
    project.write()
    step = project.pipeline.steps[0].model_copy(update={"needs": (Edge(step="a"), Edge(step="b"))})
    found = Fingerprints(project.pipeline, FileDigests(), root=project.root, environ={})
    assert (
        found.of(step, {("a", ""): "1", ("b", ""): "2"})["data"]
        != found.of(step, {("a", ""): "2", ("b", ""): "1"})["data"]
    )


def test_one_digest_stands_for_all_kinds():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"}) != fingerprint({"a": "2", "b": "1"})


@pytest.mark.parametrize(
    ("extra", "why"), [("polls = True", "reads an outside source"), ("cache = False", "is never cached"), ("", "")]
)
def test_some_steps_always_run(project, extra, why):
    project.write(extra=extra)
    assert always_runs(project.pipeline.steps[0]) == why


@pytest.mark.parametrize(
    ("part", "counts"),
    [
        ("core/step.py", True),
        ("datacontract/parts.py", True),
        ("steps/splitter.py", True),
        ("steps/splitting/pieces.py", True),
        ("steps/duplication.py", False),
        ("runtime/step.py", False),
        ("render/text.py", False),
    ],
)
def test_the_source_of_wurzel_counts_as_far_as_it_shapes_data(project, part, counts):
    home = project.root / "copy" / "wurzel"
    shutil.copytree(Path(code_module.__file__).parents[1], home)
    project.write(extra="from wurzel.steps import SimpleSplitterStep")

    def digest():
        return Code(project.root, FileDigests(), wurzel=home).digests(project.pipeline.steps[0])["code"]

    before = digest()
    with (home / part).open("a") as file:
        file.write("\n# changed\n")
    assert (digest() != before) == counts


def test_a_checkout_a_src_layout_and_an_installed_package_agree(tmp_path, monkeypatch):
    digests = []
    for number, place in enumerate(["app", "src/app", "env/site-packages/app"]):
        home = tmp_path / str(number)
        package = home / place
        (package / "prompts").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "steps.py").write_text("from .texts import X")
        (package / "texts.py").write_text("")
        (package / "prompts" / "one.md").write_text("Say")
        info = home / "env" / "site-packages" / "app-1.0.dist-info"
        if place.startswith("env"):
            info.mkdir()
            (info / "METADATA").write_text("Name: app\nVersion: 1.0\n")
            (info / "RECORD").write_text("app/__init__.py,,\napp/steps.py,,\n")
            monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
        step = plain_step(id="a", run="app.steps:A", output=DataType(contract="app.steps:X"))
        digests.append(Code(home, FileDigests()).digests(step))
    assert digests[0] == digests[1] == digests[2]
