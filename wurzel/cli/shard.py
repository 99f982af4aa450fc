"""The type of `--shard`."""

from __future__ import annotations

from typing import Any

import click


class ShardText(click.ParamType):  # type: ignore[type-arg, unused-ignore] # not generic in older clicks
    """`I/N`: slice I, counted from 1, of N."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The two numbers."""
        number, slash, of = str(value).partition("/")
        if slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit():
            shard = int(number), int(of)
            if 1 <= shard[0] <= shard[1]:
                return shard
        return self.fail(f"{value!r} is not a slice; write I/N with I from 1 to N, such as 2/8.", param, ctx)
