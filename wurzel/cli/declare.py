"""Options of a command as a table: click makes its own of it, and plain calls are read by it without click.

Importing click and asking it takes 9 ms. What is read without it is what click is sure to read alike; anything else,
errors included, is left to click.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    import click

Function = TypeVar("Function", bound=Callable[..., Any])

_TEXTS = frozenset({"ParameterText", "PipelineName", "StepName", "TargetName"})
"""Types that take any text, and offer names to a shell."""


class AtLeast(NamedTuple):
    """The type of an option that is a whole number, at least this one."""

    number: int


class Param(NamedTuple):
    """An option or argument, with the names and settings that click takes.

    `type` is the name of a class in `wurzel.cli.types`, a tuple of texts to choose from, `AtLeast`, or `Path`.
    """

    names: tuple[str, ...]
    settings: Mapping[str, Any]
    is_argument: bool

    @property
    def name(self) -> str:
        """The name of the parameter of the function."""
        own = [name for name in self.names if not name.startswith("-")]
        return own[0] if own else max(self.names, key=len).lstrip("-").replace("-", "_")

    @property
    def takes_several(self) -> bool:
        """Whether the value is a tuple of all that are given."""
        return bool(self.settings.get("multiple")) or self.settings.get("nargs") == -1

    @property
    def default(self) -> Any:
        """The value where none is given."""
        if self.takes_several:
            return ()
        return self.settings.get("default", False if self.settings.get("is_flag") else None)

    def made(self) -> click.Parameter:
        """The same for click."""
        import click

        from wurzel.cli import types

        settings, kind = dict(self.settings), self.settings.get("type")
        if isinstance(kind, AtLeast):
            settings["type"] = click.IntRange(min=kind.number)
        elif isinstance(kind, tuple):
            settings["type"] = click.Choice(kind)
        elif kind is Path:
            settings["type"] = click.Path(path_type=Path)
        elif isinstance(kind, str):
            settings["type"] = getattr(types, kind)()
        return (click.Argument if self.is_argument else click.Option)(self.names, **settings)


class Command:
    """A command of wurzel."""

    def __init__(self, name: str, function: Callable[..., Any], *, takes_state: bool) -> None:
        """With `takes_state`, the function is given what the options before the command say, too."""
        self.name = name
        self.function = function
        self.takes_state = takes_state
        self.params: Sequence[Any] = vars(function).pop("__click_params__", [])[::-1]

    @cached_property
    def click(self) -> click.Command:
        """The same for click."""
        import click

        function = click.pass_obj(self.function) if self.takes_state else self.function
        params = [param.made() if isinstance(param, Param) else param for param in self.params]
        return click.command(self.name, params=params)(function)

    def values(self, words: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any] | None:
        """The values of the parameters for these words; `None` if only click can say."""
        try:
            return _values([param for param in self.params if isinstance(param, Param)], words, environ)
        except ValueError:  # also of a number with more digits than Python reads
            return None


def option(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """Like `click.option`."""
    return _added(Param(names, settings, is_argument=False))


def argument(name: str, **settings: Any) -> Callable[[Function], Function]:
    """Like `click.argument`."""
    return _added(Param((name,), settings, is_argument=True))


def declared(name: str, *, takes_state: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """Like `click.command`; options may be click's as well, but then click has to read the call."""
    return lambda function: Command(name, function, takes_state=takes_state)


def _added(param: Param) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        vars(function).setdefault("__click_params__", []).append(param)  # where click collects its own
        return function

    return add


class _UnsureError(ValueError):
    """What click makes of this call is not known for sure."""


def _values(params: Sequence[Param], words: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    options = {name: param for param in params if not param.is_argument for name in param.names}
    given: dict[str, list[Any]] = {}
    arguments: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not name.startswith("-"):
            arguments.append(name)
            continue
        param = options.get(name)
        if param is None or "callback" in param.settings or (equals and param.settings.get("is_flag")):
            raise _UnsureError
        if param.settings.get("is_flag"):
            given.setdefault(param.name, []).append(True)
        else:
            text = value if equals else next(rest, "")
            given.setdefault(param.name, []).append(_converted(param, text))
    _take_arguments([param for param in params if param.is_argument], arguments, given)
    return {param.name: _value(param, given.get(param.name), environ) for param in params if _is_passed(param)}


def _take_arguments(params: Sequence[Param], words: Sequence[str], given: dict[str, list[Any]]) -> None:
    for param, name in [(param, param.name) for param in params]:
        taken = words if param.takes_several else words[:1]
        words = words[len(taken) :]
        if taken:
            given[name] = [_converted(param, word) for word in taken]
    if words:
        raise _UnsureError


def _value(param: Param, given: list[Any] | None, environ: Mapping[str, str]) -> Any:
    if given is None:
        if param.settings.get("envvar", "") in environ:
            raise _UnsureError
        return param.default
    if param.takes_several:
        return tuple(given)
    if len(given) > 1:
        raise _UnsureError
    return given[0]


def _is_passed(param: Param) -> bool:
    return bool(param.settings.get("expose_value", True))


def _converted(param: Param, text: str) -> Any:
    """The value of a text. An empty one is an error, and one with a dash may be an option whose value is missing."""
    kind = param.settings.get("type")
    if not text or text.startswith("-"):
        raise _UnsureError
    if kind is None or kind in _TEXTS or (isinstance(kind, tuple) and not isinstance(kind, AtLeast) and text in kind):
        return text
    if isinstance(kind, AtLeast) and text.isascii() and text.isdigit() and int(text) >= kind.number:
        return int(text)
    if kind is Path:
        return Path(text)
    raise _UnsureError
