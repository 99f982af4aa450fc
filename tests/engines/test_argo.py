"""Rendered workflows, held to Argo's own validation and its CRDs, and run in a simulation of its controller."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.conftest import EXAMPLES
from tests.engines.cases import Case
from tests.engines.datasets import example, pipeline_name, wurzel, wurzel_run
from tests.engines.drivers.argo import unpack, workflow_data
from tests.engines.processes import Processes
from tests.engines.workflows import Simulation
from tests.validation.faults import BASES, FAULTS
from wurzel.validation import check_files, check_manifests
from wurzel.validation.manifest import documents
from wurzel.validation.structure import check_structure

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600)]  # a fixture renders every example in every variant
DOCS = Path(__file__).parents[2] / "docs" / "backends"
ARGOLINT = Path(__file__).parents[2] / ".engines" / "argolint" / "bin" / "argolint"
SCHEMAS = Path(__file__).parent / "schemas" / "argo-crds.json"
PACK = Path(__file__).parents[2] / "docs" / "examples" / "organisation-pack" / "acme_wurzel"
S3 = "targets.argo.artifacts={s3: {bucket: acme-data, prefix: p}}"
VARIANTS = {
    "repository": [],
    "s3": [S3],
    "tar": ["targets.argo.artifacts={s3: {bucket: acme-data}, archive: tar}"],
    "gcs": ["targets.argo.artifacts={gcs: {bucket: acme-data}}"],
    "azure": ["targets.argo.artifacts={azure: {endpoint: 'https://a.blob.core.windows.net', container: data}}"],
    "volume": ["targets.argo.artifacts={volume: {name: shared}}"],
    "claim": ["targets.argo.artifacts={volume: {size: 1Gi}}"],
    "template": ["targets.argo.workflow_template=true"],
    "3.6": [S3, 'targets.argo.version="3.6"'],
    "4.1": [S3, 'targets.argo.version="4.1"'],
    "all": [
        S3,
        "targets.argo.artifact_gc={strategy: OnWorkflowDeletion, service_account: gc}",
        "targets.argo.synchronization={mutexes: [{name: a}], semaphores: [{config_map: b, key: c}]}",
        "targets.argo.on_exit={command: [notify], secrets: {URL: {name: a, key: b}}}",
        "targets.argo.pod_spec_patch={containers: [{name: main, tty: true}]}",
        "targets.argo.volumes=[{name: cache, mount_path: /cache, claim: {name: tokenizers}}]",
        "targets.argo.executor_service_account=executor",
        "targets.argo.image_pull_secrets=[registry]",
        "targets.argo.env_from=[{secret: all}]",
        "targets.argo.node_selector={pool: large}",
        "targets.argo.affinity={nodeAffinity: {}}",
        "targets.argo.archive_logs=true",
        "targets.argo.namespace=ml",
    ],
}
SECRETS = {("shared", "token"): "s3cret", ("suffix", "api-token"): "abcd", ("words", "token"): "x"}


@pytest.fixture(scope="session")
def argolint():
    """Argo's own validation of files, 3.7.4 or 4.0.5: file to the first error of each of its documents."""
    if not ARGOLINT.exists():
        pytest.skip("argolint is not built: there is no Go here, or its modules cannot be had")

    def check(paths, argo="4"):
        done = subprocess.run([ARGOLINT, "-argo", argo, *map(str, paths)], capture_output=True, text=True, check=True)
        found = {}
        for line in done.stdout.splitlines():
            result = json.loads(line)
            found.setdefault(result["file"], []).append(result["error"])
        return found

    return check


@pytest.fixture(scope="session")
def crds():
    """A strict validator for each kind."""
    schemas = json.loads(SCHEMAS.read_text())
    return {
        kind: jsonschema.Draft202012Validator({**schema, "$defs": schemas["$defs"]})
        for kind, schema in schemas["kinds"].items()
    }


def render(folder, name, sets=()):
    """The rendered manifests of an example, as text."""
    settings = [f"--set={item}" for item in ["image=acme/words:1.0", *sets]]
    done = wurzel(folder, "render", pipeline_name(folder, name), "-t", "argo", "--stdout", *settings)
    return done.stdout


