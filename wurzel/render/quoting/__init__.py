"""Quoting by position and language: how held values become text that reads back as exactly those values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wurzel.render.quoting.draft import Draft
    from wurzel.render.text import Piece

Language = Literal["YAML", "Python", "shell"]

LANGUAGES: dict[str, Language] = {".yaml": "YAML", ".yml": "YAML", ".py": "Python", ".sh": "shell"}
"""Ending of a template's name (without `.j2`) to the language its values are quoted for."""


def language_of(template: str) -> Language | None:
    """The language a template's name stands for; `None` for parts that fit any file, such as `_macros.j2`."""
    stem = template.removesuffix(".j2")
    return next((language for suffix, language in LANGUAGES.items() if stem.endswith(suffix)), None)


def quote(language: Language, pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The pieces of a file with every value written for where it stands, read back to prove it.

    Without `prove` the finished text is not read back: for a text that is compared and thrown away, never written.

    Raises:
        QuotingError: when a value stands where nothing would read back as that value.
        VerifyError: when the file as a whole cannot be read.
    """
    if language == "YAML":
        from wurzel.render.quoting.yaml import write
    elif language == "Python":
        from wurzel.render.quoting.python import write
    else:
        from wurzel.render.quoting.shell import write
    return write(pieces, prove=prove)
