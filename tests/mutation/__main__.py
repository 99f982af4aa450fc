"""Change single places of the code, and see whether a test notices: `make mutation`.

Too many places for all of them: a sample of each area, always the same one for a seed, against the tests of the area
alone. A mutant that survives is a test that is missing, or stands in `docs/decisions/mutants.md` with its reason.
"""

import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / ".engines" / "mutation" / "bin" / "python"
QUOTING = "wurzel/render/quoting/"
CALLS = ["command", "digests", "fingerprint", "layout", "settings", "variables"]
STORE = ["gc_plan", "local", "names", "records", "references", "repair", "runs", "states", "store", "usage", "verify"]
STORED = ["store", "local", "gc", "verify"]
AREAS = {
    # area: modules, the tests that must notice, and those that are asked about what these do not notice
    "yaml": (
        [f"{QUOTING}yaml*.py", f"{QUOTING}word.py"],
        ["render/test_yaml_quoting.py", "render/test_yaml_repeats.py"],
        ["render"],
    ),
    "shell": ([f"{QUOTING}shell*.py", f"{QUOTING}draft.py"], ["render/test_shell_quoting.py"], ["render"]),
    "python": ([f"{QUOTING}python*.py"], ["render/test_python_quoting.py"], ["render"]),
    "invocation": (
        [f"wurzel/invocation/{name}.py" for name in CALLS],
        ["ir/test_job_file.py", "ir/test_ports.py", "invocation/test_variables.py", "invocation/test_digests.py"],
        [
            "backends/test_common.py",
            "backends/test_local.py",
            "invocation/test_fingerprint.py",
            "test_snapshots.py",
            "runtime/test_parameters.py",
            "runtime/test_run_language.py",
        ],
    ),
    "store": (
        [f"wurzel/store/{name}.py" for name in STORE],
        [f"store/test_{name}.py" for name in STORED],
        ["store", "cli/test_store.py"],
    ),
    "resolve": (["wurzel/project/resolve.py"], ["project/test_resolve.py"], ["project"]),
    "layout": (
        ["wurzel/ir/layout.py", "wurzel/backends/*/layout.py", "wurzel/backends/grouped.py"],
        ["ir/test_layout.py", "backends/test_argo_layouts.py"],
        ["backends", "project/test_layouts.py", "test_snapshots.py"],
    ),
}


def copied(folder):
    """The tree as it is, without what was made in it; tests find code and environment there."""
    skipped = shutil.ignore_patterns(".git", ".venv", ".engines", "__pycache__", ".*_cache", ".site", ".demo")
    tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=skipped, symlinks=True))
    (tree / ".engines").symlink_to(ROOT / ".engines")
    return tree


def tested(tree, tests, most):
    """How the tests end: `killed` by one that fails, or by time, or `survived`."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(f"tests/{name}" for name in tests)]
    try:
        done = subprocess.run(argv, cwd=tree, env=environment, capture_output=True, timeout=most, check=False)
    except subprocess.TimeoutExpired:
        return "killed by time"
    return "killed" if done.returncode else "survived"


def search(tree, area, count, seed):
    """Mutants of an area, each against its tests; prints those that survive."""
    patterns, tests, more = AREAS[area]
    paths = [str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)]
    argv = [str(ENGINE), str(Path(__file__).with_name("mutants.py")), str(seed), str(count), *paths]
    lines = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    start, counts = time.monotonic(), Counter()
    if tested(tree, tests, None) != "survived":
        sys.exit(f"{area}: the tests fail as they are")
    most = 60 + 5 * (time.monotonic() - start)
    for line in lines:
        mutant = json.loads(line)
        path, before = tree / mutant["path"], (ROOT / mutant["path"]).read_text()
        path.write_text(mutant["code"])
        outcome = tested(tree, tests, most)
        if outcome == "survived" and tested(tree, more, 20 * most) != "survived":
            outcome = "killed by other tests"
        path.write_text(before)
        counts[outcome] += 1
        if outcome == "survived":
            print("\n".join(difference(mutant, before)), flush=True)
    found = f"{sum(counts.values())} mutants of {json.loads(lines[0])['of']} places"
    print(f"{area}: {found}, {dict(counts)}, {time.monotonic() - start:.0f} s", flush=True)


def difference(mutant, before):
    """The lines that differ, with their place."""
    yield f"== {mutant['path']}:{mutant['line']} survived"
    changes = difflib.unified_diff(before.splitlines(), mutant["code"].splitlines(), lineterm="", n=0)
    yield from (change for change in changes if not change.startswith(("---", "+++", "@@")))


def main(count, seed, *areas):
    """Search the areas, or all of them."""
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(folder)
        for area in areas or AREAS:
            search(tree, area, int(count), seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
