"""Value types that configuration, step classes and the IR share: durations, quantities and their rules."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:(?P<d>[0-9]+)d)?(?:(?P<h>[0-9]+)h)?(?:(?P<m>[0-9]+)m)?(?:(?P<s>[0-9]+)s)?")
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")


def parse_duration(value: Any) -> int:
    """Seconds of `90`, `"90s"`, `"1h30m"`, `"2d"` or a `timedelta`.

    Raises:
        ValueError: when the value is none of these or is negative.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a duration; write seconds or a text such as 90s, 10m, 1h30m, 2d")
    if isinstance(value, str):
        text = value.strip()
        match = _DURATION.fullmatch(text) if text else None
        if match is None:
            if text.isascii() and text.isdigit():
                return int(text)
            raise ValueError(f"{value!r} is not a duration; write seconds or a text such as 90s, 10m, 1h30m, 2d")
        return sum(int(count) * _UNITS[unit] for unit, count in match.groupdict().items() if count)
    if value < 0 or value != int(value):
        raise ValueError(f"{value!r} is not a duration; write whole seconds, 0 or more")
    return int(value)


def format_duration(seconds: int) -> str:
    """The shortest text that `parse_duration` reads back: `5400` is `1h30m`."""
    parts = []
    for unit, size in sorted(_UNITS.items(), key=lambda item: -item[1]):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _quantity(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ValueError(f"{value!r} is not a Kubernetes quantity; write for example 500m, 2, 512Mi or 8Gi")
    return value


Duration = Annotated[int, BeforeValidator(parse_duration), Field(ge=0, json_schema_extra={"x-input": "duration"})]
"""Whole seconds; read from `90`, `90s`, `1h30m`."""

Quantity = Annotated[str, BeforeValidator(_quantity)]
"""A Kubernetes quantity (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""
