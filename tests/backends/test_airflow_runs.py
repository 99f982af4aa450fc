"""Tasks that are `wurzel run`: with a store, a layout other than `steps`, or groups."""

import ast
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.backends.test_airflow import (
    CONTAINERS,
    EVERYTHING,
    POD_EVERYTHING,
    PODS,
    call,
    check_layout,  # noqa: F401 - a fixture
    one_step,
    options,
    problems,
)
from tests.plain import WORDS, plain_step
from wurzel.backends.airflow import AirflowBackend
from wurzel.backends.support import unsupported_uses
from wurzel.ir.model import Pipeline, Retry, Setting, Shards, Store
from wurzel.ir.serialize import digest_of, parse
from wurzel.testing import check_backend, full_pipeline, render_texts

KEYS = {name: {"name": "minio", "key": name} for name in ("access_key_id", "secret_access_key")}
STORE = Store.model_validate({"url": "s3://acme/rag", "secrets": KEYS})
SLICED = Shards(items=2, max=4)


def files(pipeline, **fields):
    """Text of the DAG file, and of the file with the pipeline beside it."""
    found = render_texts(pipeline, "airflow", options(**fields))
    (dag,) = (text for path, text in found.items() if path.endswith(".py"))
    (ir,) = (text for path, text in found.items() if path.endswith(".ir.json"))
    return dag, ir


def chain(*, store=STORE, ids="", **fields):
    """Two steps that may share a task, a step whose slices are counted, one whose slices are fixed.

    The id of each is its letter, with `ids` before it.
    """
    a, b, c, d = (f"{ids}{letter}" for letter in "abcd")
    limit = Setting(name="L", variable="B__L", type="str | None", parameter=True)
    steps = (
        plain_step(id=a, run="m:A", output=WORDS, timeout=60, retry=Retry(limit=2, backoff=10), resources={"cpu": "1"}),
        plain_step(id=b, run="m:B", input=WORDS, needs=(a,), timeout=60, settings=(limit,)),
        plain_step(id=c, run="m:C", input=WORDS, needs=(b,), shards=SLICED.max, timeout=60, resources={"cpu": "2"}),
        plain_step(id=d, run="m:D", input=WORDS, needs=(c,), shards=3, timeout=60, resources={"cpu": "2"}),
    )
    steps = (*steps[:2], steps[2].model_copy(update={"shards": SLICED}), steps[3])
    return Pipeline(name="p", image="acme/p:1", store=store, steps=steps, **fields)


