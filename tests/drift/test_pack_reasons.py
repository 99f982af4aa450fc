"""A check after a pack came, went or changed: what it changed is its own, never a line that stayed as it was."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command import invoke as run

PACK = Path(__file__).parents[2] / "docs" / "examples" / "organisation-pack" / "acme_wurzel"
TARGETS = [word for name in ("dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob") for word in ("-t", name)]


FEW = ["-t", "argo", "-t", "gitlab", "-t", "cronjob"]


def reasons(targets=TARGETS):
    done = run("render", *targets, "--check", "--format", "json")
    assert done.exit_code == 1, done.output
    return [reason for file in json.loads(done.stdout)["files"] for reason in file.get("reasons", ())]


@pytest.fixture
def acme(project, pack):
    """The example pack, installed; gives what uses it or does not."""
    project("scheduled")
    files = {file.relative_to(PACK).as_posix(): file.read_text() for file in PACK.rglob("*") if file.suffix in SUFFIXES}
    pack("acme", "1.0", files)
    # 4 cpu for each of three slices in one container of a CronJob are more than the pack allows
    plain = Path("wurzel.yaml").read_text().replace('cpu: "4"', 'cpu: "2"')

    def use(*, it, plain=plain):
        named = plain.replace("version: 1\n", "version: 1\ntemplates: [acme]\nvariables: {owner: docs}\n", 1)
        Path("wurzel.yaml").write_text(named if it else plain)

    use.plain = plain
    return use


SUFFIXES = {".j2", ".py", ".yaml"}


def test_a_new_pack(acme):
    acme(it=False)
    assert run("render", *TARGETS).exit_code == 0
    acme(it=True)
    found = reasons()
    assert len(found) > 100
    places = {reason["place"] for reason in found}
    assert all(place.startswith(("pack acme: wurzel-pack.yaml:", "acme!", "acme (none) → 1.0")) for place in places)
    # labels by number, containers, and the job that tells of a failure: what several settings make together
    assert len([reason for reason in found if reason["place"].startswith("acme (")]) < 10
    (rules,) = {reason["field"] for reason in found if reason["path"].startswith("workflow.rules")}
    assert rules == "targets.gitlab.rules"
    assert not any("wurzel.yaml:" in place.replace("wurzel-pack.yaml:", "") for place in places)


def test_a_new_pack_and_a_change_of_the_project(acme):
    acme(it=False)
    assert run("render", *FEW).exit_code == 0
    acme(it=True, plain=acme.plain.replace("Words, nightly", "Words, daily").replace('SUFFIX: "?"', 'SUFFIX: "!"'))
    found = [reason for reason in reasons(FEW) if reason["place"].startswith("wurzel.yaml:")]
    assert {reason["field"] for reason in found} == {"description", "settings.SUFFIX"}


def test_a_pack_that_is_no_longer_named(acme):
    acme(it=True)
    assert run("render", *TARGETS).exit_code == 0
    acme(it=False)
    found = reasons()
    assert len(found) > 100
    assert {reason["place"] for reason in found} == {"acme 1.0 → (none)"}
    assert not any(reason["field"] for reason in found)


def test_a_pack_that_is_no_longer_installed(acme, pack):
    acme(it=True)
    assert run("render", *FEW).exit_code == 0
    acme(it=False)
    for folder in pack.site.glob("acme_wurzel*"):
        shutil.rmtree(folder)
    found = reasons(FEW)
    assert all(reason["place"].endswith("acme 1.0 → (none)") for reason in found)
    assert not any("wurzel!" in reason["place"] for reason in found)


def test_a_version_that_writes_something_else(acme, pack):
    acme(it=True)
    assert run("render", *FEW).exit_code == 0
    files = {file.relative_to(PACK).as_posix(): file.read_text() for file in PACK.rglob("*") if file.suffix in SUFFIXES}
    files["filters.py"] = files["filters.py"].replace("registry.acme.example/", "images.acme.example/")
    files["wurzel-pack.yaml"] = (
        files["wurzel-pack.yaml"].replace("proxy.acme", "egress.acme").replace("[acme]", "[all]")
    )
    files["acme/_labels.yaml.j2"] = files["acme/_labels.yaml.j2"].replace("platform", "platform-team")
    pack("acme", "2.0", files)
    found = reasons(FEW)
    assert len(found) > 10
    for reason in found:
        assert reason["place"].startswith(("pack acme: wurzel-pack.yaml:", "acme!", "acme 1.0 → 2.0")), reason


def test_explanations_of_what_a_project_changes_stay_as_they_are(acme):
    acme(it=True)
    assert run("render", *FEW).exit_code == 0
    acme(it=True, plain=acme.plain.replace("words:1.0", "words:1.1"))
    assert {reason["place"].partition(":")[0] for reason in reasons(FEW)} == {"wurzel.yaml"}
