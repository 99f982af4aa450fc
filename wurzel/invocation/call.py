"""The words of `wurzel step` and `wurzel run`: nothing else composes them, or takes them apart.

Light, since what supervises a step imports hardly anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        name = [] if self.step_id is None else ["--id", self.step_id]
        options = _options(
            ("-i", self.inputs),
            ("-o", [self.output]),
            ("--null", self.nulls),
            ("--portion", [self.portion]),
            ("--shard-by", [self.shard_by or None]),
            ("--secret", self.secrets),
        )
        return [["step", self.target, *name], *options]

    def words(self) -> list[str]:
        """The arguments of `wurzel`."""
        return [*chain(*self.lines())]


def further(
    *,
    output: str | Path | None = None,
    shard: tuple[int | str, int] | None = None,
    report: str | Path | None = None,
    retire: Path | None = None,
    reads: str | None = None,
    options: str | None = None,
    once: str | None = None,
) -> list[str]:
    """What one process is asked beyond the call of its step; an option that both have counts as given here.

    `shard` is the slice and of how many, `reads` the digest of the data that it must find, `retire` where the datasets
    go that were there, `options` names further ones as `FILE#KEY`, `once` the run that need not write its output again.
    """
    given = _options(
        ("-o", [output]),
        ("--shard", [shard and "{}/{}".format(*shard)]),
        ("--report", [report]),
        ("--retire", [retire]),
        ("--reads", [reads]),
        ("--options", [options]),
        ("--once", [once]),
    )
    return [*chain(*given)]


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
        program = ["wurzel", *([] if self.project is None else ["-C", self.project]), "run"]
        return [
            [*program, *([] if self.pipeline is None else [self.pipeline])],
            *_options(
                ("--from-ir", [self.from_ir]),
                ("-e", [self.environment]),
                ("--set", self.sets),
                ("--only", [",".join(self.only) or None]),
            ),
        ]

    def words(self) -> list[str]:
        """The command."""
        return [*chain(*self.lines())]


def _options(*options: tuple[str, Iterable[object]]) -> list[list[str]]:
    """Each option with a value, as two words; none for what is `None`."""
    return [[name, str(value)] for name, values in options for value in values if value is not None]
