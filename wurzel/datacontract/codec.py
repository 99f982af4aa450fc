"""What turns values into the bytes of a part, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_LONGEST = 80


class Encoded(NamedTuple):
    """A part ready to be written."""

    data: bytes
    items: int


class Codec:
    """Turns what `run` returns into the bytes of a part, and back."""

    suffix: str

    def encode(self, value: Any) -> Encoded:
        """The bytes of one part; ContractFailedException when the value breaks the contract."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """The value of one part; ContractFailedException when it breaks the contract."""
        raise NotImplementedError

    def join(self, values: Iterable[Any]) -> Any:
        """The values of several parts as one."""
        raise NotImplementedError

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """Some items of a value."""
        raise NotImplementedError


def framed(lines: Iterable[bytes]) -> bytes:
    """The bytes of a part with these items, each on a line of its own."""
    body = b",\n".join(lines)
    return b"[\n" + body + b"\n]\n" if body else b"[]\n"


def unframed(data: bytes) -> list[bytes]:
    """The lines that `framed` put together."""
    return data[2:-3].split(b",\n") if len(data) > len(b"[]\n") else []


def short(value: Any) -> str:
    """A value on one line, cut when it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - the author's own __repr__ may do anything
        text = object.__repr__(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def place(item: str, path: Sequence[str | int]) -> str:
    """Where something is: `item 3, field 'pages[0].text'`; numbers at the start lead into an item that is a list."""
    rest = list(path)
    while rest and isinstance(rest[0], int):
        item += f"[{rest.pop(0)}]"
    if not rest:
        return item
    first, *more = rest
    name = str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in more)
    return f"{item}, field {name!r}" if item else f"field {name!r}"
