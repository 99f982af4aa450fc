"""Filters of packs: the public, typed functions of a module, which must return the same value every time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from wurzel.exceptions import Problem
from wurzel.render.filters import FILTERS, REFUSED
from wurzel.render.text import Text
from wurzel.render.values import NotAValue, freeze


def filters_of(
    module: str, pack: str, known: Iterable[str], file: Path | None = None
) -> tuple[dict[str, Callable[..., Any]], list[Problem]]:
    """The filters of a module by name, and the errors in it.

    Args:
        module: the name of the module.
        pack: name and version of its pack.
        known: filter names that other packs already use.
        file: the file that the module must come from; `None` if that is not known.
    """
    from jinja2.filters import FILTERS as OF_JINJA

    from wurzel.core.importing import introspecting

    try:
        with introspecting():
            found = import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever an import runs into
        return {}, [Problem(f"filters: {module!r} cannot be imported: {type(error).__name__}: {error}", pack)]
    if file is not None and file.resolve() != Path(str(found.__file__)).resolve():
        message = f"filters: {module!r} was imported from another place than the pack"
        return {}, [
            Problem(message, pack, f"Rename {module.partition('.')[0]!r} in this project: it hides the pack's.")
        ]
    functions = {
        name: value
        for name, value in vars(found).items()
        if inspect.isfunction(value) and value.__module__ == found.__name__ and not name.startswith("_")
    }
    problems = []
    taken = {**dict.fromkeys(OF_JINJA, "Jinja"), **dict.fromkeys([*FILTERS, *REFUSED], "wurzel")}
    taken |= dict.fromkeys(known, "another pack")
    for name, function in functions.items():
        where = f"{pack}: {module}:{name}"
        if name in taken:
            problems.append(Problem(f"{taken[name]} already has a filter {name!r}", where, "Rename it."))
        if untyped := _untyped(function):
            problems.append(Problem(f"the filter {name!r} has no type for {untyped}", where, "Annotate it."))
    if not functions:
        problems.append(Problem(f"filters: {module} has no public function", pack, "Define one, or remove `filters`."))
    return {name: _pure(name, function, pack) for name, function in functions.items()}, problems


def _untyped(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function, eval_str=True)
    missing = [name for name, each in signature.parameters.items() if each.annotation is inspect.Parameter.empty]
    if signature.return_annotation is inspect.Signature.empty:
        missing.append("what it returns")
    return ", ".join(missing)


def _pure(name: str, function: Callable[..., Any], pack: str) -> Callable[..., Any]:
    """The function, called on copies, which raises if it returns a different result for the same arguments."""
    before: dict[str, Any] = {}

    @wraps(function)
    def apply(*arguments: Any, **named: Any) -> Any:
        values = [_value(argument) for argument in arguments]
        options = {key: _value(argument) for key, argument in named.items()}
        key = repr((values, sorted(options.items())))
        result = freeze(function(*values, **options))
        if key in before and before[key] != result:
            raise NotAValue(
                f"the filter {name!r} of {pack} returned {result!r}, but {before[key]!r} before for the same arguments",
                "A filter must always return the same: do not use the clock, random numbers, the environment or state.",
            )
        before[key] = result
        return result

    summary = inspect.cleandoc(function.__doc__ or "not described").partition("\n")[0]
    apply.__doc__ = f"{inspect.signature(function)}: {summary} ({pack})"
    return apply


def _value(argument: Any) -> Any:
    if isinstance(argument, Text):
        return argument.as_value()
    try:
        return freeze(argument)
    except NotAValue:  # an object of the context, such as a step
        return argument
