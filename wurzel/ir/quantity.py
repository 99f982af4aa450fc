"""Arithmetic on Kubernetes quantities.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def amount(quantity: str) -> Decimal:
    """The number a quantity stands for: `500m` is 0.5, `1Ki` is 1024. Raises `ValueError` when it is not a quantity."""
    number, suffix = _split(quantity)
    if suffix in _BINARY:
        return number * Decimal(2 ** _BINARY[suffix])
    if suffix in _DECIMAL:
        return number.scaleb(_DECIMAL[suffix])
    return number.scaleb(int(suffix[1:]))


def total(quantities: Iterable[str]) -> str | None:
    """The sum, in the largest of their units that shows it as a whole number: `1Gi` and `512Mi` are `1536Mi`."""
    given = list(quantities)
    if not given:
        return None
    found = sum(map(amount, given), Decimal())
    units = sorted({_split(quantity)[1] for quantity in given}, key=lambda suffix: amount(f"1{suffix}"), reverse=True)
    for unit in units:
        number = found / amount(f"1{unit}")
        if number == number.to_integral_value():
            break
    return f"{number.normalize():f}{unit}"


def largest(*quantities: str | None) -> str | None:
    """The largest of the quantities that are given."""
    given = [quantity for quantity in quantities if quantity is not None]
    return max(given, key=amount) if given else None


def _split(quantity: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity; write for example 500m, 2, 512Mi or 8Gi")
    return Decimal(match["number"]), match["suffix"] or ""
