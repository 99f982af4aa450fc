"""Several named outputs in the folder of one step: complete or absent as a whole, sliced or not."""

import shutil

import pytest

from wurzel.datacontract import File, PydanticModel
from wurzel.datacontract.dataset import (
    Reader,
    Slice,
    gather,
    gather_outputs,
    open_dataset,
    output_names,
    writing,
    writing_outputs,
)
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import DatasetError, NotOurs


class Doc(PydanticModel):
    text: str


DOCS, SET, FILES = shape_of(list[Doc]), shape_of(set[Doc]), shape_of(list[File])
SHAPES = {"train": DOCS, "test": SET, "scans": FILES}


def docs(texts):
    return [Doc(text=text) for text in texts]


def write(folder, texts, cut=None):
    with writing_outputs(folder, SHAPES, cut) as outputs:
        outputs["train"].add(iter(docs(texts)))
        outputs["test"].add(set(docs(texts)))
        for text in texts:
            (outputs.workdir / text).write_text(text)
        outputs["scans"].add(File(outputs.workdir / text) for text in texts)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def load(folder, name):
    return Reader(SHAPES[name], [open_dataset(folder / name)]).value()


def test_each_output_is_a_dataset_below_the_folder_of_the_step(tmp_path):
    write(tmp_path / "cut", "ab")
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == ["scans", "test", "train"]
    assert output_names(tmp_path / "cut") == ["scans", "test", "train"]
    assert load(tmp_path / "cut", "train") == docs("ab")
    assert load(tmp_path / "cut", "test") == set(docs("ab"))
    assert [file.path.read_text() for file in load(tmp_path / "cut", "scans")] == ["a", "b"]


def test_the_folder_of_a_step_needs_a_name(tmp_path):
    write(tmp_path / "cut", "ab")
    with pytest.raises(DatasetError, match="contains the named outputs scans, test, train") as caught:
        open_dataset(tmp_path / "cut")
    assert str(tmp_path / "cut" / "scans") in caught.value.hint
    with pytest.raises(DatasetError, match="there is no such dataset"):
        open_dataset(tmp_path / "cut" / "other")


def test_the_outputs_of_a_step_appear_together_or_not_at_all(tmp_path):
    write(tmp_path / "cut", "old")
    before = content(tmp_path / "cut")

    def fail():
        with writing_outputs(tmp_path / "cut", SHAPES) as outputs:
            outputs["train"].add(docs("new"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert content(tmp_path / "cut") == before
    write(tmp_path / "cut", "new")
    assert load(tmp_path / "cut", "train") == docs("new")
    assert [path.name for path in tmp_path.iterdir()] == ["cut"]


def test_a_step_may_change_between_named_outputs_and_one(tmp_path):
    folder = tmp_path / "cut"
    write(folder, "ab")
    with writing(folder, DOCS) as writer:
        writer.add(docs("c"))
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "part-00000.json"]
    write(folder, "ab")
    assert output_names(folder) == ["scans", "test", "train"]
    (folder / "train" / "manifest.json").unlink()
    with pytest.raises(NotOurs, match="which is not part of a dataset, so it is not replaced"):
        write(folder, "ab")


@pytest.mark.parametrize("into", [None, "gathered"])
def test_slices_of_named_outputs(tmp_path, into):
    for number, texts in enumerate(["ab", "", "c"], 1):
        write(tmp_path / "cut", texts, Slice(number, 3, "items", "d"))
    assert sorted(path.name for path in (tmp_path / "cut" / "shard-1-of-3").iterdir()) == ["scans", "test", "train"]
    assert load(tmp_path / "cut", "train") == docs("abc")
    assert load(tmp_path / "cut", "test") == set(docs("abc"))
    assert [file.path.read_text() for file in load(tmp_path / "cut", "scans")] == ["a", "b", "c"]
    gathered = gather_outputs(tmp_path / "cut", into and tmp_path / into)
    write(tmp_path / "whole", "abc")
    assert content(tmp_path / (into or "cut")) == content(tmp_path / "whole")
    assert {name: dataset.items for name, dataset in gathered.items()} == {"scans": 3, "test": 3, "train": 3}
    assert (tmp_path / "cut" / "shard-1-of-3").exists() is bool(into)


def test_a_missing_slice_of_one_output(tmp_path):
    for number in (1, 2):
        write(tmp_path / "cut", "a", Slice(number, 2, "items", "d"))
    shutil.rmtree(tmp_path / "cut" / "shard-2-of-2" / "train")
    with pytest.raises(DatasetError):
        open_dataset(tmp_path / "cut" / "train")
    with pytest.raises(DatasetError):
        gather_outputs(tmp_path / "cut", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_slices_make_room_for_each_other_and_for_the_whole(tmp_path):
    folder = tmp_path / "cut"
    write(folder, "old")
    write(folder, "a", Slice(1, 2, "items", "d"))
    assert [path.name for path in folder.iterdir()] == ["shard-1-of-2"]
    write(folder, "a", Slice(1, 3, "items", "d"))
    assert [path.name for path in folder.iterdir()] == ["shard-1-of-3"]
    write(folder, "new")
    assert output_names(folder) == ["scans", "test", "train"]


def test_an_output_that_was_put_back_after_a_kill_is_found(tmp_path):
    write(tmp_path / "cut", "ab")
    (tmp_path / "cut").rename(tmp_path / ".cut.0123abcd.old")
    assert load(tmp_path / "cut", "train") == docs("ab")


# --- skipped --------------------------------------------------------------------------------------------------------


def skip(folder, *, skipped, cut=None, texts=""):
    with writing(folder, DOCS, cut) as writer:
        writer.skipped = skipped
        for text in texts:
            writer.add(docs(text))


def test_a_skipped_dataset_is_complete_and_empty(tmp_path):
    skip(tmp_path / "out", skipped=True)
    assert (tmp_path / "out" / "manifest.json").read_text().count('"skipped": true') == 1
    dataset = open_dataset(tmp_path / "out")
    assert (dataset.skipped, dataset.items, dataset.parts) == (True, 0, ())
    assert gather(tmp_path / "out") == dataset


@pytest.mark.parametrize("text", ['"skipped": false', '"skipped": 1'])
def test_skipped_is_true_or_not_there(tmp_path, text):
    skip(tmp_path / "out", skipped=True)
    path = tmp_path / "out" / "manifest.json"
    path.write_text(path.read_text().replace('"skipped": true', text))
    with pytest.raises(DatasetError, match="is not a manifest of a dataset: skipped is"):
        open_dataset(tmp_path / "out")


@pytest.mark.parametrize("by", ["items", "portions"])
def test_slices_that_disagree_are_an_error(tmp_path, by):
    skip(tmp_path / "out", skipped=True, cut=Slice(1, 2, by, "d"))
    skip(tmp_path / "out", skipped=False, cut=Slice(2, 2, by, "d"))
    with pytest.raises(DatasetError, match="disagree: slice 1 was skipped by its condition, slice 2 was not"):
        open_dataset(tmp_path / "out")


@pytest.mark.parametrize(("texts", "skipped"), [(["", ""], True), (["", "a"], False)])
def test_slices_of_a_mapped_step_are_skipped_where_none_has_a_part(tmp_path, texts, skipped):
    for number, text in enumerate(texts, 1):
        skip(tmp_path / "out", skipped=not text, cut=Slice(number, 2, "parts", "d"), texts=text)
    assert open_dataset(tmp_path / "out").skipped is skipped
    skip(tmp_path / "whole", skipped=skipped, texts="".join(texts))
    gather(tmp_path / "out")
    assert content(tmp_path / "out") == content(tmp_path / "whole")
