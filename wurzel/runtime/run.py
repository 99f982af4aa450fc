"""One run of a pipeline: which steps start, into how many slices each is cut, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from wurzel.invocation.digests import FileDigests
from wurzel.invocation.variables import secret_owners
from wurzel.runtime.decision import Decider
from wurzel.runtime.outcome import Failure, Note, RunResult
from wurzel.runtime.progress import Event, Running
from wurzel.runtime.room import Room, machine, need_of
from wurzel.runtime.state import StateFolder
from wurzel.runtime.store_choice import open_archive
from wurzel.runtime.supervise import Pool, Task

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.options import RunOptions
    from wurzel.runtime.processes import Watch
    from wurzel.runtime.progress import Follower
    from wurzel.store.records import Entry


class Schedule:
    """Which steps wait for which; steps are known by their id and keep the order of the pipeline."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Take steps that stand in topological order; they do not wait for others that they read from."""
        self.steps = {step.id: step for step in steps}
        self.order = {step_id: number for number, step_id in enumerate(self.steps)}
        self._waiting: dict[str, int] = {}
        self._after: dict[str, list[str]] = {step.id: [] for step in steps}
        for step in steps:
            needs = [need for need in step.predecessors if need in self.steps]
            self._waiting[step.id] = len(needs)
            for need in needs:
                self._after[need].append(step.id)

    def first(self) -> list[Step]:
        """The steps that wait for nothing."""
        return [self.steps[step_id] for step_id, count in self._waiting.items() if not count]

    def done(self, step_id: str) -> list[Step]:
        """The steps that may run now that this one is done."""
        ready = []
        for after in self._after[step_id]:
            if after in self._waiting:
                self._waiting[after] -= 1
                if not self._waiting[after]:
                    ready.append(self.steps[after])
        return ready

    def failed(self, step_id: str) -> list[Step]:
        """The steps that will never run now that this one has failed, unless an earlier failure has told already.

        Those that wait for nothing any more have begun, as what reads a result that could not be handed over then.
        """
        blocked = set()
        todo = [step_id]
        while todo:
            for after in self._after[todo.pop()]:
                if self._waiting.get(after):
                    del self._waiting[after]
                    blocked.add(after)
                    todo.append(after)
        return [self.steps[after] for after in sorted(blocked, key=self.order.__getitem__)]


T = TypeVar("T")

_TICK = 0.2


