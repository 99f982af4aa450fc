"""Repeats an action in a fresh process each time one of the files it read changes."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from wurzel.runtime.stamps import Stamp, own_modules, stamp_of

INTERVAL = 0.3
"""Seconds between two checks of the files."""

_UNKNOWN: Stamp = (0, 0, 0)
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class Written(NamedTuple):
    """A folder that the action writes into: a change there does not start it again."""

    folder: Path


def watch(
    action: Callable[[], Iterable[Path | Written]],
    say: Callable[[str], None],
    *,
    always: Iterable[Path] = (),
    interval: float = INTERVAL,
) -> None:
    """Run `action`, wait until a file it read changes, run it again; until Ctrl-C.

    Each run is a separate process, so that changed Python code is imported again. A failure is shown, and watching
    continues. It watches the imported modules, except installed ones, and what `action` returns; after a failure also
    all Python files below the current folder, since the one that failed may not have been imported.

    Args:
        action: does the work and returns further files and folders to watch. It runs in a fork of this process, so
            no user code must be imported before.
        say: shows one line to the user.
        always: files to watch even if the action fails.
        interval: seconds between two checks of the files.
    """
    from wurzel.runtime.outcome import path_from_here

    known, written = set(always), set[Path]()
    try:
        while True:
            start = time.time_ns()
            before = stamps(known, without=written)
            found, failed = _do(action)
            known = known | found.read if failed else found.read | set(always)
            written |= found.written
            now = stamps(known, without=written)
            read = _as_read(before, now, start)
            if read == now:
                say(f"watching {len(now)} {'file' if len(now) == 1 else 'files'}; stop with Ctrl-C")
            changed = wait(known, read, without=written, interval=interval)
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            say(f"changed: {path_from_here(changed[0])}{more}")
    except KeyboardInterrupt:
        say("stopped")


def wait(
    paths: Iterable[Path], before: dict[Path, Stamp], *, without: Collection[Path] = (), interval: float = INTERVAL
) -> list[Path]:
    """Wait for changes, then until they settle; the files that changed, appeared or disappeared since `before`."""
    paths = list(paths)
    last = before
    while True:
        now = stamps(paths, without=without)
        changed = [path for path in sorted(now.keys() | before.keys()) if now.get(path) != before.get(path)]
        if changed and now == last:
            return changed
        last = now
        time.sleep(interval)


def stamps(paths: Iterable[Path], *, without: Iterable[Path] = ()) -> dict[Path, Stamp]:
    """The stamp of each file among the paths and below the folders among them, but not below those in `without`."""
    found: dict[Path, Stamp] = {}
    left_out = frozenset(without)
    for path in paths:
        for file in _files(path, left_out):
            if (stamp := stamp_of(file)) is not None:
                found[file] = stamp
    return found


def _files(path: Path, without: Collection[Path] = ()) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, names, files in os.walk(path):
        inner = {name: Path(folder, name) for name in names}
        names[:] = [name for name in names if inner[name] not in without and _is_source_folder(inner[name])]
        yield from (Path(folder, name) for name in files if name[0] != ".")


def _is_source_folder(folder: Path) -> bool:
    return folder.name[0] != "." and folder.name not in _SKIPPED and not (folder / "pyvenv.cfg").exists()


def _as_read(before: dict[Path, Stamp], now: dict[Path, Stamp], start: int) -> dict[Path, Stamp]:
    """The stamps when the files were read; for a new file, its modification time tells whether it changed since."""
    end = time.time_ns()
    return {
        path: before[path] if path in before else _UNKNOWN if start < stamp[0] <= end else stamp
        for path, stamp in now.items()
    }


class _Found(NamedTuple):
    read: set[Path]
    written: set[Path]


def _do(action: Callable[[], Iterable[Path | Written]]) -> tuple[_Found, bool]:
    """Run it in a fork; returns the files it read, the folders it writes into, and whether it failed."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _report(action, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            line = pipe.readline()
    finally:
        _, status = os.waitpid(child, 0)
    read, written = json.loads(line) if line.endswith(b"\n") else ((), ())
    found = _Found(set(map(Path, read)), set(map(Path, written)))
    failed = os.waitstatus_to_exitcode(status) != 0
    if failed:
        found.read.update(path for path in _files(Path.cwd(), found.written) if path.suffix == ".py")
    return found, failed


def _report(action: Callable[[], Iterable[Path | Written]], writing: int) -> NoReturn:
    """Run it and end this process, as a command would."""
    from wurzel.exceptions import WurzelError

    # Python tells outdated bytecode by seconds and size, which two quick edits may share.
    sys.dont_write_bytecode = True
    code, paths, written = 1, list[Path](), list[Path]()
    try:
        for path in action():  # also those before it fails
            written.append(path.folder) if isinstance(path, Written) else paths.append(path)
        code = 0
    except KeyboardInterrupt:
        os._exit(1)
    except WurzelError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this process has no other way to say it
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - shown, and the next change may fix it
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    names = [sorted({os.fspath(path.absolute()) for path in some}) for some in ([*paths, *own_modules()], written)]
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(names).encode() + b"\n")
    os._exit(code)
