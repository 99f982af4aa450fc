"""obstore's clients for a bucket, which nothing in the environment changes but the credentials."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import MissingPackage, StoreSetupError
from wurzel.named_tuples import NamedTuple
from wurzel.store.credentials import Access, access, certificates
from wurzel.store_url import KEYS, ROLE

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    Client = S3Store | GCSStore | AzureStore

_LOCK = threading.Lock()

# obstore counts the time that a body takes to be sent as time without an answer. So all but files that are sent have a
# client that notices soon that a server hangs, and those another one, for a part of 8 MiB over a slow line.
_HANGS = "30s"
_FILES = "240s"
_WHOLE = "6h"  # obstore's 30 s for a request with its body would end every large download
_TRIES = 3


class Address(NamedTuple):
    """Which bucket, where."""

    scheme: str
    """`s3`, `gs` or `az`."""
    bucket: str
    endpoint: str = ""
    region: str = ""


class Clients(NamedTuple):
    """How the store is reached."""

    small: Client
    files: Callable[[], Client]
    """Gives the one for files that are sent. It is made when it is first needed, since each reads all certificates."""
    access: Access


def clients(address: Address, environ: Mapping[str, str]) -> Clients:
    """Clients for small requests and for files. Nothing is sent yet.

    Raises `MissingPackage` when obstore is not installed, `StoreSetupError` when credentials are missing or contradict
    each other.
    """
    try:
        from obstore import store
        from obstore.exceptions import BaseError
    except ImportError as error:
        message = "a store in a bucket needs obstore, which is not installed"
        raise MissingPackage(message, hint='Run `pip install "wurzel[store]"`.') from error
    kind: Any = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}[address.scheme]
    found, given = _of_amazon(address, environ) if address.scheme == "s3" else _of_others(address, environ)
    if address.endpoint:
        given["base_url" if address.scheme == "gs" else "endpoint"] = address.endpoint

    @cache
    def made(wait: str) -> Client:
        with _without([] if address.scheme != "s3" else _others(found.kept)):
            client: Client = kind(address.bucket, **given, **_options(address, wait, environ))
        return client

    def locked(wait: str) -> Client:
        with _LOCK:
            return made(wait)

    try:
        small = locked(_HANGS)
        if address.scheme == "s3" and _others(found.kept):
            locked(_FILES)  # now, while no other thread reads variables
    except (BaseError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise StoreSetupError(
            f"the store cannot be used: {reason}", where=f"{address.scheme}://{address.bucket}"
        ) from None
    return Clients(small, lambda: locked(_FILES), found)


def _of_amazon(address: Address, environ: Mapping[str, str]) -> tuple[Access, dict[str, Any]]:
    found = access(environ, address.endpoint, address.region)
    given: dict[str, Any] = {"region": found.region, **(found.keys or {}), "disable_bulk_delete": True}
    if not address.endpoint.startswith("http://"):
        given["unsigned_payload"] = True  # TLS guards what is sent; signing it takes one more sha256 of every file
    if found.identity is not None:
        given["credential_provider"] = found.identity
    return found, given


def _of_others(address: Address, environ: Mapping[str, str]) -> tuple[Access, dict[str, Any]]:
    """Nothing: obstore finds the credentials, in the environment or where the process runs."""
    given = [name for name in (*KEYS, ROLE) if environ.get(name)]
    if given or address.region:
        message = f"{given[0]} is only for s3://" if given else "a region is only for s3://"
        hint = (
            "Set the credentials of that platform, such as AZURE_STORAGE_ACCOUNT_KEY or GOOGLE_APPLICATION_CREDENTIALS."
        )
        raise StoreSetupError(
            message, where=f"{address.scheme}://{address.bucket}", hint=hint if given else "Remove it."
        )
    return Access(""), {}


def _options(address: Address, wait: str, environ: Mapping[str, str]) -> dict[str, Any]:
    client: dict[str, Any] = {"timeout": _WHOLE, "read_timeout": wait, "connect_timeout": "10s"}
    if address.endpoint.startswith("http://"):
        client["allow_http"] = True
    elif bundle := certificates(environ):
        try:
            client["root_certificate"] = Path(bundle).read_bytes()
        except OSError as error:
            raise StoreSetupError(f"the certificates cannot be read: {error.strerror}", where=bundle) from error
    backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2}
    retries = {"max_retries": _TRIES, "retry_timeout": timedelta(minutes=3), "backoff": backoff}
    return {"client_options": client, "retry_config": retries}


def _others(kept: Collection[str]) -> list[str]:
    return [name for name in os.environ if name.startswith("AWS_") and name not in kept]


@contextlib.contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """None of these variables, for obstore alone: they would beat what it is given.

    `os.environ` stays as it is, since other threads may be starting processes with it.
    """
    for name in names:
        os.unsetenv(name)
    try:
        yield
    finally:
        for name in names:
            if name in os.environ:
                os.putenv(name, os.environ[name])
