"""Types of options and arguments that several commands share, with their shell completion."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Completed(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """A text for which a shell is offered names."""

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names to offer for what was begun; those before a `WurzelError` count."""
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that start with what was typed."""
        from click.shell_completion import CompletionItem

        from wurzel.exceptions import WurzelError

        found = []
        with suppress(WurzelError):
            for name in self.names(ctx, incomplete):
                if name.startswith(incomplete):
                    found.append(CompletionItem(name))  # noqa: PERF401 - those before an error are kept
        return found


def typed(ctx: click.Context, name: str) -> str | None:
    """An argument of the command line; while a value is being completed, it is among the words that are left over."""
    return ctx.params.get(name) or next(iter(ctx.args), None)


class PipelineName(Completed):
    """A name in `wurzel.yaml`, or `module:attribute`."""

    name = "pipeline"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the pipelines in `wurzel.yaml`."""
        from wurzel.project.open import pipeline_names

        return pipeline_names()


class TargetName(Completed):
    """The name of a target."""

    name = "target"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the targets, including named targets of the project."""
        from wurzel.backends.registry import names
        from wurzel.project.load import project_names
        from wurzel.project.open import open_project

        yield from names()
        yield from project_names(open_project())


class StepName(Completed):
    """The id of a step of the pipeline that the command line names, or of the only one."""

    name = "step"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Ids of the steps; of texts such as `split,+ind`, which name several, the last one is completed."""
        from wurzel.project.open import open_pipeline

        head = begun[: max(begun.rfind(","), begun.rfind("+")) + 1]
        return (head + step.id for step in open_pipeline(typed(ctx, "pipeline")).pipeline.steps)


class ParameterText(Completed):
    """`STEP.SETTING=VALUE` for a step of the pipeline named earlier on the command line."""

    name = "parameter"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """`STEP.SETTING=` for each setting that is a parameter."""
        from wurzel.project.open import open_pipeline

        for step in open_pipeline(typed(ctx, "pipeline")).pipeline.steps:
            yield from (f"{step.id}.{setting.name}=" for setting in step.settings if setting.parameter)


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


class DurationText(click.ParamType):  # type: ignore[type-arg, unused-ignore] # not generic in older clicks
    """Seconds, or a text such as `90s`, `10m`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds."""
        from wurzel.ir.types import LONGEST, parse_duration

        try:
            seconds = parse_duration(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)
        return seconds if seconds <= LONGEST else self.fail(f"{value!r} is longer than {LONGEST} seconds", param, ctx)
