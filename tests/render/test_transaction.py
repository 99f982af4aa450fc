"""All files or none: killed at every point, at random points, on a full disk, without permission, two at once."""

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from wurzel.exceptions import WriteError
from wurzel.render import transaction
from wurzel.render.header import sign
from wurzel.render.journal import JOURNAL, Move
from wurzel.render.output import File, apply, plan
from wurzel.render.transaction import recover

NAMES = ("a.yaml", "d/b.yaml", "new/deep/c.yaml", "gone.yaml")
STEPS = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "open"}
"""Audit events of everything that changes a disk."""


@pytest.fixture
def memory(tmp_path):
    """A folder on a file system in memory where there is one: this many writes to a disk take a minute."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def ours(text):
    return sign(text, command="wurzel render", source="s")


def old_files():
    return {"a.yaml": ours("old\n"), "d/b.yaml": ours("old\n" * 2000), "gone.yaml": ours("gone\n")}


def new_files():
    return {"a.yaml": ours("new\n" * 3000), "d/b.yaml": ours("new\n"), "new/deep/c.yaml": ours("new\n")}


def wanted():
    return [File(name, new_files().get(name)) for name in NAMES]


def fill(root):
    for name, text in old_files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def tree(root):
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def folders(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir()}


def dying(action, at):
    """Do it in a fork that kills itself just before its step number `at`; whether it was killed."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event, _):
            nonlocal count
            if event in STEPS:
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status != 0


def check(root):
    """After recovery: all old or all new, and nothing else; which of both."""
    found = tree(root)
    assert found in (old_files(), new_files())
    is_new = found == new_files()
    assert folders(root) == ({"d", "new", "new/deep"} if is_new else {"d"})
    return is_new


def render(root):
    apply(plan(root, wanted()))


def copied(root, folder):
    """The folder as a killed writer left it, with files that are one through hard links still one."""
    same = {}
    for path in [root, *sorted(root.rglob("*"))]:
        target = folder / path.relative_to(root)
        if path.is_dir():
            target.mkdir()
        elif (first := same.setdefault(path.stat().st_ino, target)) is target:
            shutil.copy2(path, target)
        else:
            target.hardlink_to(first)
    return folder


def test_killed_at_every_point_and_while_recovering(memory):
    seen, count = set(), 0
    for first in range(1, 200):
        root = fill(memory / str(first))
        if not dying(lambda root=root: render(root), first):
            break
        for second in range(1, 200):
            again = copied(root, memory / f"{first}-{second}")
            count += 1
            killed = dying(lambda again=again: recover(again), second)
            recover(again)
            seen.add(check(again))
            if not killed:
                break
    assert seen == {False, True}
    assert first > 25
    assert count > 100


def test_killed_at_random_times(memory):
    """Hundreds of times, under load or not, while a reader looks at one of the files."""
    seen = []
    for number in range(300):
        root = fill(memory / str(number))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, b"x")
                render(root)
            finally:
                os._exit(0)
        select.select([reading], [], [])
        end = time.monotonic() + random.Random(number).random() * 0.006
        while time.monotonic() < end:
            assert (root / "a.yaml").read_text() in (old_files()["a.yaml"], new_files()["a.yaml"])
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        recover(root)
        seen.append(check(root))
    assert len(seen) == 300


