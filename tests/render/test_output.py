"""Writing all files or none, and never over what is not ours."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wurzel.exceptions import WriteError
from wurzel.render.header import is_untouched, sign
from wurzel.render.output import File, apply, plan


def ours(text):
    return sign(text, command="wurzel render", source="s")


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def write(root, *files, force=False):
    return apply(plan(root, [File(path, ours(text)) for path, text in files]), force=force)


def states(root, *files):
    return [change.state for change in plan(root, [File(path, ours(text)) for path, text in files])]


def test_states(tmp_path):
    write(tmp_path, ("a.yaml", "1\n"), ("d/e/b.yaml", "1\n"), ("c.yaml", "1\n"))
    (tmp_path / "c.yaml").write_text(ours("1\n") + "more\n")
    (tmp_path / "f.yaml").write_text("mine\n")
    assert states(
        tmp_path, ("n", "1\n"), ("a.yaml", "1\n"), ("d/e/b.yaml", "2\n"), ("c.yaml", "1\n"), ("f.yaml", "1\n")
    ) == [
        "new",
        "same",
        "outdated",
        "edited",
        "foreign",
    ]


@pytest.mark.parametrize("name", ["wurzel.yaml", "a/wurzel-pack.yaml", "link"])
def test_what_files_are_rendered_from_is_never_written(tmp_path, name):
    (tmp_path / "link").symlink_to("wurzel.yaml")
    with pytest.raises(WriteError, match="files are rendered from it"):
        write(tmp_path, (name, "1\n"), force=True)


def test_planning_writes_nothing(tmp_path):
    plan(tmp_path / "new", [File("a/b", "x")])
    assert list(tmp_path.iterdir()) == []


def test_writing_again_writes_nothing(tmp_path):
    assert [change.path for change in write(tmp_path, ("a", "1\n"))] == ["a"]
    before = (tmp_path / "a").stat()
    assert write(tmp_path, ("a", "1\n")) == []
    after = (tmp_path / "a").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    ("content", "what"), [("mine\n", "not written by wurzel"), (ours("1\n") + "x", "edited by hand")]
)
def test_what_is_not_ours_is_kept_unless_forced(tmp_path, content, what):
    (tmp_path / "b").write_text(content)
    with pytest.raises(WriteError, match=what) as caught:
        write(tmp_path, ("a", "2\n"), ("b", "2\n"))
    assert caught.value.where == "b"
    assert "--force" in caught.value.hint
    assert tree(tmp_path) == {"b": content}
    write(tmp_path, ("a", "2\n"), ("b", "2\n"), force=True)
    assert tree(tmp_path) == {"a": ours("2\n"), "b": ours("2\n")}


def test_permissions_are_kept_and_scripts_can_be_run(tmp_path):
    os.umask(0o022)
    apply(plan(tmp_path, [File("a.sh", ours("1\n"), executable=True), File("b", ours("1\n"))]))
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.sh", "b")] == [0o755, 0o644]
    (tmp_path / "a.sh").chmod(0o640)
    (tmp_path / "b").chmod(0o600)
    assert plan(tmp_path, [File("a.sh", ours("1\n"), executable=True)])[0].state == "outdated"
    apply(plan(tmp_path, [File("a.sh", ours("1\n"), executable=True), File("b", ours("2\n"))]))
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.sh", "b")] == [0o750, 0o600]


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a/..", ".", "a\0b", "a/"])
def test_paths_stay_below_the_folder(tmp_path, path):
    with pytest.raises(WriteError, match=r"not a file path inside|outside"):
        plan(tmp_path / "out", [File(path, "x")])


def test_links_are_followed_only_below_the_folder(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "linked").symlink_to("real")
    (root / "file").symlink_to("real/target")
    write(root, ("linked/a", "1\n"), ("file", "1\n"))
    assert (root / "file").is_symlink()
    assert tree(root / "real") == {"a": ours("1\n"), "target": ours("1\n")}
    (root / "away").symlink_to(outside)
    (root / "gone").symlink_to(outside / "x")
    (root / "loop").symlink_to("loop")
    for path in ("away/a", "gone", "loop"):
        with pytest.raises(WriteError):
            write(root, (path, "1\n"))
    assert list(outside.iterdir()) == []


def test_one_file_twice_and_a_file_that_is_a_folder(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for paths, message in (
        (("a", "a"), "the same file"),
        (("real/a", "link/a"), "the same file"),
        (("a", "a/b"), "a file and a folder"),
        (("a/b", "a"), "a file and a folder"),
    ):
        with pytest.raises(WriteError, match=message):
            plan(tmp_path, [File(path, "x") for path in paths])
    with pytest.raises(WriteError, match="folder or device"):
        plan(tmp_path, [File("real", "x")])
    (tmp_path / "f").write_text("x")
    with pytest.raises(WriteError, match="cannot be written"):
        write(tmp_path, ("f/a", "1\n"))


def test_when_one_file_cannot_be_written_none_is(tmp_path, monkeypatch):
    write(tmp_path, ("a", "1\n"))
    before = tree(tmp_path)
    real = os.open

    def full(path, *arguments):
        if Path(path).parent.name == "deep":
            raise OSError(28, "No space left on device")
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(WriteError, match="No space left on device") as caught:
        write(tmp_path, ("a", "2\n"), ("new/b", "2\n"), ("new/deep/c", "2\n"))
    assert caught.value.where == "new/deep/c"
    assert tree(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_when_a_file_cannot_be_put_in_its_place_the_others_are_put_back(tmp_path, monkeypatch):
    write(tmp_path, ("a", "1\n"), ("b", "1\n"))
    before = tree(tmp_path)
    real = Path.replace

    def failing(self, target):
        if Path(target).name == "d":
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(WriteError, match="Input/output error") as caught:
        write(tmp_path, ("a", "2\n"), ("b", "2\n"), ("c", "2\n"), ("d", "2\n"))
    assert caught.value.where == "d"
    assert tree(tmp_path) == before


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    write(tmp_path, ("a", "1\n"))
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links")))
    write(tmp_path, ("a", "2\n"))
    assert tree(tmp_path) == {"a": ours("2\n")}


def test_an_edit_between_plan_and_apply_is_not_lost(tmp_path):
    write(tmp_path, ("a", "1\n"), ("b", "1\n"))
    changes = plan(tmp_path, [File("a", ours("2\n")), File("b", ours("2\n"))])
    (tmp_path / "b").write_text("edited\n")
    with pytest.raises(WriteError, match="edited during") as caught:
        apply(changes)
    assert caught.value.where == "b"
    assert tree(tmp_path) == {"a": ours("1\n"), "b": "edited\n"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_places(tmp_path):
    write(tmp_path, ("a", "1\n"))
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(WriteError, match="read-only"):
        write(tmp_path, ("a", "2\n"))
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(WriteError, match="Permission denied"):
        write(tmp_path, ("closed/a", "1\n"))


def test_two_writers_at_once_never_leave_a_torn_file(tmp_path):
    program = (
        "import sys\nfrom wurzel.exceptions import WriteError\nfrom wurzel.render.header import sign\n"
        "from wurzel.render.output import File, apply, plan\n"
        "for round in range(40):\n"
        "    body = f'{sys.argv[2]} {round}\\n' * 20000\n"
        "    files = [File(name, sign(body, command='c', source='s')) for name in ('a', 'b/c')]\n"
        "    apply(plan(sys.argv[1], files))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in ("one", "two")]
    while any(writer.poll() is None for writer in writers):
        for path in ("a", "b/c"):
            if (tmp_path / path).exists():
                content = (tmp_path / path).read_bytes()
                assert is_untouched(content)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert set(tree(tmp_path)) == {"a", "b/c"}


def test_differences(tmp_path):
    (tmp_path / "a").write_bytes(b"x\n\xffy\x0bz\n")
    change, new = plan(tmp_path, [File("a", "x\nz"), File("n", "1\n")])
    assert change.is_blocked
    assert change.diff() == ("--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-\ufffdy\x0bz\n+z\n\\ No newline at end of file\n")
    assert not new.is_blocked
    assert new.diff() == "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+1\n"
    (tmp_path / "n").write_text("1\n")
    assert plan(tmp_path, [File("n", "1\n")])[0].diff() == ""


def test_removing_what_is_ours(tmp_path):
    write(tmp_path, ("a", "1\n"), ("b", "1\n"))
    written = apply(plan(tmp_path, [File("a", None), File("gone", None), File("c", ours("1\n"))]))
    assert [change.path for change in written] == ["a", "c"]
    (tmp_path / "b").write_text("mine")
    with pytest.raises(WriteError, match="edited by hand") as caught:
        apply(plan(tmp_path, [File("b", None), File("c", None)]))
    assert caught.value.where == "b"
    assert "remove with --force" in caught.value.hint
    assert set(tree(tmp_path)) == {"b", "c"}
    apply(plan(tmp_path, [File("b", None), File("c", None)]), force=True)
    assert tree(tmp_path) == {}
    with pytest.raises(WriteError):
        plan(tmp_path, [File("../x", None)])


def test_a_long_name_still_has_room_for_its_temporary_name(tmp_path):
    write(tmp_path, ("n" * 250, "1\n"))
    assert list(tree(tmp_path)) == ["n" * 250]


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path):
    with pytest.raises(WriteError, match="File name too long"):
        plan(tmp_path, [File("a" * 300, "x")])