def install_pack(folder):
    """The example pack, installed in a project's folder, without the files that are no objects of Argo."""
    shutil.copytree(PACK, folder / PACK.name)
    said = folder / PACK.name / "wurzel-pack.yaml"
    lines = said.read_text().splitlines(keepends=True)
    said.write_text("".join(line for line in lines if "acme/secrets.yaml.j2" not in line))
    (folder / PACK.name / "acme" / "secrets.yaml.j2").unlink()
    info = folder / "acme_wurzel-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-wurzel\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wurzel.templates]\nacme = {PACK.name}\n")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """Every example in every variant, as files; with a wurzel.yaml also in the templates of an organisation."""
    top = tmp_path_factory.mktemp("argo")
    found = {}
    for name in EXAMPLES:
        project = example(name, top / "projects" / name)
        for variant, sets in VARIANTS.items():
            path = top / f"{name}-{variant}.yaml"
            path.write_text(render(project, name, sets))
            found[name, variant] = path
        if (config := project / "wurzel.yaml").exists():
            install_pack(project)
            words = "version: 1\ntemplates: [acme]\nvariables: {owner: docs}"
            config.write_text(config.read_text().replace("version: 1", words, 1))
            path = top / f"{name}-pack.yaml"
            own = "targets.argo.artifacts.repository=null"  # the pack's, which excludes a bucket of the team
            handler = "targets.argo.on_exit={command: [notify]}"
            path.write_text(render(project, name, [*VARIANTS["all"], own, handler]))
            assert "registry.acme.example/" in path.read_text()
            found[name, "pack"] = path
    return found


@pytest.mark.parametrize("argo", ["3", "4"])
def test_argo_itself_accepts_everything_that_is_rendered(argo, rendered, argolint):
    """What is written for 3.6 is for 3 alone, and for 4.1 for 4 alone; the default, 4.0, is taken by both."""
    other = {"3": "4.1", "4": "3.6"}[argo]
    paths = [path for (_, variant), path in rendered.items() if variant != other]
    found = argolint(paths, argo)
    assert len(found) == len(paths)
    assert {file: errors for file, errors in found.items() if any(errors)} == {}


def test_the_crds_accept_everything_that_is_rendered(rendered, crds):
    for path in rendered.values():
        for manifest in yaml.safe_load_all(path.read_text()):
            errors = [f"{list(error.path)}: {error.message}" for error in crds[manifest["kind"]].iter_errors(manifest)]
            assert errors == [], path.name


def test_our_own_checks_accept_everything_that_is_rendered(rendered):
    for path in rendered.values():
        assert check_files({path.name: path.read_text()}) == []


def test_each_layer_catches_its_share(argolint, crds, tmp_path):
    """What Argo or its CRDs refuse, we refuse; the counts stand in docs/backends/argo.md."""
    faults = [fault for fault in FAULTS if fault.kind != "CronJob"]
    paths = [tmp_path / f"{number}.yaml" for number in range(len(faults))]
    for fault, path in zip(faults, paths, strict=True):
        path.write_text(fault.text())
    said = {argo: argolint(paths, argo) for argo in ("3", "4")}
    caught = Counter()
    for fault, path in zip(faults, paths, strict=True):
        found, _ = documents("a.yaml", fault.text())
        layers = {
            "rules": bool(check_manifests({"a.yaml": fault.text()})),
            "structure": bool(list(check_structure(found))),
            "argo 3": any(said["3"][str(path)]),
            "argo 4": any(said["4"][str(path)]),
            "crd": any(crds[fault.kind].iter_errors(fault.manifest())),
        }
        assert layers["rules"] or layers["structure"], fault.name
        caught.update(layer for layer, hit in layers.items() if hit)
    text = (DOCS / "argo.md").read_text()
    assert f"Of {len(faults)} broken manifests" in text
    rows = {
        "wurzel's rules": caught["rules"],
        "`hera` made strict": caught["structure"],
        "both, which is what `--validate` does": len(faults),
        "Argo's own validation 3.7.4": caught["argo 3"],
        "Argo's own validation 4.0.5": caught["argo 4"],
        "CRDs of 4.1.2, without their rules in CEL": caught["crd"],
    }
    assert [row for row in (f"| {layer} | {count} |" for layer, count in rows.items()) if row not in text] == []
    assert caught["argo 4"] >= 50, "argolint has gone blind"
    assert caught["crd"] >= 18, "the CRDs have gone blind"


def test_sound_manifests_are_accepted_by_all(argolint, crds, tmp_path):
    for kind in ("Workflow", "CronWorkflow"):
        path = tmp_path / f"{kind}.yaml"
        path.write_text(BASES[kind])
        assert argolint([path]) == {str(path): [""]}
        assert list(crds[kind].iter_errors(yaml.safe_load(BASES[kind]))) == []


