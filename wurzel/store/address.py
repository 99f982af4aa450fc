"""Where a store is, by its URL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wurzel.exceptions import StoreSetupError
from wurzel.store.local import LocalBucket

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket

_REMOTE = ("s3", "gs", "az")


def open_bucket(url: str) -> Bucket:
    """The bucket of a URL: a path or `file://`. Only folders are supported so far.

    Raises:
        StoreSetupError: when the URL is wrong, or the folder cannot be used.
    """
    scheme = match[1] if (match := re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", url)) else ""
    if scheme in _REMOTE:
        shown = re.sub(r"//[^/]*@", "//***@", url)
        raise StoreSetupError("stores in buckets are not supported yet", where=shown, hint="Name a folder.")
    if scheme == "file":
        parts = urlsplit(url)
        if parts.netloc not in {"", "localhost"}:
            raise StoreSetupError("names a host; write file:///path", where=url)
        return LocalBucket(Path(unquote(parts.path)))
    if scheme or not url:
        raise StoreSetupError(f"{url!r} is not the URL of a store", hint="Write a folder, or file:///path.")
    return LocalBucket(Path(url))
