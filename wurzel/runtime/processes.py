"""Child processes, each in its own process group, watched by one thread that sleeps until something happens.

A child is over when its whole group is gone: what a step leaves behind is asked to end, then killed. Where the kernel
allows it (Linux) a group is also killed when the process that watches it vanishes, be it by `kill -9`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from wurzel.hangup import tie
from wurzel.named_tuples import NamedTuple
from wurzel.records import dataclass
from wurzel.regular_file import private
from wurzel.runtime.descendants import GRACE, adopt, children, send, tree

if TYPE_CHECKING:
    import subprocess

    from wurzel.exceptions import WurzelError

T = TypeVar("T")

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST_SLEEP = 3600.0
_MAXRSS = 1 if sys.platform == "darwin" else 1024  # bytes that `ru_maxrss` counts in
_AFTER_KILL = 2.0  # what survives KILL this long is a zombie that nobody reaps, or hangs in the kernel


class Exit(NamedTuple):
    """How a child ended."""

    code: int
    """Negative: the signal that ended it."""
    timed_out: bool
    memory: int = 0
    """The most bytes that it, or a process that it waited for, held in memory at one time.

    On Linux a new process begins with what the one that started it holds: it is never less than that.
    """
    error: WurzelError | None = None
    """What a step raised that ran in this process."""


@dataclass(frozen=True)
class Command:
    """What to start: argument list, environment and folder (default: ours), log to append to, seconds it may take."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    log: Path | None = None
    timeout: float | None = None
    call: Callable[[], object] | None = None
    """What `wurzel.runtime.here` calls in this process instead of starting the words of `argv`."""
    owner: str = ""
    """The step that it belongs to."""