def test_we_accept_what_argos_own_examples_do():
    """But for what we mean to refuse: no command, upper case, no zone, fields that 4.0 removed."""
    if shutil.which("go") is None:
        pytest.skip("Argo's examples come with its Go module, and there is no Go here")
    listed = subprocess.run(
        ["go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-workflows/v3"],
        cwd=Path(__file__).parent / "argolint", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode or not Path(listed.stdout.strip()).is_dir():
        pytest.skip("Argo's Go module is not here")
    meant = (
        "is not a known kind", "does not exist here", "there is none", "is not the name of a template",
        "is rendered with it", "has no time zone",
        "so runs may never start", "was removed in Argo 4.0", "characters; at most", "the API server refuses it",
        "synchronization.semaphores[0].configMapKeyRef.name",
    )  # fmt: skip
    paths = sorted((Path(listed.stdout.strip()) / "examples").rglob("*.yaml"))
    assert len(paths) > 150
    problems = [
        str(problem)
        for path in paths
        for problem in check_manifests({path.name: path.read_text()}, restricted=False)
        if not any(reason in str(problem) for reason in meant)
    ]
    assert problems == []


@pytest.fixture
def simulate(tmp_path):
    """Render an example, run it in the simulation, and give the simulation back."""

    def run(name, *sets, parameters=None):
        project = example(name, tmp_path / "project")
        mount = tmp_path / "mount"
        text = render(project, name, [f"targets.argo.mount={mount}", *sets])
        (manifest,) = [item for item in yaml.safe_load_all(text) if item["kind"] in {"Workflow", "CronWorkflow"}]
        simulation = Simulation(manifest, tmp_path / "cluster", Processes(project, mount), SECRETS, parameters or {})
        simulation.code = simulation.run()
        return simulation

    return run


def same_as_wurzel_run(simulation, name, folder, env=None):
    """Every dataset equals that of `wurzel run`, byte for byte; slices are put together first."""
    expected = wurzel_run(example(name, folder / "expected"), name, env)
    found = workflow_data(simulation, folder / "gathered", Case(name, name))
    assert found == expected


@pytest.mark.parametrize(
    ("name", "store"),
    [
        *((name, "s3") for name in ("chain", "diamond", "fanin", "hostile", "named", "scheduled", "sharded")),
        *((name, "repository") for name in ("diamond", "sharded", "flaky")),
        ("sharded", "tar"),
    ],
)
def test_a_simulated_run_gives_the_same_bytes_as_wurzel_run(name, store, simulate, tmp_path):
    simulation = simulate(name, *VARIANTS[store])
    assert simulation.code == 0, simulation.logs
    same_as_wurzel_run(simulation, name, tmp_path)
    if name == "flaky":
        assert simulation.tries["flaky"] == 2
    if name == "sharded":
        assert len([pod for pod in simulation.logs if pod.startswith("loud-")]) == 3


HALVES = """
from wurzel import WZ, Inputs, NoSettings, Outputs, PydanticModel, TypedStep


class Doc(PydanticModel):
    text: str


class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]


class Both(Inputs):
    train: list[Doc]
    whole: list[Doc]


class Read(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return [Doc(text=f"page {number}") for number in range(COUNT)]


class Cut(TypedStep[NoSettings, list[Doc], Halves]):
    shards = {"items": 5, "max": 4}

    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt[1:], test=inpt[:1])


class Check(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def when(self, inpt: list[Doc]) -> bool:
        return len(inpt) > 1

    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt


class Fit(TypedStep[NoSettings, Both, list[Doc]]):
    def run(self, inpt: Both) -> list[Doc]:
        return [*inpt.train, *inpt.whole]


def halves():
    read, cut, fit = WZ(Read), WZ(Cut), WZ(Fit)
    return [read >> cut, cut["train"] >> fit["train"], read >> fit["whole"], cut["test"] >> WZ(Check)]
"""


@pytest.mark.parametrize(
    ("store", "count", "pods"),
    [("s3", 13, 3), ("s3", 0, 1), ("volume", 99, 4), ("gcs", 5, 1), ("tar", 13, 4), ("repository", 13, 4)],
)
def test_slices_and_outputs_are_those_that_the_data_asks_for(store, count, pods, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "halves.py").write_text(HALVES.replace("COUNT", str(count)))
    (project / "wurzel.yaml").write_text("version: 1\npipelines: {halves: {entrypoint: 'halves:halves'}}\n")
    mount = tmp_path / "mount"
    sets = ["image=acme/words:1.0", f"targets.argo.mount={mount}", *VARIANTS[store]]
    settings = [f"--set={item}" for item in sets]
    text = wurzel(project, "render", "halves", "-t", "argo", "--stdout", *settings).stdout
    simulation = Simulation(yaml.safe_load(text), tmp_path / "cluster", Processes(project, mount))
    assert simulation.run() == 0, simulation.logs
    numbered = {name for name in simulation.logs if name.startswith("cut-") and not name.startswith("cut-slices")}
    assert len(numbered) == pods
    assert "cut-slices" not in simulation.codes, "what wrote the data has counted the portions"
    wurzel(project, "run", "halves")
    for step in ("fit", "check"):
        if store == "volume":
            found = tmp_path / "cluster" / "claims" / "shared" / simulation.uid / "data" / step
        else:
            found = tmp_path / step
            unpack(simulation.datasets(step), found)
        assert files(found) == files(project / "data" / step)


KEYS = "{access_key_id: {name: s, key: id}, secret_access_key: {name: s, key: key}}"
CLAIM = "targets.argo.volumes=[{name: store, mount_path: /store, claim: {name: store}, read_only: false}]"


def with_store(text, folder):
    """A manifest whose store is in `/store`, with a folder of this machine instead, which processes can reach."""
    store = folder / "claims" / "store"
    store.mkdir(parents=True)
    return yaml.safe_load(text.replace("file:///store", f"file://{store}")), store


def test_slices_and_groups_find_their_data_in_the_store_and_no_run_computes_it_again(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "halves.py").write_text(HALVES.replace("COUNT", "13"))
    (project / "wurzel.yaml").write_text("version: 1\npipelines: {halves: {entrypoint: 'halves:halves'}}\n")
    mount = tmp_path / "mount"
    sets = [
        "image=acme/words:1.0",
        "store=file:///store",
        CLAIM,
        f"targets.argo.mount={mount}",
        "steps.cut.group=slicing",
    ]
    settings = [f"--set={item}" for item in [*sets, "targets.argo.layout=auto"]]
    text = wurzel(project, "render", "halves", "-t", "argo", "--stdout", "--validate", *settings).stdout
    manifest, store = with_store(text, tmp_path / "cluster")
    first = Simulation(manifest, tmp_path / "cluster", Processes(project, mount))
    assert first.run() == 0, first.logs
    assert sorted(first.logs) == ["fit-check-0", "read-0", "slicing-1-of-3-0", "slicing-2-of-3-0", "slicing-3-of-3-0"]
    assert first.kept == {}
    wurzel(project, "run", "halves")
    for step in ("fit", "check"):
        wurzel(project, "store", "get", f"halves/{step}", "--store", str(store), "-o", str(tmp_path / step))
        assert files(tmp_path / step) == files(project / "data" / step)
    second = Simulation(manifest, tmp_path / "cluster", Processes(project, mount), uid="uid-2")
    assert second.run() == 0, second.logs
    assert not [line for log in second.logs.values() for line in log.splitlines() if ": started" in line]
    listed = wurzel(project, "store", "ls", "halves", "--store", str(store)).stdout
    assert [line.split()[0] for line in listed.splitlines() if line.endswith("latest")] == ["argo-uid-2"]


def test_a_workflow_of_some_steps_reads_what_the_others_have_left_in_the_store(argolint, crds, tmp_path):
    project, cluster, mount = tmp_path / "project", tmp_path / "cluster", tmp_path / "mount"
    project.mkdir()
    (project / "halves.py").write_text(HALVES.replace("COUNT", "13"))
    (project / "wurzel.yaml").write_text("version: 1\npipelines: {halves: {entrypoint: 'halves:halves'}}\n")
    sets = ["image=acme/words:1.0", "store=file:///store", CLAIM, f"targets.argo.mount={mount}"]
    sets += ["schedule={cron: 0 4 * * *}", "targets.argo.workflow_template=true"]
    settings = [f"--set={item}" for item in sets]
    store, ran = cluster / "claims" / "store", {}
    store.mkdir(parents=True)
    for number, choice in enumerate([["--only=cut+"], ["--until=read"], ["--from=cut"]]):
        text = wurzel(project, "render", "-t", "argo", "--stdout", "--validate", *settings, *choice).stdout
        (path := tmp_path / f"{number}.yaml").write_text(text)
        assert {file: errors for file, errors in argolint([path], "4").items() if any(errors)} == {}
        assert list(crds["Workflow"].iter_errors(yaml.safe_load(text))) == []
        manifest = yaml.safe_load(text.replace("file:///store", f"file://{store}"))
        simulation = Simulation(manifest, cluster, Processes(project, mount), uid=f"uid-{number}")
        ran[number] = simulation.run(), sorted(simulation.logs)
        if number == 0:
            assert "step cut: the store has no result of step read" in simulation.logs["cut-slices-0"]
    assert ran == {
        0: (2, ["cut-slices-0"]),
        1: (0, ["read-0"]),
        2: (0, ["check-0", *(f"cut-{n}-of-3-0" for n in (1, 2, 3)), "cut-slices-0", "fit-0"]),
    }, simulation.logs
    wurzel(project, "run", "halves")
    for step in ("fit", "check"):
        words = ["--run", "argo-uid-2", "--store", str(store), "-o", str(tmp_path / step)]
        wurzel(project, "store", "get", f"halves/{step}", *words)
        assert files(tmp_path / step) == files(project / "data" / step)
    listed = wurzel(project, "store", "ls", "halves", "--store", str(store)).stdout
    assert "argo-uid-2" in listed
    assert "latest" not in listed


@pytest.mark.parametrize(
    ("name", "layout", "store", "pods", "steps"),
    [
        ("diamond", "single", "repository", 1, {"join"}),
        ("grouped", "auto", "s3", 4, {"words", "upper", "reverse", "suffix", "shout"}),
        ("sharded", "auto", "volume", 1, {"words", "loud", "join"}),
    ],
)
def test_steps_that_share_a_pod_give_the_same_bytes_and_hand_over_what_others_read(
    name, layout, store, pods, steps, simulate, tmp_path
):
    simulation = simulate(name, *VARIANTS[store], f"targets.argo.layout={layout}")
    assert simulation.code == 0, simulation.logs
    assert len(simulation.logs) == pods
    expected = wurzel_run(example(name, tmp_path / "expected"), name)
    found = workflow_data(simulation, tmp_path / "gathered", Case(name, name))
    assert found == {path: data for path, data in expected.items() if path.partition("/")[0] in steps}


@pytest.mark.parametrize("layout", ["steps", "single", "auto"])
def test_the_example_passes_every_check_in_every_layout_with_and_without_a_store(layout, argolint, crds, tmp_path):
    rag = Path(__file__).parents[2] / "docs" / "examples" / "rag"
    stores = {
        "none": [],
        "identity": ["store={url: s3://acme-rag/prod, identity: {role: 'arn:aws:iam::1:role/rag'}}"],
        "keys": [f"store={{url: s3://acme-rag/prod, secrets: {KEYS}}}"],
    }
    paths = []
    for name, sets in stores.items():
        words = [f"--set={item}" for item in (f"targets.argo.layout={layout}", *sets)]
        path = tmp_path / f"{name}.yaml"
        path.write_text(wurzel(rag, "render", "rag", "-t", "argo", "--stdout", "--validate", *words).stdout)
        paths.append(path)
    for argo in ("3", "4"):
        assert {file: errors for file, errors in argolint(paths, argo).items() if any(errors)} == {}
    for path in paths:
        assert list(crds["CronWorkflow"].iter_errors(yaml.safe_load(path.read_text()))) == []


def files(folder):
    """Every file below a folder, by its path."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_secrets_reach_steps_by_reference(simulate, tmp_path):
    simulation = simulate("credentials")
    assert simulation.code == 0, simulation.logs
    assert "abcd" not in str(simulation.manifest)
    env = {"SHARED_TOKEN": "s3cret", "SECRET_SUFFIX__TOKEN": "abcd"}
    same_as_wurzel_run(simulation, "credentials", tmp_path, env)


def test_a_parameter_is_given_anew_for_one_run(simulate):
    simulation = simulate("named", parameters={"SUFFIX_EN__SUFFIX": "-changed"})
    parts = simulation.datasets("suffix-en").glob("part-*.json")
    assert any("-changed" in path.read_text() for path in parts)


def test_a_failed_branch_stops_only_what_needs_it(simulate):
    simulation = simulate("failing")
    assert simulation.code == 1
    assert simulation.codes["upper"] == 0
    assert "this step always fails" in simulation.logs["failing-0"]


def test_what_a_step_wrote_last_is_there_in_the_next_run(simulate, tmp_path):
    first = simulate("sources", S3)
    second = Simulation(first.manifest, first.folder, first.runner, uid="uid-2")
    assert (first.code, second.run()) == (0, 0)
    counts = [
        json.loads((run.datasets("memory") / "manifest.json").read_text())["parts"][0]["items"]
        for run in (first, second)
    ]
    assert counts == [1, 2]


def test_steps_of_a_run_share_a_volume(simulate):
    simulation = simulate("sharded", *VARIANTS["volume"])
    assert simulation.code == 0, simulation.logs
    assert (simulation.folder / "claims" / "shared" / "uid-1" / "data" / "join" / "manifest.json").exists()
