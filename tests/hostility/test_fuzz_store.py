"""A store that is damaged at random gives nothing wrong, and heals; `make fuzz` does it as often as there is time."""

import random

from tests.hostility.budget import COUNT
from tests.hostility.store_damage import Campaign

SAMPLE = 15


def test_damage_never_gives_a_wrong_result(tmp_path):
    campaign = Campaign(tmp_path)
    first = random.randrange(10**12) if COUNT else 0
    for seed in range(first, first + (COUNT or SAMPLE)):
        assert campaign.problems(seed) == []
    assert campaign.counts["read"] > 0
    assert campaign.counts["refused"] > 0
