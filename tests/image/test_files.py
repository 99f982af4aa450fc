"""`wurzel image` writes a Dockerfile for the project as it is; tests/engines builds one and runs it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.exceptions import StepFailed, UsageError, WurzelWarning
from wurzel.image import build

DIGEST = f"sha256:{'0' * 64}"
CONFIG = f"""version: 1
requires: wurzel[store]==0.1.0
container: {{base: "python:3.12-slim@{DIGEST}", image: "ghcr.io/acme/rag:1.0", packages: [libgomp1, jq]}}
pipelines: {{chain: {{entrypoint: "flow:chain", data_dir: out/data}}}}
"""


def run(*words):
    return invoke("image", *words)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("wurzel.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "copied", "installs", "locked"),
    [
        (["uv.lock", "pyproject.toml"], ["pyproject.toml", "uv.lock"], "uv sync --frozen --no-dev", True),
        (["poetry.lock", "pyproject.toml"], ["pyproject.toml", "poetry.lock"], "poetry install --no-interaction", True),
        (["requirements.txt", "pyproject.toml"], ["requirements.txt"], "--requirement requirements.txt", False),
        (["pdm.lock", "pyproject.toml"], ["pyproject.toml", "pdm.lock"], "pdm sync --prod --no-self", True),
        (["pyproject.toml"], ["pyproject.toml"], "--requirement project.names", False),
        ([], [], 'pip install "wurzel[store]==0.1.0"', False),
    ],
)
def test_packages_come_from_what_the_project_has(here, files, copied, installs, locked):
    for name in files:
        Path(name).write_text("[project]\n" if name.endswith(".toml") else "")
    done = run()
    assert done.exit_code == 0
    text = Path("Dockerfile").read_text()
    assert re.findall(r'^COPY \["([^"]+)"', text, re.MULTILINE) == copied
    assert installs in text
    assert ('pip install "wurzel[store]==0.1.0"' in text) is ("lock" not in str(files))
    assert ("not locked" in done.stderr) is not locked
    assert text.count(f"FROM python:3.12-slim@{DIGEST}") == 2
    assert text.index("COPY --from=build") < text.index("USER 1000:1000") < text.index("COPY . /app")
    assert "        jq \\\n        libgomp1 \\\n" in text
    assert "/var/cache/apt/*.bin" in text  # apt's own index, which differs in each build and has tens of MB
    assert "PYTHONPATH=/app " in text


def test_hashes_lock_requirements_and_a_src_folder_is_on_the_path(here):
    Path("requirements.txt").write_text("click==8.0 --hash=sha256:00\n")
    Path("src").mkdir()
    assert "versions of packages are not locked" in str(run("--strict").exception)  # what wurzel needs has no hash
    Path("requirements.txt").write_text("wurzel==0.1.0 --hash=sha256:00\n")
    done = run("--strict")
    assert (done.exit_code, done.stderr) == (0, "created Dockerfile\ncreated .dockerignore\n")
    assert "PYTHONPATH=/app/src " in Path("Dockerfile").read_text()


def test_files_that_requirements_include_are_copied(here):
    Path("deps").mkdir()
    Path("requirements.txt").write_text(
        "-r deps/base.txt\n-c https://example.com/all.txt\n  --constraint=limits.txt # why\n"
    )
    Path("deps/base.txt").write_text("wurzel==0.1.0 --hash=sha256:00\n-r more.txt\n-r ../requirements.txt\n")
    Path("deps/more.txt").write_text("")
    Path("limits.txt").write_text("")
    done = run("--strict")
    assert (done.exit_code, done.stderr) == (0, "created Dockerfile\ncreated .dockerignore\n")
    copied = re.findall(r'^COPY \["([^"]+)"', Path("Dockerfile").read_text(), re.MULTILINE)
    assert copied == ["requirements.txt", "deps/base.txt", "limits.txt", "deps/more.txt"]


def test_wheels_that_requirements_name_are_copied(here):
    Path("wheels").mkdir()
    for name in ("wheels/a-1.whl", "b-1.whl", "c.tar.gz", "wheels/e-1.whl"):
        Path(name).write_text("")
    Path("requirements.txt").write_text(
        "--no-index\n--find-links=./wheels # ours\n./b-1.whl[more] ; python_version > '3'\nc @ file:./c.tar.gz\n-f https://x.example\n"
        "wheels/e-1.whl\nf @ https://x.example/f-1.whl\n"
    )
    assert run().exit_code == 0
    copied = re.findall(r'^COPY \["([^"]+)"', Path("Dockerfile").read_text(), re.MULTILINE)
    assert copied == ["requirements.txt", "wheels", "b-1.whl", "c.tar.gz", "wheels/e-1.whl"]
    Path("requirements.txt").write_text("../d.whl\n")
    Path("../d.whl").write_text("")
    assert "which is outside the project" in str(run().exception)


@pytest.mark.parametrize("name", ["gone.txt", "../outside.txt", "/etc/passwd"])
def test_files_that_requirements_include_must_be_in_the_project(here, name):
    Path("../outside.txt").write_text("")
    Path("requirements.txt").write_text(f"-r {name}\n")
    assert f"requirements.txt: includes {name}, which is not a file of the project" in str(run().exception)


def test_packages_of_the_project_itself_are_installed_from_a_copy(here):
    """pip gets no editable line, which would lead to what is not in the image."""
    for name in ("lib", "deps", "libs/two", "wheels"):
        Path(name).mkdir(parents=True)
    Path("requirements.txt").write_text(
        "-e .[store]  # us\n--editable=./lib\n-r deps/more.txt\nclick==8.0\n-e libs/two\n-f wheels\n-e git+https://x.example/y\n"
    )
    Path("deps/more.txt").write_text("./lib\n.\n")
    Path("pyproject.toml").write_text(
        '[project]\ndependencies = ["idna==3"]\noptional-dependencies = {store = ["attrs==1"], more = ["six"]}\n'
    )
    assert run().exit_code == 0
    text = Path("Dockerfile").read_text()
    copied = re.findall(r'^COPY \["([^"]+)"', text, re.MULTILINE)
    assert copied == ["requirements.txt", "deps/more.txt", "wheels", "pyproject.toml", "lib", "libs/two"]
    (line,) = (found for found in text.replace("\\\n", "").splitlines() if "sed" in found)
    words = line[line.index("sed") :].replace("pip install", "echo")
    done = subprocess.run(["bash", "-euc", words], check=True, capture_output=True, text=True)
    assert done.stdout == "--requirement requirements.txt --requirement project.names\n"
    assert Path("requirements.txt").read_text() == (
        "./lib\n-r deps/more.txt\nclick==8.0\n./libs/two\n-f wheels\ngit+https://x.example/y\n"
    )
    assert Path("deps/more.txt").read_text() == "./lib\n"
    assert Path("project.names").read_text() == "idna==3\nattrs==1\n"


def test_members_of_a_workspace_are_on_the_path(here):
    for path, text in {
        "pyproject.toml": '[project]\nname = "rag"\n[tool.uv.workspace]\nmembers = ["libs/*"]\n',
        "uv.lock": '[[package]]\nname = "wurzel"\nversion = "0.1.0"\n',
        "libs/one/pyproject.toml": "",
        "libs/two/src/two.py": "",
        "libs/two/pyproject.toml": "",
    }.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    done = run("--strict")
    assert (done.exit_code, done.stderr) == (0, "created Dockerfile\ncreated .dockerignore\n")
    text = Path("Dockerfile").read_text()
    assert 'COPY ["libs/one/pyproject.toml", "/build/libs/one/pyproject.toml"]' in text
    assert "uv sync --frozen --no-dev --no-install-workspace" in text
    assert "PYTHONPATH=/app:/app/libs/one:/app/libs/two/src " in text


def test_what_is_outside_the_project_is_refused(here, monkeypatch):
    (here / ".git").mkdir()
    Path("rag").mkdir()
    Path("rag/wurzel.yaml").write_text(CONFIG)
    Path("rag/pyproject.toml").write_text('[project]\nname = "rag"\n')
    Path("pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["rag"]\n')
    Path("uv.lock").write_text("")
    monkeypatch.chdir("rag")
    assert "../pyproject.toml is outside the project" in str(run().exception)
    assert "uv export --frozen" in str(run().exception)
    (here / "uv.lock").unlink()
    Path("requirements.txt").write_text("-e ../lib\n")
    (here / "lib").mkdir()
    assert "installs -e ../lib, which is outside the project" in str(run().exception)


LOCKED = {
    "uv": '[[package]]\nname = "x"\nsource = {{ {kind} = "{path}" }}\n',
    "pdm": '[[package]]\nname = "x"\npath = "./{path}"\n',
    "poetry": '[[package]]\nname = "x"\n[package.source]\ntype = "file"\nurl = "{path}"\n',
}


@pytest.mark.parametrize("manager", LOCKED)
def test_what_a_lock_file_installs_by_its_path_is_copied(here, manager):
    Path("libs/x").mkdir(parents=True)
    Path("vendor").mkdir()
    Path("vendor/x-1.whl").write_text("")
    Path("pyproject.toml").write_text("[project]\n")
    own = '[[package]]\nname = "rag"\nsource = { editable = "." }\n' if manager == "uv" else ""
    items = [("vendor/x-1.whl", "path"), ("libs/x", "editable")]
    entries = [LOCKED[manager].format(path=path, kind=kind) for path, kind in items]
    Path(f"{manager}.lock").write_text(own + "".join(entries))
    assert run().exit_code == 0
    text = Path("Dockerfile").read_text()
    copied = re.findall(r'^COPY \["([^"]+)"', text, re.MULTILINE)
    assert copied == ["pyproject.toml", f"{manager}.lock", "vendor/x-1.whl", "libs/x"]
    assert manager == "poetry" or "--no-editable" in text  # a path of the first stage is not in the image
    Path(f"{manager}.lock").write_text(LOCKED[manager].format(path="../x-1.whl", kind="path"))
    assert "x-1.whl, which is outside the project" in str(run().exception)


def test_a_folder_that_poetry_links_to_is_refused(here):
    Path("libs").mkdir()
    Path("pyproject.toml").write_text("[tool.poetry]\n")
    lock = LOCKED["poetry"].format(path="libs").replace('"x"\n', '"x"\ndevelop = true\n')
    Path("poetry.lock").write_text(lock)
    assert "installs a folder with `develop = true`" in str(run().exception)


@pytest.mark.parametrize(
    ("lock", "found"),
    [
        ("", "uv.lock has no wurzel, so the image has none"),
        ('[[package]]\nname = "wurzel"\nversion = "3.3.1"\n', "uv.lock has wurzel 3.3.1, but this is wurzel 0.1.0"),
    ],
)
def test_a_lock_file_with_another_wurzel_is_reported(here, lock, found):
    Path("pyproject.toml").write_text("")
    Path("uv.lock").write_text(lock)
    assert found in run().stderr
    assert found in str(run("--strict").exception)


@pytest.mark.parametrize("name", ["environment.yml", "setup.py"])
def test_what_the_dockerfile_does_not_install_is_reported(here, name):
    Path(name).write_text("")
    done = run()
    assert f"{name} is not installed in the image, only wurzel is" in done.stderr
    assert 'pip install "wurzel[store]==0.1.0"' in Path("Dockerfile").read_text()


@pytest.mark.parametrize(
    ("text", "is_reported"),
    [
        ('[tool.poetry.dependencies]\nclick = "8"\n', True),
        ('[project]\nname = "x"\ndynamic = ["dependencies"]\n', True),
        ('[project]\nname = "x"\n[tool.poetry.dependencies]\nclick = "8"\n', True),
        ('[project]\nname = "x"\ndependencies = ["click"]\n[tool.poetry.dependencies]\nclick = {path = "x"}\n', False),
        ('[project]\nname = "x"\ndynamic = ["version"]\n', False),
    ],
)
def test_dependencies_that_the_dockerfile_cannot_read_are_reported(here, text, is_reported):
    Path("pyproject.toml").write_text(text + '[build-system]\nrequires = ["x"]\n')
    assert ("does not list dependencies below [project]" in run().stderr) is is_reported


def test_a_data_folder_with_spaces_stays_out(here):
    Path("wurzel.yaml").write_text(CONFIG.replace("out/data", "'my *data#1'"))
    assert run().exit_code == 0
    assert "my??data?1" in Path(".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("manager", ["uv", "poetry"])
def test_a_lock_file_without_wurzel_is_reported(here, manager):
    Path("pyproject.toml").write_text("")
    lock = Path(f"{manager}.lock")
    lock.write_text('[[package]]\nname = "wurzel-tools"\nversion = "1"\n')
    assert f"{manager}.lock has no wurzel, so the image has none" in run().stderr
    lock.write_text('[[package]]\nname = "wurzel"\nversion = "0.1.0"\n')
    done = run("--strict")
    assert (done.exit_code, done.stderr) == (0, "Dockerfile is up to date\n.dockerignore is up to date\n")


def test_secrets_data_and_history_stay_out(here):
    run()
    ignored = Path(".dockerignore").read_text().splitlines()
    assert {".git", "**/.env", "**/.env.*", "**/*.pem", "report.html", ".wurzel", "data", "out/data"} <= set(ignored)


def test_data_of_environments_stays_out(here):
    stores = "store: ./kept\n", "store: {url: kept/prod}, ", "store: none, "
    text = (
        f"{stores[0]}environments: {{prod: {{{stores[1]}pipelines: {{chain: {{{stores[2]}data_dir: prod/data}}}}}}}}\n"
    )
    Path("wurzel.yaml").write_text(CONFIG + text)
    assert run().exit_code == 0
    assert {"prod/data", "kept", "kept/prod"} <= set(Path(".dockerignore").read_text().splitlines())


@pytest.mark.parametrize(
    "path", ["./wheels/wurzel-0.1.0-py3-none-any.whl", "{here}/wheels/wurzel-0.1.0-py3-none-any.whl"]
)
def test_a_local_wurzel_is_installed_from_where_it_is_copied_to(here, path):
    Path("wheels").mkdir()
    Path("wheels/wurzel-0.1.0-py3-none-any.whl").write_text("")
    Path("wurzel.yaml").write_text(CONFIG.replace("wurzel[store]==0.1.0", path.format(here=here)))
    assert run().exit_code == 0
    text = Path("Dockerfile").read_text()
    assert 'COPY ["wheels/wurzel-0.1.0-py3-none-any.whl", "/build/wheels/wurzel-0.1.0-py3-none-any.whl"]' in text
    assert 'pip install "./wheels/wurzel-0.1.0-py3-none-any.whl"' in text


def test_files_are_checked_and_kept(here):
    run()
    assert run("--check").exit_code == 0
    Path("wurzel.yaml").write_text(CONFIG.replace("[libgomp1, jq]", "[]"))
    done = run("--check")
    assert "apt-get" in done.stdout
    assert str(done.exception) == "out of date: Dockerfile\n  Run: wurzel image"
    assert run().exit_code == 0
    assert "apt-get" not in Path("Dockerfile").read_text()
    Path("Dockerfile").write_text("FROM mine\n")
    assert run().exit_code != 0
    assert Path("Dockerfile").read_text() == "FROM mine\n"


def test_the_base_and_what_the_project_says_are_labels(here):
    source = "org.opencontainers.image.source: https://github.com/acme/rag"
    Path("wurzel.yaml").write_text(
        CONFIG.replace("packages:", f"labels: {{{source}, licenses: MIT or  BSD}}, packages:")
    )
    assert run().exit_code == 0
    (labels,) = re.findall(r"^LABEL ((?:.*\\\n)*.*)$", Path("Dockerfile").read_text(), re.MULTILINE)
    assert labels.split("\\\n    ") == [
        "",
        'licenses="MIT or  BSD" ',
        f'org.opencontainers.image.base.digest="{DIGEST}" ',
        'org.opencontainers.image.source="https://github.com/acme/rag" ',
        'org.opencontainers.image.base.name="python:3.12-slim"',
    ]


def test_a_layer_changes_a_block(here):
    Path("wurzel.yaml").write_text(CONFIG + "templates: [ours]\n")
    Path("ours/image").mkdir(parents=True)
    Path("ours/image/Dockerfile.j2").write_text(
        '{% extends "!image/Dockerfile.j2" %}\n{% block user %}\nUSER 4711:4711\n{% endblock %}\n'
    )
    assert run().exit_code == 0
    assert "USER 4711:4711\n" in Path("Dockerfile").read_text()
    assert invoke("templates", "check").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("container", "#", "wurzel.yaml: there is no `container`"),
        (f"@{DIGEST}", "", "wurzel.yaml:3:12: container.base: 'python:3.12-slim' has no digest"),
        ("wurzel[store]==0.1.0", "../wurzel", "requires: ../wurzel is outside the project"),
        ("wurzel[store]==0.1.0", "./wurzel.whl", "requires: ./wurzel.whl is not a file"),
        ("[libgomp1, jq]", "['x; rm -rf /']", "container.packages"),
        ("python:3.12-slim", "python 3", "container.base"),
        ("packages: [libgomp1, jq]", "labels: {a: $HOME}", "container.labels"),
        ("packages: [libgomp1, jq]", "labels: {A B: c}", "container.labels"),
    ],
)
def test_bad_input_is_refused_where_it_stands(here, old, new, message):
    Path("wurzel.yaml").write_text(CONFIG.replace(old, new, 1))
    done = run("--strict")
    assert message in str(done.exception)
    assert done.exception.exit_code == 2
    assert not Path("Dockerfile").exists()


def builder(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_first_builder_that_is_here_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="there is no docker, podman, buildah here"):
        build.builder()
    builder(tmp_path, "docker", "exit 1")
    with pytest.raises(UsageError, match="docker has no buildx here"):
        build.builder()
    builder(tmp_path, "buildah", "exit 0")
    assert build.builder() == "buildah"
    builder(tmp_path, "docker", "exit 0")
    assert build.builder() == "docker"
    assert build.builder("buildah") == "buildah"
    with pytest.raises(UsageError, match="there is no podman here"):
        build.builder("podman")


def test_a_pushed_image_is_named_by_its_digest(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    builder(tmp_path, "buildah", f'echo pushing; printf {DIGEST} > "${{2#--digestfile=}}"')
    assert build.push("buildah", "localhost:5000/acme/rag:1.0") == f"localhost:5000/acme/rag@{DIGEST}"
    assert capfd.readouterr() == ("", "pushing\n")
    digests = f'[{{"RepoDigests": ["other@sha256:1", "acme/rag@{DIGEST}"]}}]'
    builder(tmp_path, "docker", f"[ $1 = push ] || echo '{digests}'")
    assert build.push("docker", "acme/rag:1.0") == f"acme/rag@{DIGEST}"
    builder(tmp_path, "docker", "exit 3")
    with pytest.raises(StepFailed, match="docker push exited with 3"):
        build.push("docker", "acme/rag:1.0")
    with pytest.raises(StepFailed, match="docker build exited with 3"):
        build.build("docker", tmp_path, "acme/rag:1.0")


def test_the_dockerfile_has_no_line_that_its_reader_would_join(here):
    """Each continued line is followed by another one, and a comment never stands within a command."""
    for files in (["uv.lock", "pyproject.toml"], ["requirements.txt"], []):
        for name in files:
            Path(name).write_text("")
        run("--force")
        lines = Path("Dockerfile").read_text().splitlines()
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            assert not line.endswith("\\") or following.startswith("    ")
        done = subprocess.run(["grep", "-c", "^RUN", "Dockerfile"], capture_output=True, text=True, check=True)
        assert int(done.stdout) >= 3


def test_without_requires_the_version_that_runs_is_pinned(here):
    Path("wurzel.yaml").write_text(CONFIG.replace("requires: wurzel[store]==0.1.0\n", ""))
    with pytest.warns(WurzelWarning, match="nothing says where wurzel comes from"):
        assert run().exit_code == 0
    assert 'pip install "wurzel==0.1.0"' in Path("Dockerfile").read_text()
