"""How large a text is: an estimate of tokens, characters, or the tokens of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wurzel.exceptions import UsageError

ESTIMATE = "estimate"
CHARACTERS = "characters"

BYTES_PER_TOKEN = 4
"""The usual rule of thumb for English; German needs a little more tokens than it says, Chinese and code more."""

_CHARACTERS_PER_TOKEN = 8
"""Of ordinary text, hardly ever more."""


@dataclass(frozen=True)
class Measure:
    """A way to measure texts in `unit`s: one for every `scale` of `size`; `reach` characters have a size of 1 or more.

    Sizes may be added up: the size of two texts put together is not larger than the sum of both. That is so for bytes
    and characters, and for the tokens of models at the places where texts are cut here.
    """

    size: Callable[[str], int]
    scale: int
    unit: str
    reach: int = 1

    def tokens(self, text: str) -> int:
        """How many tokens (or characters) a text counts, rounded up."""
        return -(-self.size(text) // self.scale)


def measure(name: str) -> Measure:
    """The measure of that name.

    Args:
        name: `estimate` (a token for every four bytes of UTF-8, rounded up; needs nothing), `characters`, or the name
            of a model or an encoding that tiktoken knows, such as `gpt-4o` or `cl100k_base`.

    Raises:
        UsageError: when tiktoken is not installed, does not know the name or cannot load its data.
    """
    if name == ESTIMATE:
        return Measure(_bytes, BYTES_PER_TOKEN, "tokens")
    if name == CHARACTERS:
        return Measure(len, 1, "characters")
    return Measure(_encoder(name), 1, "tokens", _CHARACTERS_PER_TOKEN)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _encoder(name: str) -> Callable[[str], int]:
    hint = f"Or count with {ESTIMATE!r} or {CHARACTERS!r}, which need nothing."
    where = f"TOKENIZER_MODEL={name}"
    try:
        import tiktoken
    except ImportError as error:
        raise UsageError(
            "counting the tokens of a model needs the package tiktoken",
            where=where,
            hint=f"Install it: pip install 'wurzel[tokens]'. {hint}",
        ) from error
    try:
        known = name in tiktoken.list_encoding_names()
        encoding = tiktoken.get_encoding(name) if known else tiktoken.encoding_for_model(name)
    except KeyError as error:
        names = ", ".join(sorted(tiktoken.list_encoding_names()))
        raise UsageError(
            "tiktoken knows no model or encoding of this name", where=where, hint=f"Encodings: {names}. {hint}"
        ) from error
    except OSError as error:
        raise UsageError(
            f"tiktoken cannot load its data: {error}",
            where=where,
            hint=f"It downloads them at the first use; TIKTOKEN_CACHE_DIR names a folder that has them. {hint}",
        ) from error
    return lambda text: len(encoding.encode_ordinary(text))
