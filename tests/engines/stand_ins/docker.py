"""A docker for tests: it writes down what is asked of it, and runs the command of a container in the folder `image`."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WORDS = sys.argv[1:]


def options(name):
    """The values of an option that may be repeated."""
    return [word.partition("=")[2] for word in WORDS if word.startswith(f"--{name}=")]


def command():
    """The words of a container, with the folders behind its mounts."""
    at = next(number for number, word in enumerate(WORDS) if word.startswith("--entrypoint="))
    mounts = [mount.removeprefix("type=bind,source=").split(",target=") for mount in options("mount")]
    folders = {path: folder for folder, path in mounts}
    behind = re.compile("|".join(f"{path}(?=/)" for path in folders))
    words = [*options("entrypoint"), *WORDS[at + 2 :]]
    return [behind.sub(lambda found: folders[found[0]], word) for word in words]


if __name__ == "__main__":
    with (HERE / "calls").open("a") as calls:
        print(*WORDS, file=calls)
    if WORDS[0] == "run":
        variables = dict(item.split("=", 1) for item in options("env"))
        environment = {"PATH": str(Path(sys.executable).parent), **variables}
        sys.exit(subprocess.run(command(), cwd=HERE / "image", env=environment, check=False).returncode)
