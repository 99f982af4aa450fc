"""Every built-in backend answers for everything a pipeline can ask for."""

import pytest

from wurzel.backends.registry import BUILT_IN, get
from wurzel.ir.features import FEATURES
from wurzel.testing import check_backend, variants


@pytest.mark.parametrize("target", BUILT_IN)
def test_nothing_is_dropped_in_silence(target):
    assert check_backend(target) == len(list(variants()))


@pytest.mark.parametrize("target", BUILT_IN)
def test_the_support_table_has_an_entry_for_every_feature(target):
    assert set(get(target).support) == set(FEATURES)
