"""Values as words of a shell command, the same for dash, bash and every other POSIX shell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wurzel.render.values import NotAValue

_BARE = re.compile(r"(?![A-Za-z_][A-Za-z0-9_]*\+?=)[A-Za-z0-9_./:@%,+-][A-Za-z0-9_./:@%,+=-]*")
_RESERVED = frozenset(
    "if then else elif fi for while until do done in case esac select function time coproc".split()  # noqa: SIM905
)


def is_bare(text: str) -> bool:
    """Whether the text is one word without quotes: no special character, no reserved word, no assignment."""
    return bool(_BARE.fullmatch(text)) and text not in _RESERVED


def quote(text: str) -> str:
    """The text as one word, quoted only if necessary.

    Raises `NotAValue` when it contains a NUL, which a shell word cannot, or half of a surrogate pair, which a file
    cannot.
    """
    return text if is_bare(text) else f"'{single_quoted(text)}'"


def single_quoted(text: str) -> str:
    """The text escaped for single quotes. Raises `NotAValue` as for `quote`."""
    return possible(text).replace("'", "'\\''")


def double_quoted(text: str) -> str:
    """The text escaped for double quotes. Raises `NotAValue` as for `quote`."""
    return re.sub(r'([\\"$`])', r"\\\1", possible(text))


def here(text: str) -> str:
    """The text escaped for a here-document with an unquoted delimiter. Raises `NotAValue` as for `quote`."""
    return re.sub(r"([\\$`])", r"\\\1", possible(text))


def join(words: Iterable[str]) -> str:
    """Words separated by spaces, each quoted only if necessary."""
    return " ".join(map(quote, words))


def possible(text: str) -> str:
    """The text itself. Raises `NotAValue` as for `quote`."""
    if "\0" in text:
        raise NotAValue("it contains a NUL character, which a shell word cannot")
    if not text.isascii() and re.search("[\ud800-\udfff]", text):
        raise NotAValue("it contains half of a surrogate pair, which a file cannot")
    return text
