"""Quoting by position and language: how held values become text that reads back as exactly those values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.render.language import Language
    from wurzel.render.quoting.draft import Draft
    from wurzel.render.text import Piece


def quote(language: Language, pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The pieces of a file with every value quoted for its position, read back to prove it.

    Without `prove` the finished text is not read back: use it only for texts that are compared and never written.
    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the finished file cannot be parsed.
    """
    if language == "YAML":
        from wurzel.render.quoting.yaml import write
    elif language == "Python":
        from wurzel.render.quoting.python import write
    elif language == "shell":
        from wurzel.render.quoting.shell import write
    elif language == "JSON":
        from wurzel.render.quoting.json import write
    else:
        from wurzel.render.quoting.plain import write
    return write(pieces, prove=prove)
