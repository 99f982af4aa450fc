"""Steps of a run in this process, for debuggers and profilers; how often or how long they are tried does not count.

Nothing reloads a module that has been imported, so the result of code that its files no longer have is not kept for
other runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from wurzel.exceptions import StepFailed, WurzelError
from wurzel.invocation.command import call_of
from wurzel.runtime.descendants import children, send, tree
from wurzel.runtime.ending import LEFT, Terminated, ended_by_signals
from wurzel.runtime.masking import CURRENT, Stream
from wurzel.runtime.processes import Command, Exit, Watch
from wurzel.runtime.stamps import own_modules, stamp_of

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.decision import Question
    from wurzel.runtime.stamps import Stamp


class Masked:
    """A stream of texts or bytes behind the mask of this process; anything but writing is the stream's own."""

    def __init__(self, stream: Any, *, texts: bool) -> None:
        self._stream = stream
        self._texts = texts
        self._masked = Stream(CURRENT)

    def __getattr__(self, name: str) -> Any:
        """What the stream has by this name."""
        return getattr(self._stream, name)

    @cached_property
    def buffer(self) -> Masked:
        """The stream of bytes below a stream of texts."""
        return Masked(self._stream.buffer, texts=False)

    def write(self, data: Any) -> int:
        """Write; what may be the beginning of a secret waits for what comes next."""
        self._put(self._masked.feed(data.encode("utf-8", "surrogatepass") if self._texts else bytes(data)))
        return len(data)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def end(self) -> None:
        """Write what is still waiting."""
        if "buffer" in vars(self):
            self.buffer.end()
        self._put(self._masked.end())
        self._stream.flush()

    def _put(self, data: bytes) -> None:
        if data:
            self._stream.write(data.decode("utf-8", "surrogatepass") if self._texts else data)


@contextlib.contextmanager
def masked_output() -> Iterator[None]:
    """Hide the secrets of this process in what Python prints."""
    redirects = (contextlib.redirect_stdout, sys.stdout), (contextlib.redirect_stderr, sys.stderr)
    with contextlib.ExitStack() as stack:
        for redirect, stream in redirects:
            if stream is not None:
                masked = Masked(stream, texts=True)
                stack.callback(masked.end)
                stack.enter_context(redirect(masked))
        yield


_IMPORTED: dict[Path, Stamp | None] = {}
"""Files of modules as they were imported; `None` where that cannot be told, since they were written meanwhile."""

_SIGNALS = 128
_START_TIME = 19
"""Place of the start time in /proc/self/stat, counted behind the name of the program (`man 5 proc_pid_stat`: 22)."""


class Here(Watch):
    """Runs steps in this process, one after the other."""

    def __enter__(self) -> Self:
        """Begin to see which files modules were imported from."""
        _note_modules()
        return super().__enter__()

    def start(self, command: Command, done: Callable[[Exit], None]) -> None:
        """Run a step; `done` is called from `run`."""
        if command.call is None:
            super().start(command, done)
            return
        ended = self._call(command.call, command.env or {})
        self.call_later(0, lambda: done(ended))

    def _call(self, call: Callable[[], object], env: Mapping[str, str]) -> Exit:
        try:
            with ended_by_signals(), _environment(env), _never_left_as_done(), masked_output():
                call()
        except WurzelError as error:
            return Exit(error.exit_code, False, error=_masked(error))
        except Terminated as ended:
            self._signals.append(int(ended.code or 0) - _SIGNALS)
            return Exit(1, False)
        finally:
            _note_modules()
        return Exit(0, False)


def _masked(error: WurzelError) -> WurzelError:
    """The error without secrets of its step: what it says is shown when other steps have theirs."""
    for part in ("message", "hint", "where", "reason"):
        if text := getattr(error, part, ""):
            setattr(error, part, CURRENT.text(text))
    return error


def step_here(pipeline: Pipeline, step: Step, **more: Any) -> Callable[[], object]:
    """What runs a step in this process as `wurzel step` does in its own; see `Job` for what more there is."""
    from wurzel.runtime.step import run_step
    from wurzel.runtime.work import job_of

    job = job_of(call_of(pipeline, step), **more)
    return lambda: run_step(job)


def as_run(question: Question) -> Question:
    """The question that a step has answered: that of unknown code, if files have changed since they were imported."""
    if all(stamp is not None and stamp_of(path) == stamp for path, stamp in _IMPORTED.items()):
        return question
    return question.doubted(["code"])


def _note_modules() -> None:
    """Note the files of modules that have been imported since this was last called."""
    global _noted  # noqa: PLW0603 - a process has one set of modules
    now = time.time_ns()
    for path in own_modules():
        if path not in _IMPORTED:
            stamp = stamp_of(path)
            _IMPORTED[path] = stamp if stamp and stamp[0] < _noted else None
    _noted = now


def _process_start() -> int:
    """When this process was started, in nanoseconds as files have them; now, where that cannot be told."""
    now = time.time_ns()
    try:
        ticks = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[_START_TIME])
        return now - int((time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")) * 1e9)
    except (OSError, AttributeError, ValueError, IndexError):
        return now


_noted = _process_start()


@contextlib.contextmanager
def _never_left_as_done() -> Iterator[None]:
    """A step that ends this process has failed: there is nothing left that would notice its missing dataset."""
    kept, own = {name: getattr(os, name) for name in ("_exit", "execv", "execve")}, os.getpid()

    def leave(status: int, how: str) -> NoReturn:
        text = f"the step {how} before the dataset was stored"
        print(f"error: {StepFailed(text, hint=LEFT)}", file=sys.stderr, flush=True)  # noqa: T201
        send(tree(children(own)), signal.SIGKILL)
        kept["_exit"](status or 1)
        raise AssertionError  # never reached

    def instead(name: str, *args: Any, **more: Any) -> NoReturn:
        first = next(iter((*args, *more.values())))
        if os.getpid() != own or (name != "_exit" and not os.access(first, os.X_OK)):
            kept[name](*args, **more)  # processes that a step forks end as they will
        if name == "_exit":
            leave(first, f"ended the process with exit code {first}")
        leave(1, f"let {os.fsdecode(first)} take the place of the process")

    for name in kept:
        setattr(os, name, partial(instead, name))
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(os, name, function)


@contextlib.contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
