"""Rendered DAG files in the real Airflow: imported, serialized, their pods built, and run to the same bytes as here."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.conftest import EXAMPLES
from tests.engines.containers import Containers
from tests.engines.datasets import DATA_DIRS, example, pipeline_name, wurzel, wurzel_run
from tests.engines.drivers.airflow import SECRET, Airflow
from tests.engines.processes import Processes
from tests.runtime.test_notice import webhook
from wurzel.backends import rendering
from wurzel.backends.airflow.validation import validate
from wurzel.engines.airflow import AirflowDags
from wurzel.engines.driver import collected
from wurzel.engines.pod import Pod, environment
from wurzel.project.jobs import Request, open_jobs
from wurzel.render import Renderer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600)]  # a fixture runs every example
HERE = Path(__file__).parent


def installed(version, folder):
    if missing := AirflowDags(version).missing():
        pytest.skip(missing)
    return Airflow(version, folder)


@pytest.fixture(scope="module")
def airflow_3(tmp_path_factory):
    return installed("3", tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def airflow_2(tmp_path_factory):
    return installed("2.11", tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module", params=["airflow_3", "airflow_2"])
def airflow(request):
    return request.getfixturevalue(request.param)


def render_here(project, name, *sets, target="airflow"):
    """Render an example in this process, which saves the start of the command for each of many."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.syspath_prepend(str(project))
        jobs, _ = open_jobs(Request([pipeline_name(project, name)], [target], sets=sets))
        (result,) = rendering.render(jobs, Renderer())
    for module in set(sys.modules) - before:
        if str(project) in (getattr(sys.modules[module], "__file__", None) or ""):
            del sys.modules[module]
    for file in result.files:
        path = project / file.output.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.rendered.text, encoding="utf-8")
    return project / result.files[0].output.path


def options(version, *entries):
    return [f"targets.airflow.{entry}" for entry in (f"version={version}", *entries)]


# Imported and serialized, without a run

OPERATORS = {
    "bash": [],
    "kubernetes": ["operator=kubernetes", "kubernetes.claim=data", "keep_days=3"],
    "docker": ["operator=docker", "docker.mounts=[{source: /srv, target: /wurzel}]", "task_groups=always"],
}


def import_all(airflow, root, mount):
    """Every example for every operator, as Airflow sees it."""
    for name in EXAMPLES:
        image = [] if name == "scheduled" else ["image=registry.example/words:1.0"]
        for operator, entries in OPERATORS.items():
            project = example(name, root / name / operator)
            sets = options(airflow.version, f"dag_id={name}.{operator}", f"kubernetes.mount={mount}", *entries)
            render_here(project, name, *sets, *image)
    return {**airflow.bag(root), "mount": mount}


@pytest.fixture(scope="module")
def imported_3(airflow_3, tmp_path_factory):
    return import_all(airflow_3, tmp_path_factory.mktemp("dags"), tmp_path_factory.mktemp("mount") / "claim")


@pytest.fixture(scope="module")
def imported_2(airflow_2, tmp_path_factory):
    return import_all(airflow_2, tmp_path_factory.mktemp("dags"), tmp_path_factory.mktemp("mount") / "claim")


@pytest.fixture(params=["imported_3", "imported_2"])
def imported(request):
    return request.getfixturevalue(request.param)


def test_airflow_imports_every_example(imported):
    assert imported["errors"] == {}
    assert set(imported["dags"]) == {f"{name}.{operator}" for name in EXAMPLES for operator in OPERATORS}


def test_serialized_dags_hold_no_place_of_this_machine(imported):
    """A path of the machine, or an address of an object, would make Airflow see a new version of the DAG each time."""
    for name, dag in imported["dags"].items():
        text = dag["serialized"].replace(dag["file"], "").replace(str(imported["mount"]), "")
        text = re.sub(r'"(fileloc|relative_fileloc|_processor_dags_folder)": "[^"]*"', "", text)
        assert "/tmp/" not in text.replace("/tmp/wurzel", ""), name  # in containers
        assert " object at 0x" not in text, name


