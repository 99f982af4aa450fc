"""`wurzel run`: a pipeline on this machine."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wurzel.cli import collect_as_usual
from wurzel.cli.asked import Asked, made_ready
from wurzel.cli.declare import AtLeast, declared, option
from wurzel.cli.options import check_choice, choosing_options, configuration_options, env_file_option, pipeline_argument
from wurzel.cli.saying import inform, print_json, write
from wurzel.exceptions import UsageError, WurzelError
from wurzel.lean import load_pydantic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wurzel.cli.watch import Written
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.outcome import RunResult
    from wurzel.runtime.pipeline import RunOptions
    from wurzel.runtime.progress import Follower


@declared("run", takes_state=True)
@pipeline_argument
@option("-j", "--jobs", type=AtLeast(1), metavar="N", help="Run N steps at a time.")
@option("--force", is_flag=True, help="Run every step, even if it is unchanged.")
@option(
    "--param",
    "params",
    type="ParameterText",
    metavar="STEP.SETTING=VALUE",
    multiple=True,
    help="Give a parameter a value for this run.",
)
@choosing_options("Run")
@option("--plan", is_flag=True, help="Show what would run, and why; run nothing.")
@option("--format", "form", type=("text", "json"), help="How to write the plan.")
@option("--shard", type="ShardText", metavar="I/N", help="Run slice I of N of the one step in --only.")
@option(
    "--slices",
    metavar="STEP=FILE",
    help="Write the slices of a step as JSON, after the steps of --only, or alone; `-` is standard output.",
)
@option("--data-dir", metavar="DIR", help="Write datasets here instead of where the pipeline says.")
@option("--state-dir", metavar="DIR", default=".wurzel", show_default=True, help="Keep logs and states here.")
@option("--result", "result_file", metavar="FILE", hidden=True, help="Write the result for `wurzel.run`.")
@option("--junit", metavar="FILE", help="Write a JUnit report with a test case for each step.")
@option("--measure", is_flag=True, help="Write what steps took to PIPELINE.measures.json, for `wurzel layout`.")
@option(
    "--store",
    "url",
    envvar="WURZEL_STORE",
    metavar="URL",
    help="Use this store instead of that of wurzel.yaml: a folder, s3://bucket/prefix, or none.",
)
@option("--notify", is_flag=True, help="If the run fails, notify as `on_failure` says.")
@option("--publish", is_flag=True, help="Make this run `latest` in the store.")
@option(
    "--in-process",
    is_flag=True,
    help="Run steps in this process, one after the other, for debuggers and profilers: breakpoint() works.",
)
@option("--watch", is_flag=True, help="Run what has changed whenever code, input files or wurzel.yaml change.")
@option("--no-retry", is_flag=True, help="Try each step once, whatever `retry` says.")
@option(
    "--from-ir",
    metavar="FILE",
    help="Run the pipeline of an IR file, as `wurzel inspect --json` writes it, or of a variable: env:NAME.",
)
@env_file_option
@configuration_options
def command(obj: dict[str, Any], /, watch: bool, **options: Any) -> None:
    """Run a pipeline here, in parallel, skipping what is unchanged.

    PIPELINE may be left out where wurzel.yaml has only one.
    """
    asked = Asked(**options)
    if not asked.in_process:
        load_pydantic()
    _check(obj, asked, watch=watch)
    if watch:
        from pathlib import Path

        from wurzel.cli.watch import watch as again
        from wurzel.project.load import FILE

        always = [Path(asked.from_ir or FILE)]
        again(lambda: _watched(obj, asked), inform, always=always)
    else:
        try:
            obj["result"] = result = _run(obj, asked)
        except WurzelError as error:
            from wurzel.runtime.ending import write_termination_log

            write_termination_log(error)
            raise
        sys.exit(result.exit_code if result is not None else 0)


def _watched(obj: dict[str, Any], asked: Asked) -> Iterator[Path | Written]:
    """Run, and give the files that were read to tell what has changed."""
    from pathlib import Path

    from wurzel.cli.watch import Written

    result = _run(obj, asked)
    if result is not None:
        yield from map(Path, result.files)
        yield from (Written(Path(folder)) for folder in result.written)
        sys.exit(result.exit_code)


def _check(obj: dict[str, Any], asked: Asked, *, watch: bool) -> None:
    """Refuse options that contradict each other."""
    cut = "--shard" if asked.shard else "--slices" if asked.slices else ""
    check_choice(asked.only, asked.first, asked.last)
    if asked.plan and cut:
        raise UsageError("--plan shows whole steps", hint="Leave out --shard and --slices.")
    writes = [f"--{name}" for name in ("junit", "measure", "notify", "publish") if getattr(asked, name)]
    if asked.plan and writes:
        raise UsageError(f"--plan runs nothing, so {writes[0]} has no meaning", hint=f"Leave out {writes[0]}.")
    if asked.form and not asked.plan:
        raise UsageError("--format is for --plan", hint="Add --plan.")
    if watch and asked.notify:
        raise UsageError("--notify and --watch are mutually exclusive", hint="Leave out --watch or --notify.")
    if watch and (asked.plan or cut):
        raise UsageError(f"--watch runs whole steps; leave out {cut or '--plan'}")
    if asked.from_ir and (asked.pipeline or asked.environment or asked.sets):
        raise UsageError("--from-ir takes no PIPELINE, --env or --set", hint="The file says all of it.")
    if asked.in_process:
        _check_in_process(obj, asked)
        collect_as_usual()


def _check_in_process(obj: dict[str, Any], asked: Asked) -> None:
    if asked.shard or asked.jobs:
        name = "--shard" if asked.shard else "--jobs"
        raise UsageError(f"--in-process runs whole steps, one after the other, so {name} has no meaning")
    from wurzel import cli
    from wurzel.runtime.logs import set_up

    if cli.owns_process:  # a program that calls us has logging of its own
        set_up(obj["log_format"], obj["level"])


def _run(obj: dict[str, Any], asked: Asked) -> RunResult | None:
    """Run, plan, or write slices, as the options say; the result of a run, if there was one."""
    from wurzel.runtime.outcome import report
    from wurzel.runtime.pipeline import run_pipeline
    from wurzel.runtime.plugins import skip_search

    skip_search()
    chosen, options, notes, place = made_ready(obj, asked)
    if asked.plan:
        _write_plan(chosen, options, asked.form)
        return None
    if options.is_idle and asked.slices is None:
        inform(f"{chosen.name}: nothing to do here: this run is of {', '.join(options.of_run)}")
        return None
    fan_out = _fan_out(chosen, asked.slices, options)
    result = None
    if options.only or fan_out is None:
        follower = _follower(obj, chosen, options)
        follower.say(notes)
        with _telling(chosen, options, asked):
            result = run_pipeline(chosen, options, follower)
        follower.say(report(result, chosen.name, place))
        _conclude(chosen, options, result, asked)
        if asked.notify and (result.failed or result.late):
            reason = next((failure.reason for failure in result.failed.values()), "its time is over")
            _notify(chosen, options, reason, ", ".join(result.failed))
    if fan_out is not None and not (result and result.exit_code):
        fan_out()
    return result


@contextmanager
def _telling(pipeline: Pipeline, options: RunOptions, asked: Asked) -> Iterator[None]:
    """Tell of what keeps a run from starting, too."""
    try:
        yield
    except WurzelError as error:
        if asked.notify:
            _notify(pipeline, options, str(error))
        raise


def _notify(pipeline: Pipeline, options: RunOptions, reason: str, steps: str = "") -> None:
    """Tell of a failed run; that this did not work is said, and changes no exit code."""
    from wurzel.runtime.masking import CURRENT
    from wurzel.runtime.notice import NoticeError, notice, tell

    if pipeline.on_failure is None:
        return
    found = notice(pipeline.name, options.told, step=steps, reason=CURRENT.text(reason), run=options.run_id)
    try:
        told = pipeline.on_failure
        tell(found, options.told, webhook=bool(told.webhook), command=told.command)
    except NoticeError as error:
        inform(f"error: {error}")


def _write_plan(pipeline: Pipeline, options: RunOptions, form: str | None) -> None:

    from wurzel.core.importing import apart
    from wurzel.runtime.plan import plan

    with apart():  # settings are loaded, which runs the author's validators
        planned = plan(pipeline, options)
    if form == "json":
        print_json([found._asdict() for found in planned])
        return
    width = max(len(found.step) for found in planned)
    for found in planned:
        write(f"{found.step:<{width}}  {found.action:<9}  {found.reason}".rstrip() + "\n")


def _fan_out(pipeline: Pipeline, slices: str | None, options: RunOptions) -> Callable[[], None] | None:
    """What writes the slices of a step, as `--slices` asks for; checks what can be checked before anything runs."""
    from wurzel.runtime.selection import chosen, find

    if options.shard is not None and (not options.only or len(chosen(pipeline, options.only).steps) != 1):
        raise UsageError("--shard runs a slice of one step", hint="Name it with --only STEP.")
    if slices is None:
        return None
    if options.shard is not None:
        raise UsageError("--shard and --slices are mutually exclusive", hint="Leave out one of them.")
    step_id, equals, file = slices.partition("=")
    if not equals or not file:
        raise UsageError(f"--slices {slices!r} is not STEP=FILE", hint="For example: --slices split=slices.json")
    from wurzel.runtime.fanout import write_slices
    from wurzel.runtime.plan import slices_of

    step = find(pipeline, step_id, "--slices")
    return lambda: write_slices(file, slices_of(pipeline, step, options))


def _follower(obj: dict[str, Any], pipeline: Pipeline, options: RunOptions) -> Follower:
    from wurzel.runtime.progress import JsonLines, PlainLines
    from wurzel.runtime.run_id import platform
    from wurzel.runtime.selection import chosen

    quiet = obj["level"] == "WARNING"
    if obj["log_format"] == "json":
        return JsonLines(pipeline.name, options.run_id, quiet=quiet)
    ci = platform(options.environ)
    if (ci is not None or options.engine) and not options.in_process:
        from wurzel.runtime.folded import FOLLOWERS, EngineLines, logs_of

        logs = logs_of(options.root / options.state_dir / pipeline.name / "logs")
        return EngineLines(logs, options.run_id, quiet=quiet) if ci is None else FOLLOWERS[ci](logs, quiet=quiet)
    dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
    if quiet or dumb or options.in_process:
        return PlainLines(quiet=quiet)
    from wurzel.runtime.live import LiveDisplay

    return LiveDisplay(len(chosen(pipeline, options.only).steps))


def _conclude(pipeline: Pipeline, options: RunOptions, result: RunResult, asked: Asked) -> None:
    """Tell the CI platform, and whoever reads JUnit or the result, what became of each step."""
    from pathlib import Path

    from wurzel.runtime.outcome import write_result
    from wurzel.runtime.run_id import platform

    if result.exit_code:
        from wurzel.runtime.ending import write_reason

        failed = (f"step {step!r}: {failure.reason}" for step, failure in result.failed.items())
        write_reason(next(failed, "the run was ended"), result.exit_code)
    if asked.result_file is not None:
        write_result(Path(asked.result_file), result)
    if asked.measure:
        from wurzel.runtime.measures import write_measures

        write_measures(pipeline, options)
    if asked.junit is None and platform(options.environ) is None:
        return
    from wurzel.runtime.summary import conclude, rows_of, write_junit

    rows = rows_of(pipeline, options, result)
    conclude(rows, options.environ, pipeline.name)
    if asked.junit is not None:
        write_junit(Path(asked.junit), pipeline.name, rows)
