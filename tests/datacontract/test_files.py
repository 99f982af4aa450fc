"""Files and folders as data: moved, never read into memory, and refused where they would not be what they seem."""

import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from pydantic import create_model

from wurzel.core import NoSettings, TypedStep
from wurzel.datacontract import File, Folder, PydanticModel
from wurzel.datacontract.dataset import Reader, Slice, gather, open_dataset, writing, writing_outputs
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException, DatasetError, StaticTypeError
from wurzel.utils import WZ


class Pdf(File):
    suffix = ".pdf"


FILE, FILES, FOLDER, FOLDERS = (shape_of(kind) for kind in (File, list[File], Folder, list[Folder]))


def put(path, text="text"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def store(folder, shape, make, cut=None, inputs=()):
    """The dataset of what `make` gives for a workdir."""
    with writing_outputs(folder, {"": shape}, cut, inputs=inputs) as outputs:
        outputs[""].add(make(outputs.workdir))
    return open_dataset(folder)


def load(dataset, shape=FILES):
    return list(Reader(shape, [dataset]).stream())


def names(dataset):
    return [part.name for part in dataset.parts]


def refused(tmp_path, shape, make, message, inputs=()):
    with pytest.raises(ContractFailedException) as caught:
        store(tmp_path / "out", shape, make, inputs=inputs)
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if path.name == "out" or path.name.startswith(".")] == []


# --- stored -----------------------------------------------------------------------------------------------------------


def test_a_file_is_moved_and_read_by_its_path(tmp_path):
    inode = []

    def make(workdir):
        path = put(workdir / "deep" / "a.pdf", "pdf")
        inode.append(path.stat().st_ino)
        return Pdf(path)

    dataset = store(tmp_path / "out", shape_of(Pdf), make)
    (part,) = dataset.parts
    assert (part.name, part.items, part.size, part.executable) == ("00000/a.pdf", 1, 3, False)
    pdf = Reader(shape_of(Pdf), [dataset]).value()
    assert type(pdf) is Pdf
    assert pdf.path == tmp_path / "out" / "00000" / "a.pdf"
    assert (pdf.path.read_text(), pdf.path.stat().st_ino) == ("pdf", inode[0])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00000", "manifest.json"]


def test_the_files_of_a_generator_are_moved_when_they_are_yielded(tmp_path):
    def make(workdir):
        for number in range(3):
            path = put(workdir / f"{number}.txt", str(number))
            yield File(path)
            assert not path.exists()

    dataset = store(tmp_path / "out", FILES, make)
    assert names(dataset) == ["00000/0.txt", "00001/1.txt", "00002/2.txt"]
    assert [file.path.read_text() for file in load(dataset)] == ["0", "1", "2"]
    assert [file.path.name for file in Reader(FILES, [dataset]).value(1, 3)] == ["1.txt", "2.txt"]
    assert dataset.items == 3


def test_a_folder_with_empty_folders_and_modes(tmp_path):
    def make(workdir):
        put(workdir / "site" / "b" / "run.sh").chmod(0o710)
        put(workdir / "site" / "a.txt").chmod(0o400)
        (workdir / "site" / "empty" / "deeper").mkdir(parents=True)
        return Folder(workdir / "site")

    dataset = store(tmp_path / "out", FOLDER, make)
    assert names(dataset) == ["00000/site/a.txt", "00000/site/b/run.sh"]
    assert [part.executable for part in dataset.parts] == [False, True]
    assert [folder.name for folder in dataset.manifest.folders] == ["00000/site/empty/deeper"]
    assert dataset.items == 1
    path = Reader(FOLDER, [dataset]).value().path
    assert path == tmp_path / "out" / "00000" / "site"
    modes = [(path / name).stat().st_mode & 0o777 for name in ("a.txt", "b/run.sh")]
    umask = 0o777 & ~put(tmp_path / "probe").parent.stat().st_mode
    assert modes[0] & 0o111 == 0
    assert modes[1] & 0o111 == 0o111 & ~umask or modes[1] & 0o100


