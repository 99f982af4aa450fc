"""Settings of the IR: the same on every machine, whatever a default holds."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import pytest
from pydantic import BaseModel, DirectoryPath, Field, FilePath, Json, RootModel
from typing_extensions import TypeAliasType, TypedDict

from wurzel.core import Settings
from wurzel.ir.file_places import file_places, files_in
from wurzel.ir.settings import describe

MODULE = """
import dataclasses
from pathlib import Path
from pydantic import BaseModel
from steps import Word
from wurzel.core import Settings, TypedStep
from wurzel.utils import WZ


class Inner(BaseModel):
    names: set[str] = {"de", "en", "fr", "nl", "it"}


class Opaque:
    pass


class Cfg(Settings, arbitrary_types_allowed=True):
    LANGUAGES: set[str] = {"de", "en", "fr", "nl"}
    FROZEN: frozenset[int] = frozenset({3, 1, 2, 10})
    PAIRS: set[tuple[str, int]] = {("b", 1), ("a", 2), ("a", 1)}
    PATHS: set[Path] = {Path("b"), Path("a")}
    MANY: dict[str, set[str]] = {"x": {"q", "p", "r"}}
    LISTS: list[frozenset[str]] = [frozenset({"q", "p"}), frozenset({"z", "y"})]
    SETS: set[frozenset[str]] = {frozenset({"q", "p"}), frozenset({"z", "y"}), frozenset({"c", "a"})}
    MODEL: Inner = Inner()
    MODELS: list[Inner] = [Inner()]
    OPAQUE: Opaque = Opaque()


class Load(TypedStep[Cfg, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return []


last = WZ(Load)
"""
SHOW = """
from wurzel.ir.introspect import introspect
import sets
(step,) = introspect(sets.last, name="x").steps
print({setting.name: setting.default for setting in step.settings})
"""


def test_defaults_are_the_same_for_every_hash_seed(project):
    root = project("chain")
    (root / "sets.py").write_text(textwrap.dedent(MODULE))
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SHOW],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    ]
    assert len(set(outputs)) == 1
    found = eval(outputs[0])
    assert found["LANGUAGES"] == ["de", "en", "fr", "nl"]
    assert found["SETS"] == [["a", "c"], ["p", "q"], ["y", "z"]]
    assert found["LISTS"] == [["p", "q"], ["y", "z"]]
    assert found["MANY"] == {"x": ["p", "q", "r"]}
    assert found["PAIRS"] == [["a", 1], ["a", 2], ["b", 1]]
    assert found["MODELS"] == [{"names": ["de", "en", "fr", "it", "nl"]}]
    assert found["OPAQUE"] == "<sets.Opaque object>"


Path_ = TypeAliasType("Path_", FilePath)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        *[(kind, True) for kind in (FilePath, FilePath | None, list[FilePath], tuple[FilePath, ...], Path_)],
        *[(kind, True) for kind in (dict[str, FilePath], list[FilePath] | None, dict[str, list[DirectoryPath]])],
        *[(kind, True) for kind in (FilePath | str, Annotated[list[FilePath], "of words"])],
        *[(kind, False) for kind in (tuple[str, FilePath], dict[FilePath, str], list[str])],
    ],
)
def test_settings_of_which_every_text_names_a_file(annotation, expected):
    cls = type("S", (Settings,), {"__annotations__": {"X": annotation}})
    (setting,) = describe(cls, "A__")
    assert setting.input_path is expected


class _Tree(BaseModel):
    FILE: FilePath
    more: list["_Tree"] = []


class _Renamed(BaseModel):
    file: FilePath = Field(alias="theFile")
    token_file: FilePath | None = None


class _Pair(NamedTuple):
    name: str
    file: FilePath


@dataclass
class _Folders:
    names: list[str]
    folder: DirectoryPath


class _Typed(TypedDict):
    file: FilePath
    text: str


class _Root(RootModel[list[FilePath]]):
    pass


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (tuple[str, FilePath], ["no", "a"], ["a"]),
        (tuple[str, FilePath] | None, None, []),
        (tuple[str, tuple[FilePath, ...]], ["no", ["a", "b"]], ["a", "b"]),
        (list[tuple[str, FilePath]], [["no", "a"], ["no", "b"]], ["a", "b"]),
        (dict[str, tuple[FilePath, int]], {"no": ["a", 1]}, ["a"]),
        (_Tree, {"FILE": "a", "more": [{"FILE": "b", "more": [{"FILE": "c"}]}]}, ["a", "b", "c"]),
        (list[_Tree], [{"FILE": "a"}], ["a"]),
        (_Renamed, {"theFile": "a", "token_file": "no"}, ["a"]),
        (_Renamed, {"file": "a"}, ["a"]),
        (_Pair, ["no", "a"], ["a"]),
        (_Pair, {"name": "no", "file": "a"}, ["a"]),
        (_Folders, {"names": ["no"], "folder": "a"}, ["a"]),
        (_Typed, {"file": "a", "text": "no"}, ["a"]),
        (_Root, ["a", "b"], ["a", "b"]),
        (list[_Root], [["a"], ["b"]], ["a", "b"]),
        (Json[list[FilePath]], '["a"]', ["a"]),
        (Json[tuple[str, FilePath]], '["no", "a"]', ["a"]),
        (tuple[str, FilePath], "no", []),
        (tuple[str, FilePath], ["no"], []),
        (tuple[str, str], ["no", "no"], []),
    ],
)
def test_files_within_a_value_are_found_where_its_type_has_them(annotation, value, expected):
    places = file_places(annotation)
    assert list(files_in(value, places)) == expected
    cls = type("S", (Settings,), {"__annotations__": {"X": annotation}})
    (setting,) = describe(cls, "A__")
    assert setting.input_path or setting.input_places == tuple(places)
