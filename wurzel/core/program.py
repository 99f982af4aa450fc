"""Runs a program as a list of words, never through a shell, and ends it when the step is ended."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, getsignal, raise_signal, signal
from typing import IO, Any, TextIO

from wurzel.exceptions import StepFailed, UsageError, shortened
from wurzel.hangup import signal_name, tie, untie

_GRACE = 5.0
"""Seconds between TERM and KILL; less than the 10 that whoever ends the step gives it."""
_SHOWN = 300
_CHUNK = 65536


def run_program(
    argv: Sequence[str], *, env: Mapping[str, str], output: Path | None = None, exit_codes: Collection[int] = ()
) -> None:
    """Run a program to its end; what it prints goes where the step's own output goes.

    Args:
        argv: the program and its arguments.
        env: variables on top of those of this process.
        output: file for what it prints on standard output.
        exit_codes: codes that are fine beside 0.

    Raises:
        UsageError: when it cannot be started: it is missing, or the words are too long.
        StepFailed: when it fails.
    """
    streams = (sys.stdout if output is None else None, sys.stderr)
    for stream in filter(None, streams):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    printed, told = (_stands_apart(stream) for stream in streams)
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(output.open("wb")) if output is not None else None
        reader = stack.enter_context(_lifeline())
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if printed else target,
                stderr=subprocess.PIPE if told else None,
                env={**os.environ, **env},
                pass_fds=() if reader is None else (reader,),
                process_group=None if reader is None else 0,  # so that what it starts ends with it
            )
        except (OSError, ValueError) as error:
            raise _not_started(argv, error) from None
        if reader is not None:
            tie(reader, -process.pid)
        with _passed_on((process.stdout, streams[0]), (process.stderr, streams[1])):
            code = _ended(process, reader is not None)
    if code and code not in exit_codes:
        how = f"was ended by signal {signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        raise StepFailed(f"{argv[0]} {how}", hint=f"The command: {command_text(argv)}")


def command_text(argv: Sequence[str]) -> str:
    """A command for people, cut when it is long."""
    return shortened(shlex.join(argv), _SHOWN)


def _stands_apart(stream: TextIO | None) -> bool:
    """Whether what Python prints goes elsewhere than what a program prints: to a notebook, or through a mask."""
    return stream is not None and stream is not sys.__stdout__ and stream is not sys.__stderr__


@contextlib.contextmanager
def _passed_on(*pipes: tuple[IO[bytes] | None, TextIO | None]) -> Iterator[None]:
    """Write to the streams of this process what comes from the pipes that a program has."""
    threads = [threading.Thread(target=_pass_on, args=pair, daemon=True) for pair in pipes if pair[0] is not None]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join(_GRACE)  # something that the program left behind may hold the pipe for ever


def _pass_on(pipe: IO[bytes], stream: TextIO) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    with pipe:
        while data := os.read(pipe.fileno(), _CHUNK):
            stream.write(decoder.decode(data))
            stream.flush()
        stream.write(decoder.decode(b"", final=True))


@contextlib.contextmanager
def _lifeline() -> Iterator[int | None]:
    """The end of a pipe that a program holds, so that the kernel kills it if this process is killed; only on Linux.

    A process that gets KILL cannot end what it has started. Where a guard watches over it that does so, but a `kill -9`
    of the guard would leave the program running.
    """
    if sys.platform != "linux":
        yield None
        return
    reader, writer = os.pipe()
    try:
        yield reader
    finally:
        untie(reader)  # what the program leaves behind is ended by the guard, which asks first
        os.close(reader)
        os.close(writer)


def _ended(process: subprocess.Popen[bytes], leads: bool) -> int:
    """The exit code of a process, which does not outlive us, nor what is in the group that it `leads`."""
    try:
        return process.wait()
    except BaseException:
        end(process, _GRACE, leads=leads)
        raise


@contextlib.contextmanager
def captured(argv: Sequence[str], grace: float = 0, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program in a new session, whose output is caught as text.

    When an error, or an interrupt, leaves the block, the program is ended with all that it has started (see `end`): a
    terminal interrupts only our own group. `options` are those of `Popen`, which may raise `OSError`.
    """
    process = None
    try:
        with _interrupts_wait():
            process = subprocess.Popen(
                argv,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
                **options,
            )
        yield process
    except BaseException:
        if process is not None:
            end(process, grace)
        raise
    finally:
        if process is not None:
            with process:  # closes the pipes
                pass


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let an interrupt wait for the end of the block: what starts in it would go on if nothing knew of it yet."""
    handler = getsignal(SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    caught: list[int] = []
    signal(SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal(SIGINT, handler)
        if caught:
            raise_signal(SIGINT)


def end(process: subprocess.Popen[Any], grace: float, *, leads: bool = True) -> None:
    """End a process, and what is in the group that it `leads`: by TERM, and by KILL after some seconds, if any."""
    for signum, seconds in (*([(SIGTERM, grace)] if grace else []), (SIGKILL, None)):
        if process.returncode is not None:  # its number, and so that of its group, may be that of another one
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signum) if leads else process.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _not_started(argv: Sequence[str], error: OSError | ValueError) -> UsageError:
    if isinstance(error, ValueError):  # a null byte; the word may contain what is not to be shown
        return UsageError(f"{argv[0]!r:.80} cannot be started: {error}", hint="Words and variables take no null bytes.")
    if error.errno == errno.E2BIG:
        sizes = [len(os.fsencode(word)) + 1 for word in argv]
        return UsageError(
            f"{argv[0]} cannot be started: the system does not take its {len(argv)} words with {sum(sizes)} bytes, the"
            f" longest with {max(sizes)}",
            hint="Take a Folder instead of a list of files, or let the program read a file.",
        )
    if isinstance(error, FileNotFoundError):
        if "/" in argv[0] and Path(argv[0]).exists():
            return UsageError(f"{argv[0]} cannot be started: the interpreter in its first line is missing")
        hint = "Install it where the step runs: on this machine, or in the image."
        return UsageError(f"the program {argv[0]!r} was not found", hint=hint)
    return UsageError(f"{argv[0]} cannot be started: {error.strerror}", hint="Is it a program, and executable?")
