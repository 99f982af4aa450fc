"""What `wurzel run` is asked for, and what that means: the pipeline, its store, and how it is run."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import CheckFailed, UsageError
from wurzel.git_folder import REASON, in_git
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wurzel.ir.model import Pipeline
    from wurzel.runtime.outcome import Note
    from wurzel.runtime.pipeline import RunOptions
    from wurzel.store.store import Store

_IR_DIGEST = "WURZEL_IR_SHA256"
"""Environment variable that a rendered job has the digest of its IR file in."""


class Asked(NamedTuple):
    """What the options say."""

    pipeline: str | None
    jobs: int | None
    force: bool
    params: tuple[str, ...]
    only: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    plan: bool
    form: str | None
    shard: tuple[int, int] | None
    slices: str | None
    data_dir: str | None
    state_dir: str
    result_file: str | None
    junit: str | None
    measure: bool
    url: str | None
    notify: bool
    publish: bool
    in_process: bool
    no_retry: bool
    from_ir: str | None
    environment: str | None
    sets: tuple[str, ...]


def made_ready(obj: dict[str, Any], asked: Asked) -> tuple[Pipeline, RunOptions, list[Note], str]:
    """The pipeline with its parameters, how it is run, what to say first, and where its datasets are, in words."""
    from wurzel.invocation.layout import check_layout
    from wurzel.project.typecheck import check_settings
    from wurzel.runtime.parameters import from_environment, given_parameters, with_parameters

    withdrawn = _withdrawn()
    pipeline, notes = _stored(asked.from_ir) if asked.from_ir else _configured(asked)
    check_layout(pipeline, os.environ)
    chosen = with_parameters(from_environment(pipeline, os.environ, check_settings), asked.params, check_settings)
    given = given_parameters(pipeline, chosen)
    chosen = _with_data_dir(chosen, asked.data_dir)
    store, place = _store(chosen, asked, {**os.environ, **withdrawn})
    return chosen, _run_options(obj, asked, chosen, store, given), notes, place


def _run_options(obj: dict[str, Any], asked: Asked, pipeline: Pipeline, store: Store | None, given: str) -> RunOptions:
    """How to run a pipeline; `given` is the digest of its parameters that are, if any."""
    from pathlib import Path

    from wurzel.runtime.pipeline import RunOptions
    from wurzel.runtime.room import processors
    from wurzel.runtime.run_id import given_id, new_id, target
    from wurzel.store.names import run_name

    engine_id = given_id(os.environ)
    run_id = engine_id or new_id()
    only, of_run = _steps(pipeline, asked)
    return RunOptions(
        root=Path.cwd(),
        jobs=asked.jobs or pipeline.parallelism or processors(),
        force=asked.force,
        state_dir=asked.state_dir,
        wurzel=(sys.executable, "-P", "-m", "wurzel", *log_options(obj)),
        only=only,
        of_run=of_run,
        shard=asked.shard,
        no_retry=asked.no_retry,
        in_process=asked.in_process,
        run_id=run_id,
        store=store,
        run_name=run_name(target(os.environ), run_id, given),
        engine=engine_id is not None,
        given=bool(given),
        publish=asked.publish,
        told=_notice_env(pipeline),
    )


def _steps(pipeline: Pipeline, asked: Asked) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps to run, and those of the whole run where a variable names them."""
    from wurzel.invocation.variables import ONLY
    from wurzel.runtime.selection import between, chosen

    only = asked.only or between(pipeline, asked.first, asked.last)
    if not (text := os.environ.get(ONLY)):
        return only, ()
    of_run = tuple(step.id for step in chosen(pipeline, [text], ONLY).steps)
    if asked.slices and not only:  # it writes them, and runs nothing
        return (), of_run
    return tuple(step.id for step in chosen(pipeline, only).steps if step.id in of_run), of_run


def _withdrawn() -> dict[str, str]:
    """Credentials of a store, which code of the pipeline must not find in the environment."""
    if not any(name.startswith("WURZEL_STORE_") for name in os.environ):
        return {}
    from wurzel.store.credentials import withdraw

    return withdraw()


