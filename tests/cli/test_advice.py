"""What is said to people who almost had it right."""

from pathlib import Path

import pytest

from tests.command import invoke
from tests.command import program as run
from wurzel.cli.root import COMMANDS


def said(*words):
    result = invoke(*words)
    return f"{result.output}{result.exception}"


@pytest.mark.parametrize(
    "option", ["--dry-run", "--prun", "--prne", "--forec", "--forced", "--psuh", "--pushed", "--prune-all"]
)
@pytest.mark.parametrize("command", ["render", "ci"])
def test_nothing_that_destroys_is_proposed(command, option):
    text = said(command, *(["github"] if command == "ci" else []), option)
    assert f"No such option '{option}'" in text
    for destroys in ("--prune", "--force", "--push"):
        assert f"mean {destroys}" not in text
        assert f"or {destroys}" not in text


@pytest.mark.parametrize("words", [["claen"], ["store", "gcc"], ["store", "forgt"], ["clean", "--dat"]])
def test_no_command_that_removes_is_proposed(words):
    shown = said(*words)
    assert "Unknown command" in shown or "No such option" in shown
    assert "mean clean" not in shown
    assert "mean gc" not in shown
    assert "mean forget" not in shown
    assert "mean --data" not in shown


def test_the_names_of_other_tools():
    assert "Did you mean --diff or --check?" in said("render", "--dry-run")
    assert "Did you mean --plan?" in said("run", "--dry-run")
    assert "Did you mean --jobs?" in said("run", "--workers", "2")
    assert "--set" not in said("render", "--select")
    assert "--result" not in said("run", "--resume")  # it is hidden
    assert "Did you mean run --plan?" in said("plan")
    assert "Did you mean ls?" in said("store", "list")
    assert "Did you mean --help?" in said("help", "render")
    assert "Did you mean --version?" in said("version")
    assert "Did you mean" not in said("prune") + said("store", "remove")
    assert "Did you mean --watch" in said("render", "--watc")
    assert "argument (embed). Choose steps with --only" in said("run", "rag", "embed")
    assert "Choose steps" not in said("graph", "rag", "embed")


@pytest.mark.parametrize("option", ["-q", "-v", "--quiet", "--log-format", "--allow-outside"])
@pytest.mark.parametrize("command", ["render", "run", "inspect", "ci"])
def test_an_option_of_all_commands_comes_before_the_command(command, option):
    assert f"{option} comes before the command: wurzel {option} {command} …" in said(command, "p", option)
    assert command in COMMANDS


@pytest.fixture
def configure(project):
    project("chain")

    def write(text, image=""):
        Path("wurzel.yaml").write_text(
            f'version: 1\npipelines:\n  words: {{entrypoint: "chain:pipeline", {image}{text}}}\n'
        )

    return write


def test_a_target_is_not_a_pipeline(configure):
    configure("targets: {dvc: {}}")
    assert "It is a target: wurzel render -t argo" in said("render", "argo")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("chain.py", "chain:pipeline"),
        ("./chain.py", "chain:pipeline"),
        ("chain.py:flow", "chain:flow"),
        ("src/app/flows.py", "app.flows:pipeline"),
    ],
)
def test_a_file_is_not_a_pipeline(configure, name, meant):
    configure("targets: {dvc: {}}")
    text = said("render", name)
    assert f"{name!r} is a file, not a pipeline" in text
    assert f"Write a name in wurzel.yaml (words), or module:attribute: {meant}" in text


@pytest.mark.parametrize(
    ("text", "where", "advice"),
    [
        ("targets: [argo, local]", "targets", "Write {argo: {}, local: {}}."),
        ("targets: argo", "targets", "Write {argo: {}}."),
        ("env: [a, b]", "env", "Write {a: …, b: …}."),
        ("env: [{name: a, value: b}]", "env", "Write {name: …}."),
        ("steps: [words]", "steps", "Write {words: {}}."),
    ],
)
def test_a_list_that_should_be_a_mapping(configure, text, where, advice):
    configure(text)
    shown = said("render")
    assert f"pipelines.words.{where}: " in shown
    assert f"is not a mapping\n  {advice}" in shown


def test_a_misspelled_feature_has_its_line(configure):
    configure("targets: {dvc: {ignore: [timout]}}")
    assert "wurzel.yaml:3:65: targets.dvc.ignore names an unknown feature 'timout'" in said("render")


@pytest.mark.parametrize("target", ["argo: {}", "cronjob: {}", "airflow: {operator: docker}"])
def test_missing_images_are_one_problem_with_a_line(configure, target):
    configure(f"targets: {{{target}}}")
    text = said("render")
    name = target.partition(":")[0]
    assert f"wurzel.yaml:3:{53 + len(name)}: words for {name}: steps 'words', 'upper', 'reverse' have no image" in text
    assert text.count("no image") == 1


def test_a_syntax_error_shows_the_line_and_no_frames_of_the_import_system(project):
    (project("chain") / "broken.py").write_text("x = 1\ndef p(:\n")
    done = run("inspect", "broken:p")
    assert done.returncode == 2
    assert 'broken.py", line 2' in done.stderr
    assert "importlib" not in done.stderr
    assert len(done.stderr.splitlines()) < 8


