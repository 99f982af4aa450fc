"""Install the real engines below `.engines/`, each in an environment of its own; a second call does nothing.

`python tests/engines/install.py [NAME]…` installs the named ones, or all. To add an engine, add a row to `ENGINES`.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / ".engines"

ENGINES = {
    # name: what is installed in `.engines/<name>` (a change of the row installs anew)
    "dvc": {"pip": ["dvc==3.67.*"]},
}


def pip(home, requirements):
    """A virtual environment with these requirements."""
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run(
        [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements], check=True, cwd=home
    )


def npm(home, packages):
    """A folder with these packages below `node_modules`."""
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(home), *packages],
        check=True,
        cwd=home,
    )


INSTALLERS = {"pip": pip, "npm": npm}


def install(name):
    """Install one engine unless its stamp says that this very row is there."""
    home = ROOT / name
    stamp = ROOT / f"{name}.installed"
    row = ENGINES[name]
    if stamp.exists() and stamp.read_text() == repr(row):
        return
    shutil.rmtree(home, ignore_errors=True)
    start = time.monotonic()
    for kind, arguments in row.items():
        INSTALLERS[kind](home, arguments)
    stamp.write_text(repr(row))
    print(f"{name}: installed in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    ROOT.mkdir(exist_ok=True)
    for engine in sys.argv[1:] or ENGINES:
        install(engine)
