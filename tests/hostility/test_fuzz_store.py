"""A store that is damaged at random gives nothing wrong, and heals; `make fuzz` does it as often as there is time."""

import random
import tempfile
from pathlib import Path

from tests.hostility.budget import COUNT, MEMORY
from tests.hostility.store_damage import Campaign

SAMPLE = 15


def test_damage_never_gives_a_wrong_result():
    first = random.randrange(10**12) if COUNT else 0
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        campaign = Campaign(Path(folder))
        for seed in range(first, first + (COUNT or SAMPLE)):
            assert campaign.problems(seed) == []
    assert campaign.counts["read"] > 0
    assert campaign.counts["refused"] > 0
