"""What is wrong with a template, for its author: from what jinja or Python raises."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import jinja2

from wurzel.patterns import pattern
from wurzel.render import text
from wurzel.render.elsewhere import instead, syntax_instead
from wurzel.render.filters import REFUSED
from wurzel.render.layers import Found, label
from wurzel.render.structure import WITH_CONTEXT
from wurzel.render.values import NotAValue
from wurzel.suggestion import LOOSE, did_you_mean

_ELSE = "Add `else`, since an expression always writes a value; use `{% if %}` to omit text."
_JOINED = "Join texts with `~`: `{{ 'a' ~ 1 }}`; for a sum, write `x | int + 1`."
SET = "Set it before the `include`, as the template that comes with wurzel does."
UNDEFINED = pattern(r"'(\w+)' is undefined")
_ENDLESS = {
    MemoryError: ("the template needs more memory than this machine has", "Look for texts that grow in a loop."),
    RecursionError: ("templates or macros call each other endlessly", "Follow the includes from here."),
}


def explained(
    error: Exception, names: Collection[str], filters: Collection[str], tests: Collection[str]
) -> tuple[str, str]:
    """Message and hint for an error that a template has raised, which sees these names, filters and tests."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return syntax(error.message or "", filters, tests)
    if isinstance(error, jinja2.UndefinedError):
        return _undefined(str(error), names)
    if isinstance(error, MemoryError | RecursionError):
        return _ENDLESS[MemoryError if isinstance(error, MemoryError) else RecursionError]
    if isinstance(error, NotAValue | jinja2.TemplateError):
        return str(error), getattr(error, "hint", "")
    if isinstance(error, AttributeError | TypeError) and re.search(r"\bText\b", str(error)):
        return text.NO_VALUE, text.MAKE_VALUE
    hint = _JOINED if isinstance(error, TypeError) and "concatenate" in str(error) else getattr(error, "hint", "")
    return f"{type(error).__name__}: {error}", hint


def syntax(message: str, filters: Collection[str], tests: Collection[str]) -> tuple[str, str]:
    """Message and hint for an error of the parser or compiler."""
    match = re.match(r"No (filter|test) named '(\w+)'", message)
    if match is None:
        return message, syntax_instead(message)
    return no_filter(match[2], filters) if match[1] == "filter" else no_test(match[2], tests)


def no_filter(name: str, filters: Collection[str]) -> tuple[str, str]:
    """Message and hint for a filter that does not exist."""
    hint = REFUSED.get(name) or instead("filter", name)
    return f"there is no filter {name!r}", hint or did_you_mean(name, filters, cutoff=LOOSE)


def no_test(name: str, tests: Collection[str]) -> tuple[str, str]:
    """Message and hint for a test that does not exist."""
    return f"there is no test {name!r}", instead("test", name) or did_you_mean(name, tests, cutoff=LOOSE)


def not_set(
    message: str, running: Sequence[tuple[str, int]], found: Mapping[str, Found]
) -> tuple[str, str, str] | None:
    """Place, message and hint for a name that a part of wurzel's needs, where a template of the project includes it.

    `running` are the templates that include each other, with their lines, the outermost first.
    """
    undefined = UNDEFINED.fullmatch(message)
    own = [number for number, (name, _) in enumerate(running) if name in found and found[name].layer.is_own]
    if undefined is None or not own or own[-1] == len(running) - 1:
        return None
    name, line = running[own[-1]]
    part = found[running[own[-1] + 1][0]]
    return f"{name}:{line}", needed(label(part), undefined[1]), SET


def needed(part: str, name: str) -> str:
    """What is wrong where a template includes a part without a name that it needs."""
    return f"{part} needs {name!r}, which is undefined here"


def _undefined(message: str, names: Collection[str]) -> tuple[str, str]:
    if message.startswith("the inline if-expression"):
        return "the inline `if` is false and has no `else`", _ELSE
    match = UNDEFINED.fullmatch(message)
    if match is None:
        member = re.match(r"(.* has no '(\w+)')(; did you mean .*)?$", message, re.DOTALL)
        hint = instead("member", member.group(2)) if member else ""
        return (member.group(1), hint) if member and hint else (message, "")
    name = match.group(1)
    return message, WITH_CONTEXT if name in names else instead("name", name) or did_you_mean(name, names, cutoff=LOOSE)
