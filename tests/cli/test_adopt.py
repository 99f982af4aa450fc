"""`wurzel adopt`: values of edited files in wurzel.yaml, and nothing else in it changes."""

from pathlib import Path

import pytest
import yaml

from tests.command import invoke as run
from wurzel.exceptions import CheckFailed, ConfigError, UsageError
from wurzel.project.edit import edited, setting_place

CONFIG = """# the nightly words
version: 1
pipelines:
  named:
    entrypoint: named:pipeline
    steps:
      suffix-en: {settings: {SUFFIX: th}}   # English
    targets:
      dvc: {}   # experiments
      github: {}
environments:
  prod: {}
"""


@pytest.fixture
def files(project):
    """A project whose files are rendered; gives what replaces a text in one of them."""
    project("named")
    Path("wurzel.yaml").write_text(CONFIG)
    assert run("render").exit_code == 0

    def replace(path, old, new):
        text = Path(path).read_text()
        assert old in text
        Path(path).write_text(text.replace(old, new))

    return replace


def test_the_values_of_an_experiment_go_into_the_configuration(files):
    files("params.yaml", "SUFFIX: th", "SUFFIX: st")
    checked = run("render", "--check")
    assert "wurzel adopt" in checked.exception.hint
    assert 'named.steps.suffix-en.settings.SUFFIX: "th" → "st" (params.yaml)' in checked.exception.hint
    refused = run("render")
    assert "wurzel adopt" in refused.stderr
    proposed = run("adopt", "--check")
    assert isinstance(proposed.exception, CheckFailed)
    assert Path("wurzel.yaml").read_text() == CONFIG
    assert run("adopt").exit_code == 0
    assert Path("wurzel.yaml").read_text() == CONFIG.replace("{SUFFIX: th}", "{SUFFIX: st}")
    assert run("render", "--check").exit_code == 0
    assert "nothing to adopt" in run("adopt").stderr


def test_a_default_is_added_and_an_environment_keeps_its_own(files):
    files("params.yaml", "TIMES: 1", "TIMES: 3")
    assert run("adopt", "-t", "dvc").exit_code == 0
    text = Path("wurzel.yaml").read_text()
    assert "TIMES: 3" in text
    assert "# English" in text
    run("render", "-e", "prod", "--force")
    files("params.yaml", "TIMES: 3", "TIMES: 4")
    assert run("adopt", "-e", "prod").exit_code == 0
    assert "TIMES: 4" in Path("wurzel.yaml").read_text().partition("environments:")[2]
    assert run("render", "-e", "prod", "--check").exit_code == 0


@pytest.mark.parametrize(("new", "reason"), [("TIMES: null", "is null"), ("TIMES: many", "TIMES")])
def test_a_value_that_does_not_fit_changes_nothing(files, new, reason):
    files("params.yaml", "TIMES: 1", new)
    refused = run("adopt")
    assert isinstance(refused.exception, ConfigError)
    assert reason in str(refused.exception)
    assert Path("wurzel.yaml").read_text() == CONFIG


def test_other_changes_of_a_file_are_kept(files):
    files("params.yaml", "SUFFIX: th", "SUFFIX: st\n    OTHER: 1")
    done = run("adopt")
    assert "has other changes as well" in done.stderr
    assert "OTHER: 1" in Path("params.yaml").read_text()


def test_pins_of_a_bot_go_into_the_options(files):
    path, new = ".github/workflows/named.yml", "actions/checkout@" + "1" * 40
    text = Path(path).read_text()
    old = next(line.strip() for line in text.splitlines() if "actions/checkout@" in line)
    files(path, old, f"uses: {new} # v9.0.0")
    assert run("adopt").exit_code == 0
    options = yaml.safe_load(Path("wurzel.yaml").read_text())["pipelines"]["named"]["targets"]["github"]
    assert options == {"actions": {"actions/checkout": f"{new} # v9.0.0"}}
    assert run("render", "--check").exit_code == 0


def test_without_a_project_there_is_nothing_to_write_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(run("adopt").exception, UsageError)


def test_lines_of_windows_stay(files):
    Path("wurzel.yaml").write_bytes(CONFIG.replace("\n", "\r\n").encode())
    files("params.yaml", "SUFFIX: th", "SUFFIX: st")
    assert run("adopt").exit_code == 0
    assert (
        Path("wurzel.yaml").read_bytes()
        == CONFIG.replace("{SUFFIX: th}", "{SUFFIX: st}").replace("\n", "\r\n").encode()
    )


class TestEdited:
    TEXT = "a:\n  settings:\n    DB: {HOST: x, PORT: 1}  # where\n    LIST: [1, 2]\nb: &b {c: 1}\nd: *b\n"

    def test_parts_of_a_name_are_found_where_they_are_written(self):
        place = ("a", "settings")
        assert setting_place(self.TEXT, place, "DB__HOST", "f") == (*place, "DB", "HOST")
        assert setting_place(self.TEXT, place, "DB__USER", "f") == (*place, "DB", "USER")
        assert setting_place(self.TEXT, place, "LIST__X", "f") == (*place, "LIST__X")
        assert setting_place(self.TEXT, ("new", "settings"), "X", "f") == ("new", "settings", "X")

    def test_a_mapping_becomes_exactly_the_new_one(self):
        new = edited(self.TEXT, {("a", "settings", "DB"): {"PORT": 2, "USER": "me"}}, "w")
        assert new == self.TEXT.replace("{HOST: x, PORT: 1}", "{PORT: 2, USER: me}")

    def test_what_is_behind_an_alias_is_refused(self):
        with pytest.raises(ConfigError, match="alias"):
            edited(self.TEXT, {("d",): {"c": 2}}, "w")
