"""Where a store is, by its URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wurzel.exceptions import StoreSetupError
from wurzel.store.local import LocalBucket
from wurzel.store_url import BUCKETS, parse_endpoint, parse_store_url, scheme_of

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket


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
    try:
        parse_store_url(url)
        if endpoint:
            parse_endpoint(endpoint)
    except ValueError as error:
        raise StoreSetupError(str(error)) from None
    scheme = scheme_of(url)
    if scheme not in BUCKETS:
        return LocalBucket(Path(unquote(urlsplit(url).path) if scheme else url))
    from wurzel.store.clients import Address, clients
    from wurzel.store.remote import RemoteBucket

    name, _, prefix = url.partition("://")[2].rstrip("/").partition("/")
    reached = clients(Address(scheme, name, (endpoint or "").rstrip("/"), region or ""), environ)
    return RemoteBucket(reached, f"{scheme}://{name}", f"{prefix}/" if prefix else "")
