"""Modules that print and change the folder while they are imported: documents and outputs stay what they are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOUD = """
import os, subprocess, sys
print("printed")
sys.stdout.write("written ")
os.system("echo called")
os.write(1, b"low\\n")
sys.__stdout__.write("original\\n")
os.makedirs("elsewhere", exist_ok=True)
os.chdir("elsewhere")
from chain import pipeline as chain

def pipeline():
    print("building")
    return chain()
"""
NOISE = ["printed", "written", "called", "low", "original", "building"]
WURZEL = [sys.executable, "-m", "wurzel"]


@pytest.fixture
def loud(project):
    root = project("chain")
    (root / "loud.py").write_text(LOUD)
    return root


def run(*words):
    return subprocess.run([*WURZEL, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["inspect", "loud:pipeline", "--json"], "{"),
        (["render", "loud:pipeline", "-t", "dvc", "--stdout"], "# Rendered by"),
        (["render", "loud:pipeline", "-t", "dvc", "--format", "json"], "{"),
        (["render", "loud:pipeline", "-t", "dvc", "--explain", "--format", "json"], "{"),
        (["graph", "loud:pipeline", "--format", "svg"], "<svg"),
        (["env", "loud:pipeline", "--dotenv"], ""),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_standard_output_is_the_document_alone(loud, words, start):
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(start)
    assert not [word for word in NOISE if word in done.stdout]
    assert not [word for word in NOISE if word not in done.stderr]


def test_an_ir_file_of_a_loud_module_runs(loud):
    (loud / "ir.json").write_text(run("inspect", "loud:pipeline", "--json").stdout)
    assert json.loads((loud / "ir.json").read_text())["version"] == 2
    done = run("run", "--from-ir", "ir.json")
    assert done.returncode == 0, done.stderr


def test_what_a_module_does_to_the_folder_moves_no_output(loud):
    assert run("render", "loud:pipeline", "-t", "local").returncode == 0
    (loud / "loudstep.py").write_text("import os\nos.chdir('elsewhere')\nfrom steps import Words\n")
    done = run("step", "loudstep:Words", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (loud / "run-pipeline.sh").exists()
    assert (loud / "out/manifest.json").exists()
    assert list(Path("elsewhere").iterdir()) == []
