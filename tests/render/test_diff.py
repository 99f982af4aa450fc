"""Differences of lines: right for any two files, and quick for long ones that are much alike."""

import difflib
import random
import re
import subprocess
from pathlib import Path

import pytest

from wurzel.render import diff
from wurzel.render.diff import stretches, unified


def rebuilt(old, new):
    """The new lines, made of the old ones and what the stretches say."""
    lines, at = [], 0
    for start, end, begin, stop in stretches(old, new):
        assert old[start:end] != new[begin:stop]
        lines += old[at:start] + new[begin:stop]
        at = end
    return lines + old[at:]


@pytest.mark.parametrize("short", [0, 100_000])
def test_stretches_make_the_new_file_of_the_old_one(short, monkeypatch):
    monkeypatch.setattr(diff, "_SHORT", short)
    rng = random.Random(7)
    for _ in range(300):
        old = [rng.choice("abcdefgh") * rng.randint(1, 2) for _ in range(rng.randint(0, 30))]
        new = [line for line in old if rng.random() > 0.2]
        for _ in range(rng.randint(0, 4)):
            new.insert(rng.randint(0, len(new)), rng.choice("abcxyz"))
        assert rebuilt(old, new) == new


def test_a_unified_diff_is_what_patch_applies(tmp_path):
    rng = random.Random(3)
    for number in range(20):
        old = [f"{rng.choice('abcdef')}\n" for _ in range(rng.randint(1, 60))]
        new = [line for line in old if rng.random() > 0.1] + ["end\n"]
        Path(tmp_path, "file").write_text("".join(old))
        text = unified(old, new, "a/file", "b/file")
        subprocess.run(["git", "apply", "-p1", "-"], cwd=tmp_path, input=text, text=True, check=True)
        assert Path(tmp_path, "file").read_text() == "".join(new), number


def test_a_unified_diff_reads_as_difflib_writes_it():
    old = [f"{number}\n" for number in range(40)]
    for new in ([], old[1:], old[:-1], ["new\n", *old], [*old[:7], "x\n", *old[9:30], "y\n", *old[30:]]):
        assert unified(old, new, "a", "b") == "".join(difflib.unified_diff(old, new, "a", "b"))
    assert unified(old, old, "a", "b") == ""
    assert unified(["a\n", "b"], ["a\n", "c"], "x", "y").endswith(
        "-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )


def test_lines_that_differ_everywhere_are_not_compared_with_each_other(monkeypatch):
    compared = []

    class Counting(difflib.SequenceMatcher):
        def __init__(self, junk, old, new, autojunk):
            compared.append(len(old) * len(new))
            super().__init__(junk, old, new, autojunk)

    monkeypatch.setattr(diff, "SequenceMatcher", Counting)
    old = [line for number in range(5_000) for line in (f"step {number}", "run --timeout 10", "", "done")]
    new = [line.replace("10", "20") for line in old if not re.fullmatch(r"step 10?0?", line)]
    assert rebuilt(old, new) == new
    assert sum(compared) < 40 * len(old)
