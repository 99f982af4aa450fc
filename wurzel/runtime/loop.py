"""One thread that sleeps until something happens: a signal, the time of a timer, the end of what a thread does."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from types import FrameType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST_SLEEP = 3600.0


class Timer:
    """Something to do later; forgetting the action cancels it."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Forget it."""
        self.action = None


class Loop:
    """Serves signals, timers and threads. Use it as a context manager, in the main thread, since it handles signals."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.stopping = False
        self._timers: list[tuple[float, int, Timer]] = []
        self._serial = count()
        self._signals: list[int] = []
        self._over: list[Callable[[], None]] = []
        self._open = threading.Lock()
        self._restore: list[tuple[int, Any]] = []

    def __enter__(self) -> Self:
        """Handle signals from now on; those that are ignored by now, by `nohup` or `&`, stay so."""
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        self._old_waker = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for signum in (signal.SIGCHLD, *_STOPPING):
            handler = signal.getsignal(signum)
            if signum == signal.SIGCHLD or handler is not signal.SIG_IGN:
                self._restore.append((signum, handler))
                signal.signal(signum, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals to those who handled them before."""
        signal.set_wakeup_fd(self._old_waker)
        for signum, handler in self._restore:
            signal.signal(signum, handler)
        with self._open:
            os.close(self._wake)
            os.close(self._waker)
            self._waker = -1

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

    @property
    def signalled(self) -> bool:
        """Whether a signal waits to be served by `run`."""
        return bool(self._signals)

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do something in `run` after some seconds, unless the returned timer is cancelled."""
        timer = Timer(action)
        heappush(self._timers, (time.monotonic() + seconds, next(self._serial), timer))
        return timer

    def run(self, busy: Callable[[], bool]) -> None:
        """Serve whatever happens for as long as `busy` says."""
        while busy():
            self._sleep()
            while self._signals:
                self._interrupt(self._signals.pop(0))
            while self._over:
                self._over.pop(0)()
            self._look()
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                action = heappop(self._timers)[2].action
                if action is not None:
                    action()

    def _interrupt(self, signum: int) -> None:
        """A signal asks us to end."""
        raise NotImplementedError

    def _look(self) -> None:
        """Something has happened, perhaps to a child."""

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
