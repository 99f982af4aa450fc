"""`wurzel run`: a pipeline on this machine."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.options import ParameterText, configuration_options, env_file_option, pipeline_argument
from wurzel.cli.shard import ShardText
from wurzel.exceptions import UsageError
from wurzel.git_folder import REASON, in_git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wurzel.ir.model import Pipeline
    from wurzel.runtime.outcome import Note, RunResult
    from wurzel.runtime.pipeline import RunOptions
    from wurzel.runtime.progress import Follower
    from wurzel.store.store import Store

_IR_DIGEST = "WURZEL_IR_SHA256"
"""Environment variable that a rendered job has the digest of its IR file in."""


@click.command("run")
@pipeline_argument
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Run N steps at a time.")
@click.option("--force", is_flag=True, help="Run every step, also what is unchanged.")
@click.option(
    "--param",
    "params",
    type=ParameterText(),
    metavar="STEP.SETTING=VALUE",
    multiple=True,
    help="Give a parameter a value for this run.",
)
@click.option(
    "--only",
    metavar="STEP,…",
    multiple=True,
    help="Run these steps; what they read must be there already. STEP+ means what comes after it too, +STEP before.",
)
@click.option("--from", "first", metavar="STEP,…", multiple=True, help="Run these steps and all that come after them.")
@click.option("--until", "last", metavar="STEP,…", multiple=True, help="Run these steps and all that come before them.")
@click.option("--plan", is_flag=True, help="Say what would run, and why, and run nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="How to write the plan.")
@click.option("--shard", type=ShardText(), metavar="I/N", help="Run slice I of N of the one step in --only.")
@click.option(
    "--slices",
    metavar="STEP=FILE",
    help="Write the slices of a step as JSON, after the steps of --only, or alone; `-` is standard output.",
)
@click.option("--data-dir", metavar="DIR", help="Write datasets here instead of where the pipeline says.")
@click.option("--state-dir", metavar="DIR", default=".wurzel", show_default=True, help="Keep logs and states here.")
@click.option("--result", "result_file", metavar="FILE", hidden=True, help="Write the result for `wurzel.run`.")
@click.option("--junit", metavar="FILE", help="Write a JUnit report with a test case for each step.")
@click.option(
    "--store",
    "url",
    envvar="WURZEL_STORE",
    metavar="URL",
    help="Keep results in this store, a folder or s3://bucket/prefix, or in `none`, whatever wurzel.yaml says.",
)
@click.option("--publish", is_flag=True, help="Let this run become the latest one in the store.")
@click.option(
    "--in-process",
    is_flag=True,
    help="Run steps in this process, one after the other, for debuggers and profilers: breakpoint() works.",
)
@click.option("--no-retry", is_flag=True, help="Try each step once, whatever `retry` says.")
@click.option(
    "--from-ir",
    metavar="FILE",
    help="Run the pipeline of an IR file, as `wurzel inspect --json` writes it, or of a variable: env:NAME.",
)
@env_file_option
@configuration_options
@click.pass_obj
def command(
    obj: dict[str, Any],
    pipeline: str | None,
    jobs: int | None,
    force: bool,
    params: tuple[str, ...],
    only: tuple[str, ...],
    first: tuple[str, ...],
    last: tuple[str, ...],
    plan: bool,
    form: str | None,
    shard: tuple[int, int] | None,
    slices: str | None,
    data_dir: str | None,
    state_dir: str,
    result_file: str | None,
    junit: str | None,
    url: str | None,
    publish: bool,
    in_process: bool,
    no_retry: bool,
    from_ir: str | None,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Run a pipeline here, in parallel, skipping what is unchanged.

    PIPELINE may be left out where wurzel.yaml has only one.
    """
    from pathlib import Path

    from wurzel.invocation.layout import check_layout
    from wurzel.project.typecheck import check_settings
    from wurzel.runtime.outcome import report, write_result
    from wurzel.runtime.parameters import from_environment, given_parameters, with_parameters
    from wurzel.runtime.pipeline import RunOptions, run_pipeline
    from wurzel.runtime.room import processors
    from wurzel.runtime.run_id import given_id, new_id, target
    from wurzel.runtime.selection import between
    from wurzel.store.names import run_name

    if only and (first or last):
        raise UsageError("--only cannot be used with --from or --until", hint="Write --only STEP+ or --only +STEP.")
    _check_plan(form, shard or slices, plan=plan)
    _check_in_process(obj, jobs, shard, in_process=in_process)
    withdrawn = _withdrawn()
    if from_ir is None:
        asked, notes = _configured(pipeline, environment, sets)
    elif pipeline or environment or sets:
        raise UsageError("--from-ir takes no PIPELINE, --env or --set", hint="The file says all of it.")
    else:
        asked, notes = _stored(from_ir), []
    check_layout(asked, os.environ)
    chosen = with_parameters(from_environment(asked, os.environ, check_settings), params, check_settings)
    given = given_parameters(asked, chosen)
    chosen = _with_data_dir(chosen, data_dir)
    store, place = _store(chosen, url, {**os.environ, **withdrawn})
    if publish and store is None:
        raise UsageError("--publish is about a store, and there is none", hint="Name one with --store.")
    engine_id = given_id(os.environ)
    run_id = engine_id or new_id()
    options = RunOptions(
        root=Path.cwd(),
        jobs=jobs or chosen.parallelism or processors(),
        force=force,
        state_dir=state_dir,
        wurzel=(sys.executable, "-P", "-m", "wurzel", *_log_options(obj)),
        only=only or between(chosen, first, last),
        shard=shard,
        no_retry=no_retry,
        in_process=in_process,
        run_id=run_id,
        store=store,
        run_name=run_name(target(os.environ), run_id, given),
        engine=engine_id is not None,
        given=bool(given),
        publish=publish,
    )
    if plan:
        _write_plan(chosen, options, form)
        return
    fan_out = _fan_out(chosen, slices, options)
    if options.only or fan_out is None:
        follower = _follower(obj, chosen, options)
        follower.say(notes)
        result = obj["result"] = run_pipeline(chosen, options, follower)
        follower.say(report(result, chosen.name, place))
        _conclude(chosen, options, result, junit)
        if result_file is not None:
            write_result(Path(result_file), result)
        if fan_out is None or result.exit_code:
            sys.exit(result.exit_code)
    fan_out()


