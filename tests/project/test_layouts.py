"""Projects as they are: what is rendered for each layout, from each kind of install, and that its lines really run."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv

import pytest
import yaml

from tests.command import invoke
from wurzel.drift.accept import HEADER

CODE = """from wurzel import WZ, NoSettings, PydanticModel, TypedStep
from {words} import WORD

class Doc(PydanticModel):
    text: str

class Source(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return [Doc(text=WORD)]

class Copy(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt

pipeline = WZ(Source) >> WZ(Copy)
"""
BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PROJECT = '[project]\nname = "acme-words"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = [{}]\n'
FLAT = {"flow.py": CODE.format(words="words"), "words.py": 'WORD = "a"\n'}
SRC = {
    "src/acme/__init__.py": "",
    "src/acme/flow.py": CODE.format(words="acme.words"),
    "src/acme/words.py": "WORD = 'a'",
}
OF_FLAT = {
    "pyproject.toml": PROJECT.format('"wurzel"')
    + BUILD
    + '[tool.hatch.build]\ndev-mode-dirs = ["."]\ninclude = ["*.py"]\n'
}
LIB = {f"lib/{name.partition('/')[2]}": text for name, text in SRC.items()}
OF_LIB = {
    "pyproject.toml": PROJECT.format('"wurzel"')
    + BUILD
    + '[tool.hatch.build]\ndev-mode-dirs = ["lib"]\npackages = ["lib/acme"]\n'
}
OF_SRC = {
    "pyproject.toml": PROJECT.format('"wurzel"')
    + BUILD
    + '[tool.hatch.build]\ndev-mode-dirs = ["src"]\npackages = ["src/acme"]\n'
}
PIP = "python -m pip install"
LOCKED = '[[package]]\nname = "wurzel"\nversion = "0.1.0"\n'

LAYOUTS = {
    # name: folder, files, install line, cached by, words in front of a command
    "flat": ("", FLAT | OF_FLAT, f"{PIP} .", "pyproject.toml", ""),
    "src": ("", SRC | OF_SRC, f"{PIP} .", "pyproject.toml", ""),
    "lib": ("", LIB | OF_LIB, f"{PIP} .", "pyproject.toml", ""),
    "sub": ("services/words", FLAT | OF_FLAT, f"{PIP} .", "services/words/pyproject.toml", ""),
    "sub-src": ("services/words", SRC | OF_SRC, f"{PIP} .", "services/words/pyproject.toml", ""),
    "requirements": (
        "",
        FLAT | {"requirements.txt": "wurzel==0.1.0\n"},
        f"{PIP} --requirement requirements.txt",
        "requirements.txt",
        "",
    ),
    "hashes": (  # pip refuses what has no hash beside them
        "",
        FLAT
        | {
            "requirements.txt": "click==8.0 --hash=sha256:00\n",
            "wurzel.yaml": "requires: wurzel==0.1.0",
            ".python-version": "3.13",
        },
        f"{PIP} --requirement requirements.txt && {PIP} wurzel==0.1.0",
        "requirements.txt",
        "",
    ),
    "sub-requirements": (
        "words",
        FLAT | {"requirements.txt": "wurzel==0.1.0\n"},
        f"{PIP} --requirement requirements.txt",
        "words/requirements.txt",
        "",
    ),
    "setup.py": ("", FLAT | {"setup.py": 'setup(install_requires=["wurzel"])'}, f"{PIP} .", "setup.py", ""),
    "uv": (
        "",
        FLAT | OF_FLAT | {"uv.lock": LOCKED},
        "uv sync --locked --no-dev",
        "uv.lock",
        "uv run --no-sync ",
    ),
    "poetry": (
        "",
        FLAT | OF_FLAT | {"poetry.lock": LOCKED},
        f"{PIP} poetry==2.5.1 && poetry install --no-interaction --only main",
        "poetry.lock",
        "poetry run ",
    ),
    "pdm": (
        "",
        FLAT | OF_FLAT | {"pdm.lock": LOCKED},
        f"{PIP} 'pdm[locked]==2.26.9' && pdm sync --prod",
        "pdm.lock",
        "pdm run ",
    ),
    "conda": (
        "",
        FLAT | {"environment.yml": "dependencies: [python=3.12, pip, {pip: [wurzel==0.1.0]}]\n"},
        "conda env create --quiet --yes --name wurzel --file environment.yml",
        "environment.yml",
        "conda run --no-capture-output --name wurzel ",
    ),
    "none": ("", FLAT, f"{PIP} wurzel==0.1.0", "wurzel.yaml", ""),
}


def config(module, more=""):
    targets = "{github: {triggers: {push: {branches: [main]}}}, gitlab: {}, dvc: {}}"
    return f"version: 1\n{more}pipelines: {{words: {{entrypoint: '{module}:pipeline', targets: {targets}}}}}\n"


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make(top, layout, more=""):
    """A repository with one project; gives the project's folder."""
    folder, files, *_ = LAYOUTS[layout]
    project = top / folder
    module = "flow" if "flow.py" in files else "acme.flow"
    more += f"{files['wurzel.yaml']}\n" if "wurzel.yaml" in files else ""
    write(project, {**files, "wurzel.yaml": config(module, more)})
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    return project


def wurzel(*words, at, python=sys.executable, **environ):
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | environ
    done = subprocess.run(
        [python, "-m", "wurzel", *words], cwd=at, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def rendered(top):
    """Every file that was rendered, by its path below the top of the repository."""
    paths = (path for path in top.rglob("*") if path.is_file() and ".git" not in path.relative_to(top).parts)
    texts = {path.relative_to(top).as_posix(): path.read_bytes() for path in paths}
    return {name: text for name, text in texts.items() if b"Rendered by `" in text}


def loaded(text):
    return yaml.safe_load(text.replace(b"\non:", b"\n'on':"))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command line in this process: starting one takes most of the time of these tests."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*words, at, code=0):
        monkeypatch.chdir(at)
        done = invoke(*list(words))
        assert done.exit_code == code, done.output + str(done.exception)
        return done

    yield run
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_fit_the_project(tmp_path, command, layout):
    folder, _, install, cached, runner = LAYOUTS[layout]
    project = make(tmp_path, layout)
    done = command("render", at=project)
    assert ("nothing says where wurzel comes from" in done.stderr) is (layout == "none")
    assert "has no wurzel" not in done.stderr
    files = rendered(tmp_path)
    stem = f"{folder.replace('/', '-')}-words".lstrip("-")
    root = f".gitlab/{stem}.gitlab-ci.yml" if folder else ".gitlab-ci.yml"
    assert set(files) == {f".github/workflows/{stem}.yml", root, f"{folder}/dvc.yaml".lstrip("/")}
    for platform, install_line, run, cache in (
        _of_github(loaded(files[f".github/workflows/{stem}.yml"]), folder),
        _of_gitlab(loaded(files[root]), folder, stem),
    ):
        assert install_line == install, platform
        assert run.startswith(f"{runner}wurzel run words"), platform
        assert cache == cached or (layout, platform) == ("conda", "github"), platform
    assert command("-C", folder or ".", "render", "--check", at=tmp_path).stderr.endswith("3 files are up to date\n")
    for platform in ("github", "gitlab"):
        text = command("ci", platform, "--stdout", at=project).stdout
        assert install in text
        assert f"{runner}wurzel render --check" in text
        assert (f"{folder}/**" in text) is bool(folder)
        wanted = "3.13" if layout == "hashes" else "3.12"
        assert layout in {"uv", "conda"} or f"python:{wanted}" in text or f"python-version: '{wanted}'" in text


def _of_github(data, folder):
    (job,) = data["jobs"].values()
    lines = [step for step in job["steps"] if "run" in step]
    values = {key: value for step in job["steps"] for key, value in step.get("with", {}).items()}
    key = next(
        (str(step["with"]["key"]) for step in job["steps"] if "pypoetry" in str(step) or "/pdm" in str(step)), ""
    )
    cached = values.get("cache-dependency-path") or values.get("cache-dependency-glob") or key.partition("'")[2][:-5]
    assert data.get("defaults", {"run": {}})["run"].get("working-directory", "") == folder
    assert data["on"]["push"].get("paths", [""])[0] == (f"{folder}/**" if folder else "")
    below = [path for path in values["path"].split("\n") if not path.startswith("~")]
    assert below
    assert all(path.startswith(folder) for path in below)
    return "github", lines[0]["run"], lines[1]["run"], cached


def _of_gitlab(data, folder, stem):
    job = data[stem]
    assert job["artifacts"]["reports"]["junit"] == f"{folder}/junit.xml".lstrip("/")
    assert all(path.startswith(folder) for path in job["artifacts"]["paths"])
    *before, install = job["before_script"]
    assert before == ([f"cd {folder}"] if folder else [])
    return "gitlab", install, job["script"][-1].replace("\\\n ", ""), job["cache"][0]["key"]["files"][0]


@pytest.fixture
def environment(tmp_path_factory):
    """A virtual environment in which wurzel is installed, and what else the tests have."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "tests.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    script = home / "bin" / "wurzel"
    script.write_text(f"#!{home}/bin/python\nfrom wurzel.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return home


OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.mark.parametrize("layout", ["sub-src", "requirements"])
def test_the_lines_of_a_job_run(tmp_path, environment, layout):
    """As a runner would: a clean checkout, each line with the shell and in the folder that the file says."""
    make(tmp_path / "made", layout)
    wurzel("render", at=tmp_path / "made" / LAYOUTS[layout][0])
    top = tmp_path / "checkout"
    shutil.copytree(tmp_path / "made", top)
    (path,) = (top / ".github/workflows").iterdir()
    data = loaded(path.read_bytes())
    (job,) = data["jobs"].values()
    bin_first = f"{environment}/bin:{os.environ['PATH']}"
    for step in job["steps"]:
        if "run" in step:
            folder = top / data.get("defaults", {"run": {}})["run"].get("working-directory", ".")
            environ = {**os.environ, **OFFLINE, "PATH": bin_first, **step.get("env", {})}
            words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        elif "upload-artifact" in step["uses"]:
            for kept in step["with"]["path"].split("\n"):
                assert list((top / kept).glob("part-*")), kept


@pytest.mark.parametrize("layout", ["lib", "sub"])
def test_every_kind_of_install_renders_the_same_files(tmp_path, environment, layout):
    """Nothing installed, an editable install, and a wheel, which is older than the code; what runs is in the tree."""
    python = environment / "bin/python"
    found = []
    for words in ([], ["-e", "."], ["."]):
        top = tmp_path / f"kind-{len(found)}"
        project = make(top, layout)
        if words:
            command = [python, "-m", "pip", "install", "-q", "--force-reinstall", *words]
            subprocess.run(command, cwd=project, env={**os.environ, **OFFLINE}, check=True)
        next(project.rglob("words.py")).write_text("WORD = 'b'\n")
        wurzel("render", at=project, python=python)
        found.append(rendered(top))
    assert found[0] == found[1] == found[2]
    deps = yaml.safe_load(found[0][f"{LAYOUTS[layout][0]}/dvc.yaml".lstrip("/")])["stages"]["source"]["deps"]
    assert [path for path in deps if path.endswith("words.py")]
    wurzel("run", "words", at=project, python=python)
    assert '{"text":"b"}' in (project / "data/copy/part-00000.json").read_text()


def test_two_projects_of_one_repository_leave_each_other_alone(tmp_path, command):
    """Pipelines of one name; what one no longer renders is an orphan of that one only."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for folder in ("words", "deep/words"):
        write(tmp_path / folder, {**FLAT, "requirements.txt": "wurzel", "wurzel.yaml": config("flow")})
        command("render", at=tmp_path / folder)
        command("ci", "github", at=tmp_path / folder)
    names = [path.name for path in sorted((tmp_path / ".github/workflows").iterdir())]
    assert names == ["deep-words-words.yml", "words-words.yml", "wurzel-deep-words.yml", "wurzel-words.yml"]
    assert HEADER.match((tmp_path / ".github/workflows/words-words.yml").read_bytes())  # the job that pushes takes it
    (tmp_path / "words/wurzel.yaml").write_text(config("flow").replace("gitlab: {}, ", ""))
    done = command("render", "--prune", at=tmp_path / "words")
    assert "removed ../.gitlab/words-words.gitlab-ci.yml" in done.stderr
    for folder in ("words", "deep/words"):
        command("render", "--check", at=tmp_path / folder)
    moved = tmp_path / ".github/workflows/words-words.yml"
    moved.write_bytes((tmp_path / ".github/workflows/deep-words-words.yml").read_bytes())
    done = command("render", at=tmp_path / "words", code=1)
    assert "belongs to the project in deep/words" in str(done.exception)
    assert "deep/words" in moved.read_text()


def test_what_a_project_installs_from_its_repository_starts_it_too(tmp_path, command):
    project = make(tmp_path, "sub-requirements")
    (project / "requirements.txt").write_text(
        "wurzel==0.1.0\n-e ../lib  # ours\n--editable=./own\n-r more.txt\n-e own/../../linked\n"
    )
    (project / "more.txt").write_text("acme-base @ file:../base\n../outside\nclick==8\nown/../../plain\n-e git+x/y\n")
    for name in ("lib", "base", "words/own", "linked", "plain"):
        (tmp_path / name).mkdir()
    (tmp_path / "lib/pyproject.toml").write_text('[tool.uv.sources]\nacme-deep = {path = "../deep", editable = true}\n')
    (tmp_path / "deep").mkdir()
    command("render", at=project)
    paths = loaded((tmp_path / ".github/workflows/words-words.yml").read_bytes())["on"]["push"]["paths"]
    assert paths == [
        "words/**",
        *(f"{name}/**" for name in ("base", "deep", "lib", "linked", "plain")),
        ".github/workflows/words-words.yml",
    ]
    (project / "wurzel.yaml").write_text(config("flow").replace("[main]", "[main], paths: [docs/**]"))
    command("render", at=project)
    assert loaded((tmp_path / ".github/workflows/words-words.yml").read_bytes())["on"]["push"]["paths"] == ["docs/**"]


def test_a_member_of_a_uv_workspace_has_the_lock_file_above_it(tmp_path, command):
    project = make(tmp_path, "sub")
    write(
        tmp_path,
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["services/*", "libs/*"]\n',
            "uv.lock": LOCKED,
            "libs/base/pyproject.toml": '[project]\nname = "acme-base"\n',
        },
    )
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.uv.sources]\nacme-base = {workspace = true}\n")
    command("render", at=project)
    data = loaded((tmp_path / ".github/workflows/services-words-words.yml").read_bytes())
    assert "enable-cache" in str(data)
    assert "'cache-dependency-glob': 'uv.lock'" in str(data)
    assert data["on"]["push"]["paths"] == [
        "services/words/**",
        "libs/base/**",
        "pyproject.toml",
        "uv.lock",
        ".github/workflows/services-words-words.yml",
    ]


def test_a_root_file_of_gitlab_that_is_not_ours_is_left_alone(tmp_path, command):
    project = make(tmp_path, "flat")
    (project / ".gitlab-ci.yml").write_text("stages: [test]\n")
    done = command("render", at=project)
    assert "  include: {local: .gitlab/words.gitlab-ci.yml}" in done.stderr
    assert (project / ".gitlab-ci.yml").read_text() == "stages: [test]\n"
    (project / "wurzel.yaml").write_text(config("flow").replace("gitlab: {}", "gitlab: {kind: root}"))
    assert "was not written by wurzel" in str(command("render", at=project, code=1).exception)


@pytest.mark.parametrize(
    ("folder", "path"), [(".", "a/b/.github/workflows/words.yml"), ("b", "a/.github/workflows/b-words.yml")]
)
def test_the_file_says_where_the_project_is(tmp_path, command, folder, path):
    make(tmp_path, "flat")
    shutil.copytree(tmp_path, tmp_path / "a/b", ignore=shutil.ignore_patterns(".git", "a"))
    (tmp_path / "a/b/wurzel.yaml").write_text(config("flow", f"folder: {folder}\n"))
    command("render", at=tmp_path / "a/b")
    assert path in rendered(tmp_path)


def test_a_wrong_folder_is_refused(tmp_path, command):
    project = make(tmp_path, "sub", "folder: services/other\n")
    done = command("render", at=project, code=1)
    assert "wurzel.yaml:2:9: folder: 'services/other', but the project is in" in str(done.exception)
    assert not (tmp_path / ".github").exists()
    assert "cannot work in this folder" in str(command("-C", "nowhere", "render", at=tmp_path, code=1).exception)


def test_another_output_folder_stands_for_the_top(tmp_path, command):
    project = make(tmp_path, "sub")
    command("render", "-o", "out", at=project)
    assert "services/words/out/.github/workflows/services-words-words.yml" in rendered(tmp_path)
    assert not (tmp_path / ".github").exists()


@pytest.mark.parametrize("output", ["../../../x.yml", "../../..", "a/../../../../x.yml", "/x.yml"])
def test_nothing_is_written_outside_the_repository(tmp_path, command, output):
    project = make(tmp_path / "repository", "sub")
    (project / "wurzel.yaml").write_text(config("flow").replace("github: {", f"github: {{output: '{output}', "))
    assert "outside the project" in str(command("render", at=project, code=1).exception)
    (project / "wurzel.yaml").write_text(config("flow").replace("dvc: {", "dvc: {output: ../dvc.yaml"))
    assert "outside the project" in str(command("render", at=project, code=1).exception)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("requirements.txt", "click\n", "requirements.txt does not name wurzel, and nothing else says where"),
        ("requirements.txt", "wurzel-tools==1\n", "requirements.txt does not name wurzel"),
        ("requirements.txt", "wurzel\n", "asks for any wurzel, and the index of pip has another program of this name"),
        ("requirements.txt", "wurzel[store]>=0.1  # ours\n", "asks for wurzel >=0.1, and the index of pip has another"),
        ("requirements.txt", "wurzel == 3.3.1\n", "has wurzel 3.3.1, but this is wurzel 0.1.0"),
        ("requirements.txt", "wurzel[store]==0.1.0 --hash=sha256:00\n", ""),
        ("requirements.txt", "wurzel @ https://example.com/wurzel-0.1.0-py3-none-any.whl\n", ""),
        ("requirements.txt", "./wheels/wurzel-0.1.0-py3-none-any.whl\n", ""),
        ("requirements.txt", "wurzel-0.1.0-py3-none-any.whl\n", ""),
        ("uv.lock", '[[package]]\nname = "wurzel"\nversion = "3.3.1"\n', "uv.lock has wurzel 3.3.1, but this is"),
        ("poetry.lock", '[[package]]\nname = "click"\nversion = "8"\n', "poetry.lock has no wurzel, so jobs without"),
        ("environment.yml", "dependencies: [{pip: ['wurzel>=3']}]\n", "asks for wurzel >=3, and the index"),
        ("environment.yml", "dependencies:\n  - pip:\n    - wurzel==0.1.0\n", ""),
        ("pyproject.toml", '[project]\ndependencies = ["wurzel[store]==0.1.0", "x"]\n', ""),
        ("pyproject.toml", '[project]\ndependencies = ["wurzel"]\n', "asks for any wurzel"),
    ],
)
def test_another_program_of_this_name_is_named(tmp_path, command, name, text, found):
    if name != "pyproject.toml":
        (tmp_path / "pyproject.toml").write_text("")
    write(tmp_path, {**FLAT, name: text, "wurzel.yaml": config("flow")})
    said = command("render", at=tmp_path).stderr.partition("created")[0]
    assert found in said
    assert bool(said) is bool(found)
    if "another program" in found:
        (tmp_path / "wurzel.yaml").write_text(config("flow", "requires: wurzel==0.1.0\n"))
        assert "warning" not in command("render", at=tmp_path).stderr


