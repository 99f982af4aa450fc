import json
import os
import re
from pathlib import Path

import pytest

from tests.command import invoke, program
from wurzel.backends.registry import get
from wurzel.exceptions import WurzelError


def run(*arguments):
    return invoke("render", *arguments)


def error(*arguments):
    result = run(*arguments)
    assert isinstance(result.exception, WurzelError), result.output
    return result.exception


def test_files_are_written_once(project):
    project("scheduled")
    first = run("scheduled", "-t", "dvc")
    assert "created dvc.yaml" in first.stderr
    assert "created params.yaml" in first.stderr
    before = Path("dvc.yaml").stat().st_mtime_ns
    assert "2 files are up to date" in run("scheduled", "-t", "dvc").stderr
    assert Path("dvc.yaml").stat().st_mtime_ns == before


def test_without_arguments_all_of_the_configuration(project):
    project("scheduled")
    config = Path("wurzel.yaml")
    config.write_text(config.read_text() + "    targets: {dvc: {}, local: {}}\n")
    run()
    assert Path("dvc.yaml").exists()
    assert os.access("run-scheduled.sh", os.X_OK)


def line_of(text):
    """Number of the first line of wurzel.yaml that contains a text."""
    lines = Path("wurzel.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_what_a_target_cannot_do_is_said_with_its_place(project):
    project("scheduled")
    result = run("scheduled", "-t", "dvc")
    assert "warning: dvc cannot do what scheduled asks for" in result.stderr
    assert re.search(rf"gpu +wurzel\.yaml:{line_of('gpu:')}:", result.stderr)


def test_strict_makes_it_an_error_and_writes_nothing(project):
    project("scheduled")
    refused = error("scheduled", "-t", "dvc", "--strict")
    assert refused.exit_code == 2
    assert not Path("dvc.yaml").exists()


def test_accepted_features_are_not_reported(project):
    project("scheduled")
    everything = "image,step_image,cpu,memory,gpu,limits,pipeline_timeout,parallelism,schedule,timezone,deadline"
    names = [*everything.split(","), "ephemeral_storage", "node_selector", "tolerations", "service_account"]
    names += ["on_failure", "priority", "volumes", "env_from", "push", "after", "data_arrival", "webhook"]
    result = run("scheduled", "-t", "dvc", "--strict", "--set", f"targets.dvc.ignore={json.dumps(names)}")
    assert result.exit_code == 0
    assert "warning" not in result.stderr


def test_an_unknown_accepted_feature(project):
    project("scheduled")
    assert "Did you mean schedule?" in str(error("scheduled", "-t", "dvc", "--set", "targets.dvc.ignore=[shedule]"))


def test_check_tells_what_is_wrong_and_how_to_mend_it(project):
    project("chain")
    missing = error("chain:pipeline", "-t", "dvc", "--check")
    assert missing.exit_code == 1
    assert "dvc.yaml: missing" in str(missing)
    assert "Run: wurzel render chain:pipeline -t dvc" in str(missing)
    run("chain:pipeline", "-t", "dvc")
    assert run("chain:pipeline", "-t", "dvc", "--check").exit_code == 0
    written = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(written.replace("desc: Give words.", "desc: Mine."))
    edited = error("chain:pipeline", "-t", "dvc", "--check")
    assert "dvc.yaml: edited by hand" in str(edited)
    assert "--force" in str(edited)
    Path("dvc.yaml").write_text("mine\n")
    assert "dvc.yaml: not written by wurzel" in str(error("chain:pipeline", "-t", "dvc", "--check"))
    Path("dvc.yaml").write_text(written)
    source = Path("steps.py")
    source.write_text(source.read_text().replace("Give words.", "Give all words."))
    done = program("render", "chain:pipeline", "-t", "dvc", "--check")
    assert done.returncode == 1
    assert "dvc.yaml: out of date" in done.stderr
    assert "+    desc: Give all words." in done.stdout


def test_a_hand_edit_is_shown_and_kept_without_force(project):
    project("chain")
    run("chain:pipeline", "-t", "dvc")
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + "# mine\n")
    result = run("chain:pipeline", "-t", "dvc")
    assert "-# mine" in result.stdout
    assert "edited by hand" in str(result.exception)
    assert "# mine" in Path("dvc.yaml").read_text()
    run("chain:pipeline", "-t", "dvc", "--force")
    assert "# mine" not in Path("dvc.yaml").read_text()