def test_the_schedule_is_what_was_asked_for(imported):
    """At four in the morning in Berlin is three UTC in winter; a run that comes too late is skipped."""
    scheduled = imported["dags"]["scheduled.bash"]
    assert scheduled["starts"] == [f"2026-01-0{day}T03:00:00+00:00" for day in (1, 2, 3)]
    assert scheduled["late"] == [True, False, True]
    assert imported["dags"]["chain.bash"]["starts"] is None


def test_text_reaches_pods_unchanged(imported):
    """Through Airflow's templates and the kubelet's own `$(…)`."""
    configured = yaml.safe_load((HERE.parent / "pipelines" / "hostile.yaml").read_text(encoding="utf-8"))
    pipeline = configured["pipelines"]["hostile"]
    pods = imported["dags"]["hostile.kubernetes"]["pods"]
    for step, entry in pipeline["steps"].items():
        ((container,),) = [pod["spec"]["containers"] for pod in pods[step.replace("-", "_")]]
        variables = environment(container, {}, {})
        for name, value in pipeline["env"].items():
            assert variables[name] == value
        for name, value in entry["settings"].items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            assert variables[f"{step.upper().replace('-', '_')}__{name}"] == text


@pytest.mark.parametrize("name", ["grouped", "sharded", "hostile", "credentials"])
def test_pods_write_the_same_bytes_as_a_local_run(imported_3, tmp_path, name):
    """Every pod of one run, built by Airflow and run by a stand-in for the kubelet that shares one claim."""
    secrets = {("suffix", "api-token"): SECRET, ("shared", "token"): "t"}
    given = {"SECRET_SUFFIX__TOKEN": SECRET, "SHARED_TOKEN": "t"}
    expected = wurzel_run(example(name, tmp_path / "local"), name, env=given)
    project = example(name, tmp_path / "project")
    dag = imported_3["dags"][f"{name}.kubernetes"]
    runner = Processes(project, imported_3["mount"])
    for task in dag["tasks"]:
        for pod in dag["pods"].get(task, []):
            done = Pod(pod["spec"], tmp_path / "scratch", tmp_path / "claims", runner, secrets).run_all()
            assert done.code == 0, done.output
    (folder,) = (tmp_path / "claims" / "data" / DATA_DIRS.get(name, "data") / f"{name}.kubernetes").iterdir()
    assert folder.name == "run_manual__2026-01-01T00%3A00%3A00%2B00%3A00"
    assert collected(folder) == expected


def test_pods_are_what_the_cronjob_target_writes(imported, tmp_path):
    """Image, resources, security, volumes and selection of a step: the same words on both targets.

    A container of a CronJob runs all slices of a step, and each pod of Airflow one of them.
    """
    project = example("scheduled", tmp_path / "p")
    sets = ["--set=targets.cronjob.data={claim: {name: data}}", f"--set=targets.cronjob.mount={imported['mount']}"]
    text = wurzel(project, "render", "scheduled", "-t", "cronjob", "--stdout", *sets)
    documents = list(yaml.safe_load_all(text.stdout))
    (job,) = [document for document in documents if document["kind"] == "CronJob"]
    spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pods = {name: found[0]["spec"] for name, found in imported["dags"]["scheduled.kubernetes"]["pods"].items()}
    same = ("image", "command", "resources", "securityContext", "volumeMounts", "terminationMessagePolicy")
    for wanted in [*spec["initContainers"], *spec["containers"]]:
        (container,) = pods[wanted["name"]]["containers"]
        for mount in wanted["volumeMounts"]:
            mount.pop("subPath", None)  # in Airflow the folder of the DAG keeps pipelines apart within one claim
        if wanted["name"] == "suffix":
            cpus = (container.pop("resources")["requests"]["cpu"], wanted.pop("resources")["requests"]["cpu"])
            assert cpus == ("4", "12")
        assert {key: container.get(key) for key in same} == {key: wanted.get(key) for key in same}
        variables = {variable["name"]: variable.get("value") for variable in container["env"]}
        for variable in wanted["env"]:
            if "value" in variable:
                assert variables[variable["name"]] == variable["value"]
    assert {pod["serviceAccountName"] for pod in pods.values()} == {spec["serviceAccountName"]}
    for key in ("securityContext", "automountServiceAccountToken", "restartPolicy"):
        assert pods["words"][key] == spec[key]
    assert pods["suffix"]["volumes"] == spec["volumes"]  # of all its steps, this one has the most
    assert pods["suffix"]["nodeSelector"] == spec["nodeSelector"]
    assert pods["suffix"]["tolerations"] == spec["tolerations"]


