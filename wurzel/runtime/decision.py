"""Whether a step must run: its datasets are there, an earlier result is kept, or they have to be made."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from wurzel.invocation.command import dataset
from wurzel.invocation.fingerprint import UNKNOWN, Fingerprints, always_runs, fingerprint, reason
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.stored import digest_of, verified

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Archive, Key
    from wurzel.runtime.options import RunOptions
    from wurzel.store.records import Entry


class Question(NamedTuple):
    """What is known of a step before earlier results are looked up."""

    step: Step
    inputs: Mapping[str, str]
    """Digests by kind of everything that its output may depend on."""
    key: str
    """Its fingerprint."""
    cacheable: bool
    """Whether its results are kept, and handed over where nothing has changed."""
    here: Mapping[str, str]
    """Digests of its datasets in the data folder that are complete, by the name of the output."""

    def doubted(self, kinds: Iterable[str]) -> Question:
        """The same with inputs of these kinds unknown: a result of it is never handed over again."""
        inputs = {**self.inputs, **dict.fromkeys(kinds, UNKNOWN)}
        return self._replace(inputs=inputs, key=fingerprint(inputs), cacheable=False)


class Decision(NamedTuple):
    """What to do with a step."""

    question: Question
    entry: Entry | None
    """Its result, if an earlier one may be used; files may be missing or damaged."""
    why: str
    """Why it must run, unless there is an entry; '' if the data folder has what it would write now."""


class Decider:
    """Decides for the steps of one pipeline, in one state of project, configuration and environment."""

    def __init__(self, pipeline: Pipeline, options: RunOptions, archive: Archive, digests: FileDigests) -> None:
        """Belong to a run of the pipeline, or to a plan of one."""
        self._pipeline = pipeline
        self._root = options.root
        self._archive = archive
        self._digests = digests
        self._force = options.force
        self._lock = threading.Lock()
        self._fingerprints = Fingerprints(
            pipeline,
            digests,
            root=options.root,
            environ=options.environ,
            elsewhere=[step.id for step in pipeline.steps if not options.in_run(step.id)],
            not_input=[options.root / folder for folder in (pipeline.data_dir, options.state_dir)],
        )

    def ask(self, step: Step, data: Mapping[Key, str]) -> Question:
        """The question of what to do with a step; `data` are the digests of the datasets that it reads."""
        inputs = self._of(step, data)
        folder, outputs = self._root / dataset(self._pipeline, step.id), [port.name for port in step.outputs]
        here = {name: one.digest for name, one in verified(folder, outputs, self._digests).items()}
        cacheable = not always_runs(step) and UNKNOWN not in inputs.values()
        return Question(step, inputs, fingerprint(inputs), cacheable, here)

    def changed(self, question: Question, data: Mapping[Key, str]) -> list[str]:
        """Kinds of what the step depends on that have changed since it was asked about; see `ask`."""
        if not question.cacheable:
            return []
        now = self._of(question.step, data)
        return [kind for kind in {**question.inputs, **now} if now.get(kind) != question.inputs.get(kind)]

    def key(self, step: Step, data: Mapping[Key, str]) -> str:
        """The fingerprint of a step; `data` are the digests of the datasets that it reads."""
        return fingerprint(self._of(step, data))

    def not_seen(self, step: Step) -> str:
        """See `Fingerprints`; nothing for a step that always runs."""
        with self._lock:
            return "" if always_runs(step) else self._fingerprints.not_seen(step)

    def _of(self, step: Step, data: Mapping[Key, str]) -> dict[str, str]:
        with self._lock:  # a store may look ahead, in another thread
            return self._fingerprints.of(step, data)

    def decide(self, question: Question) -> Decision:
        """What to do with a step; looks up earlier results. Raises `StoreError` when they cannot be looked up."""
        step = question.step
        entry = self._archive.find(step, question.key) if question.cacheable and not self._force else None
        return Decision(question, entry, self._why(question, entry))

    def _why(self, question: Question, entry: Entry | None) -> str:
        if self._force:
            return "forced"
        if always := always_runs(question.step):
            return always
        if entry is not None and entry.digests == question.here:
            return ""
        if entry is not None and self._archive.remote:
            return f"in {self._archive.place}"  # the last result would be one more request
        last = self._archive.last(question.step.id)
        before = last and (last.inputs, digest_of(last.digests))
        complete = question.here.keys() == {port.name for port in question.step.outputs}
        output = digest_of(question.here) if complete else None
        return reason(before, question.inputs, output) or "output changed by something else"
