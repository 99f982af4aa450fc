"""Python's own output streams without secrets, for steps in this process: no guard reads what they print.

The descriptors stay as they are, so that a debugger finds its terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from wurzel.runtime.masking import CURRENT, Stream


class Masked:
    """A stream of texts or bytes behind the mask of this process; anything but writing is the stream's own."""

    def __init__(self, stream: Any, *, texts: bool) -> None:
        self._stream = stream
        self._texts = texts
        self._masked = Stream(CURRENT)

    def __getattr__(self, name: str) -> Any:
        """What the stream has by this name."""
        return getattr(self._stream, name)

    @cached_property
    def buffer(self) -> Masked:
        """The stream of bytes below a stream of texts."""
        return Masked(self._stream.buffer, texts=False)

    def write(self, data: Any) -> int:
        """Write; what may be the beginning of a secret waits for what comes next."""
        self._put(self._masked.feed(data.encode("utf-8", "surrogatepass") if self._texts else bytes(data)))
        return len(data)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def end(self) -> None:
        """Write what is still waiting."""
        if "buffer" in vars(self):
            self.buffer.end()
        self._put(self._masked.end())
        self._stream.flush()

    def _put(self, data: bytes) -> None:
        if data:
            self._stream.write(data.decode("utf-8", "surrogatepass") if self._texts else data)


@contextlib.contextmanager
def masked_output() -> Iterator[None]:
    """Hide the secrets of this process in what Python prints."""
    redirects = (contextlib.redirect_stdout, sys.stdout), (contextlib.redirect_stderr, sys.stderr)
    with contextlib.ExitStack() as stack:
        for redirect, stream in redirects:
            if stream is not None:
                masked = Masked(stream, texts=True)
                stack.callback(masked.end)
                stack.enter_context(redirect(masked))
        yield
