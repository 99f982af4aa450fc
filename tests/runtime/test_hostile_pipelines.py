"""Pipelines that are meant to break things, by `wurzel run` and by the script: the same bytes, and the right ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = """
from __future__ import annotations

from collections.abc import Iterable, Iterator

from wurzel import WZ, CommandStep, File, Folder, Inputs, NoSettings, Outputs, PydanticModel, TypedStep

NAMES = [
    "manifest.json", "part-00000.json", "a\\nb", "e\\u0301", "\\u00e9", "#1", "a:b", "-rf", "x" * 250, " lead", "$HOME",
    "`id`", "*", "{input}", "#{x}", "shard-1-of-2", "00000", "'\\"", "\\\\", ".hidden", "%s",
]


class Num(PydanticModel):
    n: int


class Count(TypedStep[NoSettings, None, list[Num]]):
    def run(self, inpt: None) -> list[Num]:
        return [Num(n=n) for n in range(7)]


class Never(TypedStep[NoSettings, list[Num], list[Num]]):
    def when(self, inpt: list[Num]) -> bool:
        return False

    def run(self, inpt: list[Num]) -> list[Num]:
        return inpt


class Tenfold(TypedStep[NoSettings, Num, Num]):
    def run(self, inpt: Num) -> Num:
        return Num(n=inpt.n * 10)


class Odd(Tenfold):
    def when(self, inpt: Num) -> bool:
        return inpt.n % 2 == 1


class UpTo(TypedStep[NoSettings, Num, Iterator[Num]]):
    def run(self, inpt: Num) -> Iterator[Num]:
        yield from (Num(n=n) for n in range(inpt.n))


class Sum(TypedStep[NoSettings, list[Num], Num]):
    def run(self, inpt: list[Num]) -> Num:
        return Num(n=sum(num.n for num in inpt) * 100 + len(inpt))


class Files(TypedStep[NoSettings, None, list[File]]):
    def run(self, inpt: None) -> list[File]:
        found = []
        for number, name in enumerate(NAMES):
            path = self.workdir / str(number) / name
            path.parent.mkdir()
            path.write_text(name + "\\n")
            path.chmod(0o755 if number % 3 == 0 else 0o644)
            found.append(File(path))
        return found


class Cat(CommandStep[NoSettings, list[File], File]):
    command = ["cat", "--", "{input}"]


class Tree(TypedStep[NoSettings, None, Folder]):
    def run(self, inpt: None) -> Folder:
        root = self.workdir / "tree"
        (root / "empty" / "inner").mkdir(parents=True)
        (root / ".git").mkdir()
        (root / ".git" / "x").write_text("x")
        (root / "manifest.json").write_text("{}")
        (root / "run").write_text("run")
        (root / "run").chmod(0o755)
        (root / "link").symlink_to("run")
        return Folder(root)


class Listed(TypedStep[NoSettings, Folder, list[Num]]):
    def run(self, inpt: Folder) -> list[Num]:
        return [Num(n=len(path.name) * 1000 + path.stat().st_mode % 512 // 64) for path in sorted(inpt.path.rglob("*"))]


class Four(Outputs):
    items: list[Num]
    json: Iterator[Num]
    class_: Num
    self: File


class Split(TypedStep[NoSettings, list[Num], Four]):
    def run(self, inpt: list[Num]) -> Four:
        path = self.workdir / "self"
        path.write_text("four")
        return Four(items=inpt, json=(num for num in inpt[:2]), class_=inpt[3], self=File(path))


class Five(Inputs):
    items: Iterable[Num]
    json: list[Num]
    class_: Num
    self: File | None
    extra: list[Num] | None


class Join(TypedStep[NoSettings, Five, list[Num]]):
    def run(self, inpt: Five) -> list[Num]:
        twice = [len(list(inpt.items)) for _ in range(2)]
        text = inpt.self.path.read_text() if inpt.self else ""
        extra = -1 if inpt.extra is None else len(inpt.extra)
        return [Num(n=n) for n in (*twice, len(inpt.json), inpt.class_.n, len(text), extra)]


class Portions(TypedStep[NoSettings, Iterator[Num], Iterator[Num]]):
    shards = {"items": 2, "max": 3}

    def run(self, inpt: Iterator[Num]) -> Iterator[Num]:
        yield from (Num(n=num.n * 10 + place) for place, num in enumerate(inpt))


def skips():
    return WZ(Count) >> WZ(Never) >> WZ(Portions) >> WZ(Tenfold) >> WZ(Sum)


def odd():
    return WZ(Count) >> WZ(Odd) >> WZ(Sum)


def collected():
    count, total = WZ(Count), WZ(Sum)
    count >> WZ(Tenfold) >> total
    count >> WZ(UpTo) >> total
    count >> total
    return total


def names():
    return WZ(Files) >> WZ(Cat)


def tree():
    return WZ(Tree) >> WZ(Listed)


def fields():
    split, join, never = WZ(Split), WZ(Join), WZ(Never)
    count = WZ(Count)
    count >> split
    count >> never >> join["extra"]
    for name in ("items", "json", "class_", "self"):
        split[name] >> join[name]
    return join


def portions():
    count, one, two, total = WZ(Count), WZ(Portions, name="one"), WZ(Portions, name="two"), WZ(Sum)
    count >> one >> two >> total
    one >> total
    return total
"""


def data(folder):
    """The bytes of all files, and whether they may be executed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o100) for path in paths}


def called(folder, *words):
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    folder.mkdir(exist_ok=True)
    (folder / "hostiles.py").write_text(STEPS)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def numbers(folder):
    found = json.loads((folder / "part-00000.json").read_bytes())
    return [item["n"] for item in found] if isinstance(found, list) else found["n"]


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("skips", "sum", None),
        ("odd", "sum", 9003),
        ("collected", "sum", (210 + 35 + 21) * 100 + 7 + 21 + 7),
        ("names", "cat", None),
        ("tree", "listed", [4007, 1006, 5007, 5007, 4007, 13006, 3007]),
        ("fields", "join", [7, 7, 2, 3, 4, -1]),
        ("portions", "sum", (213 + 2133) * 100 + 14),
    ],
)
def test_run_and_script_give_the_same_bytes(tmp_path, name, step, expected):
    called(tmp_path / "run", sys.executable, "-m", "wurzel", "run", f"hostiles:{name}", "-j", "4")
    called(tmp_path / "sh", sys.executable, "-m", "wurzel", "render", f"hostiles:{name}", "-t", "local")
    called(tmp_path / "sh", "/bin/sh", f"run-{name}.sh", "-j", "2")
    found = data(tmp_path / "run" / "data")
    assert data(tmp_path / "sh" / "data") == found
    if name == "names":
        text = "".join(f"{line}\n" for line in found_names(found))
        assert next(text for path, (text, _) in found.items() if path.startswith("cat/00000/")).decode() == text
    elif expected is None:
        assert json.loads(found[f"{step}/manifest.json"][0])["skipped"] is True
    else:
        assert numbers(tmp_path / "run" / "data" / step) == expected


def found_names(found):
    """Names of the files that were given, in order."""
    return [path.split("/", 2)[2] for path in sorted(found) if path.startswith("files/0")]
