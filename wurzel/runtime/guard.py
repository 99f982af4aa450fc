"""A step's process under guard: whatever it does to end, it has failed unless it says that its dataset is stored.

The guard is the process that was started. Before the command line is imported it forks; the fork runs the step. The
guard passes its output on without secrets, hands signals to it, and ends what it leaves behind, `setsid` or not.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import select
import signal
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from types import FrameType

from wurzel.exceptions import StepFailed
from wurzel.hangup import signal_name, tie
from wurzel.runtime.descendants import GRACE, adopt, end_all
from wurzel.runtime.ending import LEFT
from wurzel.runtime.masking import CURRENT, Mask, Stream
from wurzel.secret_names import may_be_secret, may_contain_password
from wurzel.standard_streams import open_standard_streams

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_CHUNK = 65536
_HEAD = 5
_HIDE, _STORED, _END = b"H", b"S", b"E"
_SEPARATOR = b"\n"


class Link:
    """How the step's process tells its guard what only it knows; a fork of it that goes on by itself tells nothing."""

    def __init__(self, control: int) -> None:
        self._control = control
        self._owner = os.getpid()
        atexit.register(self._tell, _END)

    def hide(self, forms: Iterable[bytes]) -> None:
        """Hide these forms of secrets, and no others, in output from now on."""
        hidden = list(forms)
        CURRENT.hide(hidden)
        self._tell(_HIDE, _SEPARATOR.join(hidden))

    def stored(self) -> None:
        """The dataset is complete: from now on the step has done its work."""
        self._tell(_STORED)

    def _tell(self, kind: bytes, text: bytes = b"") -> None:
        if os.getpid() == self._owner:
            data = kind + len(text).to_bytes(_HEAD - 1, "big") + text
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self._control, data) :]


_BEGUN: list[Link | StepFailed] = []
"""What `begin` leaves for `guarded`."""


def begin(argv: Sequence[str]) -> None:
    """Fork for the command line `wurzel step …` and come back in the process of the step.

    This early a fork costs next to nothing. After the command line is imported, copying the pages that both processes
    write to takes a tenth of a cold start. The guard itself comes back only with an error that `guarded` raises.
    """
    open_standard_streams()
    if "--own-group" in argv:
        lead_group()
    named = [value for option, value in pairwise((*argv, "")) if option == "--secret"]
    named += [word.removeprefix("--secret=") for word in argv if word.startswith("--secret=")]
    guard = Guard("", named)
    link = guard.fork()
    if link is not None:
        _BEGUN.append(link)
        return
    try:
        os._exit(guard.watch())  # all is written; there is nothing to tear down
    except StepFailed as error:
        _BEGUN.append(error)


def guarded(step: str, named: Collection[str]) -> Link:
    """Go on in a process under guard, unless that is so already; the guard itself ends here with the exit code.

    Raises `StepFailed` in the guard, when the step ended in a way in which it could not say why.
    """
    if not _BEGUN:
        guard = Guard(step, named)
        link = guard.fork()
        if link is None:
            sys.exit(guard.watch())
        return link
    begun = _BEGUN.pop()
    if isinstance(begun, Link):
        return begun
    begun.where = f"step {step!r}"
    raise begun


def lead_group() -> None:
    """Lead a process group, unless that was done already, so that whoever started this can end all of it."""
    if not _BEGUN:
        with contextlib.suppress(PermissionError):  # the leader of a session is one of its group already
            os.setpgid(0, 0)