def test_the_next_render_and_check_end_what_was_interrupted(project):
    root = project("chain")
    command = [sys.executable, "-m", "wurzel", "render", "chain:pipeline", "-t", "dvc"]
    subprocess.run(command, check=True, capture_output=True, cwd=root)
    before = (root / "dvc.yaml").read_text()
    steps = root / "steps.py"
    steps.write_text(steps.read_text().replace("Give words.", "Give all words."))
    program = (
        "import os, signal, sys\nfrom wurzel.cli import main\nfrom wurzel.render.journal import Move\n"
        "def die(move):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Move.forward = die\nmain(sys.argv[1:])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *command[3:]], check=False, cwd=root)
    assert done.returncode == -signal.SIGKILL
    assert (root / JOURNAL).exists()
    assert (root / "dvc.yaml").read_text() == before
    checked = subprocess.run([*command, "--check"], check=False, capture_output=True, text=True, cwd=root)
    assert checked.returncode == 0, checked.stderr
    assert "completed an interrupted render" in checked.stderr
    assert "Give all words." in (root / "dvc.yaml").read_text()
    assert not (root / JOURNAL).exists()


def interrupted(root, after=1):
    """A folder whose writer was killed when everything was complete and this many files were in their places."""
    fill(root)
    moved = []

    def work():
        real = Move.forward

        def forward(move):
            real(move)
            moved.append(move)
            if len(moved) == after:
                os.kill(os.getpid(), signal.SIGKILL)

        Move.forward = forward
        render(root)

    assert dying(work, 0)
    assert (root / JOURNAL).exists()
    return root


def test_an_edit_after_the_crash_is_kept(tmp_path):
    root = interrupted(tmp_path / "r")
    (root / "a.yaml").write_text("mine\n")
    assert recover(root) == "completed"
    assert tree(root) == new_files() | {"a.yaml": "mine\n"}


def test_an_edit_after_the_crash_is_kept_on_the_way_back(tmp_path):
    root = interrupted(tmp_path / "r", after=3)
    (root / "d/b.yaml").write_text(old_files()["d/b.yaml"])  # the way forward is closed
    (root / "a.yaml").write_text("mine\n")
    (root / "new/deep/c.yaml").write_text("mine too\n")
    assert recover(root) == "undone"
    assert tree(root) == old_files() | {"a.yaml": "mine\n", "new/deep/c.yaml": "mine too\n"}


def test_a_lost_file_of_the_crash_means_back(tmp_path):
    root = interrupted(tmp_path / "r")
    for path in (root / "d").glob(".wurzel-*.new"):
        path.unlink()
    assert recover(root) == "undone"
    assert check(root) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"complete": true, "folders": [], "files": [{}]}',
        json.dumps({"complete": True, "folders": ["../../x"], "files": []}),
        *(
            json.dumps(
                {
                    "complete": True,
                    "folders": [],
                    "files": [{"target": target, "staged": staged, "backup": None, "old": None, "new": "x"}],
                }
            )
            for target, staged in (
                ("../outside", None),
                ("/etc/passwd", None),
                ("link/outside", None),
                ("a", "../outside"),
                ("a", "b"),
            )
        ),
    ],
)
def test_a_journal_that_is_none_is_said_and_touches_nothing(tmp_path, text):
    root = fill(tmp_path / "root")
    (tmp_path / "outside").write_text("mine")
    (root / "link").symlink_to(tmp_path)
    (root / JOURNAL).write_text(text)
    before = tree(tmp_path)
    with pytest.raises(WriteError, match="not a journal of a render") as caught:
        recover(root)
    assert JOURNAL in caught.value.where
    assert tree(tmp_path) == before


def test_on_a_full_disk_all_or_none(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        seen = set()
        for free in range(30):
            subprocess.run(["find", str(disk), "-mindepth", "1", "-delete"], check=True)
            fill(disk)
            (disk / "full").write_bytes(b"")
            with (disk / "full").open("wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(b"x" * 4096)
                except OSError:
                    filler.truncate(max(0, filler.tell() - 4096 * free))
            try:
                render(disk)
            except WriteError as error:
                assert "No space left on device" in str(error)  # noqa: PT017 - both ends are right here
            (disk / "full").unlink()
            assert not (disk / JOURNAL).exists()
            seen.add(check(disk))
        assert seen == {False, True}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def as_nobody(action):
    """Do it as a user who owns nothing; the error it ends with."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            action()
        except WriteError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("closed", [".", "d", "d/b.yaml"])
def test_without_permission_none(tmp_path, closed):
    root = fill(tmp_path)
    for path in [*tmp_path.parents][:-2]:
        path.chmod(path.stat().st_mode | 0o055)
    for path in [root, *root.rglob("*")]:
        os.chown(path, 65534, 65534)
    (root / closed).chmod(0o555 if (root / closed).is_dir() else 0o444)
    message = as_nobody(lambda: render(root))
    assert "cannot be written: " in message
    assert "Permission denied" in message or "read-only" in message
    assert not (root / JOURNAL).exists()
    assert check(root) is False


def test_two_at_once_leave_the_files_of_one(memory):
    program = (
        "import sys\nfrom wurzel.render.header import sign\n"
        "from wurzel.render.output import File, apply, plan\n"
        "for number in range(30):\n"
        "    text = sign(f'{sys.argv[2]} {number}\\n' * 500, command='c', source='s')\n"
        "    apply(plan(sys.argv[1], [File(name, text) for name in ('a', 'b/c', 'd')]))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(memory / "new"), name]) for name in ("one", "two", "three")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = tree(memory / "new")
    assert set(found) == {"a", "b/c", "d"}
    assert len(set(found.values())) == 1


def test_who_waits_too_long_is_told(tmp_path, monkeypatch):
    root = fill(tmp_path)
    monkeypatch.setattr(transaction, "PATIENCE", 0.05)
    with transaction.locked(root), pytest.raises(WriteError, match="another process is writing here"):
        render(root)
    assert check(root) is False


def test_without_changes_nothing_is_made_or_locked(tmp_path):
    root = fill(tmp_path)
    with transaction.locked(root):
        assert apply(plan(root, [File("a.yaml", old_files()["a.yaml"])])) == []
    assert recover(root) == ""
    assert Path(root / JOURNAL).exists() is False
