"""Holds the method `run` of a step class to its type parameters."""

from __future__ import annotations

import inspect
import warnings
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from wurzel.core.parameters import bindings, refers
from wurzel.datacontract.shape import substituted, type_text, unaliased, without_none
from wurzel.exceptions import StaticTypeError, WurzelWarning

_ANY_NAME = "inpt"
"""What messages call the parameter of a `run` that takes any arguments, such as one behind a decorator."""


def check_methods(cls: type[Any], place: str) -> None:
    """Check that what wurzel calls can be called. Raises `StaticTypeError` for a value or a property."""
    for name in ("run", "when", "finalize"):
        if not callable(found := getattr(cls, name)):
            kind = type(found).__name__
            raise StaticTypeError(f"{name} is of class {kind}, not a method", where=place, hint=f"Write def {name}(…).")


def check_run(cls: type[Any], given: Any, result: Any, place: str) -> None:
    """Check that `run` takes and returns what the type parameters say; missing annotations warn.

    Raises `StaticTypeError` when it does not, or takes another number of arguments.
    """
    if inspect.isasyncgenfunction(inspect.unwrap(cls.run)):
        raise StaticTypeError(
            "run is an async generator", where=place, hint="Write async def run, and return a list of the items."
        )
    missing, wanted = _check(cls, "run", given, result, place)
    # What a decorator without `wraps` puts in place of a method takes any arguments.
    if missing and any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in _parameters(cls.run)):
        message = f"{place}: a decorator hides the annotations of run; let it apply functools.wraps"
        warnings.warn(message, WurzelWarning, stacklevel=5)
    elif missing:
        warnings.warn(
            f"{place}: run has no annotation for {' and '.join(missing)}; write {wanted}", WurzelWarning, stacklevel=5
        )


def _parameters(method: Any) -> list[inspect.Parameter]:
    """What a method takes: any arguments where nothing tells, as for an object of a decorator that is a class."""
    try:
        return list(inspect.signature(method).parameters.values())
    except ValueError:
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]


def check_when(cls: type[Any], given: Any, place: str) -> None:
    """Check that `when` takes what `run` takes, and gives its answer at once. Raises `StaticTypeError`."""
    when = inspect.unwrap(cls.when)
    if inspect.iscoroutinefunction(when) or inspect.isasyncgenfunction(when) or inspect.isgeneratorfunction(when):
        raise StaticTypeError("when does not return True or False", where=place, hint="Write def when, without async.")
    _check(cls, "when", given, bool, place)


def _check(cls: type[Any], name: str, given: Any, result: Any, place: str) -> tuple[list[str], str]:
    """What of a method lacks annotations. Raises `StaticTypeError` where one differs from type parameters."""
    method = getattr(cls, name)
    parameter = _only_parameter(cls, name, place)
    owner = next(base for base in cls.__mro__ if name in base.__dict__)
    variables = bindings(cls, owner)
    hints = {key: substituted(hint, variables) for key, hint in _hints(method, owner).items()}
    wanted = f"{name}(self, {parameter}: {type_text(given)}) -> {type_text(result)}"
    accepted = [given] if without_none(given) is given else [given, without_none(given)]
    for key, types in ((parameter, accepted), ("return", [result])):
        if key in hints and _comparable(hints[key]) not in [_comparable(item) for item in types]:
            what = "returns" if key == "return" else "takes"
            raise StaticTypeError(
                f"{name} {what} {type_text(hints[key])}, but the type parameters say {type_text(types[0])}"
                if result is not bool or key != "return"
                else f"{name} returns {type_text(hints[key])}, not bool",
                where=place,
                hint=f"Write {wanted}.",
            )
    # A class that was defined in a function, such as a test, is known by its name alone.
    written = {key: text for key, text in getattr(method, "__annotations__", {}).items() if isinstance(text, str)}
    plain = {parameter: type_text(given), "return": type_text(result)}
    same = {key for key, text in plain.items() if written.get(key) == text}
    return [key for key in plain if key not in hints and key not in same], wanted


def _only_parameter(cls: type[Any], name: str, place: str) -> str:
    run, kinds = getattr(cls, name), inspect.Parameter
    parameters = _parameters(run)
    bound = isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod)
    if not bound and parameters and parameters[0].kind is not kinds.VAR_POSITIONAL:
        parameters = parameters[1:]
    positional = [item for item in parameters if item.kind in {kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD}]
    open_ended = any(item.kind is kinds.VAR_POSITIONAL for item in parameters)
    needed = [item for item in parameters if item.default is kinds.empty and item.kind is not kinds.VAR_KEYWORD]
    needed = [item for item in needed if item.kind is not kinds.VAR_POSITIONAL]
    if not positional and open_ended and not needed:
        return _ANY_NAME
    if not positional or [item for item in needed if item is not positional[0]]:
        raise StaticTypeError(
            f"{name} takes {len(needed)} arguments besides self, not one",
            where=place,
            hint=f"Write {name}(self, inpt: INPUT) -> {'OUTPUT' if name == 'run' else 'bool'}.",
        )
    return positional[0].name


def _hints(run: Any, owner: type) -> dict[str, Any]:
    parameters = {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
    try:
        raw = dict(getattr(run, "__annotations__", {}))
        return get_type_hints(run, localns=parameters or None) if any(map(refers, raw.values())) else raw
    except (NameError, AttributeError, TypeError, SyntaxError):  # such as a name imported for type checkers only
        return {}


def _comparable(annotation: Any) -> Any:
    """An annotation in a form that compares equal however it was written: `List[X]` is `list[X]`."""
    annotation = unaliased(annotation)
    if annotation is None:
        return NoneType
    origin = get_origin(annotation)
    if origin is None:
        return annotation
    arguments = [_comparable(argument) for argument in get_args(annotation)]
    if origin in {Union, UnionType}:
        return (Union, frozenset(arguments))
    return (origin, tuple(arguments))