def test_other_modes_and_the_order_of_writing_do_not_count(tmp_path):
    def make(order, mode):
        def made(workdir):
            for name in order:
                put(workdir / "f" / name, name).chmod(mode)
            return Folder(workdir / "f")

        return made

    one = store(tmp_path / "one", FOLDER, make(["a", "b", "a.b"], 0o644))
    two = store(tmp_path / "two", FOLDER, make(["b", "a.b", "a"], 0o600))
    assert one.digest == two.digest
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (tmp_path / "two" / "manifest.json").read_bytes()


def test_what_artifacts_lose_is_restored_when_it_is_read(tmp_path):
    def make(workdir):
        put(workdir / "f" / "run").chmod(0o755)
        (workdir / "f" / "empty").mkdir()
        return Folder(workdir / "f")

    dataset = store(tmp_path / "out", FOLDER, make)
    home = tmp_path / "out" / "00000" / "f"
    (home / "run").chmod(0o644)
    (home / "empty").rmdir()
    assert Reader(FOLDER, [open_dataset(tmp_path / "out")]).value().path == home
    assert os.access(home / "run", os.X_OK)
    assert (home / "empty").is_dir()
    assert open_dataset(tmp_path / "out").digest == dataset.digest


NAMES = [
    "manifest.json",
    "part-00000.json",
    "new\nline",
    unicodedata.normalize("NFC", "é"),
    unicodedata.normalize("NFD", "é"),
    "a#1",
    "#1",
    "a:b",
    "x" * 250,
    "ä" * 125,
    " ",
    "-rf",
    "*?[a]\\",
    ".hidden",
    "..a",
    "shard-1-of-2",
    "00000",
    "\u202e",
]


def test_any_name_will_do(tmp_path):
    def many(workdir):
        return [File(put(workdir / name, name)) for name in NAMES]

    def folder(workdir):
        for name in NAMES:
            put(workdir / "f" / name, name)
        return Folder(workdir / "f")

    files = store(tmp_path / "files", FILES, many)
    assert [file.path.read_text() for file in load(files)] == NAMES
    inner = store(tmp_path / "folder", FOLDER, folder)
    assert names(inner) == [f"00000/f/{name}" for name in sorted(NAMES, key=str.encode)]
    assert {path.read_text() for path in Reader(FOLDER, [inner]).value().path.iterdir()} == set(NAMES)


def test_a_link_to_a_file_within_its_folder_becomes_a_copy(tmp_path):
    def make(workdir):
        put(workdir / "f" / "sub" / "a", "A")
        (workdir / "f" / "link").symlink_to("sub/a")
        (workdir / "f" / "sub" / "up").symlink_to("../link")
        (workdir / "f" / "absolute").symlink_to(workdir / "f" / "sub" / "a")
        return Folder(workdir / "f")

    path = Reader(FOLDER, [store(tmp_path / "out", FOLDER, make)]).value().path
    for name in ("sub/a", "link", "sub/up", "absolute"):
        assert (path / name).read_text() == "A"
        assert not (path / name).is_symlink()
    inodes = {(path / name).stat().st_ino for name in ("sub/a", "link", "sub/up")}
    assert len(inodes) == 3


def test_a_file_that_is_a_link_is_a_copy_too(tmp_path):
    def make(workdir):
        put(workdir / "a", "A")
        (workdir / "link").symlink_to("a")
        return [File(workdir / "a"), File(workdir / "link")]

    assert [file.path.read_text() for file in load(store(tmp_path / "out", FILES, make))] == ["A", "A"]


def test_a_file_with_another_name_is_copied_since_that_could_change_it(tmp_path):
    source = put(tmp_path / "elsewhere")

    def make(workdir):
        os.link(source, workdir / "a")
        return [File(workdir / "a")]

    (file,) = load(store(tmp_path / "out", FILES, make))
    assert file.path.stat().st_ino != source.stat().st_ino
    assert source.stat().st_nlink >= 1


# --- refused ----------------------------------------------------------------------------------------------------------


def within(make):
    def made(workdir):
        put(workdir / "f" / "a")
        make(workdir / "f")
        return Folder(workdir / "f")

    return made