class Guard:
    """Watches over the process of one step."""

    def __init__(self, step: str, named: Collection[str] = ()) -> None:
        """Watch over the step of this name, where the variables in `named` are secrets whatever their names say."""
        self._step = step
        self._named = named
        self._mask = Mask()
        self._streams: dict[int, tuple[int, Stream]] = {}
        self._told = b""
        self._stored = self._ended = False
        self._signalled: int | None = None
        self._child = 0

    def fork(self) -> Link | None:
        """Go on in two processes: the one that gets a link runs the step, the other one then calls `watch`."""
        control, told = os.pipe()
        lifeline, held = os.pipe()
        pipes = _pipes(os.environ, self._named)
        before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN if before is signal.SIG_IGN else signal.SIG_DFL)
        self._child = os.fork()
        if self._child:
            for reader, writer, targets in pipes:
                os.close(writer)
                self._streams[reader] = (targets[0], Stream(self._mask))
            os.close(told)
            os.close(lifeline)
            self._control, self._held = control, held
            return None
        tie(lifeline, os.getpid())
        for reader, writer, targets in pipes:
            os.close(reader)
            for target in targets:
                os.dup2(writer, target)
            os.close(writer)
        os.close(control)
        os.close(held)
        return Link(told)

    def watch(self) -> int:
        """The exit code of the step, once all of it is gone. Raises `StepFailed` if it could not say why it ended."""
        self._open()
        adopt()
        status = self._wait()
        end_all(lambda: 0 if self._signalled is not None else GRACE, self._serve)
        while self._streams and self._serve(0):
            pass
        for reader in list(self._streams):
            self._close(reader)
        return self._judged(os.waitstatus_to_exitcode(status))

    def _open(self) -> None:
        self._wake, waker = os.pipe()
        for descriptor in (self._wake, waker, self._control):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for signum in _FORWARDED:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # `nohup` and `&` stay in force
                signal.signal(signum, self._forward)
        self._poll = select.poll()
        for descriptor in (self._wake, self._control, *self._streams):
            self._poll.register(descriptor, select.POLLIN)

    def _forward(self, signum: int, _frame: FrameType | None) -> None:
        if signum in _FORWARDED[:3]:
            self._signalled = signum
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signum)

    def _wait(self) -> int:
        while True:
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                return status
            self._serve(None)

    def _serve(self, seconds: float | None) -> bool:
        """Pass on what has come within some seconds; whether there was anything."""
        ready = self._poll.poll(None if seconds is None else seconds * 1000)
        self._listen()  # first, since it says what to hide in what was printed after it
        for descriptor, _ in ready:
            if descriptor == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, _CHUNK)
            elif descriptor in self._streams:
                self._pass_on(descriptor)
        return bool(ready)

    def _pass_on(self, reader: int) -> None:
        target, stream = self._streams[reader]
        data = os.read(reader, _CHUNK)
        self._listen()
        if data:
            _write(target, stream.feed(data))
        else:
            self._close(reader)

    def _close(self, reader: int) -> None:
        target, stream = self._streams.pop(reader)
        _write(target, stream.end())
        self._poll.unregister(reader)
        os.close(reader)

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._control, _CHUNK):
                self._told += data
        while len(self._told) >= _HEAD:
            end = _HEAD + int.from_bytes(self._told[1:_HEAD], "big")
            if len(self._told) < end:
                return
            kind, text, self._told = self._told[:1], self._told[_HEAD:end], self._told[end:]
            self._stored |= kind == _STORED
            self._ended |= kind == _END
            if kind == _HIDE:
                self._mask.hide(text.split(_SEPARATOR) if text else [])
        if not self._told and self._ended:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._control)

    def _judged(self, code: int) -> int:
        self._listen()
        if code == 0 and self._stored:
            return 0
        if code > 0 and self._ended:
            return code  # it has said why by itself
        if code < 0:
            error = StepFailed(f"ended by signal {signal_name(-code)}", where=f"step {self._step!r}")
            error.exit_code = 128 - code
            raise error
        when = "although" if self._stored else "before"
        raise StepFailed(
            f"its process ended with exit code {code} {when} the dataset was stored",
            where=f"step {self._step!r}",
            hint=LEFT,
        )


def _pipes(environ: Mapping[str, str], named: Collection[str]) -> list[tuple[int, int, list[int]]]:
    """A pipe for each of our own outputs that is open, and which of them it stands for: both, if they are one file.

    A terminal is left as it is where no variable may be a secret, so that the step can see that it is one.
    """
    by_file: dict[tuple[int, int], list[int]] = {}
    masked = any(name in named or _may_hide(name, value) for name, value in environ.items())
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            stat = os.fstat(descriptor)
            if masked or not os.isatty(descriptor):
                by_file.setdefault((stat.st_dev, stat.st_ino), []).append(descriptor)
    return [(*os.pipe(), descriptors) for descriptors in by_file.values()]


def _may_hide(name: str, value: str) -> bool:
    """Whether a variable may be a secret: by its name, as one of a setting, or by a password in its value."""
    return "__" in name or may_be_secret(name) or may_contain_password(value)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it; where nobody reads any more, nothing."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.EBADF, errno.ENOSPC, errno.EIO}:
                raise
            return
