"""Running commands under supervision: retries with growing waits, timeouts, a bound on how many run at once."""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wurzel.exceptions import FAILED, FINAL, USAGE, DatasetError, first_line
from wurzel.hangup import signal_name
from wurzel.invocation.call import options
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.outcome import again, visible
from wurzel.runtime.processes import Command, Exit, Watch
from wurzel.runtime.room import NOTHING, Need, Room

if TYPE_CHECKING:
    from wurzel.exceptions import WurzelError

T = TypeVar("T")

_SIGNALS = 128
"""Exit codes above it say which signal ended a process, as in shells."""


_OWN_FILES = 32
"""Files that a run has open at most, beside one for each process that it watches."""

_TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What starting a process fails with where there are too many files or processes."""


class RetryPolicy(NamedTuple):
    """How often and how patiently a failed command is tried again; seconds."""

    limit: int = 0
    backoff: float = 0
    factor: float = 1
    max: float | None = None

    def wait(self, retry: int) -> float:
        """Seconds before the first, second, … retry."""
        try:
            seconds = self.backoff * self.factor ** (retry - 1)
        except OverflowError:
            seconds = math.inf
        return seconds if self.max is None else min(seconds, self.max)


ONCE = RetryPolicy()


class Outcome(NamedTuple):
    """What became of a command after all its tries."""

    code: int
    """0 fine, one of `wurzel.exceptions`, or 128 + signal when we were interrupted."""
    reason: str = ""
    """Why it failed, for people: `timed out after 30s`, `ended by signal SIGSEGV`, `exit code 1`."""
    tries: int = 1
    stopped: bool = False
    """It did not fail by itself: the whole run was stopped."""
    memory: int = 0
    """The most bytes that one of its tries held in memory at one time."""
    error: WurzelError | None = None
    """What a step raised that ran in this process."""


@dataclass(eq=False)
class Task:
    """A command on its way through a `Pool`; waiting tasks of low `priority` start first."""

    make: Callable[[], Command | None]
    """Called when there is a place for it; gives the command, or nothing when there is nothing to do after all."""
    done: Callable[[Outcome], None]
    retry: RetryPolicy = ONCE
    priority: int = 0
    failed: Callable[[str, float], None] = lambda *_: None
    """Told the reason of each failure that is followed by a retry, and the seconds until then."""
    need: Need = NOTHING
    """What its process asks for of the machine."""
    command: Command | None = field(default=None, init=False)
    tries: int = field(default=0, init=False)
    memory: int = field(default=0, init=False)


class Pool:
    """Runs some tasks at a time, as far as there is room. One that waits for its retry leaves its place to others.

    Where there is no room for the next one, the others wait behind it: otherwise small tasks would keep a large one
    from ever starting.
    """

    def __init__(self, watch: Watch, jobs: int, room: Room | None = None) -> None:
        """Run `jobs` tasks at a time under `watch`, within `room` if it is given."""
        self._watch = watch
        self._room = room or Room(NOTHING)
        self._jobs = min(jobs, _most_at_once())
        self._running = 0
        self._resting = 0
        self._calls = 0
        self._serial = 0
        self._ready: list[tuple[int, int, Task]] = []

    def submit(self, task: Task) -> None:
        """Start the task as soon as there is a place for it."""
        self._serial += 1
        heappush(self._ready, (task.priority, self._serial, task))

    def call(self, work: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        """Call something in a thread, and `done` in the main thread with what it gives or raises."""

        def over(result: T | None, error: Exception | None) -> None:
            self._calls -= 1
            if not self._watch.stopping:
                done(result, error)

        self._calls += 1
        self._watch.call(work, over)

    def run(self) -> None:
        """Run everything that is submitted, also while running; when stopped, what waits is left undone."""
        self._watch.run(self._busy)

    def _busy(self) -> bool:
        while self._ready and self._running < self._jobs and not self._watch.stopping:
            if self._watch.signalled:
                return True
            if not self._room.take(self._ready[0][2].need):
                break
            self._start(heappop(self._ready)[2])
        return bool(self._running or ((self._resting or self._calls) and not self._watch.stopping))

    def _start(self, task: Task) -> None:
        """Start a task that has its room; it gives it back here unless its process runs."""
        before = self._running
        try:
            task.command = task.command or task.make()
            if task.command is None:
                return
            self._watch.start(task.command, lambda result: self._ended(task, result))
        except OSError as error:
            if error.errno in _TOO_MANY and self._running:  # it starts when another one has ended
                self._jobs = self._running
                self.submit(task)
            else:
                task.done(Outcome(USAGE, f"cannot be started: {error}", task.tries + 1))
        except (ValueError, DatasetError) as error:
            task.done(Outcome(USAGE, f"cannot be started: {error}", task.tries + 1))
        else:
            task.tries += 1
            self._running += 1
        finally:
            if self._running == before:
                self._room.give_back(task.need)

    def _ended(self, task: Task, result: Exit) -> None:
        self._running -= 1
        self._room.give_back(task.need)
        task.memory = max(task.memory, result.memory)
        code, reason = _judge(result, task.command)
        if code and self._watch.stopping:
            task.done(_stopped(self._watch, task.tries))
            return
        if code and code not in FINAL and task.tries <= task.retry.limit:
            seconds = task.retry.wait(task.tries)
            task.failed(reason, seconds)
            self._resting += 1
            self._watch.call_later(seconds, lambda: self._again(task))
            return
        task.done(Outcome(code, reason, task.tries, memory=task.memory, error=result.error))

    def _again(self, task: Task) -> None:
        self._resting -= 1
        self.submit(task)


def _most_at_once() -> int:
    """As many processes as leave us files to open for ourselves."""
    import resource

    return max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OWN_FILES)


def run_tasks(commands: Sequence[Command], *, retry: RetryPolicy, jobs: int) -> list[Outcome]:
    """Run commands side by side, `jobs` at a time; once one has failed for good, no more are started."""
    outcomes: dict[int, Outcome] = {}
    with Watch() as watch:
        pool = Pool(watch, jobs)
        for number, command in enumerate(commands):
            name = f"slice {number + 1} of {len(commands)}: " if len(commands) > 1 else ""
            make = partial(_unless_failed, outcomes, command)
            pool.submit(Task(make, partial(outcomes.__setitem__, number), retry, number, partial(_tell, name)))
        pool.run()
        never = _stopped(watch, 0)
    return [outcomes.get(number, never) for number in range(len(commands))]


def supervise_step(
    argv: Sequence[str],
    *,
    output: Path,
    report: Path | None = None,
    shard: tuple[int, int] | None = None,
    shards: int = 1,
    retry: RetryPolicy = ONCE,
    timeout: float | None = None,
) -> int:
    """Run a step in separate processes, and give the exit code for it.

    Args:
        argv: the command that runs it once, with `-o` and without the options that are arguments here.
        output: the dataset it writes.
        report: the report it writes.
        shard: the slice to run, if it is not the whole step.
        shards: run so many slices, as many at a time as there are processors; the bytes are those of a single run.
        retry: what to do after a failure, of each slice.
        timeout: seconds for one try.

    Raises:
        DatasetError: when slices cannot be put together.
    """
    if shards == 1:
        command = Command([*argv, *options(shard=shard and "{}/{}".format(*shard), report=report)], timeout=timeout)
        return _conclude(run_tasks([command], retry=retry, jobs=1))
    from wurzel.runtime import slices

    slices.clear(output)
    numbers = range(1, shards + 1)
    cuts = [slices.options(output, number, shards, report=report is not None) for number in numbers]
    commands = [Command([*argv, *cut], timeout=timeout) for cut in cuts]
    code = _conclude(run_tasks(commands, retry=retry, jobs=os.cpu_count() or 1))
    if code == 0:
        slices.assemble(output, report)
    else:
        slices.clear(output)
    return code


def _conclude(outcomes: Sequence[Outcome]) -> int:
    """The exit code for all; says what the commands cannot have said themselves."""
    failed = [outcome for outcome in outcomes if outcome.code]
    for outcome in failed:
        if not outcome.stopped and not outcome.reason.startswith("exit code"):
            sys.stderr.write(f"error: {outcome.reason}\n")
    return max((outcome.code for outcome in failed), default=0)


def _unless_failed(outcomes: Mapping[int, Outcome], command: Command) -> Command | None:
    return None if any(outcome.code for outcome in outcomes.values()) else command


def _tell(name: str, reason: str, seconds: float) -> None:
    sys.stderr.write(f"wurzel: {name}{again(reason, seconds)}\n")


def _stopped(watch: Watch, tries: int) -> Outcome:
    code = 1 if watch.interrupted is None else 128 + watch.interrupted
    return Outcome(code, "interrupted", tries, stopped=True)


def _judge(result: Exit, command: Command | None) -> tuple[int, str]:
    """Our exit code for a child's end, and the reason in words."""
    if result.error is not None:
        return result.code, visible(first_line(result.error))
    if result.timed_out and command is not None:
        return 1, f"timed out after {command.timeout:g}s"
    if result.code < 0:
        return 1, f"ended by signal {signal_name(-result.code)}"
    if result.code == 0:
        return 0, ""
    if result.code > _SIGNALS:  # of the step, as its guard says it
        return FAILED, f"ended by signal {signal_name(result.code - _SIGNALS)}"
    return result.code if result.code in FINAL else FAILED, f"exit code {result.code}"
