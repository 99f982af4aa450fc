"""The words of wurzel's commands: nothing else composes those of `step` and `run`, or takes them apart.

Light, since what supervises a step imports hardly anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Call(NamedTuple):
    """What one step is run on: what `wurzel step` takes, by the names of its options."""

    target: str
    """`module:Class`."""
    step_id: str | None = None
    inputs: Sequence[str | Path] = ()
    """Datasets: `DIR`, or `NAME=DIR` where its inputs have names."""
    output: str | Path = ""
    nulls: Sequence[str] = ()
    """Settings that are null, which a variable cannot say."""
    portion: int | None = None
    """Items of one call of `run`."""
    shard_by: str | None = None
    """The input that is cut."""
    secrets: Sequence[str] = ()
    """Variables that are secrets, whatever their names say."""

    def lines(self) -> list[list[str]]:
        """The arguments of `wurzel`: which step it is, then each option with its value."""
        return [
            ["step", self.target, *options(id=self.step_id)],
            *_lines(i=self.inputs, o=self.output, null=self.nulls),
            *_lines(portion=self.portion, shard_by=self.shard_by, secret=self.secrets),
        ]

    def words(self) -> list[str]:
        """The arguments of `wurzel`."""
        return [*chain(*self.lines())]


def options(**given: object) -> list[str]:
    """Options of a command by their names, in this order, each with its value: `options(j=4, data_dir="data")`.

    Nothing for `None`, `False` and an empty text; an option without a value for `True`.
    """
    return [*chain(*_lines(**given))]


class RunCall(NamedTuple):
    """What `wurzel run` takes in a job, by the names of its options."""

    pipeline: str | None = None
    """Its name, or `module:attribute`."""
    from_ir: str | None = None
    """An IR file, or a variable as `env:NAME`, in place of a pipeline's name."""
    environment: str | None = None
    sets: Sequence[str] = ()
    """Values of configuration: `KEY=VALUE`."""
    only: Sequence[str] = ()
    """Ids of the steps to run; all of them if empty."""
    project: str | None = None
    """The folder to run in; the current one unless given."""

    def lines(self) -> list[list[str]]:
        """The command: the program with the name of the pipeline, then each option with its value."""
        program = ["wurzel", *options(C=self.project), "run", *filter(None, [self.pipeline])]
        return [
            program,
            *_lines(from_ir=self.from_ir, e=self.environment, set=self.sets, only=",".join(self.only)),
        ]

    def words(self) -> list[str]:
        """The command."""
        return [*chain(*self.lines())]


def _lines(**given: object) -> list[list[str]]:
    """The words of each option; one that has a list is repeated."""
    found = []
    for name, values in given.items():
        option = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
        there = [one for one in _all(values) if one is not None and one is not False and one != ""]
        found += [[option] if one is True else [option, str(one)] for one in there]
    return found


def _all(values: object) -> Sequence[object]:
    return values if isinstance(values, list | tuple) else [values]
