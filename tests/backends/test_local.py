"""The script is run for real, by more than one shell."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.plain import WORDS as WORD
from tests.plain import plain_step
from wurzel.backends.local import LocalBackend
from wurzel.backends.options import TargetOptions
from wurzel.ir.model import OnFailure, Pipeline, SecretRef, Setting
from wurzel.project.local import left_out
from wurzel.project.open import open_pipeline
from wurzel.testing import render_texts

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
EXAMPLES = sorted(path.stem for path in Path(__file__).parents[1].glob("pipelines/*.py") if path.stem != "steps")
BIN = Path(sys.executable).parent


def write_script(pipeline, folder, **options):
    """Render a pipeline's script into a folder."""
    ((name, text),) = render_texts(pipeline, "local", TargetOptions(**options)).items()
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def command(shell, script, *arguments):
    return [shell, *(["sh"] if shell == "busybox" else []), str(script), *arguments]


def surroundings(**variables):
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}


def run(shell, script, *arguments, **variables):
    """Run a script from a folder that has nothing to do with it."""
    return subprocess.run(
        command(shell, script, *arguments),
        cwd="/",
        env=surroundings(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def wurzel_run(name):
    subprocess.run([sys.executable, "-m", "wurzel", "-q", "run", name], check=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_linters_find_nothing(project, name):
    root = project(name)
    entry = name if (root / "wurzel.yaml").exists() else f"{name}:pipeline"
    script = write_script(open_pipeline(entry).pipeline, root)
    found = subprocess.run(
        [BIN / "shellcheck", "-s", "sh", "-o", "all", script], capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)
    for shell in SHELLS:
        assert subprocess.run(command(shell, "-n", str(script)), check=False).returncode == 0


@pytest.mark.parametrize(("name", "shell"), list(zip(["diamond", "fanin", "chain"], SHELLS, strict=False)))
def test_its_datasets_are_those_of_wurzel_run(project, name, shell):
    root = project(name)
    entry = name if (root / "wurzel.yaml").exists() else f"{name}:pipeline"
    pipeline = open_pipeline(entry).pipeline
    done = run(shell, write_script(pipeline, root), "-j2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == f"{pipeline.name}: done; datasets are in data"
    of_script = contents("data")
    assert len(list(root.glob("data/*/manifest.json"))) == len(pipeline.steps)
    shutil.rmtree("data")
    wurzel_run(entry)
    assert contents("data") == of_script


def test_hostile_values_arrive(project):
    root = project("hostile")
    (root / "in put").mkdir()
    (root / "in put" / "it's $HOME.txt").write_text("one\ntwo")
    done = run("sh", write_script(open_pipeline("hostile").pipeline, root, output="it's $a/run it.sh"))
    assert done.returncode == 0, done.stderr
    assert not list(root.rglob("pwned"))
    of_script = contents("da ta")
    shutil.rmtree("da ta")
    wurzel_run("hostile")
    assert contents("da ta") == of_script


@pytest.mark.parametrize("shell", SHELLS)
def test_one_failure_lets_the_rest_finish(project, shell):
    root = project("failing")
    done = run(shell, write_script(open_pipeline("failing:pipeline").pipeline, root))
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert "failing: failed with exit code 1; the end of .wurzel/pipeline/logs/failing.log:" in lines
    assert any(line.startswith("  | ") and "this step always fails" in line for line in lines)
    assert "upper: done" in lines
    assert lines[-1] == "pipeline: failed: failing; what needs them was not run"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_tells_of_a_failure(shell, project):
    root = project("failing")
    say = ("sh", "-c", 'echo "$WURZEL_STEP|$WURZEL_REASON|$WURZEL_LINK|$TOKEN" >> told')
    told = OnFailure(command=say, link="http://it's/{run}", secrets={"TOKEN": SecretRef(name="chat", key="token")})
    pipeline = open_pipeline("failing:pipeline").pipeline.model_copy(update={"on_failure": told})
    done = run(shell, write_script(pipeline, root), TOKEN="t", WURZEL_RUN_ID="7")
    assert done.returncode == 1
    assert (root / "told").read_text() == "failing|see .wurzel/pipeline/logs|http://it's/7|t\n"


def test_retries_and_slices_are_those_of_wurzel_step(project):
    root = project("flaky")
    assert run("sh", write_script(open_pipeline("flaky:pipeline").pipeline, root)).returncode == 0
    assert "exit code 1; trying again" in Path(".wurzel/pipeline/logs/flaky.log").read_text()
    root = project("sharded")
    assert run("sh", write_script(open_pipeline("sharded:pipeline").pipeline, root)).returncode == 0
    of_script = contents("data/loud")
    wurzel_run("sharded:pipeline")
    assert contents("data/loud") == of_script


def test_a_parameter_may_be_given_anew(project):
    root = project("named")
    script = write_script(open_pipeline("named").pipeline, root)
    assert run("sh", script).returncode == 0
    assert b'"oneth"' in Path("data/suffix-en/part-00000.json").read_bytes()
    assert run("sh", script, SUFFIX_EN__SUFFIX="$x 'y'", SUFFIX_DE__SUFFIX="no").returncode == 0
    assert b"\"one$x 'y'\"" in Path("data/suffix-en/part-00000.json").read_bytes()
    assert b'"one\xc3\x9f\xc3\x9f"' in Path("data/suffix-de/part-00000.json").read_bytes()


STAND_IN = """#!/bin/sh
for word; do
  case "${last-}" in -o) out=$word ;; --id) id=$word ;; esac
  last=$word
done
echo "start $id" >>order
[ "$id" != "${FAILING-}" ] || exit "${CODE-3}"
mkdir -p "$out"
echo "end $id" >>order
"""


@pytest.fixture
def stand_in(tmp_path):
    """A folder with a `wurzel` that only notes when steps start and end; for the order of many steps."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "wurzel").write_text(STAND_IN)
    (folder / "wurzel").chmod(0o755)
    return folder


def wide(count):
    """Layers of ten steps, each after two of the layer before; and one after the first and the last."""

    def needs(number):
        layer, column = divmod(number, 10)
        return tuple(f"s-{(layer - 1) * 10 + other}" for other in (column, (column + 3) % 10)) if layer else ()

    steps = [
        plain_step(id=f"s-{number}", run="steps:Upper", needs=needs(number), output=WORD) for number in range(count)
    ]
    both = plain_step(id="both", run="steps:Upper", needs=("s-0", f"s-{count - 1}"), output=WORD)
    return Pipeline(name="wide", steps=(*steps, both))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("jobs", [1, 3])
def test_steps_run_in_order_and_no_more_at_once_than_allowed(tmp_path, stand_in, shell, jobs):
    pipeline = wide(60)
    script = write_script(pipeline, tmp_path)
    done = run(shell, script, "-j", str(jobs), PATH=f"{stand_in}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "order").read_text().splitlines()
    order = {line: number for number, line in enumerate(lines)}
    assert len(lines) == len(order) == 122
    assert all(
        order[f"end {need}"] < order[f"start {step.id}"] for step in pipeline.steps for need in step.predecessors
    )
    running = most = 0
    for line in lines:
        running += 1 if line.startswith("start") else -1
        most = max(most, running)
    assert most <= jobs


def test_a_failure_blocks_only_what_follows(tmp_path, stand_in):
    pipeline = wide(50)
    script = write_script(pipeline, tmp_path)
    done = run("sh", script, "-j4", PATH=f"{stand_in}:{os.environ['PATH']}", FAILING="s-12", CODE="1")
    assert done.returncode == 1
    blocked = {"s-12"}
    for step in pipeline.steps:
        if blocked & set(step.predecessors):
            blocked.add(step.id)
    ended = {line.removeprefix("end ") for line in (tmp_path / "order").read_text().splitlines() if line[0] == "e"}
    assert ended == {step.id for step in pipeline.steps} - blocked


@pytest.mark.parametrize("code", [2, 3])
def test_failures_that_another_try_does_not_mend_end_it_with_their_code(tmp_path, stand_in, code):
    script = write_script(wide(20), tmp_path)
    done = run("sh", script, PATH=f"{stand_in}:{os.environ['PATH']}", FAILING="s-3", CODE=str(code))
    assert done.returncode == code
    assert done.stderr.splitlines()[-1] == "wide: failed: s-3; what needs them was not run"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--help"], 0, "-j N        run N steps at a time"),
        (["-h"], 0, "Exit codes"),
        (["-j"], 2, "-j needs a number"),
        (["-j", "0"], 2, "-j needs a number"),
        (["-jx"], 2, "-j needs a number"),
        (["rag"], 2, "unknown argument: rag"),
    ],
)
def test_usage(tmp_path, arguments, code, text):
    done = run("sh", write_script(wide(10), tmp_path), *arguments)
    assert done.returncode == code
    assert text in (done.stderr if code else done.stdout)


def test_what_is_missing_is_said_before_anything_runs(tmp_path, stand_in):
    step = plain_step(
        id="a-b",
        run="steps:Words",
        output=WORD,
        settings=(
            Setting(name="KEY", variable="A_B__KEY", required=True, secret=True),
            Setting(name="DB__HOST", variable="A_B__DB__HOST", required=True),
        ),
    )
    script = write_script(Pipeline(name="needy", steps=(step,)), tmp_path)
    done = run("sh", script)
    assert (done.returncode, done.stderr) == (2, "needy: set these environment variables: A_B__KEY A_B__DB__HOST\n")
    path = f"{stand_in}:{os.environ['PATH']}"
    assert run("sh", script, PATH=path, WORDS__KEY="", A_B__DB="{}").returncode == 0
    done = run("/bin/sh", script, PATH="/usr/bin:/bin", WORDS__KEY="", A_B__DB="{}")
    assert (done.returncode, "wurzel is not on the path" in done.stderr) == (2, True)


SLEEPER = """
import subprocess, sys, time
from pathlib import Path
from steps import Word
from wurzel.core import NoSettings, TypedStep
from wurzel.utils import WZ


class Sleeper(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        process = subprocess.Popen(["sleep", "300"])
        Path("pids").write_text(f"{process.pid}\\n")
        process.wait()
        return []


pipeline = WZ(Sleeper)
"""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_steps_and_what_they_started(project, shell, signum):
    root = project("chain")
    (root / "sleeper.py").write_text(SLEEPER)
    script = write_script(open_pipeline("sleeper:pipeline").pipeline, root)
    process = subprocess.Popen(
        command(shell, script), env=surroundings(), stderr=subprocess.PIPE, start_new_session=True
    )
    pid = wait_for_pid(root / "pids")
    process.send_signal(signum)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -signum
    assert errors.decode().splitlines()[-1] == "pipeline: interrupted"
    assert gone(pid)
    assert list(root.glob("data/*")) == list(root.glob("data/.*")) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_run_that_takes_too_long_is_ended(project, shell):
    root = project("chain")
    (root / "sleeper.py").write_text(SLEEPER)
    pipeline = open_pipeline("sleeper:pipeline").pipeline.model_copy(update={"timeout": 3})
    done = run(shell, write_script(pipeline, root))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "pipeline: time for the whole run is over"
    assert gone(wait_for_pid(root / "pids"))


def wait_for_pid(path):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def gone(pid):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


# With a store


@pytest.fixture
def stored(project):
    """A project whose pipeline `sharded` has a store, and its script."""

    def make(entry="sharded:pipeline"):
        root = project("sharded")
        (root / "sleeper.py").write_text(SLEEPER)
        steps = "{loud: {shards: 3}}" if "sharded" in entry else "{}"
        (root / "wurzel.yaml").write_text(
            f"version: 1\npipelines: {{p: {{entrypoint: '{entry}', store: ./it's a store, steps: {steps}}}}}\n"
        )
        return root, write_script(open_pipeline("p").pipeline, root)

    return make


@pytest.mark.parametrize("shell", SHELLS)
def test_data_crosses_steps_through_the_store_and_is_computed_once(stored, shell):
    root, script = stored()
    found = subprocess.run(
        [BIN / "shellcheck", "-s", "sh", "-o", "all", script], capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)
    done = run(shell, script, "-j2")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        0,
        "p: done; datasets are in the store ./it's a store",
    ), done
    of_script = {path.parent.name: path.read_bytes() for path in root.glob("data/*/part-00000.json")}
    shutil.rmtree("data")
    assert run(shell, script).returncode == 0
    logs = "".join(path.read_text() for path in (root / ".wurzel/p/script").iterdir())
    assert "done in" not in logs
    assert logs.count("unchanged (from the store)") == len(of_script)
    listed = subprocess.run([BIN / "wurzel", "store", "ls", "p"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in listed.splitlines() if line.startswith("local-")] == ["latest", "whole"]
    subprocess.run([BIN / "wurzel", "-q", "run", "p", "--store", "none"], check=True)
    assert of_script == {path.parent.name: path.read_bytes() for path in root.glob("data/*/part-00000.json")}


def test_a_script_of_other_steps_ends_with_2(stored):
    root, script = stored()
    config = root / "wurzel.yaml"
    config.write_text(config.read_text().replace("shards: 3", "shards: 2"))
    done = run("sh", script)
    assert done.returncode == 2
    assert "edges or shards have changed" in done.stderr


def test_a_signal_ends_a_step_that_hands_over_to_a_store(stored):
    root, script = stored("sleeper:pipeline")
    process = subprocess.Popen(
        command("sh", script), env=surroundings(), stderr=subprocess.PIPE, start_new_session=True
    )
    pid = wait_for_pid(root / "pids")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert errors.decode().splitlines()[-1] == "p: interrupted"
    assert gone(pid)


def test_a_script_of_an_ir_file_has_the_pipeline_beside_it(stored):
    root, script = stored()
    assert run("sh", script).returncode == 0
    told = subprocess.run([BIN / "wurzel", "inspect", "p", "--json"], capture_output=True, check=True)
    (root / "p.json").write_bytes(told.stdout)
    (root / "wurzel.yaml").unlink()
    subprocess.run([BIN / "wurzel", "render", "--from-ir", "p.json", "-t", "local", "--force"], check=True)
    done = run("sh", script)
    assert done.returncode == 0, done.stderr
    logs = "".join(path.read_text() for path in (root / ".wurzel/p/script").iterdir())
    assert "done in" not in logs
    assert logs.count(": unchanged\n") == 3
    assert (root / "run-p.ir.json").is_file()
    assert "--from-ir run-p.ir.json" in script.read_text()


def test_the_script_may_stand_in_a_folder(project):
    root = project("chain")
    script = write_script(open_pipeline("chain:pipeline").pipeline, root, output="scripts/deep/run.sh")
    assert run("sh", script).returncode == 0
    assert len(list(root.glob("data/*/manifest.json"))) == 3


def test_a_zero_byte_is_reported_before_rendering():
    setting = Setting(name="A", variable="X__A", given=True, value="a\0b")
    step = plain_step(id="x", run="steps:Words", output=WORD, settings=(setting,))
    (problem,) = LocalBackend().preflight(Pipeline(name="p", steps=(step,)), TargetOptions())
    assert problem.message == "the value of X__A contains a zero byte, which an environment variable cannot"


def test_a_run_says_what_it_leaves_out(project):
    project("scheduled")
    (note,) = left_out(open_pipeline("scheduled"))
    assert note.text == (
        "scheduled: ignored when run locally: image, step_image, gpu, ephemeral_storage, limits, schedule,"
        " timezone, deadline, push, after, data_arrival, webhook, node_selector, tolerations, service_account,"
        " priority, volumes, env_from (`wurzel targets local` says why)"
    )
    accepted = (
        "[image, step_image, cpu, memory, gpu, ephemeral_storage, limits, schedule, timezone, deadline, push, after,"
        " data_arrival, webhook, tolerations,"
        " service_account, priority, volumes, env_from]"
    )
    (note,) = left_out(open_pipeline("scheduled", sets=[f"targets.local.ignore={accepted}"]))
    assert ": node_selector (" in note.text
    project("chain")
    assert left_out(open_pipeline("chain:pipeline")) == []
