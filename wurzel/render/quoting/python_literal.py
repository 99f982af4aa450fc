"""Values as Python literals that `ast.literal_eval` reads back."""

from __future__ import annotations

from math import isinf, isnan
from typing import Any

from wurzel.render.characters import presentable
from wurzel.render.values import Identifier, NotAValue, digits

WIDTH = 88
"""Longest line for a list or mapping: the default of formatters, so that they keep it."""

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "'": "\\'"}


def literal(value: Any) -> str:
    """The value on one line. Raises `NotAValue` for not-a-number, which has no literal."""
    if isinstance(value, str):
        return str(value) if type(value) is Identifier else _string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bool) or value is None:
        return repr(value)
    return digits(value)


def laid_out(value: Any, margin: str, used: int) -> str:
    """The value, over several lines if it is too long for one with `margin` and `used` characters before it."""
    text = literal(value)
    if used + len(text) <= WIDTH or not isinstance(value, list | dict) or not value:
        return text
    inner = margin + "    "
    if isinstance(value, list):
        lines = [inner + laid_out(item, inner, len(inner) + 1) + "," for item in value]
        return "\n".join(["[", *lines, margin + "]"])
    names = {name: literal(name) for name in value}
    lines = [f"{inner}{names[k]}: {laid_out(v, inner, len(inner) + len(names[k]) + 3)}," for k, v in value.items()]
    return "\n".join(["{", *lines, margin + "}"])


def escaped(text: str, quote: str, *, lines: bool = False) -> str:
    """Text escaped for a string literal; `lines` keeps line breaks, as between triple quotes."""
    if quote not in text and "\\" not in text and presentable(text):
        return text  # the fast path for most texts
    return "".join(_escape(char, quote, lines=lines) for char in text)


def _escape(char: str, quote: str, *, lines: bool) -> str:
    if lines and char == "\n":
        return char
    if char in _ESCAPES:
        return char if char in "\"'" and char != quote else _ESCAPES[char]
    if presentable(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _string(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'  # fewer escapes, as formatters choose
    return quote + escaped(text, quote) + quote


def _float(value: float) -> str:
    if isnan(value):
        raise NotAValue("Python has no literal for it", 'Write `float("nan")` in the template.')
    if isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
