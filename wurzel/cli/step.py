"""`wurzel step`: run one step; what rendered files call."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wurzel.cli import collect_as_usual
from wurzel.cli.step_of import is_id
from wurzel.cli.types import DurationText, ShardText, StepName
from wurzel.exceptions import UsageError, WurzelError
from wurzel.git_folder import REASON, in_git

if TYPE_CHECKING:
    from wurzel.runtime.guard import Link


class FolderText(click.Path):
    """A local path: a URL would quietly become a folder of that name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if isinstance(value, str) and "://" in value and not Path(value).exists():
            self.fail(f"{value!r} is a URL, not a folder; copy from or to it outside of the step.", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = FolderText(path_type=Path)
AT_LEAST_0 = click.IntRange(min=0)
AT_LEAST_1 = click.IntRange(min=1)


@click.command("step", short_help="Run one step; this is what rendered files call.")
@click.argument("target", metavar="MODULE:CLASS|STEP", type=StepName())
@click.option("--pipeline", metavar="NAME", help="Pipeline that STEP belongs to; default: the only one.")
@click.option("-e", "--env", "environment", metavar="ENV", help="Apply this environment of wurzel.yaml to STEP.")
@click.option("--set", "sets", metavar="KEY=VALUE", multiple=True, help="Override one value of STEP's configuration.")
@click.option("--id", "step_id", metavar="ID", help="Id of the step.  [default: made from the class's name]")
@click.option(
    "-i",
    "--input",
    "inputs",
    metavar="DIR",
    type=FOLDER,
    multiple=True,
    help="Dataset to read, or NAME=DIR for an input with a name; repeatable.",
)
@click.option("-o", "--output", metavar="DIR", type=FOLDER, help="Dataset to write.")
@click.option("--settings", metavar="FILE#KEY", help="Take settings from below KEY in a YAML or JSON file.")
@click.option("--options", "file", metavar="FILE#KEY", help="Take further options from `options` below KEY in a file.")
@click.option("--null", "nulls", metavar="FIELD", multiple=True, help="Set a setting to null; repeatable.")
@click.option("--secret", "secrets", metavar="NAME", multiple=True, help="Mask this variable in output; repeatable.")
@click.option("--report", metavar="FILE", type=FOLDER, help="Write counts and metrics to this JSON file.")
@click.option("--shard", type=ShardText(), metavar="I/N", help="Run slice I of N of the input only.")
@click.option("--shards", type=AT_LEAST_1, default=1, metavar="N", help="Run N slices side by side, then gather them.")
@click.option("--portion", type=AT_LEAST_0, metavar="N", help="Call run for every N items; 0 for all at once.")
@click.option("--shard-by", metavar="NAME", help="The input to cut into slices, if there are several.")
@click.option("--gather", is_flag=True, help="Merge the slices in -i into one dataset; runs no step.")
@click.option("--retries", type=AT_LEAST_0, default=0, metavar="N", help="Retry up to N times after a failure.")
@click.option("--backoff", type=DurationText(), help="Wait before the first retry.")
@click.option(
    "--backoff-factor", type=click.FloatRange(min=1), default=1.0, help="Multiply each later wait by this factor."
)
@click.option("--backoff-max", type=DurationText(), help="Longest wait.")
@click.option("--timeout", type=DurationText(), help="Stop an attempt that takes longer.")
@click.option("--once", metavar="RUN", help="Do nothing if this run has already written the output.")
@click.option("--retire", metavar="DIR", type=FOLDER, hidden=True, help="Move the datasets that were there to DIR.")
@click.option("--own-group", is_flag=True, help="Start a process group, so that the caller can stop all of it.")
@click.option("--reads", metavar="DIGEST", hidden=True, help="Fail unless -i has the data of this digest.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Run one step, once: read its input, run it, check and store what it gives.

    Settings come from the variables <ID>__<FIELD> and <CLASSNAME>__<FIELD>. STEP, the id of a step of a pipeline, is
    run as that pipeline and wurzel.yaml say, on the datasets in the data folder, unless options say otherwise.
    """
    if options["own_group"]:
        from wurzel.runtime.guard import lead_group

        lead_group()
    logs = ctx.find_root().obj or {"log_format": "text", "level": "INFO"}
    try:
        if is_id(options["target"]) or any(options[name] for name in ("pipeline", "environment", "sets")):
            from wurzel.cli.step_of import configured

            options |= configured(ctx, options)
        if options["file"] is not None:
            options |= _from_file(ctx, options["file"])
        code = _unless_done(options, logs)
    except WurzelError as error:
        from wurzel.runtime.ending import write_termination_log

        write_termination_log(error)
        if logs["log_format"] != "json":
            raise
        from wurzel.runtime.logs import logger

        logger.error("%s", error)
        code = error.exit_code
    ctx.exit(code)


def _from_file(ctx: click.Context, reference: str) -> dict[str, Any]:
    """Options that a file gives and the command line does not; sets its variables."""
    from wurzel.runtime.settings_file import read_settings

    known = {(param.name or "").replace("_", "-"): param for param in ctx.command.params}
    found: dict[str, Any] = {}
    for name, value in (read_settings(reference).get("options") or {}).items():
        if name == "env":
            os.environ.update({str(key): _text_of(text) for key, text in value.items()})
            continue
        param = known.get(name)
        if param is None or param.name is None:
            raise UsageError(f"has the option {name!r}, which does not exist", where=reference)
        if ctx.get_parameter_source(param.name) is not ParameterSource.COMMANDLINE:
            found[param.name] = param.type_cast_value(ctx, _text_of(value))
    return found


def _text_of(value: Any) -> str:
    r"""A text of a file of DVC, which has `\${` for `${`, as DVC would replace that."""
    return str(value).replace("\\${", "${")


def _check_paths(output: Path, report: Path | None) -> None:
    """Refuse what could not be written once the step has run, which may take hours."""
    if in_git(output):
        raise UsageError(f"-o {str(output)!r} {REASON}", hint="Write a path such as data/split.")
    if report is None:
        return
    if in_git(report):
        raise UsageError(f"--report {str(report)!r} {REASON}", hint="Write a path such as metrics/split.json.")
    if report.is_dir():
        raise UsageError(f"--report {str(report)!r} is a folder", hint="Name a file in it.")


def _unless_done(options: dict[str, Any], logs: dict[str, str]) -> int:
    """Run the step, unless `--once` tells that it is done already."""
    if options["output"] is None:
        raise UsageError("there is no folder to write to", hint="Give it with -o.")
    _check_paths(options["output"], options["report"])
    if options["gather"]:
        return _gather(options)
    supervised = options["retries"] or options["timeout"] or options["shards"] > 1
    run = _supervise if supervised else _run
    if options["once"] is None:
        return run(options, logs)
    from wurzel.runtime import once

    if once.is_done(options["output"], options["once"]):
        if logs["level"] != "WARNING" and logs["log_format"] != "json":
            click.echo(f"{options['output']}: written in this run already", err=True)
        return 0
    once.forget(options["output"])
    code = run(options, logs)
    if code == 0:
        once.remember(options["output"], options["once"])
    return code


def child_arguments(options: dict[str, Any], logs: dict[str, str]) -> list[str]:
    """The arguments of `wurzel` that run the same step once, without supervision, slice and report."""
    from wurzel.cli.asked import log_options
    from wurzel.invocation.call import Call

    call = Call(**{name: options[name] for name in Call._fields})
    settings = [] if options["settings"] is None else ["--settings", options["settings"]]
    return [*log_options(logs), *call.words(), *settings]


def _supervise(options: dict[str, Any], logs: dict[str, str]) -> int:
    if options["shard"] is not None and options["shards"] > 1:
        raise UsageError("--shard and --shards cannot be given together")
    from wurzel.runtime.supervise import RetryPolicy, supervise_step

    return supervise_step(
        [sys.executable, "-P", "-m", "wurzel", *child_arguments(options, logs)],
        output=options["output"],
        report=options["report"],
        shard=options["shard"],
        shards=_slices(options),
        retry=RetryPolicy(
            options["retries"], options["backoff"] or 0, options["backoff_factor"], options["backoff_max"]
        ),
        timeout=options["timeout"] or None,
    )


def _slices(options: dict[str, Any]) -> int:
    """How many slices run: fewer than --shards where there are fewer portions; the others would have nothing to do."""
    shards: int = options["shards"]
    named = f"{options['shard_by']}=" if options["shard_by"] else ""
    folders = [Path(str(folder).removeprefix(named)) for folder in options["inputs"] if str(folder).startswith(named)]
    unknown = any("=" in str(folder) and not folder.exists() for folder in folders)  # only the class tells which is cut
    if shards == 1 or not options["portion"] or not folders or unknown:
        return shards
    from wurzel.runtime.fanout import items_in, slices_for

    return slices_for(shards, options["portion"], lambda: items_in(folders))


def _gather(options: dict[str, Any]) -> int:
    others = {name: options[name] for name in ("shard", "once", "retries", "timeout")} | {
        "shards": options["shards"] > 1
    }
    if wrong := next((name for name, value in others.items() if value), None):
        raise UsageError(f"--gather and --{wrong} cannot be given together")
    if len(options["inputs"]) != 1:
        raise UsageError(f"--gather takes one folder of slices, not {len(options['inputs'])}", hint="Give it with -i.")
    from wurzel.runtime.ending import ended_by_signals
    from wurzel.runtime.slices import join

    with ended_by_signals():
        join(options["inputs"][0], options["output"], options["report"])
    return 0


def _run(options: dict[str, Any], logs: dict[str, str]) -> int:
    from wurzel import cli
    from wurzel.runtime.logs import set_up

    name = options["step_id"] or options["target"].rpartition(":")[2]
    set_up(logs["log_format"], logs["level"], step=name)
    if not cli.owns_process:  # the fork of a guard would go on with the program that called us
        return _run_here(options, None)
    from wurzel.runtime.guard import guarded

    return _run_here(options, guarded(name, options["secrets"]))


def _run_here(options: dict[str, Any], link: Link | None) -> int:
    from wurzel.runtime.ending import ended_by_signals

    with ended_by_signals():
        from wurzel.runtime.plugins import skip_search

        skip_search()
        from wurzel.runtime.step import Job, run_step

        given: dict[str, Any] = {}
        if options["settings"] is not None:
            from wurzel.runtime.settings_file import read_settings

            given |= read_settings(options["settings"])
        given |= dict.fromkeys(options["nulls"])
        job = Job(**{name: options[name] for name in Job._fields if name != "given"}, given=given)
        run_step(job, ready=_ready, link=link)
    return 0


def _ready() -> None:
    gc.freeze()
    collect_as_usual()