def test_a_workflow_that_nobody_would_read_is_a_warning(tmp_path, command):
    project = make(tmp_path, "sub-requirements")
    text = config("flow")
    (project / "wurzel.yaml").write_text(text.replace("github: {", "github: {output: .github/workflows/x.yml, "))
    said = command("render", at=project).stderr
    assert "words: output: nothing at words/.github/workflows/x.yml in the repository is read" in said
    assert "Leave it out, or write a path below ../.github/workflows/." in said
    (project / "wurzel.yaml").write_text(text.replace("github: {", "github: {output: ../.github/workflows/x.yml, "))
    assert "is read" not in command("render", at=project).stderr
    assert (tmp_path / ".github/workflows/x.yml").exists()


def test_a_copy_without_the_repository_renders_the_same_below_itself(tmp_path, command):
    """As in an image, or where `wurzel prove` runs it."""
    project = make(tmp_path / "repository", "sub", "folder: services/words\n")
    command("render", at=project)
    shutil.copytree(project, tmp_path / "app")
    command("render", at=tmp_path / "app")
    name = ".github/workflows/services-words-words.yml"
    (first, one), (second, other) = (
        path.read_text().split("\n", 1) for path in (tmp_path / "repository" / name, tmp_path / "app" / name)
    )
    assert one == other
    assert first.startswith("# Rendered by `wurzel -C services/words render words -t github`")
    assert second.startswith("# Rendered by `wurzel render words -t github`")