def _withdrawn() -> dict[str, str]:
    """Credentials of a store, which code of the pipeline must not find in the environment."""
    if not any(name.startswith("WURZEL_STORE_") for name in os.environ):
        return {}
    from wurzel.store.credentials import withdraw

    return withdraw()


def _store(pipeline: Pipeline, given: str | None, environ: Mapping[str, str]) -> tuple[Store | None, str]:
    """The store of this run, and where its datasets are, in words."""
    from wurzel.runtime.store_choice import chosen_store, open_chosen

    store = chosen_store(pipeline.store, given, environ)
    if store is None:
        return None, pipeline.data_dir
    return open_chosen(store, pipeline.name, environ), f"the store {store.url}"


def _with_data_dir(pipeline: Pipeline, data_dir: str | None) -> Pipeline:
    if data_dir is None:
        return pipeline
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", data_dir):
        hint = "Write a path; --store says where results are kept."
        raise UsageError(f"--data-dir {data_dir!r} is a URL, and datasets are written to a folder", hint=hint)
    if in_git(data_dir):
        raise UsageError(f"--data-dir {data_dir!r} {REASON}", hint="Write a path such as data.")
    return pipeline.model_copy(update={"data_dir": data_dir})


def _check_plan(form: str | None, cut: object, *, plan: bool) -> None:
    if plan and cut:
        raise UsageError("--plan is about whole steps", hint="Leave out --shard and --slices.")
    if form and not plan:
        raise UsageError("--format is about a plan", hint="Add --plan.")


def _check_in_process(obj: dict[str, Any], jobs: int | None, shard: object, *, in_process: bool) -> None:
    if not in_process:
        return
    if shard or jobs:
        name = "--shard" if shard else "--jobs"
        raise UsageError(f"--in-process runs whole steps, one after the other, so {name} has no meaning")
    from wurzel import cli
    from wurzel.runtime.logs import set_up

    if cli.owns_process:  # a program that calls us has logging of its own
        set_up(obj["log_format"], obj["level"])