class _Timer:
    """Something to do later; forgetting the action cancels it."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class _Child:
    __slots__ = ("code", "command", "done", "ending", "lifeline", "memory", "process", "timed_out", "timers")

    def __init__(
        self, command: Command, process: subprocess.Popen[bytes], lifeline: int, done: Callable[[Exit], None]
    ) -> None:
        self.command = command
        self.process = process
        self.lifeline = lifeline
        self.done = done
        self.code: int | None = None
        self.ending = False
        self.memory = 0
        self.timed_out = False
        self.timers: list[_Timer] = []

    def poll(self) -> int | None:
        """The code, once it has ended: as `Popen.poll`, which does not say how much memory it took."""
        if self.process.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
                if pid:
                    self.process.returncode = os.waitstatus_to_exitcode(status)
                    self.memory = usage.ru_maxrss * _MAXRSS
        return self.process.poll()

    def signal(self, signum: int) -> bool:
        """Signal the whole group; whether there was anyone left to get it."""
        try:
            os.killpg(self.process.pid, signum)
        except (ProcessLookupError, PermissionError):  # macOS: not permitted when only zombies are left
            return False
        return True

    def kill(self) -> None:
        self.signal(signal.SIGKILL)


class Watch:
    """Runs children and timers. Use it as a context manager, in the main thread, since it handles signals.

    INT, TERM and HUP stop everything: each group is asked to end, killed after `GRACE` seconds or at a second signal.
    """

    def __init__(self, grace: float = GRACE) -> None:
        """Give children `grace` seconds to end when they are asked to."""
        self.interrupted: int | None = None
        self.stopping = False
        self._grace = grace
        self._children: dict[int, _Child] = {}
        self._timers: list[tuple[float, int, _Timer]] = []
        self._serial = count()
        self._signals: list[int] = []
        self._over: list[Callable[[], None]] = []
        self._open = threading.Lock()
        self._restore: list[tuple[int, Any]] = []

    def __enter__(self) -> Self:
        adopt()
        self._before = frozenset(children(os.getpid()))
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        self._old_waker = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for signum in (signal.SIGCHLD, *_STOPPING):
            handler = signal.getsignal(signum)
            if signum == signal.SIGCHLD or handler is not signal.SIG_IGN:  # `nohup` and `&` stay in force
                self._restore.append((signum, handler))
                signal.signal(signum, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.process.wait()
            os.close(child.lifeline)
        adopt(False)
        signal.set_wakeup_fd(self._old_waker)
        for signum, handler in self._restore:
            signal.signal(signum, handler)
        with self._open:
            os.close(self._wake)
            os.close(self._waker)
            self._waker = -1

    def start(self, command: Command, done: Callable[[Exit], None]) -> None:
        """Start a child; `done` is called from `run` when its group is gone. Raises `OSError`, also for its log."""
        reader, writer = os.pipe()
        try:
            child = _Child(command, self._spawn(command, reader), writer, done)
            tie(reader, -child.process.pid)
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        self._children[child.process.pid] = child
        if command.timeout is not None:
            self._attach(child, command.timeout, lambda: self._expire(child))

    def call(self, work: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        """Call something in a thread; `done` is called from `run` with what it gives or raises.

        Nobody waits for the thread when we are stopped, or end: a request may hang for minutes.
        """

        def call() -> None:
            result, failed = None, None
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - told to whoever waits for the result
                failed = error
            with self._open:
                if self._waker < 0:
                    return  # the run has ended, and the number may be that of another file by now
                self._over.append(lambda: done(result, failed))
                with contextlib.suppress(BlockingIOError):  # the pipe is full, so we are woken anyhow
                    os.write(self._waker, b"\0")

        threading.Thread(target=call, daemon=True).start()

    def wait(self, work: Callable[[], T]) -> T | None:
        """What something gives that is called in a thread; `None` when we are stopped meanwhile."""
        ended: list[tuple[T | None, Exception | None]] = []
        self.call(work, lambda result, error: ended.append((result, error)))
        self.run(lambda: not ended and not self.stopping)
        result, error = ended[0] if ended else (None, None)
        if error is not None:
            raise error
        return result

    def running(self) -> Iterator[tuple[Command, int]]:
        """The commands that run, with their processes."""
        return ((child.command, pid) for pid, child in self._children.items())

    @property
    def signalled(self) -> bool:
        """Whether a signal waits to be served by `run`."""
        return bool(self._signals)

    def call_later(self, seconds: float, action: Callable[[], None]) -> _Timer:
        """Do something in `run` after some seconds, unless the returned timer is cancelled."""
        timer = _Timer(action)
        heappush(self._timers, (time.monotonic() + seconds, next(self._serial), timer))
        return timer

    def run(self, busy: Callable[[], bool]) -> None:
        """Serve children, timers and signals for as long as `busy` says."""
        while busy():
            self._sleep()
            while self._signals:
                self._interrupt(self._signals.pop(0))
            while self._over:
                self._over.pop(0)()
            for child in list(self._children.values()):
                if child.code is None and (code := child.poll()) is not None:
                    child.code = code
                    self._clear(child)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                action = heappop(self._timers)[2].action
                if action is not None:
                    action()

    def stop(self) -> None:
        """Ask every child and what it started to end, and kill what has not ended in time."""
        self.stopping = True
        for child in self._children.values():
            self._end(child)

    def _spawn(self, command: Command, lifeline: int) -> subprocess.Popen[bytes]:
        import subprocess  # a run with nothing to do starts nothing

        with contextlib.ExitStack() as stack:
            log = stack.enter_context(open(command.log, "ab", opener=private)) if command.log else None
            return subprocess.Popen(
                command.argv,
                env=command.env,
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT if log else None,
                start_new_session=True,
                pass_fds=(lifeline,),
            )

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGCHLD:
            self._signals.append(signum)

    def _sleep(self) -> None:
        while self._timers and self._timers[0][2].action is None:
            heappop(self._timers)
        seconds = _LONGEST_SLEEP
        if self._timers:
            seconds = min(max(self._timers[0][0] - time.monotonic(), 0), seconds)
        if self._poll.poll(seconds * 1000 + (seconds > 0)):
            with contextlib.suppress(BlockingIOError):
                while os.read(self._wake, 4096):
                    pass

    def _interrupt(self, signum: int) -> None:
        if self.interrupted is None:
            self.interrupted = signum
            self.stop()
        else:
            for child in self._children.values():
                child.kill()

    def _attach(self, child: _Child, seconds: float, action: Callable[[], None]) -> None:
        child.timers.append(self.call_later(seconds, action))

    def _expire(self, child: _Child) -> None:
        child.timed_out = child.code is None and not child.ending
        self._end(child)

    def _end(self, child: _Child) -> None:
        if child.ending or child.code is not None:
            return
        child.ending = True
        child.signal(signal.SIGTERM)
        child.signal(signal.SIGCONT)  # a stopped process would sleep through TERM
        self._attach(child, self._grace, child.kill)

    def _clear(self, child: _Child, first: bool = True, pause: float = 0.001, waited: float = 0) -> None:
        """Wait for what the child has left behind in its group: ask it to end once, kill it when the grace is over."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-child.process.pid, os.WNOHANG)[0]:  # ours to reap when we are process 1 of a container
                pass
        last = signal.SIGKILL if waited > self._grace else signal.SIGTERM if first else 0
        alive = child.signal(last)
        if alive and not first:
            alive = _lives(child.process.pid)
        if (self._end_orphans(last) or alive) and waited < self._grace + _AFTER_KILL:
            self._attach(child, pause, lambda: self._clear(child, False, min(pause * 2, 0.05), waited + pause))
            return
        for timer in child.timers:
            timer.cancel()
        del self._children[child.process.pid]
        os.close(child.lifeline)
        child.done(Exit(child.code or 0, child.timed_out, child.memory))

    def _end_orphans(self, signum: int) -> bool:
        """Signal what has left the group of a child whose own guard was killed; whether there was anything."""
        ours = self._before | self._children.keys()
        orphans = tree([pid for pid in children(os.getpid()) if pid not in ours])
        send(orphans, signum)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return bool(orphans)


def _lives(group: int) -> bool:
    """Whether a group has a member that is more than a zombie which its new parent has not reaped yet."""
    if sys.platform != "linux":
        return True
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, member_of, *_ = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except (OSError, ValueError):
                continue
            if int(member_of) == group and state not in b"ZX":
                return True
    return False
