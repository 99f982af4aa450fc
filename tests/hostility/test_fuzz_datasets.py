"""Whatever becomes of the folder of a dataset: it gives what was written, or an error that names it; no traceback."""

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing import DataFrame, Series

from tests.hostility.budget import COUNT, MEMORY, examples
from tests.hostility.mutations import garbled, mutated, written
from tests.hostility.store_damage import DAMAGE
from wurzel.core import PanderaDataFrameModel
from wurzel.datacontract import File, Folder, PydanticModel
from wurzel.datacontract.dataset import Reader, Slice, open_dataset, writing, writing_outputs
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import WurzelError


class Doc(PydanticModel):
    text: str
    number: int = 1


class Row(PanderaDataFrameModel):
    text: Series[str]
    number: Series[int]


DOCS = [Doc(text=text, number=number) for number, text in enumerate(["a", "é\n", "", "a", "\0x", "a" * 200])]
ROWS = pd.DataFrame({"text": ["a", "é", ""], "number": [1, 2, -3]})
SHAPES = {
    "one": (shape_of(Doc), [DOCS[1]]),
    "list": (shape_of(list[Doc]), [DOCS, [], DOCS[:2]]),
    "set": (shape_of(set[Doc]), [set(DOCS)]),
    "table": (shape_of(DataFrame[Row]), [ROWS, ROWS[:1]]),
    "files": (shape_of(list[File]), None),
    "folder": (shape_of(Folder), None),
    "slices": (shape_of(list[Doc]), [DOCS, DOCS[2:], DOCS[:1]]),
}
NEW = (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(b"[]\n"))
NAMES = ("part-00007.json", "00007", "shard-1-of-2", "shard-3-of-9", "manifest.json", ".hidden", "other")


def write(folder, name):
    shape, values = SHAPES[name]
    if name == "slices":
        for number, value in enumerate(values, 1):
            with writing(folder, shape, Slice(number, 3, "items", "0" * 64)) as writer:
                writer.add(value)
        return
    with writing_outputs(folder, {"": shape}, None) as outputs:
        for value in values or [made(outputs.workdir, name)]:
            outputs[""].add(value)


def made(workdir, name):
    """Files as a step writes them."""
    (workdir / "deep" / "empty").mkdir(parents=True)
    for file in ("a.txt", "deep/b.txt"):
        (workdir / file).write_text(file * 9)
    return Folder(workdir / "deep") if name == "folder" else [File(workdir / "a.txt"), File(workdir / "deep" / "b.txt")]


def read(folder, name):
    """What a step would take, comparable."""
    shape, _ = SHAPES[name]
    dataset = open_dataset(folder)
    value = Reader(shape, [dataset]).value()
    if name == "table":
        return value.to_csv()
    if shape.files:
        return [contents(item.path, folder) for item in (value if shape.many else [value])]
    return value


def contents(path, folder):
    """Every file and folder of an item, by its name below the dataset."""
    paths = [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]
    return {str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None for each in paths}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Datasets of each kind, and what each gives."""
    folder = tmp_path_factory.mktemp("whole")
    for name in SHAPES:
        write(folder / name, name)
    return folder, {name: read(folder / name, name) for name in SHAPES}


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def spoil(draw, folder):
    """Damage of up to three files or folders; says what was done."""
    done = []
    for _ in range(draw.randint(1, 3)):
        there = files(folder)
        if not there or draw.random() < 0.25:
            parent = draw.choice([folder, *sorted(path for path in folder.rglob("*") if path.is_dir())])
            path, make = parent / draw.choice(NAMES), draw.choice(NEW)
            if not os.path.lexists(path):
                make(path)
                done.append(f"{path.relative_to(folder)} is new")
            continue
        path, other, how = draw.choice(there), draw.choice(there), draw.choice(DAMAGE)
        how(draw, path, other)
        done.append(f"{how.__name__}: {path.relative_to(folder)}, {other.relative_to(folder)}")
    return done


def same_or_refused(folder, name, expected, what):
    """Whether it was read."""
    problem = None
    try:
        found = read(folder, name)
    except WurzelError as error:
        problem = error
    if problem is None:
        assert found == expected, what
        return True
    str(problem).encode()
    assert problem.where.startswith(str(folder)), (what, problem)
    return False


def test_a_damaged_folder_gives_what_was_written_or_is_refused(whole):
    folder, expected = whole
    first = random.randrange(10**12) if COUNT else 0
    outcomes = set()
    for seed in range(first, first + (COUNT or 150)):
        draw = random.Random(seed)
        name = draw.choice(sorted(SHAPES))
        with tempfile.TemporaryDirectory(dir=MEMORY) as home:
            copy = shutil.copytree(folder / name, Path(home) / name)
            done = spoil(draw, copy)
            outcomes.add(same_or_refused(copy, name, expected[name], f"seed {seed}, {name}: {done}"))
    assert outcomes == {True, False}


@examples(100)
@given(st.data())
def test_a_changed_manifest_gives_what_was_written_or_is_refused(whole, data):
    folder, expected = whole
    name = data.draw(st.sampled_from(sorted(SHAPES)))
    path = folder / name / ("shard-2-of-3" if name == "slices" else "") / "manifest.json"
    before = path.read_bytes()
    changes = st.one_of(mutated(json.loads(before)).map(written), garbled(before))
    changed = data.draw(changes)
    try:
        path.write_bytes(changed)
        same_or_refused(folder / name, name, expected[name], changed)
    finally:
        path.write_bytes(before)