def test_a_missing_annotation_is_a_warning_in_our_words(project):
    text = "from steps import *\nfrom wurzel import WZ, TypedStep\nclass Bare(TypedStep[None, None, list[Word]]):\n"
    (project("chain") / "bare.py").write_text(f"{text}    def run(self, inpt):\n        return []\nlast = WZ(Bare)\n")
    done = run("inspect", "bare:last")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: bare:Bare: run has no annotation for inpt and return")
    assert "UserWarning" not in done.stderr


HEAD = "from steps import *\nfrom wurzel import WZ, NoSettings, TypedStep\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "class Bad(TypedStep[None, list[Word]]):\n    pass\n",
            3,
            (
                "error: mod.py:3: TypedStep takes 3 type parameters, not 2\n"
                "  Write TypedStep[SETTINGS, INPUT, OUTPUT].\n"
            ),
        ),
        (
            (
                "class Bad(TypedStep[NoSettings, None, list[Word]]):\n"
                "    resources = {'memroy': 1, 'requests': {'cpu': 1}}\n"
                "    def run(self, inpt: None) -> list[Word]:\n        return []\nlast = WZ(Bad)\n"
            ),
            2,
            (
                "error: mod:Bad: memroy: no such key; did you mean memory?;"
                " requests: no such key; keys are cpu, memory, gpu, ephemeral_storage, hugepages, limits\n"
                "  Its class attributes say {'memroy': 1, 'requests': {'cpu': 1}}.\n"
            ),
        ),
        (
            (
                "def quiet(run):\n    return lambda *args: run(*args)\n"
                "class Bad(TypedStep[NoSettings, None, list[Word]]):\n"
                "    @quiet\n    def run(self, inpt: None) -> list[Word]:\n        return []\nlast = WZ(Bad)\n"
            ),
            0,
            "warning: mod:Bad: a decorator hides the annotations of run; let it apply functools.wraps\n",
        ),
    ],
)
def test_whole_messages_about_classes(project, text, code, message):
    (project("chain") / "mod.py").write_text(HEAD + text)
    done = run("inspect", "mod:last")
    assert (done.returncode, done.stderr) == (code, message)


def test_configuration_takes_what_class_attributes_take(configure):
    configure("steps: {upper: {retry: 3, shards: 2, resources: {cpu: 1, limits: {cpu: 2}}, limits: {memory: 1Gi}}}")
    explained = [line.split() for line in said("inspect", "words", "--explain").splitlines()]
    places = {words[0]: words[-1] for words in explained if words}
    column = "upper: {retry: 3, shards: 2, resources: {cpu: 1, limits: {cpu: "
    line = Path("wurzel.yaml").read_text().splitlines()[2]
    assert places["steps.upper.limits.cpu"] == f"wurzel.yaml:3:{line.index(column) + len(column) + 1}"
    lines = [" ".join(line.split()) for line in said("inspect", "words").splitlines()]
    assert 'resources {"cpu": "1"}' in lines
    assert 'limits {"cpu": "2", "memory": "1Gi"}' in lines
    assert 'retry {"limit": 3}' in lines
    configure("steps: {upper: {retry: {limit: 3}, resources: {memory: 1Gi}}}, defaults: {retry: 1}")
    assert 'retry {"limit": 3}' in said("inspect", "words")
    configure("steps: {upper: {retry: -3}}")
    assert "pipelines.words.steps.upper.retry: -3 is not 0 or more" in said("render")


SEVEN = "targets: {dvc: {}, github: {}, gitlab: {}, local: {}}, steps: {upper: {resources: {gpu: 1}}}"


def test_reports_of_several_targets_are_one_line(configure):
    configure(SEVEN)
    shown = said("render", "--stdout")
    assert shown.count("warning:") == 1
    assert "warning: 4 targets report 4 things that they do not support: wurzel targets --reports\n" in shown
    reports = said("targets", "--reports")
    for name in ("dvc", "github", "gitlab", "local"):
        assert f"{name} cannot do what words asks for:\n  gpu  wurzel.yaml:3:" in reports
    assert "To accept this: targets.dvc.ignore: [gpu]; or `ignore` of the pipeline, for all its targets\n" in reports
    assert said("targets", "dvc", "--reports").count("cannot do") == 1
    assert "4 targets report" not in said("render", "--stdout", "-t", "dvc")
    strict = said("render", "--strict")
    assert strict.count("cannot do what words asks for") == 4


def test_a_feature_is_accepted_for_all_targets_in_one_place(configure):
    configure(f"ignore: [gpu], {SEVEN}")
    assert "warning" not in said("render", "--strict", "--stdout")
    assert "Every target supports what its pipelines use" in said("targets", "--reports")
    configure(f"ignore: [gpv], {SEVEN}")
    assert "pipelines.words.ignore.0: 'gpv' is not a known name\n  Did you mean gpu?" in said("render")


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ("", True),
        ("data: {claim: {size: 1Gi}}", False),
        ("ignore: [data_dir]", False),
        ("data: {ephemeral: {size: 1Gi}}", True),
    ],
)
def test_strict_refuses_a_cronjob_whose_data_is_lost(configure, more, refused):
    configure(f"image: 'a/b:1', targets: {{cronjob: {{{more}}}}}")
    lost = "words for cronjob: the data of a run is lost with its pod: there is neither a store nor a claim"
    assert (lost in said("render", "--strict", "--stdout")) is refused
    assert "lost" not in said("render", "--stdout")
    configure(f"image: 'a/b:1', store: ../store, targets: {{cronjob: {{{more}}}}}")
    assert lost not in said("render", "--strict", "--stdout")