def test_diff_writes_nothing(project):
    project("chain")
    result = run("chain:pipeline", "-t", "dvc", "--diff")
    assert result.stdout.startswith("--- /dev/null\n+++ b/dvc.yaml\n")
    assert not Path("dvc.yaml").exists()


def test_stdout_prints_the_file_as_written(project):
    project("chain")
    result = run("chain:pipeline", "-t", "local", "--stdout")
    run("chain:pipeline", "-t", "local")
    (script,) = Path().glob("run-*.sh")
    assert result.stdout == script.read_text()


def test_explain_names_the_template_line_and_the_values_of_each_line(project):
    project("chain")
    lines = run("chain:pipeline", "-t", "dvc", "--explain").stdout.splitlines()
    (desc,) = [line for line in lines if "desc: Give words." in line]
    assert desc.startswith("wurzel!dvc/dvc.yaml.j2:")
    assert desc.endswith("<- stage.desc  [words: description]")
    template = Path(__file__).parents[2] / "templates" / "dvc" / "dvc.yaml.j2"
    number = int(desc.split()[0].partition(":")[2])
    assert "desc: {{ stage.desc }}" in template.read_text().splitlines()[number - 1]
    assert not Path("dvc.yaml").exists()


def test_another_output_folder(project):
    project("chain")
    run("chain:pipeline", "-t", "dvc", "-o", "else/where")
    assert Path("else/where/dvc.yaml").exists()


def test_the_ir_renders_the_same_without_the_code(project, tmp_path_factory):
    root = project("scheduled")
    run("scheduled", "-t", "dvc")
    result = invoke("inspect", "scheduled", "--json")
    away = tmp_path_factory.mktemp("away")
    (away / "ir.json").write_text(result.stdout)
    program("render", "--from-ir", "ir.json", "-t", "dvc", cwd=away, code=0)
    body = (away / "dvc.yaml").read_text().partition("\n")[2]
    assert body == (root / "dvc.yaml").read_text().partition("\n")[2]
    assert (away / "params.yaml").read_text().partition("\n")[2] == (root / "params.yaml").read_text().partition("\n")[
        2
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a wurzel pipeline"),
        ('{"version": 99}', "has version 99; this wurzel reads version 1 or 2"),
        ('{"version": 1, "name": "x", "steps": [], "more": 1}', "more: Extra inputs"),
        (
            (
                '{"version": 1, "name": "x", "steps": [{"id": "a", "run": "m:C", "needs": ["b"],'
                ' "output": {"contract": "m:D"}}]}'
            ),
            "steps.0.needs.0.step: there is no step 'b'",
        ),
    ],
)
def test_a_broken_ir_file(project, text, message):
    project("chain")
    Path("ir.json").write_text(text)
    refused = error("--from-ir", "ir.json", "-t", "dvc")
    assert message in str(refused)
    assert refused.exit_code == 2


def test_a_missing_ir_file(project):
    project("chain")
    assert "No such file" in str(error("--from-ir", "nowhere.json", "-t", "dvc"))


def test_two_pipelines_that_would_write_one_file(project):
    project("scheduled")
    config = Path("wurzel.yaml")
    config.write_text(config.read_text() + "  other:\n    entrypoint: scheduled:pipeline\n    targets: {dvc: {}}\n")
    refused = error("scheduled", "other", "-t", "dvc")
    assert "scheduled for dvc and other for dvc would both write 'dvc.yaml'" in str(refused)