class Run:
    """One run: decides which steps start, and keeps account of what became of them."""

    def __init__(
        self,
        pipeline: Pipeline,
        whole: Pipeline,
        options: RunOptions,
        follower: Follower,
        watch: Watch,
        task: Callable[[Run, Step], Task],
    ) -> None:
        """Get ready; nothing runs before `execute`.

        `pipeline` has the steps that are run; `task` makes what runs a step that is ready.
        """
        self.pipeline = pipeline
        self.options = options
        self.follower = follower
        self.result = RunResult()
        self.state = StateFolder(options.root / options.state_dir, pipeline.name)
        self.digests = FileDigests(self.state.digests)
        self.archive = open_archive(whole, options, self.state.folder, self.digests)
        self.decider = Decider(whole, options, self.archive, self.digests)
        self.schedule = Schedule(pipeline.steps)
        self._watch = watch
        self.outputs = self._asked(partial(self.archive.found, pipeline.steps, self.decider.key)) or {}
        """Digests of datasets by step and output."""
        self.memory: Counter[str] = Counter()
        """The most bytes that a process of a step held in memory at one time."""
        self.room = Room(machine())
        self.pool = Pool(watch, 1 if options.in_process else options.jobs, self.room)
        self.keep_log: Callable[[Path], object] = lambda _: None
        """Called with each log before anything is written to it."""
        self.note: Callable[[Event], object] = lambda _: None
        """Called with everything that happens to a step, before the follower is told."""
        self._task = task
        self.slices: dict[str, tuple[int, int]] = {}
        """Slices of a step that are done, and of how many, where it has several."""
        self.owners = secret_owners(whole, options.environ)
        """Who reads the secrets in the environment."""

    def surroundings(self, step: Step) -> Mapping[str, str]:
        """Our own variables without the secrets of other steps."""
        owners, environ = self.owners, self.options.environ
        return {name: value for name, value in environ.items() if step.id in owners.get(name, (step.id,))}

    def tell(self, event: Event) -> None:
        """Something has happened to a step."""
        self.note(event)
        self.follower.tell(event)

    def execute(self) -> None:
        """Run until nothing is left to do."""
        if self.pipeline.timeout and not self.options.in_process:
            self._watch.call_later(self.pipeline.timeout, self._expire)
        if self.follower.lively:
            self._tick()
        self.follower.say(self._too_large())
        for step in self.schedule.first() if not self._watch.stopping else ():
            self._offer(step)
        self.pool.run()
        self.result.interrupted = self._watch.interrupted
        result = self.result
        result.unchanged.sort(key=self.schedule.order.__getitem__)  # told as their hand-overs end
        over = {*result.ran, *result.skipped, *result.unchanged, *result.failed, *result.blocked}
        self.result.left = [step.id for step in self.pipeline.steps if step.id not in over]

    def _too_large(self) -> Iterator[Note]:
        """A note for each step that asks for more than this machine has."""
        for step in self.pipeline.steps:
            if lacking := self.room.lacking(need_of(step.resources)):
                yield Note(f"{step.id}: requests {lacking} on this machine, so nothing runs beside it")

    def conclude(self, steps: Sequence[Step]) -> None:
        """All of these steps may have ended well: whatever is to be done, and said, then."""
        if self.result.exit_code or self.result.left:
            return
        if said := self._asked(partial(self.archive.finish, steps)):
            self.result.notes.append(said)
        self.result.interrupted = self._watch.interrupted

    def _asked(self, work: Callable[[], T]) -> T | None:
        """What something gives that may wait for a server; `None` when we are stopped meanwhile."""
        return self._watch.wait(work) if self.archive.remote else work()

    def unchanged(self, step: Step, entry: Entry, place: str = "") -> None:
        """The step has nothing to do: its datasets are in the data folder, or in the place that is named.

        What reads them may go on before this is told.
        """
        self.result.unchanged.append(step.id)
        notes = [*([f"from {place}"] if place else []), *(["skipped"] if entry.skipped else [])]
        text = f"unchanged ({', '.join(notes)})" if notes else "unchanged"
        self.tell(Event("unchanged", step.id, text))
        if lacking := self.decider.not_seen(step):
            self.result.notes.append(f"{step.id}: {lacking}; set cache_key, or use --force after a change")

    def done(self, step: Step, entry: Entry, seconds: float, *, skipped: bool) -> None:
        """The step has written its datasets, or was skipped."""
        if skipped:
            self.result.skipped.append(step.id)
            self.tell(Event("skipped", step.id, "skipped", seconds))
        else:
            self.result.ran.append(step.id)
            self.tell(Event("done", step.id, f"done in {seconds:.1f}s", seconds))
        self.go_on(step, entry)

    def slice_done(self, step: Step, seconds: float, more: str = "") -> None:
        """The slice that this run is about has been written; `more` ends the sentence."""
        self.result.ran.append(step.id)
        self.tell(Event("done", step.id, f"done in {seconds:.1f}s{more}", seconds))

    def slice_unchanged(self, step: Step, text: str) -> None:
        """The slice that this run is about need not be run."""
        self.result.unchanged.append(step.id)
        self.tell(Event("unchanged", step.id, text))

    def failed(self, step: Step, failure: Failure, seconds: float) -> None:
        """The step has failed for good, and with it everything after it that has not begun."""
        self.result.failed[step.id] = failure
        self.tell(Event("failed", step.id, f"failed: {failure.reason}", seconds))
        for after in self.schedule.failed(step.id):
            self.result.blocked[after.id] = step.id
            self.tell(Event("blocked", after.id, f"not run, because {step.id} failed"))

    def go_on(self, step: Step, entry: Entry) -> None:
        """The datasets of the step are known, so what reads them may begin."""
        self.outputs.update({(step.id, name): digest for name, digest in entry.digests.items()})
        for after in self.schedule.done(step.id):
            self._offer(after)

    def _offer(self, step: Step) -> None:
        self.pool.submit(self._task(self, step))

    def _expire(self) -> None:
        self.result.late = True
        self._watch.stop()

    def _tick(self) -> None:
        self._watch.call_later(_TICK, self._tick)
        self.follower.tick(self._running())

    def _running(self) -> dict[str, Running]:
        """What runs now, by step."""
        found: dict[str, Running] = {}
        for command, pid in self._watch.running():
            before = found.get(command.owner) or Running([], None, *self.slices.get(command.owner, (0, 0)))
            found[command.owner] = before._replace(pids=[*before.pids, pid], log=command.log)
        return found
