"""Which store a run uses, if any: that of `--store` or `WURZEL_STORE`, otherwise the one in wurzel.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, get_args

from wurzel.exceptions import UsageError
from wurzel.ir.model import Store as StoreSetting
from wurzel.store_url import NO_STORE, parse_endpoint, parse_store_url

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.archive import Archive
    from wurzel.runtime.options import RunOptions
    from wurzel.store.store import Store

_ENDPOINT, _CACHE = "WURZEL_STORE_ENDPOINT", "WURZEL_STORE_CACHE"


def chosen_store(configured: StoreSetting | None, given: str | None, environ: Mapping[str, str]) -> StoreSetting | None:
    """The store of one run, or of a command that looks into it; `None` for none.

    Another URL in `given` (`--store` or `WURZEL_STORE`) replaces all of the configured store; the environment may have
    another endpoint or cache mode. Raises `UsageError` when one of them is wrong.
    """
    if given == NO_STORE:
        return None
    store = configured
    if given and (store is None or store.url != given):
        store = StoreSetting(url=_checked("--store, WURZEL_STORE", parse_store_url, given))
    if store is None:
        return None
    changed: dict[str, str] = {}
    if endpoint := environ.get(_ENDPOINT):
        changed["endpoint"] = _checked(_ENDPOINT, parse_endpoint, endpoint)
    if cache := environ.get(_CACHE):
        modes = get_args(StoreSetting.model_fields["cache"].annotation)
        if cache not in modes:
            raise UsageError(f"{cache!r} is not {' or '.join(modes)}", where=_CACHE)
        changed["cache"] = cache
    return store.model_copy(update=changed)


def open_chosen(store: StoreSetting, pipeline: str, environ: Mapping[str, str]) -> Store:
    """The store of a pipeline, opened.

    Credentials are looked for in `environ`, those that were withdrawn among them. Raises `StoreSetupError` when it
    cannot be used, `MissingPackage` when it needs a package that is not installed.
    """
    from wurzel.store.store import open_store

    return open_store(
        store.url, pipeline, cache=store.cache, endpoint=store.endpoint, region=store.region, environ=environ
    )


def open_archive(
    pipeline: Pipeline, options: RunOptions, state: Path, digests: FileDigests, *, plan: bool = False
) -> Archive:
    """Where this run keeps its results, a store or a folder; with `plan`, nothing is to be written."""
    if options.store is None:
        from wurzel.runtime.local_archive import LocalArchive

        return LocalArchive(pipeline, options, state, plan=plan)
    from wurzel.runtime.store_archive import StoreArchive

    return StoreArchive(options.store, pipeline, options, state, digests, plan=plan)


def _checked(where: str, check: Callable[[str], str], value: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise UsageError(str(error), where=where) from None
