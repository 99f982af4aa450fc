"""What became of a run: counts, failures with the end of their logs, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wurzel import records
from wurzel.exceptions import FAILED, FINAL, WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.regular_file import regular

_TAIL = 20
_TAIL_BYTES = 20_000
_ERROR = pattern(r"error: (?:step '[^']*': )?(.+)")
"""How `wurzel step` says why it fails."""

_AGAIN = pattern(r"--- .*; trying again(?: in \S+)? ---")


def again(why: str, wait: float) -> str:
    """What a log and a follower are told of a failure before another try."""
    return f"{why}; trying again{f' in {wait:g}s' if wait else ''}"


@records.dataclass(frozen=True)
class Failure:
    """Why a step failed, and its log, if it came to have one."""

    reason: str
    log: Path | None = None
    code: int = 1
    """One of the exit codes of `wurzel.exceptions`."""
    error: WurzelError | None = None
    """What the step raised, if it ran in this process; an error of its own code is the `__cause__`."""


@dataclass
class RunResult:
    """What became of every step of a run."""

    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Steps that were not run, because a condition was false; their datasets are empty and say so."""
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    """Steps that could not run, and the failed step that each first waited for."""
    left: list[str] = field(default_factory=list)
    """Steps that were running or waiting when the run was stopped."""
    interrupted: int | None = None
    """The signal that stopped the run."""
    late: bool = False
    """The time for the whole run was over."""
    seconds: float = 0
    notes: list[str] = field(default_factory=list)
    """What is to be said of the run as a whole."""
    files: list[str] = field(default_factory=list, repr=False)
    """Files of code and input that were read to tell what has changed, and folders of input and packages."""
    written: list[str] = field(default_factory=list, repr=False)
    """Folders of data and state; some may be inside `files`."""

    @property
    def exit_code(self) -> int:
        """0 if all is well, 128 + signal when interrupted, otherwise one of `wurzel.exceptions`.

        `FAILED` as soon as one failure may be gone in another run; otherwise the code that the failures have.
        """
        if self.interrupted is not None:
            return 128 + self.interrupted
        codes = {failure.code for failure in self.failed.values()} | ({FAILED} if self.late else set())
        return FAILED if codes - FINAL else max(codes, default=0)

    def counts(self) -> Mapping[str, int]:
        """How many steps ran, were skipped, were unchanged, failed, did not run."""
        not_run = len(self.blocked) + len(self.left)
        named = {"ran": self.ran, "skipped": self.skipped, "unchanged": self.unchanged, "failed": self.failed}
        return {what: len(steps) for what, steps in named.items()} | {"not run": not_run}


def write_result(path: Path, result: RunResult) -> None:
    """Write a result for `read_result`."""
    failed = {step: {**vars(failure), "error": None} for step, failure in result.failed.items()}
    path.write_text(json.dumps({**vars(result), "failed": failed}, default=str), encoding="utf-8")


def read_result(path: Path) -> RunResult:
    """A result of another process."""
    data = json.loads(path.read_text(encoding="utf-8"))
    failed = {
        step: Failure(**{**failure, "log": failure["log"] and Path(failure["log"])})
        for step, failure in data["failed"].items()
    }
    return RunResult(**{**data, "failed": failed})


class Note(NamedTuple):
    """A line of what is said at the end of a run, with lines that belong to it."""

    text: str
    level: Literal["info", "error"] = "info"
    step: str = ""
    details: Sequence[str] = ()


def report(result: RunResult, name: str, data: str) -> Iterator[Note]:
    """What ends a run: the last lines of each failed step's log, then the counts and where the data is."""
    for step, failure in result.failed.items():
        if failure.error is not None:
            lines = [visible(line) for line in str(failure.error).splitlines()[1:]]
            yield from [Note(f"{step}: where it failed", "error", step, lines)] if lines else []
        elif failure.log is not None:
            lines = tail(failure.log)
            if _is_said(failure.reason, lines):
                continue
            what = "the end of" if lines else "nothing is in"
            yield Note(f"{step}: {what} {path_from_here(failure.log)}", "error", step, lines)
    for note in result.notes:
        yield Note(f"{name}: {note}")
    counts = ", ".join(f"{count} {what}" for what, count in result.counts().items() if count) or "no steps"
    why = (
        "; interrupted" if result.interrupted is not None else "; time for the whole run is over" if result.late else ""
    )
    level: Literal["info", "error"] = "error" if result.exit_code else "info"
    yield Note(f"{name}: {counts} in {result.seconds:.1f}s{why}; datasets are in {data}", level)


def _is_said(reason: str, log: Sequence[str]) -> bool:
    """Whether a log has nothing that the reason does not say."""
    found = _ERROR.fullmatch(log[0]) if len(log) == 1 else None
    return found is not None and reason.startswith(found[1])


def path_from_here(path: Path) -> Path:
    """The path, relative to the current folder when it is within."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def tail(path: Path) -> list[str]:
    """The last lines of a log, of the last try alone, without reading all of a long one."""
    lines = _last_try(path)
    return [visible(line) for line in lines[-_TAIL:]]


def with_cause(reason: str, log: Path, tries: int = 1) -> str:
    """Why a process failed, with what its log says if there is more to it than an exit code: `no luck (exit code 1)`.

    The reason is `exit code 1`, `timed out after 30s` and so on.
    """
    many = f"{tries} tries" if tries > 1 else ""
    found = next(filter(None, (_ERROR.fullmatch(_as_text(line)) for line in reversed(_last_try(log)))), None)
    if found is not None and reason.startswith("exit code"):
        return f"{visible(found[1])} ({', '.join(filter(None, (reason, many)))})"
    return f"{reason} ({many})" if many else reason


def _as_text(line: str) -> str:
    """The first line of what a JSON line of a log reports as an error, as text logs show it; other lines unchanged."""
    if not line.startswith('{"time"'):
        return line
    try:
        entry = json.loads(line)
        return f"error: {entry['message'].splitlines()[0]}" if entry["level"] == "error" else ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def end_of(path: Path, size: int = _TAIL_BYTES) -> str:
    """The last bytes of a text file, as text; empty if it cannot be read."""
    try:
        with open(path, "rb", opener=regular) as file:
            file.seek(max(file.seek(0, 2) - size, 0))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_try(path: Path) -> list[str]:
    lines = end_of(path).splitlines()
    tries = [number for number, line in enumerate(lines) if _AGAIN.fullmatch(line)]
    after = lines[tries[-1] + 1 :] if tries else []
    return after or lines


_CONTROL = pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(line: str) -> str:
    """A line with control characters as text: a terminal would obey them, clear the screen, set its title, answer."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line)
