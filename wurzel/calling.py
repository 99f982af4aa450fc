"""Running a pipeline from Python: notebooks, scripts and tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import FAILED, UsageError, WurzelError

if TYPE_CHECKING:
    from wurzel.runtime.outcome import RunResult


def run(  # noqa: PLR0913 - the options of the command
    pipeline: str | None = None,
    *,
    only: Sequence[str] = (),
    first: Sequence[str] = (),
    last: Sequence[str] = (),
    env: str | None = None,
    sets: Sequence[str] = (),
    params: Mapping[str, object] = MappingProxyType({}),
    jobs: int | None = None,
    force: bool = False,
    data_dir: str | Path | None = None,
    state_dir: str | Path | None = None,
    in_process: bool = False,
    quiet: bool = False,
) -> RunResult:
    """Run a pipeline of the current folder as `wurzel run` does, and give what became of each step.

        result = wurzel.run("rag", only=["split"])
        assert not result.failed

    Progress goes to `sys.stderr`.

    Args:
        pipeline: a name in `wurzel.yaml`, or `module:attribute`; the only one unless given.
        only: the steps to run, as `--only` takes them: `split`, `split+`, `+split`.
        first: as `--from`: these steps and all that come after them.
        last: as `--until`: these steps and all that come before them.
        env: an environment of `wurzel.yaml`.
        sets: texts `KEY=VALUE`, as `--set` takes them.
        params: values of parameters by `STEP.SETTING`.
        jobs: how many processes run at a time.
        force: also run what is unchanged.
        data_dir: folder of the datasets, instead of that of the pipeline.
        state_dir: folder of logs and states; `.wurzel` unless given.
        in_process: run steps in this process, one after the other, so that `breakpoint()` and profilers work. Modules
            are not reloaded: a result of code that has changed since it was imported is not kept for other runs.
        quiet: show warnings and errors only.

    Returns:
        Failures are in `failed`, by step: the reason, the log and, with `in_process`, the error. `exit_code` is that
        of the command.

    Raises:
        WurzelError: when the run cannot begin: unknown names, missing settings, another run in the same folder.
    """
    words = ["run", *([pipeline] if pipeline is not None else [])]
    options: list[tuple[str, Sequence[object]]] = [
        ("--only", only),
        ("--from", first),
        ("--until", last),
        ("--set", sets),
        ("--param", [f"{name}={_text(value)}" for name, value in params.items()]),
        *((name, [value]) for name, value in _single(env, jobs, data_dir, state_dir)),
    ]
    words += [f"{name}={value}" for name, values in options for value in _several(name, values)]
    words += [name for name, given in (("--force", force), ("--in-process", in_process)) if given]
    words = [*(["-q"] if quiet else []), *words]
    return _here(words) if in_process else _apart(words)


def _single(
    env: str | None, jobs: int | None, data_dir: str | Path | None, state_dir: str | Path | None
) -> Iterator[tuple[str, object]]:
    given = {"--env": env, "--jobs": jobs, "--data-dir": data_dir, "--state-dir": state_dir}
    yield from ((name, value) for name, value in given.items() if value is not None)


def _several(name: str, values: Sequence[object]) -> Sequence[object]:
    if isinstance(values, str):
        raise UsageError(f"{name} takes a list, not the text {values!r}", hint=f"Write [{values!r}].")
    return values


def _text(value: Any) -> str:
    """A parameter as the command line takes it: text as it is, anything else as JSON."""
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _here(words: Sequence[str]) -> RunResult:
    """The result of a run in this process."""
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("steps run in this process only from its main thread", hint="Leave out in_process=True.")
    import click

    from wurzel.cli import cli

    found: dict[str, Any] = {}
    try:
        cli.main([*words], prog_name="wurzel", standalone_mode=False, obj=found)
    except SystemExit as ended:
        if "result" not in found:
            raise WurzelError(f"the run has ended with exit code {ended.code}") from ended
    except click.UsageError as error:
        raise UsageError(error.format_message()) from error
    result: RunResult = found["result"]
    return result


def _apart(words: Sequence[str]) -> RunResult:
    """The result of a run in a process of its own, which imports code as it is now."""
    from wurzel.runtime.outcome import read_result

    with tempfile.TemporaryDirectory(prefix="wurzel-") as folder:
        file = Path(folder, "result.json")
        argv = [sys.executable, "-P", "-m", "wurzel", *words, f"--result={file}"]
        lines: list[str] = []
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, errors="replace") as process:
            try:
                for line in process.stderr or ():
                    lines.append(line)
                    sys.stderr.write(line)
            except KeyboardInterrupt:  # it got the signal as well, and ends its steps
                process.wait()
                raise
        if file.exists():
            return read_result(file)
    message = "".join(lines).partition("error: ")[2].strip() or f"the run has ended with exit code {process.returncode}"
    error = WurzelError(message)
    error.exit_code = process.returncode or FAILED
    raise error
