import json
import subprocess
import sys


def wurzel(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "wurzel", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_pipeline_runs_as_its_ir_says(project, tmp_path):
    folder = project("named")
    ir = tmp_path / "pipeline.json"
    described = json.loads(wurzel(folder, "inspect", "named", "--json").stdout)
    (step,) = [item for item in described["steps"] if item["id"] == "suffix-de"]
    next(item for item in step["settings"] if item["name"] == "SUFFIX")["value"] = "-other"
    ir.write_text(json.dumps(described))
    done = wurzel(folder, "run", "--from-ir", str(ir), "--data-dir", str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    assert "-other" in (tmp_path / "elsewhere" / "suffix-de" / "part-00000.json").read_text()
    assert "left out" not in done.stderr


def test_an_ir_file_says_all(project, tmp_path):
    folder = project("chain")
    for further in (["chain:pipeline"], ["--set", "image=a"], ["-e", "prod"]):
        done = wurzel(folder, "run", "--from-ir", "x.json", *further)
        assert done.returncode == 2
        assert "--from-ir takes no PIPELINE" in done.stderr


def test_without_either_there_is_nothing_to_run(project):
    done = wurzel(project("chain"), "run")
    assert done.returncode == 2
    assert "Missing argument '[PIPELINE]'" in done.stderr
