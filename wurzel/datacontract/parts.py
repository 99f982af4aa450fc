"""The bytes of one part of a dataset, checked against its contract when written and when read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wurzel.datacontract.codec import Codec
from wurzel.datacontract.contract import Contract
from wurzel.datacontract.shape import Shape, shape_of


def codec_for(shape: Shape) -> Codec:
    """What reads and writes the parts of a dataset of this shape."""
    if shape.dataframe:
        from wurzel.datacontract.tables import TableCodec

        return TableCodec(shape.contract)
    from wurzel.datacontract.items import JsonCodec

    return JsonCodec(shape)


def framed(lines: Iterable[bytes]) -> bytes:
    """The bytes of a part with these items, each on a line of its own."""
    body = b",\n".join(lines)
    return b"[\n" + body + b"\n]\n" if body else b"[]\n"


def unframed(data: bytes) -> list[bytes]:
    """The lines that `framed` put together."""
    return data[2:-3].split(b",\n") if len(data) > len(b"[]\n") else []


def save(contract: type[Contract], path: Path, obj: Any) -> Path:
    """Write an object or a list of them to one file with the contract's suffix; gives its path."""
    listed = isinstance(obj, list)
    codec = codec_for(shape_of(list[contract] if listed else contract))  # type: ignore[valid-type]
    target = path.with_suffix(codec.suffix)
    target.write_bytes(codec.encode(obj).data)
    return target


def load(contract: type[Contract], path: Path, annotation: Any = None) -> Any:
    """Read what `save` wrote; the annotation says whether it is a list."""
    return codec_for(shape_of(contract if annotation is None else annotation)).decode(path.read_bytes())
