"""What is wrong with a template, for its author: from what jinja or Python raises."""

from __future__ import annotations

import re
from collections.abc import Collection

import jinja2

from wurzel.render import text
from wurzel.render.elsewhere import instead, syntax_instead
from wurzel.render.filters import REFUSED
from wurzel.render.structure import WITH_CONTEXT
from wurzel.render.values import NotAValue
from wurzel.suggestion import LOOSE, did_you_mean

_ELSE = "Add `else`, since an expression always writes a value; use `{% if %}` to omit text."
_JOINED = "Join texts with `~`: `{{ 'a' ~ 1 }}`; for a sum, write `x | int + 1`."
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


def _undefined(message: str, names: Collection[str]) -> tuple[str, str]:
    if message.startswith("the inline if-expression"):
        return "the inline `if` is false and has no `else`", _ELSE
    match = re.fullmatch(r"'(\w+)' is undefined", message)
    if match is None:
        member = re.match(r"(.* has no '(\w+)')(; did you mean .*)?$", message, re.DOTALL)
        hint = instead("member", member.group(2)) if member else ""
        return (member.group(1), hint) if member and hint else (message, "")
    name = match.group(1)
    return message, WITH_CONTEXT if name in names else instead("name", name) or did_you_mean(name, names, cutoff=LOOSE)