def test_two_files_whose_paths_some_file_systems_take_for_one(project):
    project("scheduled")
    config = Path("wurzel.yaml")
    other = "    targets: {dvc: {output: DVC.yaml, params: other.yaml}}\n    data_dir: data/other\n"
    config.write_text(f"{config.read_text()}  other:\n    entrypoint: scheduled:pipeline\n{other}")
    refused = str(error("scheduled", "other", "-t", "dvc"))
    assert "would both write 'dvc.yaml' and 'DVC.yaml'" in refused
    assert "take upper and lower case for one" in refused


def _two_pipelines(dvc, more=""):
    config = Path("wurzel.yaml")
    targets = f"{{dvc: {{output: other/dvc.yaml, {dvc}}}, local: {{}}}}"
    config.write_text(
        f"{config.read_text()}  other:\n    entrypoint: scheduled:pipeline\n    targets: {targets}\n{more}"
    )


def test_the_setting_that_parts_two_files_is_named(project):
    project("scheduled")
    _two_pipelines("")
    assert "e.g. targets.dvc.params: other/params.yaml" in str(error("scheduled", "other", "-t", "dvc"))


@pytest.mark.parametrize("target", ["dvc", "local"])
def test_two_pipelines_that_would_write_one_dataset_when_they_run(project, target):
    project("scheduled")
    _two_pipelines("params: other/params.yaml")
    refused = error("scheduled", "other", "-t", target)
    assert f"scheduled and other for {target} would both write 'data/words' when they run" in str(refused)
    assert "e.g. data_dir: data/other" in str(refused)
    assert refused.exit_code == 2
    assert not list(Path().glob("**/dvc.yaml"))


def test_two_pipelines_that_share_only_the_files_of_metrics(project):
    project("scheduled")
    _two_pipelines("params: other/params.yaml", "    data_dir: data/other\n")
    refused = str(error("scheduled", "other", "-t", "dvc"))
    assert "would both write 'metrics/words.json'" in refused
    assert "e.g. targets.dvc.metrics_dir: metrics/other" in refused
    assert "data/words" not in refused
    assert run("scheduled", "other", "-t", "local").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere:pipeline", "-t", "dvc"], "there is no module 'nowhere'"),
        (["chain:nothing", "-t", "dvc"], "has no attribute 'nothing'"),
        (["chain:Words", "-t", "dvc"], "is a step class"),
        (["chain:WZ", "-t", "dvc"], "cannot be called without arguments"),
        (["chain:pipeline", "-t", "dcv"], "Did you mean dvc?"),
        (["chain:pipeline"], "no target for pipeline"),
        (["chain"], "unknown pipeline 'chain'"),
        ([], "there is no wurzel.yaml here\n  Write one with `wurzel init`"),
        (["chain:pipeline", "-t", "dvc", "-e", "prod"], "unknown environment 'prod'"),
        (["chain:pipeline", "-t", "dvc", "--set", "targets.dvc.output=../x.yaml"], "outside the project"),
    ],
)
def test_bad_requests(project, arguments, message):
    project("chain")
    refused = error(*arguments)
    assert message in str(refused)
    assert refused.exit_code == 2


def test_an_error_in_the_user_s_code_is_its_own_and_short(project):
    project("chain")
    Path("broken.py").write_text("def inner():\n    return 1 / 0\n\ninner()\n")
    text = str(error("broken:pipeline", "-t", "dvc"))
    assert "ZeroDivisionError" in text
    assert "broken.py" in text
    assert "importlib" not in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(project):
    root = project("chain")
    root.chmod(0o555)
    assert error("chain:pipeline", "-t", "dvc").exit_code == 1


def test_the_output_folder_is_a_file(project):
    project("chain")
    Path("taken").write_text("")
    refused = error("chain:pipeline", "-t", "dvc", "-o", "taken")
    assert refused.exit_code == 1
    assert Path("taken").read_text() == ""


