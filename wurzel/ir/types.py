"""Value types that configuration, step classes and the IR share: durations, quantities and their rules."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from wurzel.models import Before

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:(?P<d>[0-9]+)d)?(?:(?P<h>[0-9]+)h)?(?:(?P<m>[0-9]+)m)?(?:(?P<s>[0-9]+)s)?")
LONGEST = 2**31 - 1
"""Seconds of the longest duration: what Kubernetes can count to."""
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]{1,2})?")


def parse_duration(value: Any) -> int:
    """Seconds of `90`, `"90s"`, `"1h30m"`, `"2d"` or a `timedelta`. Raises `ValueError` for anything else."""
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
    if not 0 <= value <= LONGEST or value != int(value):
        raise ValueError(f"{value!r} is not a duration; write whole seconds, 0 to {LONGEST}")
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


Duration = Annotated[
    int,
    Before(
        parse_duration,
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": LONGEST},
                {"type": "string", "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s?)?$"},
            ]
        },
    ),
    Field(ge=0, le=LONGEST),
]
"""Whole seconds; read from `90`, `90s`, `1h30m`."""

Quantity = Annotated[
    str,
    Before(
        _quantity,
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_QUANTITY.pattern}$"}]},
    ),
]
"""A Kubernetes quantity (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""
