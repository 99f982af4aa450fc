"""How a pipeline is run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.records import dataclass
from wurzel.runtime.run_id import new_id

if TYPE_CHECKING:
    from wurzel.store.store import Store


@dataclass(frozen=True)
class RunOptions:
    """How to run a pipeline."""

    root: Path
    """The project folder: steps run in it, and relative paths start there."""
    jobs: int = 1
    force: bool = False
    state_dir: str = ".wurzel"
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    run_id: str = field(default_factory=new_id)
    """What log lines of this run have in common; it never gets into data."""
    wurzel: Sequence[str] = (sys.executable, "-P", "-m", "wurzel")
    """How a step's process calls wurzel, with options for every command, such as `--log-format json`.

    With `-P`, modules of the current folder do not hide those that wurzel imports.
    """
    only: Sequence[str] = ()
    """Ids of the steps to run, each text one or several with commas; all of them if empty."""
    of_run: Sequence[str] = ()
    """Ids of the steps of the whole run, if those are not all: results of others are found by fingerprint."""
    shard: tuple[int, int] | None = None
    """Run slice I (from 1) of N of the only step that is run."""
    store: Store | None = None
    """Where results are kept, so that other machines find them; below the state folder if there is none."""
    run_name: str = ""
    """Name of the run in the store; the same for all jobs of it."""
    engine: bool = False
    """Whether an engine runs this as one job of a run, which then reads what the run's other jobs have handed over."""
    given: bool = False
    """Whether parameters have other values than configured, so that the run does not become the latest one."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Environment of what tells of a failed run."""
    publish: bool = False
    """Let a run that no engine started become the latest one in the store."""
    no_retry: bool = False
    """Try each step once, since the platform retries."""
    in_process: bool = False
    """Run steps in this process, whole, one after the other, each once and however long it takes."""

    @property
    def is_idle(self) -> bool:
        """Whether this is a job of a run of other steps, so that it has nothing to do."""
        return bool(self.of_run) and not self.only

    def in_run(self, step_id: str) -> bool:
        """Whether the run, of which this may be one job, is also of this step."""
        return not self.of_run or step_id in self.of_run
