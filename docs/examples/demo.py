"""Render the example for every target and run it here, in a copy below `.demo/`, so that the checkout stays clean."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
DEMO = DOCS.parent / ".demo"
PROJECT = DEMO / "docs" / "examples" / "rag"


def wurzel(*arguments: str) -> None:
    """Show a command and run it in the example's folder; a failure ends the demo with its exit code."""
    print(f"\n$ wurzel {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "wurzel", *arguments], cwd=PROJECT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Copy, render, run, and say where the results are."""
    shutil.rmtree(DEMO, ignore_errors=True)
    shutil.copytree(DOCS, DEMO / "docs", ignore=shutil.ignore_patterns("__pycache__", "data", ".wurzel", "demo.py"))
    if git := shutil.which("git"):  # a repository, so that workflows are written there and not in the checkout
        subprocess.run([git, "init", "--quiet", PROJECT], check=True)
    if not find_spec("static_model"):
        print("\nThe language model is not available on this machine; EMBED__MODEL=words is used instead.")
        os.environ["EMBED__MODEL"] = "words"
    wurzel("graph", "rag")
    wurzel("render")
    wurzel("run", "rag", "-j", "2")
    wurzel("run", "rag", "-j", "2")
    here = os.path.relpath(PROJECT)
    print(f"\nRendered files and results are below {here}:")
    for path in sorted(PROJECT.rglob("*")):
        parts = path.relative_to(PROJECT).parts
        if path.is_file() and parts[0] not in {".wurzel", ".git"} and "__pycache__" not in parts:
            print(f"  {path.relative_to(PROJECT).as_posix()}")
    report = (PROJECT / "data" / "report" / "00000" / "answers.md").read_text(encoding="utf-8")
    print(f"\nThe last step wrote, in data/report/00000/answers.md:\n\n{report}")


if __name__ == "__main__":
    main()
