"""The bytes of one part of a dataset, checked against its contract when written and when read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.shape import Shape, shape_of
from wurzel.exceptions import ContractFailedException

if TYPE_CHECKING:
    from wurzel.datacontract.codec import Codec
    from wurzel.datacontract.contract import Contract


def codec_for(shape: Shape) -> Codec:
    """What reads and writes the parts of a dataset of this shape."""
    if shape.dataframe:
        from wurzel.datacontract.tables import TableCodec

        return TableCodec(shape.contract)
    if shape.files:
        from wurzel.datacontract.filecodec import FileCodec

        return FileCodec(shape)
    from wurzel.datacontract.items import JsonCodec

    return JsonCodec(shape)


def save(contract: type[Contract], path: Path, obj: Any) -> Path:
    """Write an object or a list of them to one file with the contract's suffix; gives its path."""
    listed = isinstance(obj, list)
    codec = codec_for(shape_of(list[contract] if listed else contract))  # type: ignore[valid-type]
    target = path.with_suffix(codec.suffix)
    target.write_bytes(codec.encode(obj).data)
    return target


def load(contract: type[Contract], path: Path, annotation: Any = None) -> Any:
    """Read what `save` wrote; the annotation says whether it is a list.

    Raises `ContractFailedException`, which names the file, when that holds anything else.
    """
    codec = codec_for(shape_of(contract if annotation is None else annotation))
    try:
        return codec.decode(path.read_bytes())
    except ContractFailedException as error:
        raise ContractFailedException(f"{path}: {error}") from error
