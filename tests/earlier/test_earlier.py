"""A project and a pack as they were written when 0.1.0 began, with all that came after: they render, check and run.

Never change `files/`. A change of wurzel that breaks them says at the place, and in CHANGELOG.md, what to write now.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wurzel.backends.registry import BUILT_IN

FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="module")
def wurzel(tmp_path_factory):
    """Run the command line in the project, which has the pack installed and is two folders below its documents."""
    top = tmp_path_factory.mktemp("earlier")
    project, site = top / "a" / "b", top / "site"
    shutil.copytree(FILES / "project", project)
    text = (project / "wurzel.yaml").read_text()
    (project / "wurzel.yaml").write_text(text.replace("version: 1\n", "version: 1\ntemplates: [acme]\n"))
    for name in ("backends", "decisions"):
        (top / name).mkdir()
        (top / name / f"{name}.md").write_text(f"# {name}\n\nWords about {name}.\n\n## More\n\nMore words.\n")
    shutil.copytree(FILES / "pack", site / "acme_wurzel")
    info = site / "acme_wurzel-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-wurzel\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wurzel.templates]\nacme = acme_wurzel\n")

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "wurzel", *words],
            cwd=project, env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    run.project = project
    done = run("render")
    assert done.returncode == 0, done.stderr
    return run


def test_it_renders_for_every_target_with_what_the_pack_adds(wurzel):
    files = json.loads(wurzel("render", "--check", "--format", "json").stdout)
    assert {Path(change["path"]).parts[0] for change in files["files"]} == {
        "dvc.yaml", "params.yaml", "argo", ".gitlab-ci.yml", ".gitlab", ".github", "dags", "run-rag.sh", "cronjob",
    }  # fmt: skip
    assert set(BUILT_IN) == {"dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob"}
    workflow, *_ = YAML(typ="safe").load_all((wurzel.project / "argo" / "rag.yaml").read_text())
    assert workflow["metadata"]["labels"]["acme.example/managed-by"] == "platform"
    text = (wurzel.project / "argo" / "rag.yaml").read_text()
    assert text.count("registry.acme.example/") >= 2
    pod = (wurzel.project / "cronjob" / "rag.yaml").read_text()
    for words in (
        "acme.example/pool: pipelines",
        "registry.acme.example/ghcr.io/acme/rag:1.0",
        "restartPolicy: Always",
    ):
        assert words in pod


def test_its_templates_and_files_pass_every_check(wurzel):
    done = wurzel("templates", "check")
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    done = wurzel("check", "--skip", "environment")
    assert done.returncode == 0, done.stderr


def test_it_runs(wurzel):
    done = wurzel("run", "rag")
    assert done.returncode == 0, done.stderr
    assert "8 ran in" in done.stderr
