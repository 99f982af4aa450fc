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
    from wurzel.ir.introspect import Entry
    from wurzel.runtime.outcome import RunResult


def run(  # noqa: PLR0913 - the options of the command
    pipeline: str | Entry | None = None,
    *,
    name: str | None = None,
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
        pipeline: a name in `wurzel.yaml`, or `module:attribute`; the only one unless given. Or the pipeline itself:
            its last step, a list of last steps, or a function that returns either. Steps that are defined in a
            notebook, or at Python's prompt, need `in_process`, and always run, since nothing tells whether they have
            changed.
        name: of a pipeline that is passed itself, whose configuration is that of this name in `wurzel.yaml`. Unless
            given, it is named after its function, or its last step.
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
    options: list[tuple[str, Sequence[object]]] = [
        ("--only", only),
        ("--from", first),
        ("--until", last),
        ("--param", [f"{parameter}={_text(value)}" for parameter, value in params.items()]),
        ("--jobs", _one(jobs)),
        ("--data-dir", _one(data_dir)),
        ("--state-dir", _one(state_dir)),
    ]
    begin = [*(["-q"] if quiet else []), "run"]
    begin += [option for option, given in (("--force", force), ("--in-process", in_process)) if given]
    started = _here if in_process else _apart
    if pipeline is None or isinstance(pipeline, str):
        if name is not None:
            raise UsageError("name= is for a pipeline that is passed itself", hint="Pass the name alone.")
        return started([*begin, *_one(pipeline), *_words([*options, ("--env", _one(env)), ("--set", sets)])])
    with tempfile.TemporaryDirectory(prefix="wurzel-") as folder:
        file = Path(folder, "pipeline.json")
        file.write_text(_described(pipeline, name, env, _several("--set", sets), importable=not in_process), "utf-8")
        return started([*begin, *_words(options), f"--from-ir={file}"])


def _described(entry: Entry, name: str | None, env: str | None, sets: Sequence[object], *, importable: bool) -> str:
    """The IR of a pipeline object, with the configuration of its name."""
    from wurzel.core.importing import introspecting
    from wurzel.ir.introspect import introspect
    from wurzel.ir.serialize import dump
    from wurzel.project.open import open_project
    from wurzel.project.resolve import resolve
    from wurzel.project.typecheck import check_settings

    with introspecting():
        pipeline = introspect(entry, name=name or _name_of(entry), importable=importable)
        found = resolve(
            pipeline, open_project(), environment=env, sets=[str(text) for text in sets], check=check_settings
        )
    return dump(found.pipeline)


def _name_of(entry: Entry) -> str:
    """The name of a function, or of the last step, as a pipeline is called."""
    from wurzel.core import TypedStep
    from wurzel.project.open import kebab

    if isinstance(entry, TypedStep):
        return entry.step_id
    found = str(getattr(entry, "__name__", ""))
    if not found.isidentifier():  # a list, a lambda
        raise UsageError("this pipeline has no name", hint='Pass one: wurzel.run(…, name="rag").')
    return kebab(f":{found}")


def _one(value: Any) -> Sequence[Any]:
    return () if value is None else (value,)


def _words(options: Sequence[tuple[str, Sequence[object]]]) -> Iterator[str]:
    return (f"{option}={value}" for option, values in options for value in _several(option, values))


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

    argv = [sys.executable, "-P", "-m", "wurzel", *words]
    lines: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="wurzel-") as folder,
        subprocess.Popen(
            [*argv, f"--result={folder}/result.json"], stderr=subprocess.PIPE, text=True, errors="replace"
        ) as process,
    ):
        try:
            for line in process.stderr or ():
                lines.append(line)
                sys.stderr.write(line)
        except KeyboardInterrupt:  # it got the signal as well, and ends its steps
            process.wait()
            raise
        process.wait()
        if (file := Path(folder, "result.json")).exists():
            return read_result(file)
    message = "".join(lines).partition("error: ")[2].strip() or f"the run has ended with exit code {process.returncode}"
    error = WurzelError(message)
    error.exit_code = process.returncode or FAILED
    raise error