# Run

SAME = [
    "chain",
    "diamond",
    "fanin",
    "named",
    "sharded",
    "flaky",
    "hostile",
    "join",
    "outputs",
    "files",
    "branch",
    "fanout",
]
SAME_2 = ["diamond", "hostile", "fanout"]
HOSTILE = "{{ x }}\r\n'\"$HOME`id`.sh\n"
NOTES = """
import datetime as dt

from wurzel import WZ, Settings, TypedStep
from wurzel.datacontract import PydanticModel


class Note(PydanticModel):
    text: str


class NotesSettings(Settings):
    NOTE: str | None = None
    TAGS: list[str] = []


class Notes(TypedStep[NotesSettings, None, Note]):
    def run(self, inpt: None) -> Note:
        return Note(text=repr((self.settings.NOTE, self.settings.TAGS)))


class Last(TypedStep[None, Note, Note]):
    def run(self, inpt: Note) -> Note:
        return inpt


class DatedSettings(Settings):
    DAY: dt.date
    AT: dt.datetime


class Dated(TypedStep[DatedSettings, None, Note]):
    def run(self, inpt: None) -> Note:
        return Note(text=repr((self.settings.DAY, self.settings.AT.tzinfo is not None)))


notes = WZ(Notes)
dated = WZ(Dated)
told = WZ(Dated, name="to-day") >> WZ(Last)
"""
NOTES_YAML = """
version: 1
pipelines:
  notes: {entrypoint: 'notes:notes', steps: {notes: {parameters: [NOTE, TAGS]}}}
  dated:
    entrypoint: notes:dated
    targets: {airflow: {dates: {DATED__DAY: data_interval_end, DATED__AT: logical_date}, on_assets: [docs]}}
  told:
    entrypoint: notes:told
    steps: {to-day: {settings: {DAY: "2026-01-01"}}}
    on_failure:
      webhook: {name: chat, key: url}
      command: [sh, -c, 'echo "$WURZEL_STEP $WURZEL_RUN $TOKEN" >> told; exit 3']
      secrets: {TOKEN: {name: shared, key: token}}
  wrong: {entrypoint: 'notes:dated', defaults: {retry: 2}, steps: {dated: {settings: {DAY: "2026-01-01"}}}}
"""


