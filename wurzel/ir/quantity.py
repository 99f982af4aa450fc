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
    """The sum as Kubernetes writes it: in the largest unit that shows it as a whole number, binary if one of them is.

    `500m` and `1500m` are `2`, `1Gi` and `512Mi` are `1536Mi`. Tools that compare a cluster with its files would find a
    difference otherwise. One quantity alone stays as it is.
    """
    given = list(quantities)
    if len(given) <= 1:
        return given[0] if given else None
    found = sum(map(amount, given), Decimal())
    if not found:
        return "0"
    is_binary = any(_split(quantity)[1] in _BINARY for quantity in given)
    units = [*reversed(_BINARY), "", "m", "u", "n"] if is_binary else list(reversed(_DECIMAL))
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
