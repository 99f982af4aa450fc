import json
import os

import pytest

from wurzel.exceptions import WriteError
from wurzel.invocation.digests import ABSENT, UNREADABLE, FileDigests, combine
from wurzel.regular_file import replace_file

LONG_AGO = 1_000_000_000


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store" / "digests.json"


@pytest.fixture
def files(tmp_path, store):
    store.parent.mkdir()
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "sub" / "b").write_text("b")
    return folder


@pytest.fixture
def settled(monkeypatch):
    """Files count as settled at once."""
    monkeypatch.setattr("wurzel.invocation.digests._SETTLED", -(10**18))


def test_a_file_is_read_once_as_long_as_it_looks_the_same(files, store, settled):
    path = files / "a"
    os.utime(path, (LONG_AGO, LONG_AGO))
    first = FileDigests(store)
    digest = first.file(path)
    first.save()
    stored = json.loads(store.read_text())
    stored["files"][str(path)][0] = "remembered"
    store.write_text(json.dumps(stored))
    assert FileDigests(store).file(path) == "remembered"
    path.write_text("x")
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert FileDigests(store).file(path) not in {digest, "remembered"}  # same size, time and inode, but another ctime


def test_what_a_file_imports_is_found_once_and_kept_until_it_changes(files, store):
    (files / "a").write_text("import json")
    first = FileDigests(store)
    assert [one.module for one in first.imports(files / "a")] == ["json"]
    first.save()
    stored = json.loads(store.read_text())
    stored["reads"][str(files / "a")][1] = [[0, "remembered", []]]
    store.write_text(json.dumps(stored))
    assert [one.module for one in FileDigests(store).imports(files / "a")] == ["remembered"]
    (files / "a").write_text("import html")
    assert [one.module for one in FileDigests(store).imports(files / "a")] == ["html"]


def test_what_has_not_changed_is_not_written_again(files, store):
    digests = FileDigests(store)
    digests.note("key", 1)
    digests.save()
    store.unlink()
    digests.save()
    assert not store.exists()


def test_a_file_changed_just_now_is_not_remembered(files, store):
    first = FileDigests(store)
    digest = first.file(files / "a")
    first.save()
    stat = (files / "a").stat()
    (files / "a").write_text("x")
    os.utime(files / "a", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert FileDigests(store).file(files / "a") != digest


def test_what_another_version_found_in_a_source_file_is_read_again(files, store, monkeypatch):
    (files / "a").write_text("import plug")
    first = FileDigests(store)
    found = first.imports(files / "a")
    first.reads[str(files / "a")][1] = []
    first.save()
    assert FileDigests(store).imports(files / "a") == []
    monkeypatch.setattr("wurzel.invocation.digests.readers", lambda: "of another version")
    assert FileDigests(store).imports(files / "a") == found != []


def test_a_damaged_store_counts_as_empty(files, store):
    for text in ("{", "[]", "\udcff"):
        store.write_text(text, errors="surrogateescape")
        assert len(FileDigests(store).file(files / "a")) == 64


def test_names_and_bytes_of_a_tree_count(files, store):
    def digest():
        return FileDigests(store).tree(files)

    seen = [digest()]
    (files / "sub" / "b").write_text("c")
    seen.append(digest())
    (files / "sub" / "b").rename(files / "sub" / "c")
    seen.append(digest())
    (files / "sub" / "c").rename(files / "c")
    seen.append(digest())
    (files / "é \udcff").write_text("")
    seen.append(digest())
    assert len(set(seen)) == len(seen)


def test_a_folder_may_be_left_out_and_links_may_go_in_circles(files, store):
    (files / "sub" / "loop").symlink_to(files)
    (files / "sub" / "system").symlink_to("/proc")
    before = FileDigests(store).tree(files, [files / "data"])
    (files / "data").mkdir()
    (files / "data" / "x").write_text("x")
    assert FileDigests(store).tree(files, [files / "data"]) == before
    assert FileDigests(store).tree(files) != before


def test_what_is_absent_has_a_digest_of_its_own(files, store):
    assert FileDigests(store).tree(files / "nothing") == FileDigests(store).file(files / "a" / "b") == ABSENT


def test_texts_do_not_run_into_each_other():
    assert combine(["ab", "c"]) != combine(["a", "bc"]) != combine(["abc"])


def test_a_file_that_cannot_be_written_says_where(tmp_path):
    with pytest.raises(WriteError, match="cannot be written: No such file"):
        replace_file(tmp_path / "none" / "x", b"")


def test_what_cannot_be_read_has_a_digest_and_is_not_waited_for(files, store):
    os.mkfifo(files / "pipe")
    (files / "loop").symlink_to("loop")
    digests = FileDigests(store)
    assert digests.file(files / "pipe") == digests.file(files / "loop") == UNREADABLE
    assert len(digests.tree(files)) == 64


def test_what_was_long_not_asked_for_is_forgotten(files, store, settled):
    os.utime(files / "a", (LONG_AGO, LONG_AGO))
    many = {str(number): ["x", 1, 2, 3, 4] for number in range(20_000)}
    store.write_text(json.dumps({"files": many, "reads": {}, "notes": {}}))
    digests = FileDigests(store)
    digests.file(files / "a")
    digests.save()
    assert list(json.loads(store.read_bytes())["files"]) == [str(files / "a")]


def test_a_store_that_cannot_be_written_costs_nothing_but_time(files, store):
    store.mkdir()
    digests = FileDigests(store)
    os.utime(files / "a", (LONG_AGO, LONG_AGO))
    digest = digests.file(files / "a")
    digests.save()
    assert FileDigests(store).file(files / "a") == digest
    assert [path.name for path in store.parent.iterdir()] == [store.name]
