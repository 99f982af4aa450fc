"""Jobs of several steps on the CI platforms: the command, the deadline, and what crosses from job to job.

Each such job is `wurzel run` on its steps. It reads settings, retries and timeouts from wurzel.yaml, in the checkout or
in the image; for an IR file, from a file beside the rendered one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from wurzel.backends.ci import SETUP, secrets, uses_run
from wurzel.backends.ci.parameters import unset_lines
from wurzel.backends.grouped import Grouped
from wurzel.backends.ir_file import ir_file
from wurzel.exceptions import Problem
from wurzel.ir.jobs import Job, Place, layout_problems
from wurzel.ir.requests import deadline

if TYPE_CHECKING:
    from wurzel.backends.base import OutputFile
    from wurzel.backends.ci import CiOptions
    from wurzel.ir.model import Pipeline, Step

STATE = ".wurzel"
"""Where `wurzel run` keeps earlier results, in the project folder."""


def ir_files(pipeline: Pipeline, options: CiOptions, target: str) -> list[OutputFile]:
    """The file with the pipeline, where jobs are `wurzel run` on an IR file."""
    if not (options.from_ir and uses_run(pipeline, options)):
        return []
    return [ir_file(pipeline, options, options.main_file(pipeline), target)]


class Jobs(Grouped):
    """The jobs of a pipeline on a CI platform, and what crosses between them."""

    def __init__(self, pipeline: Pipeline, options: CiOptions, place: Place, *, partial: bool = False) -> None:
        """Group the steps as the options say. `partial` says that these are only some of the steps, which jobs read."""
        super().__init__(pipeline, options.chosen_layout, place)
        self._partial = partial
        self._options = options

    @property
    def is_complete(self) -> bool:
        """Whether one job runs the pipeline as it is, so that it need not be told which steps."""
        return self.whole and not self._partial

    def argv(self, job: Job, *options: str) -> list[str]:
        """The command of a job; without `--only` where it is all of the pipeline."""
        call = self._options.run_call(self.pipeline)
        return [*(call if self.is_complete else call._replace(only=job.ids)).words(), *options]

    def tail(self, *options: str, **files: str) -> str:
        """Shell text after the command: without a checkout, a job writes where it starts, not in the image's project.

        Args:
            options: further text.
            files: what the job writes, by the option that names it.
        """
        if not self.run or self._options.checkout:
            return " ".join(options)
        places = {"data-dir": self.pipeline.data_dir, "state-dir": STATE, **files}
        return " ".join([*(f'--{name} "$PWD"/{quote(path)}' for name, path in places.items()), *options])

    def deadline(self, job: Job) -> int:
        """Seconds after which a job must be stuck: its longest path of attempts and waits, and its set-up."""
        whole = self.pipeline.timeout
        found = deadline(job.steps, whole, setup=SETUP)
        any_time = self._options.timeout if whole is None else min(self._options.timeout, whole)
        return any_time if found is None else found

    def kept(self, job: Job, folders: Sequence[str]) -> list[str]:
        """Folders that the platform keeps for the next run of a job; `folders` are those of its steps."""
        if self.stored or self.sliced(job):
            return []
        if not self._options.incremental:
            return [path for step, path in zip(job.steps, folders, strict=True) if step.self_consuming]
        return [STATE, self.pipeline.data_dir] if self.whole else [STATE, *folders]

    def secrets(self, job: Job) -> dict[str, str]:
        """Variables of a job that hold secrets of its steps, to the names of the secrets on the platform."""
        return {
            variable: name
            for step in job.steps
            for variable, name in secrets(self.pipeline, step, self._options).items()
        }

    def parametrized(self, job: Job) -> Sequence[Step]:
        """The steps whose parameters a job is given: with a store all, since runs with other values are other runs."""
        return self.pipeline.steps if self.stored else job.steps

    def unset_lines(self, job: Job) -> list[str]:
        """Shell lines that unset empty parameters."""
        return [line for step in self.parametrized(job) for line in unset_lines(step)]


def problems(pipeline: Pipeline, options: CiOptions, place: Place) -> Iterable[Problem]:
    """Why these jobs are impossible."""
    yield from layout_problems(pipeline, options.chosen_layout, place)
    if uses_run(pipeline, options) and options.from_ir and not options.checkout:
        yield Problem(
            "jobs of a pipeline from an IR file read it from the repository, and checkout is false",
            hint="Set checkout: true, or render from the code.",
        )
