"""What YAML 1.2 reads an unquoted scalar as: https://yaml.org/spec/1.2.2/#103-core-schema."""

from __future__ import annotations

import re

_NOT_TEXT = frozenset("0123456789+-.~nNtTfF")
_CORE: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 100


def scalar(text: str) -> bool | int | float | str | None:
    """The value of an unquoted scalar. Raises `ValueError` when it is a number too long to read."""
    if text and text[0] not in _NOT_TEXT:
        return text
    if text in _CORE:
        return _CORE[text]
    if _INT.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise ValueError(f"a number of {len(text)} digits is too long")
        return int(text, 10 if text[:2] not in {"0o", "0x"} else 0)
    return float(text) if _FLOAT.fullmatch(text) else text