def test_paths_that_are_elsewhere(tmp_path):
    outside = put(tmp_path / "outside" / "a")
    link = tmp_path / "link"
    link.symlink_to(outside.parent)
    refused(tmp_path, FILE, lambda _: File(outside), "is neither below the workdir")
    refused(
        tmp_path, FILE, lambda workdir: File(workdir / ".." / ".." / "outside" / "a"), "is neither below the workdir"
    )
    refused(tmp_path, FOLDER, Folder, "is the workdir itself")
    refused(tmp_path, FOLDER, lambda workdir: Folder(workdir / "f" / ".."), "is the workdir itself")
    refused(tmp_path, FOLDER, lambda workdir: Folder(workdir.parent), "is neither below the workdir")
    refused(tmp_path, FILE, lambda workdir: File(workdir / "nothing"), "does not exist")

    def through(workdir):
        (workdir / "link").symlink_to(outside.parent)
        return File(workdir / "link" / "a")

    refused(tmp_path, FILE, through, "is neither below the workdir")
    assert outside.read_text() == "text"


@pytest.mark.parametrize("form", [list, iter], ids=["returned", "yielded"])
def test_one_path_twice(tmp_path, form):
    def twice(workdir):
        put(workdir / "a")
        return form([File(workdir / "a"), File(workdir / "sub" / ".." / "a")])

    def again(workdir):
        for _ in range(2):
            yield File(put(workdir / "a"))

    (tmp_path / "x").mkdir()
    refused(tmp_path, FILES, twice, "is given twice")
    refused(tmp_path, FILES, again, "is given twice")


@pytest.mark.parametrize(("order", "message"), [("in", "contains what is given as well"), ("out", "is within 'f'")])
def test_a_file_within_a_folder_that_is_given_as_well(tmp_path, order, message):
    def make(outputs):
        put(outputs.workdir / "f" / "a")
        yield from (File(outputs.workdir / "f" / "a"), Folder(outputs.workdir / "f"))

    def write():
        with writing_outputs(tmp_path / "out", {"file": FILE, "folder": FOLDER}) as outputs:
            file, folder = make(outputs)
            for name, item in [("file", file), ("folder", folder)][:: 1 if order == "in" else -1]:
                outputs[name].add(item)

    with pytest.raises(ContractFailedException, match=message):
        write()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("../../secret", "leads out of its folder"),
        ("/etc/passwd", "leads out of its folder"),
        ("nothing", "leads to nothing"),
        ("link", "does not lead to a file"),
        (".", "leads out of its folder"),
        ("sub", "does not lead to a file"),
    ],
)
def test_links_that_lead_elsewhere(tmp_path, target, message):
    def make(folder):
        (folder / "sub").mkdir()
        (folder / "link").symlink_to(target)

    refused(tmp_path, FOLDER, within(make), message)


def test_what_is_neither_file_nor_folder(tmp_path):
    def file(workdir):
        os.mkfifo(workdir / "a")
        return File(workdir / "a")

    refused(tmp_path, FILE, file, "is neither a regular file")
    refused(tmp_path, FOLDER, within(lambda folder: os.mkfifo(folder / "pipe")), "is neither a regular file")
    refused(tmp_path, FILE, lambda workdir: File(put(workdir / "f" / "a").parent), "is a folder, not a file")
    refused(tmp_path, FOLDER, lambda workdir: Folder(put(workdir / "a")), "is not a folder")

    def linked(workdir):
        put(workdir / "f" / "a")
        (workdir / "link").symlink_to("f")
        return Folder(workdir / "link")

    refused(tmp_path, FOLDER, linked, "is not a folder")


def test_names_that_are_not_utf8(tmp_path):
    def make(folder):
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("")

    refused(tmp_path, FOLDER, within(make), r"is not UTF-8")


def test_other_classes_and_suffixes(tmp_path):
    refused(tmp_path, shape_of(Pdf), lambda workdir: Pdf(put(workdir / "a.txt")), "is not a name that ends with '.pdf'")
    refused(tmp_path, shape_of(Pdf), lambda workdir: File(put(workdir / "a.pdf")), "not a Pdf")
    refused(tmp_path, FILE, lambda workdir: str(put(workdir / "a")), "not a File")
    refused(tmp_path, FILE, lambda _: None, "it is None, not a File")
    refused(tmp_path, FILES, lambda workdir: File(put(workdir / "a")), "it is a File, not a list")