def _write_plan(pipeline: Pipeline, options: RunOptions, form: str | None) -> None:
    import json

    from wurzel.runtime.plan import plan

    planned = plan(pipeline, options)
    if form == "json":
        click.echo(json.dumps([found._asdict() for found in planned], indent=2))
        return
    width = max(len(found.step) for found in planned)
    for found in planned:
        click.echo(f"{found.step:<{width}}  {found.action:<9}  {found.reason}".rstrip())


def _fan_out(pipeline: Pipeline, slices: str | None, options: RunOptions) -> Callable[[], None] | None:
    """What writes the slices of a step, as `--slices` asks for; checks what can be checked before anything runs."""
    from wurzel.runtime.fanout import write_slices
    from wurzel.runtime.plan import slices_of
    from wurzel.runtime.selection import chosen, find

    if options.shard is not None and (not options.only or len(chosen(pipeline, options.only).steps) != 1):
        raise UsageError("--shard is about a slice of one step", hint="Name it with --only STEP.")
    if slices is None:
        return None
    step_id, equals, file = slices.partition("=")
    if not equals or not file or options.shard is not None:
        raise UsageError(f"--slices {slices!r} is not STEP=FILE", hint="For example: --slices split=slices.json")
    step = find(pipeline, step_id, "--slices")
    return lambda: write_slices(file, slices_of(pipeline, step, options))


def _configured(pipeline: str | None, environment: str | None, sets: tuple[str, ...]) -> tuple[Pipeline, list[Note]]:
    """The pipeline that is meant, and what to say of it."""
    from wurzel.project.local import left_out
    from wurzel.project.open import open_pipeline

    resolved = open_pipeline(pipeline, environment, sets)
    return resolved.pipeline, left_out(resolved)


def _stored(source: str) -> Pipeline:
    """The pipeline of an IR file, or of the variable that `env:NAME` names."""
    from pathlib import Path

    from wurzel.ir.serialize import digest_of, parse, read

    name = source.removeprefix("env:")
    if name == source:
        ir = read(Path(source))
    elif name in os.environ:
        ir = os.fsencode(os.environ[name])
    else:
        raise UsageError(f"the variable {name} is not set", where="--from-ir")
    expected = os.environ.get(_IR_DIGEST)
    if expected and expected != (digest := digest_of(ir)):
        raise UsageError(
            f"the digest of {source} is {digest}, but {_IR_DIGEST} is {expected}: the file is not the one that the job"
            " was rendered with",
            where="--from-ir",
            hint="Copy all rendered files together, or render them again.",
        )
    return parse(ir, source)


def _follower(obj: dict[str, Any], pipeline: Pipeline, options: RunOptions) -> Follower:
    from wurzel.runtime.progress import JsonLines, LiveDisplay, PlainLines
    from wurzel.runtime.run_id import platform
    from wurzel.runtime.selection import chosen

    quiet = obj["level"] == "WARNING"
    steps = chosen(pipeline, options.only).steps
    if obj["log_format"] == "json":
        return JsonLines(pipeline.name, options.run_id, quiet=quiet)
    if (ci := platform(options.environ)) is not None and not options.in_process:
        from wurzel.runtime.folded import FOLLOWERS, logs_of

        return FOLLOWERS[ci](logs_of(options.root / options.state_dir / pipeline.name / "logs"), quiet=quiet)
    dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
    return PlainLines(quiet=quiet) if quiet or dumb or options.in_process else LiveDisplay(len(steps))


def _conclude(pipeline: Pipeline, options: RunOptions, result: RunResult, junit: str | None) -> None:
    """Tell the CI platform, and whoever reads JUnit, what became of each step."""
    from wurzel.runtime.run_id import platform
    from wurzel.runtime.summary import conclude

    if junit is None and platform(options.environ) is None:
        return
    from pathlib import Path

    from wurzel.runtime.junit import write_junit
    from wurzel.runtime.rows import rows_of

    rows = rows_of(pipeline, options, result)
    conclude(rows, options.environ, pipeline.name)
    if junit is not None:
        write_junit(Path(junit), pipeline.name, rows)


def _log_options(obj: dict[str, Any]) -> list[str]:
    flags = {"DEBUG": ["-v"], "WARNING": ["-q"]}.get(obj["level"], [])
    return ["--log-format", "json", *flags] if obj["log_format"] == "json" else flags
