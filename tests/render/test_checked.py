"""Templates that were checked and have no errors are not checked again until something changes that a check reads."""

import sys

import pytest

from wurzel.backends.checking import check_templates
from wurzel.backends.registry import get
from wurzel.exceptions import TemplateProblems
from wurzel.render import Renderer
from wurzel.render.renames import Rename

FINE = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n# ours\n{% endblock %}\n'
WRONG = FINE.replace("# ours", "# {{ nothing }}")

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a layer with one override; whether it was read."""
    read = []
    checker = Renderer.checker

    def watched(self, *args):
        read.append(self)
        return checker(self, *args)

    monkeypatch.setattr(Renderer, "checker", watched)
    layer = tmp_path / "layer"
    (layer / "dvc").mkdir(parents=True)

    def run(text=FINE, targets=("dvc",), **changes):
        (layer / "dvc" / "dvc.yaml.j2").write_text(text)
        renderer = Renderer([layer])
        for name, value in changes.items():
            setattr(renderer.layers, name, value)
        read.clear()
        check_templates(renderer, {name: get(name) for name in targets})
        return bool(read)

    return run


def test_once_for_each_text_and_each_choice_of_targets(check, cache_folder):
    assert [check(), check()] == [True, False]
    assert [check(FINE + "\n"), check(FINE + "\n"), check()] == [True, False, False]
    assert [check(targets=("dvc", "local")), check(targets=("local", "dvc"))] == [True, False]
    assert {path.stat().st_mode & 0o777 for path in cache_folder.glob("*.checked")} == {0o600}


def test_errors_are_found_each_time(check):
    for _ in range(2):
        with pytest.raises(TemplateProblems, match="nothing"):
            check(WRONG)
    assert check()
    with pytest.raises(TemplateProblems, match="nothing"):
        check(WRONG)


def test_warnings_are_given_each_time(check):
    old = Rename("block", "first", "top", "0.2", "dvc/dvc.yaml.j2")
    text = FINE.replace("block top", "block first")
    assert [check(text, renames=(old,)), check(text, renames=(old,))] == [True, True]


def test_another_layer_or_another_file_of_a_pack_counts(check, tmp_path):
    check()
    (tmp_path / "layer" / "dvc" / "params.yaml.j2").write_text('{% extends "!dvc/params.yaml.j2" %}\n')
    assert [check(), check()] == [True, False]


def test_nothing_is_remembered_where_code_of_others_decides(check):
    def shout(text: str) -> str:
        return text.upper()

    assert [check(filters={"shout": shout}), check(filters={"shout": shout})] == [True, True]


def test_an_installed_distribution_may_bring_a_target(check, tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    assert [check(), check()] == [True, False]
    (site / "more-1.0.dist-info").mkdir()
    assert [check(), check()] == [True, False]


def test_a_template_that_cannot_be_read_is_an_error_of_the_check(check, tmp_path):
    (tmp_path / "layer" / "policies.j2").symlink_to("nowhere")
    for _ in range(2):
        with pytest.raises(TemplateProblems, match=r"policies\.j2"):
            check()


def test_a_newer_wurzel_checks_again(check, tmp_path, monkeypatch):
    code = tmp_path / "code"
    code.mkdir()
    (code / "checker.py").write_text("1")
    monkeypatch.setattr("wurzel.render.checked._READERS", (code,))
    assert [check(), check()] == [True, False]
    (code / "checker.py").write_text("22")
    assert [check(), check()] == [True, False]


def test_what_others_could_have_written_does_not_count(check, cache_folder):
    check()
    (mark,) = cache_folder.glob("*.checked")
    cache_folder.chmod(0o777)
    assert check()
    cache_folder.chmod(0o700)
    mark.unlink()
    mark.symlink_to("/dev/null")
    assert check()


def test_without_a_cache_everything_is_checked(check, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [check(), check()] == [True, True]