def _notice_env(pipeline: Pipeline) -> dict[str, str]:
    """The environment of what tells of a failed run."""
    from wurzel.invocation.failure import notice_env

    return {} if pipeline.on_failure is None else {**os.environ, **notice_env(pipeline)}


def _store(pipeline: Pipeline, asked: Asked, environ: Mapping[str, str]) -> tuple[Store | None, str]:
    """The store of this run, and where its datasets are, in words."""
    from wurzel.runtime.store_choice import chosen_store, open_chosen

    store = chosen_store(pipeline.store, asked.url, environ)
    if store is None and asked.publish:
        raise UsageError("--publish needs a store, and there is none", hint="Name one with --store.")
    if store is None:
        return None, pipeline.data_dir
    opened = open_chosen(store, pipeline.name, environ)
    _check_apart(opened, pipeline.data_dir, asked.state_dir)
    return opened, f"the store {store.url}"


def _check_apart(store: Store, *others: str) -> None:
    """Refuse a store within a folder whose files a run replaces, and such a folder within what the store removes."""
    from pathlib import Path

    from wurzel.store.local import LocalBucket

    root = store.bucket.root.resolve() if isinstance(store.bucket, LocalBucket) else None
    for other in others:
        if root is not None and root.is_relative_to(Path(other).resolve()):
            hint = "Name another folder for the store; runs replace and remove files there."
            raise UsageError(f"the store is in the folder {other!r} of datasets or states", where=str(root), hint=hint)
        if root is not None and Path(other).resolve().is_relative_to(root / store.pipeline):
            hint = "Name another folder for one of the two."
            raise UsageError(f"the store keeps the pipeline in the folder {other!r}", where=str(root), hint=hint)


def _with_data_dir(pipeline: Pipeline, data_dir: str | None) -> Pipeline:
    if data_dir is None:
        return pipeline
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", data_dir):
        hint = "Write a path; --store says where results are kept."
        raise UsageError(f"--data-dir {data_dir!r} is a URL, and datasets are written to a folder", hint=hint)
    if in_git(data_dir):
        raise UsageError(f"--data-dir {data_dir!r} {REASON}", hint="Write a path such as data.")
    return pipeline.model_copy(update={"data_dir": data_dir})


def _configured(asked: Asked) -> tuple[Pipeline, list[Note]]:
    """The pipeline that is meant, and what to say of it."""
    from wurzel.project.local import left_out
    from wurzel.project.open import open_pipeline

    resolved = open_pipeline(asked.pipeline, asked.environment, asked.sets)
    return resolved.pipeline, left_out(resolved)


def _stored(source: str) -> tuple[Pipeline, list[Note]]:
    """The pipeline of an IR file, or of the variable that `env:NAME` names."""
    from pathlib import Path

    from wurzel.ir.serialize import digest_of, parse, read

    name = source.removeprefix("env:")
    expected = os.environ.get(_IR_DIGEST)
    if name == source:
        if expected and not Path(source).exists():
            raise _half_copied(f"{source} does not exist")
        ir = read(Path(source))
    elif name in os.environ:
        ir = os.fsencode(os.environ[name])
    else:
        raise UsageError(f"the variable {name} is not set", where="--from-ir")
    if expected and expected != (digest := digest_of(ir)):
        raise _half_copied(
            f"the digest of {source} is {digest}, but {_IR_DIGEST} is {expected}: the file is not the one that the job"
            " was rendered with"
        )
    return parse(ir, source), []


def _half_copied(what: str) -> CheckFailed:
    """Another try may help: files that are copied one after the other soon fit together."""
    return CheckFailed(what, where="--from-ir", hint="Copy all rendered files together, or render them again.")


def log_options(obj: Mapping[str, str]) -> list[str]:
    """The options of every command that a process which we start is given."""
    flags = {"DEBUG": ["-v"], "WARNING": ["-q"]}.get(obj["level"], [])
    return ["--log-format", "json", *flags] if obj["log_format"] == "json" else flags
