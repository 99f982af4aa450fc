"""Requests to an object store: sent again while it fails for a time, and explained when it fails for good."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import BaseError

from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.faults import fault_of
from wurzel.store.threads import interruptible

if TYPE_CHECKING:
    from wurzel.store.credentials import Access

T = TypeVar("T")

_LONGEST_PAUSE = 8.0
_MISSING = frozenset({"", "NoSuchKey", "BlobNotFound", "NotFound"})
"""What servers say of an object that does not exist, as opposed to a bucket or a user that does not."""


class Sender:
    """Sends requests about the objects of a bucket, from any thread of the process that made it."""

    patience = 30.0
    """Seconds for which requests that fail for a time are sent again, beyond the quick tries of the client."""

    def __init__(self, access: Access, name: str, prefix: str) -> None:
        """The name is shown in messages; the prefix is that of all keys."""
        self.known = False
        """Whether the bucket is known to exist."""
        self._access, self._name, self._prefix = access, name, prefix
        self._process = os.getpid()

    def send(self, key: str, call: Callable[[str], T], *, missing: bool = False) -> T:
        """What a call of obstore gives for the path of a key.

        Raises `FileNotFoundError` when there is no such object and it may be `missing`, `StoreError` for all else.
        """
        if os.getpid() != self._process:
            message = "the store cannot be used by a process forked from another one"  # it would hang
            raise StoreError(message, where=self._name, hint="Start a new process, not a fork of this one.")
        last, wait = time.monotonic() + self.patience, 1.0
        while True:
            try:
                found = interruptible(lambda: call(self._prefix + key))
            except FileNotFoundError as error:
                code = fault_of(error).code
                self.known = self.known or code == "NoSuchKey"
                if missing and code in _MISSING:
                    raise
                self.judge(error, key, final=True)
            except BaseError as error:
                self.judge(error, key, final=time.monotonic() + wait > last)
            else:
                self.known = True
                return found
            self.pause(wait)
            wait = min(wait * 2, _LONGEST_PAUSE)

    def judge(self, error: Exception, key: str, *, final: bool) -> None:
        """Raise what an error means, unless the request may be sent again and this was not the final try."""
        identity = self._access.identity
        if identity is not None and (failed := identity.failed) is not None:
            if final or isinstance(failed, StoreSetupError):
                raise failed from None
            return
        fault = fault_of(error, self._access.secrets)
        if final or not fault.again:
            place = "" if fault.everywhere else key
            raise fault.error(f"{self._name}/{self._prefix}{place}".rstrip("/")) from None

    def pause(self, seconds: float) -> None:
        """Wait for about that long, so that jobs do not come back all at once."""
        time.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - nothing secret
