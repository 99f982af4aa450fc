from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wurzel.ir.types import Quantity, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), (7, 7), (2.0, 2), ("0s", 0)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


def test_a_timedelta_is_a_duration():
    assert parse_duration(timedelta(minutes=2)) == 120


@pytest.mark.parametrize(
    "value", ["", " ", "1w", "h", "1h1h", "-5", "-5s", "1.5h", -1, 1.5, True, None, [], "٣s", "1 h"]
)
def test_what_is_no_duration(value):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(value)


@given(st.integers(0, 10**9))
def test_a_formatted_duration_reads_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("value", ["500m", "2", "0.5", "512Mi", "8Gi", "1e3", 2, 0.5])
def test_quantities(value):
    assert TypeAdapter(Quantity).validate_python(value) == str(value)


@pytest.mark.parametrize("value", ["", "lots", "8 Gi", "8GiB", "-1", True, None, "1gi"])
def test_what_is_no_quantity(value):
    with pytest.raises(ValidationError, match="is not a Kubernetes quantity"):
        TypeAdapter(Quantity).validate_python(value)
