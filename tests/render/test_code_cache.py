"""Compiled templates are found again, and code that others could have written is never run."""

import os
import sys

import pytest

from wurzel.exceptions import TemplateError
from wurzel.render import Renderer, environment


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Render a template in a new environment; gives the text and which templates were compiled."""
    compiled = []
    parse = environment.Environment._parse

    def watched(self, source, name, filename):
        compiled.append(name)
        return parse(self, source, name, filename)

    monkeypatch.setattr(environment.Environment, "_parse", watched)
    layer = tmp_path / "layer"
    (layer / "x").mkdir(parents=True)

    def run(text="a: {{ value }}\n", value="b", **files):
        (layer / "x" / "a.yaml.j2").write_text(text)
        for name, content in files.items():
            (layer / "x" / f"{name}.yaml.j2").write_text(content)
        compiled.clear()
        return Renderer([layer]).render("x/a.yaml.j2", {"value": value}).text, len(compiled)

    return run


def test_code_is_compiled_once_for_each_text(cache_folder, render):
    assert render() == ("a: b\n", 1)
    assert render(value="c: d") == ("a: 'c: d'\n", 0)
    assert render("b: {{ value }}\n") == ("b: b\n", 1)
    assert len(list(cache_folder.iterdir())) == 2
    assert cache_folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in cache_folder.iterdir()} == {0o600}


def test_included_templates_are_kept_as_well(cache_folder, render):
    text = "a: {{ value }}\n{% include 'x/b.yaml.j2' %}\n"
    assert render(text, b="c: {{ value }}\n") == ("a: b\nc: b\n", 2)
    assert render(text, b="c: {{ value }}\n") == ("a: b\nc: b\n", 0)


def test_an_error_names_its_line_from_kept_code_too(cache_folder, render):
    for expected in (1, 0):
        with pytest.raises(TemplateError, match="nothing") as raised:
            render("a: 1\nb: {{ nothing }}\n")
        assert raised.value.where.endswith("a.yaml.j2:2")
        assert render("c: 1\n")[0] == "c: 1\n", expected


def test_what_cannot_be_compiled_is_not_kept(cache_folder, render):
    for _ in range(2):
        with pytest.raises(TemplateError):
            render("a: {{ value | nofilter }}\n")
    assert not list(cache_folder.iterdir())


def cut(folder):
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-5])


def open_to_all(folder):
    folder.chmod(0o777)


def open_files(folder):
    for path in folder.iterdir():
        path.chmod(0o666)


def links(folder):
    for path in folder.iterdir():
        target = folder.parent / path.name
        path.rename(target)
        path.symlink_to(target)


def link(folder):
    folder.rename(folder.parent / "other")
    folder.symlink_to(folder.parent / "other")


@pytest.mark.parametrize("change", [cut, open_to_all, open_files, links, link])
def test_code_that_may_be_of_others_is_not_run(cache_folder, render, change):
    render()
    change(cache_folder)
    assert render() == ("a: b\n", 1)


def test_a_folder_of_somebody_else_is_not_used(cache_folder, render, monkeypatch):
    render()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert render() == ("a: b\n", 1)


@pytest.mark.parametrize("home", ["relative", "/proc/nowhere"])
def test_without_a_folder_templates_are_compiled(cache_folder, render, monkeypatch, home):
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    assert render() == ("a: b\n", 1)
    assert render() == ("a: b\n", 1)


def test_nothing_is_written_where_python_keeps_no_bytecode(cache_folder, render, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert render() == ("a: b\n", 1)
    assert not cache_folder.exists()


def test_old_code_goes_when_there_is_much(cache_folder, render, monkeypatch):
    monkeypatch.setattr("wurzel.user_cache._KEPT", 4)
    for number in range(9):
        render(f"a: {number}\n")
    assert 2 <= len(list(cache_folder.iterdir())) <= 4
    assert render("a: 8\n") == ("a: 8\n", 0)
