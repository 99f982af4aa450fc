"""What the processes of one step have in common: their words, variables and logs, and how often they are tried."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.invocation.call import options
from wurzel.invocation.command import call_of
from wurzel.invocation.digests import of_inputs
from wurzel.invocation.variables import ONLY, step_environment
from wurzel.runtime.outcome import again, with_cause
from wurzel.runtime.processes import Command
from wurzel.runtime.progress import Event
from wurzel.runtime.room import NOTHING, need_of
from wurzel.runtime.supervise import ONCE, Outcome, RetryPolicy, Task

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.run import Run


class StepProcess:
    """Makes the commands of a step, or of its slices, and the tasks that run them."""

    def __init__(self, run: Run, step: Step) -> None:
        """Belong to `run`."""
        self.run = run
        self.step = step
        once = run.options.no_retry or run.options.in_process
        self._retry = ONCE if once else RetryPolicy(*(value for _, value in step.retry))

    def words(self, more: Sequence[str]) -> list[str]:
        """What runs the step on the data that was asked about, with further options."""
        call = call_of(self.run.pipeline, self.step)
        return [*self.run.options.wurzel, *call.words(), *options(reads=self.reads()), *more]

    def reads(self) -> str | None:
        """Stands for the data that the step must find; its own last output is not known."""
        step, outputs = self.step, self.run.outputs
        if step.self_consuming or not step.needs:
            return None
        return of_inputs((edge.input, outputs[edge.step, edge.output]) for edge in step.needs)

    def command(self, argv: Sequence[str], log: Path) -> Command:
        """What runs a program for this step."""
        run, step = self.run, self.step
        log.unlink(missing_ok=True)
        run.keep_log(log)
        env = {"PYTHONUNBUFFERED": "1", **self.environment()}  # what a step prints is in its log at once
        return Command(argv, env, run.options.root, log, step.timeout or None, owner=step.id)

    def environment(self) -> dict[str, str]:
        """The variables of the step's process."""
        run = self.run
        env = step_environment(run.pipeline, self.step, run.surroundings(self.step))
        env.pop(ONLY, None)  # a pipeline that the step runs has other steps
        return {**env, "WURZEL_PIPELINE": run.pipeline.name, "WURZEL_RUN_ID": run.options.run_id}

    def make_task(
        self,
        make: Callable[[], Command | None],
        log: Path,
        ended: Callable[[Path, Outcome], None],
        *,
        launches: bool = True,
    ) -> Task:
        """A task for this step, at its place in the order; only one that starts a process needs room for it."""
        run, step = self.run, self.step

        def over(outcome: Outcome) -> None:
            run.memory[step.id] = max(run.memory[step.id], outcome.memory)
            ended(log, outcome)

        told = partial(self._tell_retry, log)
        need = need_of(step.resources) if launches else NOTHING
        return Task(make, over, self._retry, run.schedule.order[step.id], told, need)

    def log(self, part: str = "") -> Path:
        """The log of the step, or of a slice."""
        return self.run.state.log(self.step.id, part)

    def fresh_report(self, name: str = "") -> Path:
        """Where the report of the step goes, or that of a slice by its name; that of an earlier run is removed."""
        report = self.run.state.report(name or self.step.id).absolute()
        report.unlink(missing_ok=True)
        return report

    def _tell_retry(self, log: Path, why: str, wait: float) -> None:
        text = again(with_cause(why, log), wait)
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(f"--- {again(why, wait)} ---\n")
        self.run.tell(Event("retry", self.step.id, text))
