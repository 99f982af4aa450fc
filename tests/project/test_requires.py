"""`requires` in wurzel.yaml says which wurzel generated files install, and never leaves that to an index."""

from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.exceptions import ConfigError
from wurzel.project.load import load
from wurzel.version import __version__

CONFIG = "version: 1\nrequires: {}\npipelines: {{}}\n"


@pytest.fixture
def requires(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text):
        Path("wurzel.yaml").write_text(CONFIG.format(repr(text)))
        return load(Path("wurzel.yaml")).requires

    return read


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (f"wurzel=={__version__}", __version__),
        (f"Wurzel[markdown, store] == {__version__}", __version__),
        ("wurzel @ git+https://github.com/acme/wurzel@0123abc", ""),
        ("wurzel[store] @ https://example.com/wurzel-0.1.0-py3-none-any.whl", ""),
        ("./wheels/wurzel-0.1.0-py3-none-any.whl", ""),
        ("wheels/wurzel-0.1.0.tar.gz", ""),
        ("../wurzel", ""),
        ("/opt/wurzel", ""),
    ],
)
def test_a_version_a_url_or_a_path(requires, text, version):
    found = requires(text)
    assert found.version == version
    assert found.text.replace(" ", "") == text.replace(" ", "")
    assert found.is_path is ("/" in text and "@" not in text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wurzel", "'wurzel' allows several versions, also of another program of this name"),
        ("wurzel>=0.1,<4", "allows several versions"),
        ("wurzel==0.1.*", "allows several versions"),
        ("wurzel==99.0", "'wurzel==99.0', but this is wurzel 0."),
        ("wurzels==0.1.0", "'wurzels' is another package"),
        ("wurzel==0.1.0; python_version > '3'", "a marker behind `;` is not supported"),
        ("-r requirements.txt", "is not a requirement"),
        ("wurzel==0.1.0 --index-url https://example.com", "is not a requirement"),
        ("wurzel @ https://user:hunter22@example.com/w.whl", "looks like a secret"),
    ],
)
def test_everything_else_is_refused_where_it_stands(requires, text, message):
    with pytest.raises(ConfigError) as caught:
        requires(text)
    assert f"wurzel.yaml:2:11: {'' if 'secret' in message else 'requires: '}" in str(caught.value)
    assert message in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_password_is_refused_and_not_shown(requires):
    with pytest.raises(ConfigError, match="the URL contains a password") as caught:
        requires("wurzel @ https://me:s3cr3t-word@example.com/wurzel-0.1.0-py3-none-any.whl")
    assert "s3cr3t" not in str(caught.value)


def test_a_ci_file_installs_it_and_never_just_wurzel(requires):
    requires("wurzel @ git+https://github.com/acme/wurzel@0123abc")
    for platform in ("github", "gitlab"):
        text = invoke("ci", platform, "--stdout").stdout
        assert "python -m pip install 'wurzel @ git+https://github.com/acme/wurzel@0123abc'" in text
    Path("wurzel.yaml").write_text("version: 1\npipelines: {}\n")
    done = invoke("ci", "github", "--stdout")
    assert "wurzel.yaml: nothing says where wurzel comes from, so wurzel==0.1.0" in done.stderr
    assert f"run: python -m pip install wurzel=={__version__}\n" in done.stdout
    Path("pyproject.toml").write_text('[project]\nname = "rag"\nversion = "1"\ndependencies = ["wurzel"]\n')
    assert "run: python -m pip install .\n" in invoke("ci", "github", "--stdout").stdout
