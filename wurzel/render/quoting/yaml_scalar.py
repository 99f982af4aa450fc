"""Single values in YAML: the shortest form that readers of YAML 1.1 and 1.2 read as exactly that value.

Readers considered: PyYAML and libyaml (1.1), ruamel.yaml (1.1 and 1.2), the Go readers of Kubernetes and Argo, Psych
(Ruby, reads GitLab's files), `yaml` and `js-yaml` of npm, and those of YAML 1.2's core schema.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isinf, isnan

from wurzel.patterns import pattern
from wurzel.render.characters import presentable
from wurzel.render.values import NotAValue, digits, show

LONGEST_KEY = 1000
"""YAML 1.1 and 1.2 end the search for a key's colon after 1024 characters."""

_WORDS = frozenset(
    ("null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", "=", "<<")
)
_NUMBERS = pattern(
    r"[-+]?("
    r"[0-9_][0-9_,]*|"  # decimal; octal with a leading 0; thousands (Psych); a sign and `_` alone (ruamel.yaml)
    r"[0_]+[bBoOxX][-+0-9a-fA-F_,]*|"  # a sign behind the prefix (the readers in Go)
    r"[0-9_,]*\.[0-9_,]*([eE][-+]?[0-9_]*)?|[0-9_,]*[eE][-+]?[0-9_]+|"  # an exponent alone (npm's yaml, as 1.1)
    r"[0-9_]+(:[0-9_]{1,2})+(\.[0-9_]*)?|"  # base 60
    r"\.([iI][nN][fF]|[nN][aA][nN])|"
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ \t]+)[0-9].*)?"  # dates and times
    r")"
)
_FLOATS = pattern(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""What the readers in Go take for a number once they have removed every `_`, such as that in `8e_+8`."""
_PLAIN = pattern(r"[A-DF-Za-df-z/][\w./-]*", re.ASCII)
"""Most texts: never a number, nor anything but text, unless they are one of the words."""
_START = pattern(r"""-[^\s-]|--[^\s-]|[^-?:,\[\]{}#&*!|>'"%@`=<~\s]""")
_FLOW = frozenset(",[]{}:?")
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r",
    "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
_TRAILING = pattern(r"[ \t]$", re.MULTILINE)


@lru_cache(maxsize=10_000)
def reads_as_text(text: str) -> bool:
    """Whether every reader reads this unquoted text as text, not as a number, boolean, null, date, or merge."""
    if not text or text.lower() in _WORDS or _NUMBERS.fullmatch(text):
        return False
    return "_" not in text or not _FLOATS.fullmatch(text.replace("_", ""))


def unquoted_problem(text: str, *, flow: bool) -> str:
    """Why this text needs quotes; empty if it does not."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return ""
    problem = ""
    if not text:
        problem = "an empty value would be read as null"
    elif not reads_as_text(text):
        problem = f"{text!r} would not be read as text"
    elif not presentable(text):
        problem = "line breaks, tabs and invisible characters need quotes"
    elif text[-1] == " ":
        problem = "white space at its end would be lost"
    elif not _START.match(text) or text.startswith("..."):
        problem = f"it would start with {text[:3]!r}"
    elif ": " in text or text[-1] == ":" or " #" in text:
        problem = "': ' and ' #' would end it"
    elif flow and not _FLOW.isdisjoint(text):
        problem = "',', ':' or brackets would end it"
    return problem


def scalar(value: object, *, flow: bool = False) -> str:
    """Text, a number, a boolean or null on one line. Raises `NotAValue` when readers would not agree on it."""
    if isinstance(value, str):
        return _string(value, flow=flow)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return digits(value)
    raise NotAValue(f"{show(value)} is not a single value")


def key(value: object, *, flow: bool = False) -> str:
    """The same as the key of a mapping. Raises `NotAValue` when it is too long for a key."""
    text = scalar(value, flow=flow)
    if value == "<<":
        return f"!!str {text}"  # Ruby's reader merges even a quoted `<<`, unless the tag marks it as text
    if len(text) > LONGEST_KEY:
        raise NotAValue(f"a key of {len(text)} characters is longer than {LONGEST_KEY}, which YAML readers cannot find")
    return text


def block(text: str, *, keep: bool) -> str:
    """The header (`|`, `|-`, `|+`, with 2 if needed) for text of several lines as a literal block, or ''.

    It is '' if the text is better quoted: one line, line breaks that readers disagree about, white space at the end
    of a line (which editors strip), or trailing empty lines where the next line may not end them (`keep`).
    """
    body = text.rstrip("\n")
    if "\n" not in body or _TRAILING.search(text) or not all(map(_is_shown, text.split("\n"))):
        return ""
    trailing = len(text) - len(body)
    if trailing > 1 and not keep:
        return ""
    return "|" + ("2" if text[0] in " \t\n" else "") + ("-" if not trailing else "+" if trailing > 1 else "")


def double_quoted(text: str) -> str:
    """Text escaped for double quotes. Raises `NotAValue` for half of a surrogate pair, which a file cannot contain."""
    if presentable(text):
        return text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(_escape(char) for char in text)


def _is_shown(line: str) -> bool:
    return presentable(line.replace("\t", " "))


def _string(text: str, *, flow: bool) -> str:
    if not unquoted_problem(text, flow=flow):
        return text
    if presentable(text) and "'" not in text:
        return f"'{text}'"
    return f'"{double_quoted(text)}"'


def _escape(char: str) -> str:
    if (short := _ESCAPES.get(char)) is not None:
        return short
    if presentable(char):
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - surrogates
        raise NotAValue(f"{char!r} is half of a surrogate pair, which a file cannot contain")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _float(value: float) -> str:
    if isnan(value):
        return ".nan"
    if isinf(value):
        return ".inf" if value > 0 else "-.inf"
    mantissa, mark, exponent = repr(value).partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + mark + exponent