def value(source, name):
    """The constant of this name in a file."""
    (found,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(found)


@pytest.mark.parametrize("fields", [{}, PODS, CONTAINERS, {"version": "2.11"}], ids=["bash", "pods", "docker", "2.11"])
def test_every_field_of_a_pipeline_changes_a_file_or_is_reported(fields):
    assert check_backend("airflow", layout="auto", **fields) > 30


@pytest.mark.parametrize("version", ["3", "2.11"])
def test_files_are_laid_out_as_ruff_does(check_layout, version):  # noqa: F811
    rules = "AIR" if version == "3" else "AIR0"
    shown = {key: value for key, value in EVERYTHING.items() if key != "keep_days"} | {"version": version}
    operators = [{}, {"operator": "kubernetes", "kubernetes": POD_EVERYTHING}, CONTAINERS]
    mixed = {**PODS, "steps": {"a": {"operator": "bash"}}}
    whole = full_pipeline().model_copy(update={"store": STORE})
    sources = [files(whole, layout="auto", **shown, **fields)[0] for fields in operators]
    sources += [files(chain(), layout="auto", version=version, **fields)[0] for fields in [{}, PODS, CONTAINERS, mixed]]
    sources += [files(chain(ids="a" * 50), layout=layout, version=version)[0] for layout in ("steps", "auto")]
    check_layout(sources, rules)


def test_the_dag_has_the_digest_of_the_pipeline_beside_it():
    dag, ir = files(chain())
    assert value(dag, "ENV")["WURZEL_IR"] == "{{ task.dag.folder }}/p.ir.json"
    assert value(dag, "ENV")["WURZEL_IR_SHA256"] == digest_of(ir.encode()) == sha256(ir.encode()).hexdigest()
    assert [step.id for step in parse(ir.encode(), "").steps] == ["a", "b", "c", "d"]
    elsewhere = render_texts(chain(), "airflow", options(output="etl/x.py"))
    assert set(elsewhere) == {"etl/x.py", "etl/x.ir.json"}


def test_each_step_is_a_task_and_slices_are_instances():
    dag, _ = files(chain())
    tail = '--data-dir "$work/data" --state-dir "$work/state" --no-retry'
    assert value(dag, "RUN").endswith(f'wurzel run --from-ir "$WURZEL_IR" {tail}')
    assert ast.literal_eval(call(dag, "a")["bash_command"].removeprefix("RUN + ")) == " --only a"
    assert call(dag, "b")["bash_command"] == "RUN + ' --only b --slices c=-'"  # it makes all that c cuts
    assert (call(dag, "b")["do_xcom_push"], call(dag, "b")["output_processor"]) == ("True", "json.loads")
    assert call(dag, "c")["bash_command"] == "b.output.map(lambda shard: RUN + ' --only c --shard ' + shard)"
    assert call(dag, "d")["bash_command"] == "slices(RUN + ' --only d --shard', 3)"
    assert "a >> b\n    c >> d\n" in dag


def test_a_task_counts_slices_where_no_job_makes_all_of_the_data():
    steps = (*chain().steps[:2], plain_step(id="x", run="m:X", output=WORDS, resources={"cpu": "2"}))
    cut = plain_step(id="c", run="m:C", input=WORDS, needs=("b", "x"), shards=4).model_copy(update={"shards": SLICED})
    again = cut.model_copy(update={"id": "d", "needs": cut.needs[:1]})
    other = cut.model_copy(update={"id": "e", "needs": cut.needs[:1]})
    dag, _ = files(chain().model_copy(update={"steps": (*steps, cut, again, other)}), **PODS)
    assert call(dag, "c__slices")["arguments"] == "[*RUN, '--slices', 'c=/airflow/xcom/return.json']"
    assert "--slices', 'd=/airflow/xcom/return.json'" in call(dag, "b")["arguments"]
    assert "xcom_sidecar_container_security_context" in call(dag, "b")
    assert "--slices" in call(dag, "e__slices")["arguments"]  # a job counts for one other
    for edge in ("[b, x] >> c__slices", "b >> e__slices"):
        assert edge in dag


def test_airflow_retries_where_all_tasks_are_single_steps():
    dag, _ = files(chain())
    assert value(dag, "RUN").endswith("--no-retry")
    assert (call(dag, "a")["retries"], call(dag, "a")["retry_delay"]) == ("2", "timedelta(seconds=10)")
    assert "'execution_timeout': timedelta(minutes=6)" in call(dag, "dag")["default_args"]


def test_elsewhere_wurzel_retries_and_airflow_adds_a_try():
    dag, _ = files(chain(), layout="auto")
    assert "--no-retry" not in dag
    assert call(dag, "a_b")["bash_command"] == "RUN + ' -j 1 --only a,b --slices c=-'"
    assert "'retries': 1" in call(dag, "dag")["default_args"]
    assert call(dag, "a_b")["execution_timeout"] == f"timedelta(seconds={3 * 60 + 20 + 60 + 300})"  # two waits
    assert "execution_timeout" in files(chain(timeout=400), layout="auto")[0]
    assert "timedelta(seconds=400)" in call(files(chain(timeout=400), layout="auto")[0], "a_b")["execution_timeout"]


def test_one_task_runs_all_of_it():
    dag, _ = files(one_step({"store": STORE}), layout="single")
    assert call(dag, "words")["bash_command"] == "RUN"


def test_a_request_is_the_largest_sum_that_runs_side_by_side():
    steps = [plain_step(id="a", run="m:A", resources={"cpu": "200m", "memory": "1Gi"})]
    steps += [
        plain_step(id=name, run="m:B", input=WORDS, needs=("a",), resources={"cpu": "300m"}) for name in ("b", "c")
    ]
    pipeline = Pipeline(name="p", image="acme/p:1", store=STORE, steps=tuple(steps))
    arguments = call(files(pipeline, layout="single", **PODS)[0], "p")
    assert arguments["arguments"] == "[*RUN, '-j', '2']"
    assert "{'cpu': '600m', 'memory': '1Gi'}" in arguments["container_resources"]


def test_bash_leaves_nothing_behind(tmp_path):
    """Neither after success and failure, nor when the task is told to end, which `wurzel` must survive for a while."""
    dag, _ = files(one_step({"store": STORE}))
    program = tmp_path / "wurzel"
    program.write_text('#!/bin/sh\nmkdir -p "$7"\nls -d "$7" >>seen\neval "$DO"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    command = ["bash", "-c", value(dag, "RUN") + " --only words"]
    for text, code in [("exit 0", 0), ("exit 3", 3), ("kill -s TERM $PPID; sleep 0.2; exit 4", 4)]:
        done = subprocess.run(command, cwd=tmp_path, env={**environment, "DO": text}, check=False)
        assert done.returncode == code
    assert len(set((tmp_path / "seen").read_text().split())) == 3
    assert list((tmp_path / "tmp").iterdir()) == []


# Parameters, secrets


@pytest.mark.parametrize(("fields", "kind"), [({}, "bash"), (PODS, "pods"), (CONTAINERS, "docker")])
def test_all_tasks_get_all_parameters_and_a_null_is_absent(fields, kind):
    dag, _ = files(chain(), **fields)
    shared = value(dag, "ENV")
    assert shared["B__L"].startswith("{{ params.B__L")
    assert shared["NULL_B__L"] == "{{ params.B__L is none }}"
    start = 'if [ "$NULL_B__L" = True ]; then unset B__L; fi; '
    if kind == "pods":
        assert call(dag, "a")["cmds"] == repr(["sh", "-c", f'{start}exec "$0" "$@"', "wurzel"])
    else:
        assert value(dag, "RUN").startswith(start)


@pytest.mark.parametrize("fields", [{}, CONTAINERS])
def test_keys_of_the_store_come_from_connections(fields):
    dag, ir = files(chain(), **fields)
    shared = value(dag, "ENV")
    assert shared["WURZEL_STORE_ACCESS_KEY_ID"] == "{{ secret('minio', 'access_key_id') }}"
    assert shared["WURZEL_STORE_SECRET_ACCESS_KEY"] == "{{ secret('minio', 'secret_access_key') }}"
    assert "def secret(" in dag
    assert "minio" not in ir
    assert "minio" not in files(chain(), secrets="environment")[0]


def test_pods_get_keys_from_secrets_or_a_token():
    pod = value(files(chain(), **PODS)[0], "POD")["spec"]
    (container,) = pod["containers"]
    secret = {"secretKeyRef": {"name": "minio", "key": "access_key_id"}}
    assert {"name": "WURZEL_STORE_ACCESS_KEY_ID", "valueFrom": secret} in container["env"]
    identity = Store.model_validate({"url": "s3://acme/rag", "identity": {"role": "arn:x"}})
    dag, _ = files(chain(store=identity), operator="kubernetes")
    assert value(dag, "ENV")["WURZEL_STORE_ROLE_ARN"] == "arn:x"
    pod = value(dag, "POD")["spec"]
    assert any("projected" in volume for volume in pod["volumes"])
    assert value(dag, "ENV")["WURZEL_STORE_TOKEN_FILE"].startswith(
        next(mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "store-token")
    )


def test_deployments_that_share_a_store_tell_their_runs_apart():
    assert value(files(chain())[0], "ENV")["WURZEL_RUN_ID"].startswith("airflow-{{ dag.dag_id }}-{{ run_id")
    assert value(files(chain(), deployment="eu")[0], "ENV")["WURZEL_RUN_ID"].startswith("airflow-eu-{{ dag.dag_id }}")


@pytest.mark.parametrize(("fields", "count"), [({}, 1), (CONTAINERS, 1), (PODS, 0)])
def test_an_identity_is_for_pods(fields, count):
    store = Store.model_validate({"url": "s3://acme/rag", "identity": {"role": "arn:x"}})
    reports = unsupported_uses(AirflowBackend(), one_step({"store": store}), options=options(**fields))
    assert [report.feature for report in reports] == ["store"] * count


# Refused


def test_what_tasks_of_several_steps_cannot_do_is_refused():
    own = one_step(self_consuming=True)
    (found,) = problems(own, layout="single")
    assert "reads its own last output" in found
    assert problems(own.model_copy(update={"store": STORE}), layout="single") == []
    (found,) = problems(chain(), keep_days=3)
    assert "with a store tasks keep nothing on disk" in found
    large = Setting(name="S", variable="WORDS__S", given=True, value="x" * 70_000)
    pipeline = one_step({"store": STORE, "image": "x/y:1"}, settings=(large, large.model_copy(update={"name": "T"})))
    (found,) = problems(pipeline, operator="kubernetes")
    assert "which Linux limits to 131072 bytes" in found
    assert problems(pipeline) == []


def test_a_group_must_agree_on_what_a_task_has_once():
    steps = tuple(step.model_copy(update={"group": "g"}) for step in chain().steps[:2])
    mixed = {"steps": {"b": {"operator": "kubernetes"}}}
    (found,) = problems(chain().model_copy(update={"steps": steps}), **mixed)
    assert 'their operator differs: "bash" and "kubernetes"' in found


@pytest.mark.parametrize("url", ["file:///srv/store", "./store", "/srv/store"])
def test_containers_need_a_mount_for_a_store_in_a_folder(url):
    pipeline = chain(store=Store(url=url))
    for kind in ("kubernetes", "docker"):
        (found,) = problems(pipeline, operator=kind)
        assert f"nothing is mounted there that all {kind} tasks share" in found
    mounted = chain(store=Store(url="file:///wurzel/store"))
    assert problems(mounted, **PODS) == problems(mounted, **CONTAINERS) == problems(pipeline) == []


def test_pods_of_a_pipeline_with_a_store_need_no_claim():
    assert problems(chain(), operator="kubernetes") == []
    assert len(problems(chain(store=None), operator="kubernetes")) == 1


def test_the_rendered_files_run(project, tmp_path):
    """What bash would run, without Airflow: the digest, the store, the run id; a file that was changed is refused."""
    folder = project("diamond")
    render = [sys.executable, "-m", "wurzel", "render", "diamond:pipeline", "-t", "airflow"]
    subprocess.run([*render, "--set", f"store=file://{tmp_path}/store"], check=True, capture_output=True)
    dag = Path("dags/pipeline.py").read_text()
    env = {**os.environ, "WURZEL_IR": "dags/pipeline.ir.json", "WURZEL_RUN_ID": "airflow-p-1"}
    env |= {"WURZEL_IR_SHA256": value(dag, "ENV")["WURZEL_IR_SHA256"]}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    ids = [step["id"] for step in json.loads(Path("dags/pipeline.ir.json").read_text())["steps"]]
    for step_id in ids:
        done = subprocess.run(
            ["bash", "-c", f"{value(dag, 'RUN')} --only {step_id}"],
            cwd=folder,
            env=env,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    with Path("dags/pipeline.ir.json").open("a") as file:
        file.write(" ")
    done = subprocess.run(["bash", "-c", value(dag, "RUN")], cwd=folder, env=env, capture_output=True, check=False)
    assert b"the file is not the one that the job was rendered with" in done.stderr
