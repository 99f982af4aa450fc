"""How long the tests of a thousand tries go on: a moment, always the same, or at random for as long as asked.

`WURZEL_FUZZ=5000` tries that many random examples per property; `make fuzz SECONDS=3600` does it until time is up.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

COUNT = int(os.environ.get("WURZEL_FUZZ", "0"))

KILLS = int(os.environ.get("WURZEL_KILLS", "0"))
"""How many kills at random `make fuzz` asks for; with any, every point is tried too."""

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where what is made and damaged thousands of times need not be put on a disk."""


def examples(count):
    """Hypothesis settings: `count` fixed examples, or `WURZEL_FUZZ` random ones."""
    return settings(
        max_examples=COUNT or count,
        deadline=None,
        derandomize=not COUNT,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if os.environ.get("WURZEL_FUZZ_FAST") else list(Phase),
    )