class Ran:
    """Projects that Airflow ran, and what it said of each run."""

    def __init__(self, airflow, root):
        self.root = root / "it's a {{ project }}"
        self.version = airflow.version
        asked = [self._asked(*entry) for entry in self._wanted()]
        with webhook(503, 200) as (url, self.told):
            airflow.env["AIRFLOW_CONN_CHAT"] = json.dumps({"conn_type": "generic", "extra": {"url": url}})
            self.url = url
            results, self.log = airflow.runs(root, asked)
        self.results = {}
        for (_, dag_id, _), result in zip(asked, results, strict=True):
            self.results.setdefault(dag_id, []).append(result)

    def _wanted(self):
        if self.version != "3":
            return [(name,) for name in [*SAME_2, "dated", "told"]]
        given = {"SUFFIX_EN__SUFFIX": HOSTILE}
        notes = {"NOTES__NOTE": "", "NOTES__TAGS": ["{{ a }}", "ü$'\""]}
        repeated = [("sources", "keep_days=2"), ("sources",)]
        return [(name,) for name in [*SAME, "failing", "credentials", "notes", "dated", "told", "wrong"]] + [
            *repeated,
            ("named", given),
            ("notes", notes),
        ]

    def _asked(self, name, extra=None):
        project = self.root / name
        if not project.exists():
            self._make(project, name, *([extra] if isinstance(extra, str) else []))
        (file,) = (project / "dags").glob("*.py")
        return [str(file), name, extra if isinstance(extra, dict) else {}]

    def _make(self, project, name, *entries):
        if name in {"notes", "dated", "told", "wrong"}:
            project.mkdir(parents=True)
            (project / "notes.py").write_text(NOTES)
            (project / "wurzel.yaml").write_text(NOTES_YAML)
        else:
            example(name, project)
        if name == "sources":
            old = project / "data" / "sources" / "run_old" / "words"
            old.mkdir(parents=True)
            subprocess.run(["touch", "-d", "5 days ago", old.parent], check=True)
        render_here(project, name, *options(self.version, f"dag_id={name}", *entries))

    def folders(self, name):
        """Folders of the runs of an example, the first run first."""
        return sorted((self.root / name / DATA_DIRS.get(name, "data") / name).glob("run_*"))


