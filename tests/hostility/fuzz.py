"""Try to break wurzel, at random, until time is up or something breaks: `make fuzz SECONDS=3600`.

What breaks is printed with the input that did it; it becomes a test of its own.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES, KILLS, TEMPLATES = 500, 200, 1000
LONG = ["--timeout", "3600"]
"""One test has all examples of a round, which takes its time beside other work."""


def tests():
    """The files to run, with what is set for one round of each."""
    fuzz = {"WURZEL_FUZZ": str(EXAMPLES)}
    yield from ((path, fuzz) for path in sorted(HERE.glob("test_fuzz_*.py")))
    yield HERE.parent / "render" / "test_quoting_properties.py", fuzz
    yield HERE / "test_kill.py", {"WURZEL_KILLS": str(KILLS)}


def main(seconds):
    """Run round after round; exit 1 at the first round that fails."""
    end = time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        for path, settings in tests():
            if rounds and time.monotonic() > end:
                break
            argv = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *LONG, str(path)]
            if subprocess.run(argv, cwd=HERE.parents[1], env=os.environ | settings, check=False).returncode:
                sys.exit(1)
        # `search.py SEED 1` shows again what a seed that it prints has found
        seed = random.randrange(10**12)
        if subprocess.run([sys.executable, HERE / "search.py", str(seed), str(TEMPLATES)], check=False).returncode:
            sys.exit(1)
        rounds += 1
    print(
        f"nothing broke in {rounds} rounds of {EXAMPLES} examples for each property, {TEMPLATES} whole templates and"
        f" {KILLS} kills for each command"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
