"""A group of commands that imports only the one that is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import click

from wurzel.cli.declare import Command

_DESTROYS = frozenset({"clean", "forget", "gc"})
"""Commands that remove something: never suggested for a misspelled one."""

_MEANT = {
    "build": "render",
    "compile": "render",
    "dag": "graph",
    "delete": "",
    "diff": "render --diff",
    "execute": "run",
    "help": "--help",
    "lint": "check",
    "list": "inspect",
    "ls": "inspect",
    "plan": "run --plan",
    "prune": "",
    "purge": "",
    "remove": "",
    "start": "run",
    "status": "check",
    "tree": "graph",
    "validate": "check",
    "version": "--version",
}
"""Names that other tools use for our commands; nothing is suggested for those that remove something."""


_MAY_BE_EMPTY = frozenset({"notify"})
"""Commands that are told of a failed run by variables, of which a platform need not set all."""


class CommandGroup(click.Group):
    """Lists its commands from a table, and imports the module of the one that is called."""

    def __init__(self, *args: Any, table: Mapping[str, str], home: str, **options: Any) -> None:
        """See click for the rest.

        `table` has the one-line help of each command; in `home`, the name of its module, or `module:attribute`, `{}`
        stands for the command.
        """
        super().__init__(*args, **options)
        self._table = table
        self._home = home

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of that name."""
        if cmd_name not in self._table:
            return None
        module, _, name = self._home.format(cmd_name).partition(":")
        command = getattr(import_module(module), name or "command")
        if isinstance(command, Command):
            command = command.click
        assert isinstance(command, click.Command)  # noqa: S101 - narrows the type; a test calls every command
        command.make_parser = partial(_make_parser, command)  # type: ignore[method-assign]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, with a did-you-mean for an unknown name."""
        if args and args[0] not in self._table and not args[0].startswith("-"):
            from wurzel.suggestion import did_you_mean

            harmless = [name for name in self._table if name not in _DESTROYS]
            meant = _MEANT.get(args[0])
            options = {option for param in self.get_params(ctx) for option in param.opts}
            if meant is None or (meant and meant.partition(" ")[0] not in {*self._table, *options}):
                advice = did_you_mean(args[0], harmless)
            else:
                advice = f"Did you mean {meant}?" if meant else ""
            advice = advice or f"Commands: {', '.join(self._table)}."
            ctx.fail(f"Unknown command {args[0]!r}. {advice}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))


def _make_parser(command: click.Command, ctx: click.Context) -> Any:
    """The parser of a command, which finds `-t` at once.

    Click looks among the long options first and, as it is not there, for similar names: 2 ms of a cold start, for the
    imports of `difflib` and `locale`.
    """
    parser: Any = type(command).make_parser(command, ctx)
    process = parser._process_opts  # noqa: SLF001 - no other way to the order in which click looks

    def at_once(word: str, state: Any) -> None:
        if word in parser._short_opt:  # noqa: SLF001
            parser._match_short_opt(word, state)  # noqa: SLF001
        else:
            process(word, state)

    parser._process_opts = at_once  # noqa: SLF001
    parser.parse_args = partial(_parsed, parser.parse_args, command)
    return parser


def _parsed(parse: Callable[..., Any], command: click.Command, args: list[str]) -> Any:
    """What the parser gives. An empty value is mostly that of a variable that is not set: it is not the default."""
    values, *rest = parse(args=args)
    empty = [] if command.name in _MAY_BE_EMPTY else [name for name, value in values.items() if _is_empty(value)]
    for param in command.params:
        if param.name in empty:
            from wurzel.exceptions import UsageError

            argument = isinstance(param, click.Argument)
            name = param.human_readable_name.strip("[].") if argument else "/".join(param.opts)
            hint = "Leave it out, or give a value; a variable that is not set gives an empty one."
            raise UsageError("the value is empty", where=name, hint=hint)
    return values, *rest


def _is_empty(value: object) -> bool:
    return value == "" or (isinstance(value, list | tuple) and "" in value)
