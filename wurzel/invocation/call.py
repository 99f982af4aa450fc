"""The call of one step, as `wurzel step` takes it; light, since what supervises a step imports hardly anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    def words(self) -> list[str]:
        """The arguments of `wurzel`."""
        options: tuple[tuple[str, Iterable[object]], ...] = (
            ("--id", [self.step_id]),
            ("-i", self.inputs),
            ("-o", [self.output]),
            ("--null", self.nulls),
            ("--portion", [self.portion]),
            ("--shard-by", [self.shard_by or None]),
            ("--secret", self.secrets),
        )
        given = ((name, value) for name, values in options for value in values if value is not None)
        return ["step", self.target, *(word for name, value in given for word in (name, str(value)))]
