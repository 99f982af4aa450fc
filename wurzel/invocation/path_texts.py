"""Forms of paths with what modules and settings say filled in; apart, since it needs no parser.

In a form, `HOLE` stands for what nothing in the file tells, and a name between two null characters for what another
module, or a setting, may say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice, product

from wurzel.patterns import pattern

HOLE = "\1"
REFERENCE = pattern("\0([^\0]+)\0")

_LIKE_A_PATH = pattern(r"(?:\.{1,2}/)*[\w.@+-][\w.@+ ,()&=#~-]*(?:/[\w.@+ ,()&=#~-]+)*/?")
_VARIES = pattern(r"[*?\[{%]")
_SLASHES = pattern("/{2,}")
_MOST = 64
_LONGEST = 4096
"""Characters of a path."""


def paths(form: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The paths that a form may stand for, with what names of other modules and of settings say.

    A name may have another text where it is used, so it counts as unknown as well.
    """
    pieces = REFERENCE.split(form)
    choices = [known.get(piece, ()) if number % 2 else (piece,) for number, piece in enumerate(pieces)]
    for chosen in [*islice(product(*(choice or (HOLE,) for choice in choices)), _MOST), _without(pieces)]:
        yield from filter(None, map(as_path, made("".join(chosen))))


def values(names: Iterable[str], known: Mapping[str, Sequence[str]], depth: int = 4) -> dict[str, list[str]]:
    """The texts of constants, which may be made of those of others, and even of their own: `path = Base.path / "a"`."""

    @cache
    def of(name: str, depth: int) -> list[str]:
        found: dict[str, None] = {}
        for text in chain.from_iterable(filled(text, depth) for text in known.get(name, ())):
            found[text] = None
            if len(found) == _MOST:
                break
        return list(found)

    def filled(text: str, depth: int) -> Iterator[str]:
        pieces = REFERENCE.split(text)
        choices = [
            (of(piece, depth - 1) if depth else ()) if number % 2 else (piece,) for number, piece in enumerate(pieces)
        ]
        return (one for one in map("".join, islice(product(*choices), _MOST)) if len(one) <= _LONGEST)

    return {name: of(name, depth) for name in names}


def _without(pieces: Sequence[str]) -> list[str]:
    return [HOLE if number % 2 else piece for number, piece in enumerate(pieces)]


def made(form: str) -> Iterator[str]:
    """Paths in a form: up to where it varies, and below a folder that varies."""
    path, *below = form.split(HOLE)
    for piece in below:
        yield f"{path}*"
        path = piece.lstrip("/") if piece.startswith("/") else ""
    yield path


def as_path(text: str) -> str:
    """A text as a path, up to where it varies; empty if it does not look like one."""
    fixed, *varying = _VARIES.split(_SLASHES.sub("/", text), maxsplit=1)
    if varying:
        fixed = "".join(fixed.rpartition("/")[:2])
    return fixed if _LIKE_A_PATH.fullmatch(fixed) else ""