@pytest.mark.parametrize("other_device", [False, True])
def test_a_file_that_is_still_being_written(tmp_path, monkeypatch, other_device):
    if other_device:
        monkeypatch.setattr("wurzel.datacontract.intake._renamed", lambda *_: False)

    def make(workdir):
        with (workdir / "a").open("w") as file:
            file.write("some")
            yield File(workdir / "a")
            file.write(" more")

    refused(tmp_path, FILES, make, "the file 'a' was still being written")


def test_a_file_that_comes_late_into_a_folder_is_not_lost_in_silence(tmp_path):
    def make(workdir):
        put(workdir / "f" / "sub" / "a")
        (workdir / "f" / "link").symlink_to("sub/a")
        yield Folder(workdir / "f")
        put(workdir / "f" / "sub" / "late")

    refused(tmp_path, FOLDERS, make, "the file 'late' was written into the folder 'f' after run gave it")


# --- inputs, devices, size ---------------------------------------------------------------------------------------


def test_an_input_is_copied_and_never_moved_or_linked(tmp_path):
    before = store(tmp_path / "in", FOLDERS, lambda workdir: [Folder(put(workdir / "f" / "a", "A").parent)])
    (folder,) = Reader(FOLDERS, [before]).value()
    whole = store(tmp_path / "whole", FOLDERS, lambda _: [folder], inputs=[before])
    part = store(tmp_path / "part", FILES, lambda _: [File(folder.path / "a")], inputs=[before])
    assert open_dataset(tmp_path / "in").digest == before.digest == whole.digest
    copies = [load(whole, FOLDERS)[0].path / "a", load(part)[0].path]
    assert len({path.stat().st_ino for path in (folder.path / "a", *copies)}) == 3
    refused(tmp_path, FILE, lambda _: File(tmp_path / "in" / "manifest.json"), "nor part of an input", inputs=[before])
    refused(tmp_path, FOLDER, lambda _: Folder(tmp_path / "in" / "00000"), "nor part of an input", inputs=[before])
    refused(tmp_path, FILES, lambda _: [File(folder.path / "a")] * 2, "is given twice", inputs=[before])
    refused(tmp_path, FILE, lambda _: File(folder.path / "a"), "nor part of an input")


OTHER = Path("/dev/shm")


def test_a_workdir_on_another_file_system(tmp_path):
    if not OTHER.is_dir() or OTHER.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system")
    other = OTHER / f"wurzel-test-{os.getpid()}"

    def make():
        put(other / "f" / "a", "A")
        with (other / "f" / "holes").open("wb") as file:
            file.truncate(64 << 20)
        return [Folder(other / "f")]

    try:
        with writing_outputs(tmp_path / "out", {"": FOLDERS}) as outputs:
            outputs[""]._drawer._intake.workdir = other
            outputs[""].add(make())
    finally:
        shutil.rmtree(other, ignore_errors=True)
    (folder,) = Reader(FOLDERS, [open_dataset(tmp_path / "out")]).value()
    assert (folder.path / "a").read_text() == "A"
    about = (folder.path / "holes").stat()
    assert (about.st_size, about.st_blocks * 512 < 1 << 20) == (64 << 20, True)