@pytest.mark.parametrize(
    "text",
    [
        "tool = 1\n",
        "[tool]\nuv = [1]\n",
        "[tool.uv]\nworkspace = 3\nsources = 'x'\n",
        '[tool.uv.workspace]\nmembers = 5\nexclude = [1, "", "/abs/*", ".", "../*"]\n',
        '[tool.uv.workspace]\nmembers = [1, "", "/abs/*", ".", "../*"]\n[tool.uv.sources]\nx = {workspace = true}\n',
        "[tool.uv.sources]\nx = {path = 1}\ny = {path = '\\u0007'}\n",
        '[tool.uv.workspace]\nmembers = ["\\u0000"]\n[tool.uv.sources]\nx = {path = "\\u0000"}\n',
        "project = 'x'\n",
        "not toml [\n",
        "\0\ufffd",
    ],
)
def test_what_other_programs_would_refuse_breaks_nothing(tmp_path, command, text):
    project = make(tmp_path, "sub-requirements")
    for folder in (tmp_path, project):
        (folder / "pyproject.toml").write_text(text)
        (folder / "uv.lock").write_text(text)
    command("render", at=project)
    (project / "uv.lock").unlink()
    (project / "requirements.txt").write_text("-r \0\n-e ./\0\n-r requirements.txt\n-r ..\n")
    command("render", at=project)
