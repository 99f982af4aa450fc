"""Which store is meant, and which pipeline in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wurzel.cli.types import Completed, typed
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wurzel.ir.model import Store
    from wurzel.store.buckets import Bucket

Command = TypeVar("Command", bound=Callable[..., Any])


class Place(NamedTuple):
    """A store, and what is meant in it."""

    bucket: Bucket
    pipeline: str | None
    """`None` where none is given, and there is more than one."""


class Wanted(NamedTuple):
    """`PIPELINE/STEP.OUTPUT`, each of which may be missing."""

    pipeline: str | None
    step: str | None = None
    output: str | None = None


class StepName(Completed):
    """`PIPELINE`, `PIPELINE/STEP` or `PIPELINE/STEP.OUTPUT`."""

    name = "step"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Pipelines of the store; after a `/` the steps of its latest runs."""
        from wurzel.store.listing import pipelines, steps

        pipeline, slash, _ = begun.partition("/")
        bucket = open_place(ctx.params.get("url"), ctx.params.get("environment"), pipeline if slash else None).bucket
        return [f"{pipeline}/{name}" for name in steps(bucket, pipeline)] if slash else pipelines(bucket)


class PipelineInStore(StepName):
    """The name of a pipeline in the store."""

    name = "pipeline"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Pipelines of the store."""
        return [] if "/" in begun else super().names(ctx, begun)


class RunName(Completed):
    """The name of a run of the pipeline named earlier on the command line."""

    name = "run"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """`latest`, and names of runs."""
        from wurzel.store.listing import LATEST, run_names, sides

        yield LATEST
        pipeline = (typed(ctx, "wanted") or "").partition("/")[0] or None
        place = open_place(ctx.params.get("url"), ctx.params.get("environment"), pipeline)
        yield from (name for store in sides(place.bucket, named(place)) for name in run_names(store))


def store_options(command: Command) -> Command:
    """The options `--store` and `-e/--env`."""
    command = click.option(
        "-e", "--env", "environment", metavar="ENV", help="Use the store of this environment of wurzel.yaml."
    )(command)
    return click.option(
        "--store", "url", envvar="WURZEL_STORE", metavar="URL", help="The store, instead of the one in wurzel.yaml."
    )(command)


def run_option(command: Command) -> Command:
    """The option `--run`."""
    text = "Name of a run, as `ls` shows it, or its end; `latest` is the newest that is whole."
    return click.option("--run", "run", metavar="ID", type=RunName(), help=text)(command)


def what_is_meant(text: str | None, *, step: bool = False) -> Wanted:
    """What `PIPELINE/STEP.OUTPUT` names; without a `/` it is the pipeline, or the `step` if that is asked for.

    Raises `UsageError` for an output without a step.
    """
    from wurzel.exceptions import UsageError

    pipeline, slash, rest = (text or "").partition("/")
    if step and not slash:
        pipeline, rest = "", pipeline
    name, dot, output = rest.partition(".")
    if dot and not name:
        raise UsageError(f"{text!r} does not name a step", hint="Write PIPELINE/STEP or PIPELINE/STEP.OUTPUT.")
    return Wanted(pipeline or None, name or None, output if dot else None)


def open_place(url: str | None, environment: str | None, pipeline: str | None) -> Place:
    """The store that these options name, and its pipeline. Raises `WurzelError` if there is none."""
    import os

    from wurzel.exceptions import UsageError
    from wurzel.project.open import pipeline_names
    from wurzel.runtime.store_choice import chosen_store
    from wurzel.store.credentials import withdraw
    from wurzel.store.listing import check_folder, pipelines
    from wurzel.store.store import open_bucket

    if url and environment:
        raise UsageError("--store (or WURZEL_STORE) and --env are mutually exclusive", hint="Leave out one of them.")
    environ = {**os.environ, **withdraw()}
    setting, configured = (_same(url), None) if url else _configured(environment, pipeline)
    store = chosen_store(setting, url, environ)
    if store is None:
        raise UsageError("the store is none", hint="Give one with --store.")
    bucket = open_bucket(store.url, endpoint=store.endpoint, region=store.region, environ=environ)
    check_folder(bucket)
    if pipeline or configured:
        return Place(bucket, pipeline or configured)
    known, here = pipelines(bucket), pipeline_names()
    if len(here) == 1 and here[0] in known:
        return Place(bucket, here[0])
    return Place(bucket, known[0] if len(known) == 1 else None)


def meant(bucket: Bucket, pipeline: str | None) -> list[str]:
    """The pipeline that is given, or all that the store has. Raises `UsageError` when the store does not have it."""
    from wurzel.store.listing import check_pipeline, pipelines

    if pipeline is None:
        return pipelines(bucket)
    check_pipeline(bucket, pipeline)
    return [pipeline]


def named(place: Place) -> str:
    """The pipeline that is meant. Raises `UsageError` when none is given, and there is not just one."""
    from wurzel.exceptions import UsageError
    from wurzel.store.listing import pipelines

    if place.pipeline is not None:
        return place.pipeline
    known = pipelines(place.bucket)
    where = f"The store has {', '.join(known)}." if known else "The store is empty."
    raise UsageError("no PIPELINE is given", hint=where)


def _same(url: str) -> Store | None:
    """The store in wurzel.yaml, where that has this URL, too: endpoint and region belong to it."""
    from wurzel.exceptions import WurzelError

    try:
        return _stores(None, None)[1].get(url)
    except WurzelError:
        return None  # a file that is wrong does not keep anybody from a store with a URL


def _stores(environment: str | None, pipeline: str | None) -> tuple[list[str], dict[str, Store]]:
    """Names of the pipelines in wurzel.yaml, and their stores by URL, or that of one. Imports no code of pipelines."""
    from wurzel.project.open import open_project
    from wurzel.project.resolve import store_of

    project = open_project()
    if project is None:
        return [], {}
    known = project.names(environment)
    chosen = [pipeline] if pipeline in known else known
    stores = [store for name in chosen if (store := store_of(project, name, environment)) is not None]
    return known, {store.url: store for store in stores}


def _configured(environment: str | None, pipeline: str | None) -> tuple[Store, str | None]:
    """The store in wurzel.yaml, and the name of its pipeline where there is only one."""
    from wurzel.exceptions import UsageError

    known, stores = _stores(environment, pipeline)
    if len(stores) > 1:
        raise UsageError("the pipelines in wurzel.yaml have different stores", hint="Name a PIPELINE.")
    if not stores:
        raise UsageError(
            "wurzel.yaml does not name a store" if known else "no store is given", hint="Give one with --store."
        )
    return next(iter(stores.values())), known[0] if len(known) == 1 else None