def test_five_gigabytes_pass_in_little_memory(tmp_path):
    code = """
import re, sys
from pathlib import Path
from wurzel.datacontract import File
from wurzel.datacontract.dataset import Reader, open_dataset, writing_outputs
from wurzel.datacontract.shape import shape_of
out = Path(sys.argv[1])
with writing_outputs(out, {"": shape_of(File)}) as outputs:
    path = outputs.workdir / "large"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    outputs[""].add(File(path))
peak = re.search("VmHWM:\\\\s+([0-9]+) kB", Path("/proc/self/status").read_text())  # getrusage counts the parent's, too
print(int(peak[1]) >> 10, open_dataset(out).size >> 30)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], capture_output=True, check=True)
    memory, size = map(int, done.stdout.split())
    assert size == 5
    assert memory < 100


# --- damaged, sliced, contracts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is incomplete: 00000/a is missing"),
        (lambda path: path.write_text("other"), "is damaged: it has 5 bytes, its manifest says 1"),
        (lambda path: path.write_text("B"), "is damaged: its digest is not the one in the manifest"),
        (lambda path: put(path.with_name("b")), "contains 00000/b, which its manifest does not list"),
        (lambda path: (path.parent / "b").mkdir(), "contains 00000/b, which its manifest does not list"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "is not a regular file"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "is not a regular file"),
    ],
)
def test_a_damaged_file_is_an_error(tmp_path, damage, message):
    store(tmp_path / "out", FILES, lambda workdir: [File(put(workdir / "a", "A"))])
    damage(tmp_path / "out" / "00000" / "a")
    with pytest.raises(DatasetError) as caught:
        load(open_dataset(tmp_path / "out"))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["00000/../x", "/etc/passwd", "00000/", "00000//a", "0/a", "00000/./a", "00000/a\0"])
def test_a_manifest_leads_nowhere_else(tmp_path, name):
    import json

    store(tmp_path / "out", FILES, lambda workdir: [File(put(workdir / "a", "A"))])
    path = tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["parts"][0]["file"] = name
    path.write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match="is not the name of a part"):
        open_dataset(tmp_path / "out")


@pytest.mark.parametrize("by", ["items", "parts", "portions"])
@pytest.mark.parametrize("into", [None, "gathered"])
def test_slices_of_files_become_the_whole(tmp_path, by, into):
    def make(numbers):
        def made(workdir):
            for number in numbers:
                (workdir / f"f{number}" / "empty").mkdir(parents=True)
                put(workdir / f"f{number}" / "a", str(number))
                yield Folder(workdir / f"f{number}")

        return made

    whole = store(tmp_path / "whole", FOLDERS, make(range(5)))
    for number, numbers in enumerate([range(2), range(2, 5), range(0)], 1):
        with writing_outputs(tmp_path / "cut", {"": FOLDERS}, Slice(number, 3, by, "d")) as outputs:
            outputs[""].add(make(numbers)(outputs.workdir))
    cut = open_dataset(tmp_path / "cut")
    assert cut.digest == whole.digest
    assert [folder.path.name for folder in load(cut, FOLDERS)] == [f"f{number}" for number in range(5)]
    gathered = gather(tmp_path / "cut", into and tmp_path / into)
    assert gathered.digest == whole.digest
    assert [(path / "a").read_text() for path in (folder.path for folder in load(gathered, FOLDERS))] == list("01234")
    assert {path.stat().st_nlink for path in gathered.path.rglob("a")} == {1}


def test_the_last_output_stays_when_a_file_is_refused(tmp_path):
    before = store(tmp_path / "out", FILES, lambda workdir: [File(put(workdir / "a", "A"))]).digest
    with pytest.raises(ContractFailedException):
        store(tmp_path / "out", FILES, lambda workdir: [File(put(workdir / "a")), File(workdir / "b")])
    assert open_dataset(tmp_path / "out").digest == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_workdir_is_empty_and_gone_afterwards(tmp_path):
    with writing(tmp_path / "out", FILES) as writer:
        writer.add([])
    with writing_outputs(tmp_path / "out", {"": FILES}) as outputs:
        assert list(outputs.workdir.iterdir()) == []
        put(outputs.workdir / "left" / "over").parent.chmod(0o500)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("annotation", [set[File], list[list[File]], File | Folder, list[File | Pdf]])
def test_containers_that_files_cannot_be_in(annotation):
    with pytest.raises(StaticTypeError, match="cannot flow between steps"):
        shape_of(annotation)


def test_a_file_within_an_item_is_refused(tmp_path):
    class Page(PydanticModel, arbitrary_types_allowed=True):
        scans: list[Pdf]

    with pytest.raises(StaticTypeError, match=r"Page.scans is a Pdf, a file, which is not stored within an item"):
        shape_of(list[Page])

    with pytest.raises(StaticTypeError, match="Pdf is a file and cannot be a field"):
        create_model("Now", scan=(Pdf, ...))


def test_steps_of_files_are_steps():
    class Scan(TypedStep[NoSettings, None, Pdf]):
        def run(self, inpt: None) -> Pdf:
            return Pdf(self.workdir / "a.pdf")

    class Count(TypedStep[NoSettings, Pdf, list[File]]):
        def run(self, inpt: Pdf) -> list[File]:
            return []

    assert repr(WZ(Scan) >> WZ(Count)) == "Count"
