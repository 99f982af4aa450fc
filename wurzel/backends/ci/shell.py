"""Commands of jobs on the CI platforms as lines for a POSIX shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

_WIDTH = 100
RUNNERS = {
    "uv": ("uv", "run", "--no-sync"),
    "poetry": ("poetry", "run"),
    "pdm": ("pdm", "run"),
    "conda": ("conda", "run", "--no-capture-output", "--name", "wurzel"),
}
"""The words in front of a command, by `setup`: they run it where the project is installed."""


def command(argv: Sequence[str], setup: str = "none", tail: str = "") -> str:
    """A command for a POSIX shell, wrapped before options if it is long; `tail` is shell text to append."""
    words = [_quote(word) for word in (*RUNNERS.get(setup, ()), *argv)]
    lines = [""]
    for chunk in _chunks([*words, *([tail] if tail else [])]):
        if lines[-1] and len(lines[-1]) + len(chunk) >= _WIDTH:
            lines.append(" ")
        lines[-1] += f" {chunk}" if lines[-1] else chunk
    return " \\\n".join(lines)


def _quote(word: str) -> str:
    """One shell word; in double quotes where shellcheck would take single ones for a forgotten expansion."""
    if any(sign in word for sign in "$`'"):
        return '"' + re.sub(r'([\\"$`])', r"\\\1", word) + '"'
    return shlex.quote(word)


def _chunks(words: Iterable[str]) -> list[str]:
    chunks: list[str] = []
    for word in words:
        if chunks and not word.startswith("-"):
            chunks[-1] += f" {word}"
        else:
            chunks.append(word)
    return chunks