def test_a_legacy_time_zone_is_a_warning_once(project):
    project("chain")
    Path("wurzel.yaml").write_text(
        'version: 1\npipelines:\n  p: {entrypoint: "chain:pipeline", image: "a/b:1",\n'
        '    schedule: {cron: "0 4 * * *", timezone: CET}, targets: {argo: {}, cronjob: {}}}\n'
    )
    done = run()
    assert done.exit_code == 0
    assert done.stderr.count("CET is a legacy time zone name") == 1
    assert "warning: wurzel.yaml:4:45: schedule.timezone: CET is a legacy time zone" in done.stderr
    assert "Did you mean Europe/Berlin?" in done.stderr


def test_an_option_in_an_old_form_works_with_a_warning(project):
    root = project("credentials")
    config = root / "wurzel.yaml"
    old = "    targets:\n      cronjob:\n        mode: single-pod\n        layout: kustomize\n"
    config.write_text(config.read_text() + "    image: x\n" + old)
    result = run()
    assert f"warning: wurzel.yaml:{len(config.read_text().splitlines()) - 1}:9: targets.cronjob.mode" in result.stderr
    assert "targets.cronjob.mode: single-pod is now layout: single\n" in result.stderr
    assert "targets.cronjob.layout: kustomize is now manifests: kustomize\n" in result.stderr
    before = {path.name: path.read_text() for path in Path("cronjob/credentials").iterdir()}
    config.write_text(
        config.read_text().replace(old, "    targets: {cronjob: {layout: single, manifests: kustomize}}\n")
    )
    result = run()
    assert "is now" not in result.stderr
    assert {path.name: path.read_text() for path in Path("cronjob/credentials").iterdir()} == before


def test_an_option_in_both_forms_is_an_error(project):
    project("chain")
    sets = ("--set", "image=x", "--set", "targets.cronjob={mode: init-chain, layout: single}")
    refused = error("chain:pipeline", "-t", "cronjob", *sets)
    assert "unknown key 'mode' in targets.cronjob" in str(refused)


def test_a_file_for_one_run_stands_apart_from_those_that_are_kept(project):
    project("scheduled")
    Path("wurzel.yaml").write_text(
        Path("wurzel.yaml").read_text() + "    targets: {argo: {}}\n    store: s3://acme/rag\n"
    )
    run("-o", "deploy")
    kept = Path("deploy/argo/scheduled.yaml").read_text()
    assert "created argo/scheduled.once.yaml" in run("-o", "deploy", "--only", "suffix+").stderr
    once = Path("deploy/argo/scheduled.once.yaml").read_text()
    assert once.startswith("# Rendered by `wurzel render scheduled -t argo -o deploy --only suffix+` from ")
    assert "kind: Workflow\n" in once
    assert "1 file is up to date" in run("-o", "deploy", "--check", "--prune").stderr
    run("-o", "deploy", "--prune", "--force")
    assert Path("deploy/argo/scheduled.yaml").read_text() == kept
    assert Path("deploy/argo/scheduled.once.yaml").read_text() == once
    for words, said in (
        (["--only", "join"], "Use --stdout, or another folder: -o DIR"),
        (["--only", "join", "--check"], "--check and --prune do not apply to a run of some steps"),
        (["--only", "join", "--from", "words", "--stdout"], "--only cannot be used with --from or --until"),
        (["--until", "jion", "--stdout"], "--until: the pipeline scheduled has no step 'jion'"),
    ):
        done = program("render", *words, code=2)
        assert said in done.stderr


@pytest.mark.parametrize("target", ["airflow", "cronjob", "dvc", "github", "gitlab", "local"])
def test_other_targets_say_how_else_to_run_some_steps(project, target):
    project("chain")
    refused = error("chain:pipeline", "-t", target, "--stdout", "--only", "upper")
    assert refused.message == f"{target} has no file for a run of some steps"
    assert refused.hint == get(target).some_steps


def test_a_run_of_some_steps_needs_a_store(project):
    project("chain")
    refused = error("chain:pipeline", "-t", "argo", "--stdout", "--only", "upper", "--set", "image=x")
    assert refused.exit_code == 2
    assert "finds what words has given in the store, and there is none" in str(refused)
