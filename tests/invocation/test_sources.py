"""What files import is found again by their bytes alone, and never where another user could have written it."""

import sys

import pytest

from tests.plain import plain_step
from wurzel.invocation import imports
from wurzel.invocation.sources import with_sources
from wurzel.ir.model import DataType, Pipeline


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Name the source files of a pipeline; gives them and how many files were parsed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    project, parsed, parse = tmp_path / "project", [], imports._parsed
    monkeypatch.setattr(imports, "_parsed", lambda source: parsed.append(source) or parse(source))
    project.mkdir()
    for name in ("one", "two", "six"):
        (project / f"{name}.py").write_text("")
    (project / "main.py").write_text("import one\n")
    step = plain_step(id="load", run="main:Load", output=DataType(contract="main:Doc"))
    pipeline = Pipeline(name="p", entrypoint="main:p", steps=(step,))

    def run():
        parsed.clear()
        return with_sources(pipeline, project).steps[0].sources, len(parsed)

    return run


@pytest.fixture
def kept(tmp_path):
    return lambda: next((tmp_path / "cache" / "wurzel" / "templates").glob("*.imports"))


def test_files_are_parsed_again_when_their_bytes_are_others(tmp_path, read):
    assert read() == (("main.py", "one.py"), 2)
    assert read() == (("main.py", "one.py"), 0)
    (tmp_path / "project" / "main.py").write_text("import two\n")
    assert read() == (("main.py", "two.py"), 2)
    (tmp_path / "project" / "main.py").write_text("import six\n")
    (tmp_path / "project" / "two.py").unlink()
    assert read() == (("main.py", "six.py"), 2)
    assert read() == (("main.py", "six.py"), 0)


@pytest.mark.parametrize("change", ["cut", "other", "open", "folder"])
def test_what_may_be_damaged_or_of_others_is_not_used(tmp_path, read, kept, change):
    expected = read()
    if change == "cut":
        kept().write_bytes(kept().read_bytes()[:-5])
    elif change == "other":
        kept().write_bytes(b"x" * 100)
    else:
        (kept() if change == "open" else kept().parent).chmod(0o777)
    assert read() == expected


def test_nothing_is_kept_where_the_home_is_read_only(read, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert read() == read() == (("main.py", "one.py"), 2)
