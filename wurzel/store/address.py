"""Where a store is, by its URL."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wurzel.exceptions import StoreSetupError
from wurzel.store.local import LocalBucket

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket

_REMOTE = ("s3", "gs", "az")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_SEGMENT = re.compile(r"[\w!'()+,.:;=@&$ -]+")


def open_bucket(
    url: str, *, endpoint: str | None = None, region: str | None = None, environ: Mapping[str, str] = os.environ
) -> Bucket:
    """The bucket of a URL: a path, `file://`, or one of an object store, to which nothing is sent yet.

    Args:
        url: `/path`, `file:///path`, `s3://bucket/prefix`, `gs://…` or `az://container/prefix`.
        endpoint: URL of a server that is not the provider's own.
        region: of an S3 bucket.
        environ: where credentials are looked for.

    Raises:
        StoreSetupError: when the URL is wrong, the folder cannot be used, or credentials are missing.
        MissingPackage: when an object store needs a package that is not installed.
    """
    scheme = match[1] if (match := re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", url)) else ""
    if scheme in _REMOTE:
        return _remote(url, endpoint or "", region or "", environ)
    if scheme == "file":
        parts = urlsplit(url)
        if parts.netloc not in {"", "localhost"}:
            raise StoreSetupError("names a host; write file:///path", where=url)
        return LocalBucket(Path(unquote(parts.path)))
    if scheme or not url:
        hint = "Write a folder, file:///path, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix."
        raise StoreSetupError(f"{_shown(url)!r} is not the URL of a store", hint=hint)
    return LocalBucket(Path(url))


def _remote(url: str, endpoint: str, region: str, environ: Mapping[str, str]) -> Bucket:
    scheme, _, rest = url.partition("://")
    name, _, prefix = rest.partition("/")
    prefix = prefix.rstrip("/")
    if "@" in name:
        hint = "Take it out of the URL; credentials are set by `secrets` or `identity` of the store."
        raise StoreSetupError("the URL of a store has a user or password in it", where=_shown(url), hint=hint)
    if not _BUCKET.fullmatch(name):
        raise StoreSetupError(
            f"{name!r} is not the name of a bucket", where=url, hint=f"Write {scheme}://bucket/prefix."
        )
    wrong = [part for part in prefix.split("/") if prefix and (part in {".", ".."} or not _SEGMENT.fullmatch(part))]
    if wrong:
        hint = "Use letters, digits, `-`, `_` and `.`."
        raise StoreSetupError(f"{wrong[0]!r} cannot be part of the prefix of a store", where=url, hint=hint)
    _check_endpoint(endpoint)
    from wurzel.store.clients import Address, clients
    from wurzel.store.remote import RemoteBucket

    reached = clients(Address(scheme, name, endpoint.rstrip("/"), region), environ)
    return RemoteBucket(reached, f"{scheme}://{name}", f"{prefix}/" if prefix else "")


def _check_endpoint(endpoint: str) -> None:
    if not endpoint:
        return
    parts = urlsplit(endpoint)
    if "@" in parts.netloc:
        raise StoreSetupError("the endpoint of a store has a user or password in it", where=_shown(endpoint))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise StoreSetupError(
            "is not the endpoint of a store", where=endpoint, hint="Write https://host, or http://host."
        )


def _shown(url: str) -> str:
    return re.sub(r"//[^/]*@", "//***@", url)
