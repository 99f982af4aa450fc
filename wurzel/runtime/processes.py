"""Child processes, each in its own process group, watched by one thread.

A child is over when its whole group is gone: what a step leaves behind is asked to end, then killed. Where the kernel
allows it (Linux) a group is also killed when the process that watches it vanishes, be it by `kill -9`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from wurzel.hangup import tie
from wurzel.named_tuples import NamedTuple
from wurzel.records import dataclass
from wurzel.regular_file import private
from wurzel.runtime.descendants import GRACE, adopt, children, send, tree
from wurzel.runtime.loop import Loop

if TYPE_CHECKING:
    import subprocess

    from wurzel.exceptions import WurzelError
    from wurzel.runtime.loop import Timer

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
        self.timers: list[Timer] = []

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


class Watch(Loop):
    """Runs children and timers.

    INT, TERM and HUP stop everything: each group is asked to end, killed after `GRACE` seconds or at a second signal.
    """

    def __init__(self, grace: float = GRACE) -> None:
        """Give children `grace` seconds to end when they are asked to."""
        super().__init__()
        self.interrupted: int | None = None
        self._grace = grace
        self._children: dict[int, _Child] = {}

    def __enter__(self) -> Self:
        """Become the parent of what children leave behind."""
        adopt()
        self._before = frozenset(children(os.getpid()))
        return super().__enter__()

    def __exit__(self, *stopped: object) -> None:
        """Kill the children that are left."""
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.process.wait()
            os.close(child.lifeline)
        adopt(False)
        super().__exit__(*stopped)

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

    def running(self) -> Iterator[tuple[Command, int]]:
        """The commands that run, with their processes."""
        return ((child.command, pid) for pid, child in self._children.items())

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

    def _look(self) -> None:
        for child in list(self._children.values()):
            if child.code is None and (code := child.poll()) is not None:
                child.code = code
                self._clear(child)

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