@pytest.fixture(scope="module")
def ran(airflow_3, tmp_path_factory):
    return Ran(airflow_3, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def ran_2(airflow_2, tmp_path_factory):
    return Ran(airflow_2, tmp_path_factory.mktemp("runs"))


def texts(folder, step):
    found = json.loads((folder / step / "part-00000.json").read_bytes())
    return [item["text"] for item in found] if isinstance(found, list) else found["text"]


def check_same(ran, name, folder):
    expected = wurzel_run(example(name, folder / "local"), name)
    assert ran.results[name][0]["code"] == 0
    assert collected(ran.folders(name)[0]) == expected
    assert not list(ran.root.rglob("pwned"))


@pytest.mark.parametrize("name", SAME)
def test_same_bytes_as_a_local_run(ran, tmp_path, name):
    check_same(ran, name, tmp_path)


@pytest.mark.parametrize("name", SAME_2)
def test_airflow_2_writes_the_same_bytes_too(ran_2, tmp_path, name):
    check_same(ran_2, name, tmp_path)


def test_a_flaky_step_is_tried_again(ran):
    tasks = {task: (state, tries) for task, _, state, tries in ran.results["flaky"][0]["tasks"]}
    assert tasks == {"words": ("success", 1), "flaky": ("success", 2), "upper": ("success", 1)}


def test_shards_are_instances_of_one_task(ran):
    found = ran.results["sharded"][0]["tasks"]
    assert [index for task, index, _, _ in found if task == "loud"] == [0, 1, 2]


def test_a_failing_step_fails_the_run_and_leaves_the_other_branch(ran):
    (result,) = ran.results["failing"]
    assert result["code"] not in {0, "error"}
    assert {task: state for task, _, state, _ in result["tasks"]} == {
        "words": "success",
        "failing": "failed",
        "reverse": "upstream_failed",
        "upper": "success",
    }
    (folder,) = ran.folders("failing")
    assert (folder / "upper" / "manifest.json").exists()
    assert not (folder / "failing").exists()
    assert "this step always fails" in ran.log


def test_runs_keep_apart_memory_grows_and_old_runs_go(ran):
    first, second = ran.folders("sources")
    assert collected(first) == collected(second)
    assert {path.name for path in first.iterdir()} == {"polling", "upper"}
    assert texts(ran.root / "sources" / "data" / "sources" / "state", "memory") == ["again", "again"]


def test_a_parameter_is_given_anew(ran):
    words = ["one", "two", "three", "four", "five"]
    assert texts(ran.folders("named")[1], "suffix-en") == [f"{word}{HOSTILE}" for word in words]
    seen = [texts(folder, "notes") for folder in ran.folders("notes")]
    assert seen == [repr((None, [])), repr(("", ["{{ a }}", "ü$'\""]))]


def check_dated(ran):
    (folder,) = ran.folders("dated")
    assert re.fullmatch(r"\(datetime\.date\(20\d\d, \d+, \d+\), True\)", texts(folder, "dated"))


def test_dates_of_the_run_reach_settings(ran):
    check_dated(ran)


def test_dates_of_the_run_reach_settings_on_airflow_2(ran_2):
    check_dated(ran_2)


def test_wrong_settings_are_not_tried_again(ran):
    (result,) = ran.results["wrong"]
    assert [(task, state, tries) for task, _, state, tries in result["tasks"]] == [("dated", "failed", 1)]


def check_told(ran):
    failed, sent = ran.told  # the first answer was 503
    assert failed == sent
    assert (sent["pipeline"], sent["step"], sent["reason"]) == ("told", "to-day", "task_failure")
    assert "/told/" in sent["link"] or "dag_id=told" in sent["link"]
    assert sent["text"] == f"told failed in to-day: task_failure ({sent['link']})"
    assert quote(sent["run"]) in sent["link"] or quote(sent["run"], safe="") in sent["link"]
    assert (ran.root / "told" / "told").read_text() == f"to-day {sent['run']} t\n"
    assert "returned non-zero exit status 3" in ran.log
    assert ran.url not in ran.log
    assert ran.results["told"][0]["code"] not in {0, "error"}


def test_who_asked_is_told_once_of_a_failed_run(ran):
    check_told(ran)


def test_who_asked_is_told_once_of_a_failed_run_on_airflow_2(ran_2):
    check_told(ran_2)


def test_secrets_come_from_connections_and_stay_there(ran):
    (folder,) = ran.folders("credentials")
    assert texts(folder, "secret-suffix")[0] == f"one{len(SECRET)}"
    assert SECRET not in ran.log


def test_docker_containers_write_the_same_bytes(airflow_3, docker, tmp_path):
    """The docker operator and a docker daemon; one container for each task and slice."""
    asked, folders = [], {}
    for name in ("sharded", "hostile", "credentials", "grouped"):
        project = example(name, tmp_path / "dags" / name)
        image = Containers.of(docker, project).image
        data = tmp_path / "data" / name
        data.mkdir(parents=True)
        entries = [
            *("operator=docker", f"dag_id={name}-docker", f"docker.url={docker.options[1]}", "docker.network=none"),
            f"docker.mounts=[{{source: {data}, target: /wurzel}}]",
        ]
        asked.append([str(render_here(project, name, *options("3", *entries), f"image={image}")), f"{name}-docker", {}])
        folders[name] = data / DATA_DIRS.get(name, "data") / f"{name}-docker"
    results, log = airflow_3.runs(tmp_path / "dags", asked)
    assert [result["code"] for result in results] == [0] * len(asked), log[-20000:]
    given = {"SECRET_SUFFIX__TOKEN": SECRET, "SHARED_TOKEN": "t"}
    for name, folder in folders.items():
        (run,) = folder.iterdir()
        assert collected(run) == wurzel_run(example(name, tmp_path / "local" / name), name, env=given)


def test_the_command_of_airflow_itself_says_that_a_run_failed(ran, airflow_3):
    """What a person types; the other runs share one process."""
    folder = ran.root / "failing" / "dags"
    done = airflow_3("airflow", "dags", "test", "failing", folder=folder, check=False)
    assert done.returncode == 1
    assert "DagRun failed" in done.stdout + done.stderr


def test_validation_imports_with_the_airflow_on_the_path(airflow, tmp_path, monkeypatch):
    text = render_here(example("diamond", tmp_path / "p"), "diamond", *options(airflow.version)).read_text()
    monkeypatch.setenv("PATH", f"{airflow.bin}:/usr/bin:/bin")
    assert list(validate({"dags/d.py": text}, airflow.version)) == []
    broken = text.replace("words >>", "join >> words >>")
    (problem,) = validate({"dags/d.py": broken}, airflow.version)
    assert "cycle" in problem.message.lower()
    assert problem.where == "dags/d.py"
