"""Variables in a `.env` file."""

from __future__ import annotations

import io
import re
from pathlib import Path

from wurzel.exceptions import UsageError
from wurzel.regular_file import read_file

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_DOUBLE = re.compile(r"[^=#]*=[^\S\r\n]*\"((?:\\.|[^\"\\])*)\"", re.DOTALL)
_ESCAPE = re.compile(r"\\([\\'\"abfnrtv$`])")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, as `wurzel env --dotenv` writes it: `NAME=value`, quoted as in a shell.

    Nothing is expanded: `$HOME` is these five characters. `NAME` alone gives no value. Messages never show a value.
    Raises `UsageError` when the file cannot be read, or a line is not an assignment.
    """
    from dotenv.parser import parse_stream

    try:
        text = read_file(path).decode()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8", where=str(path)) from None
    found: dict[str, str] = {}
    for line in parse_stream(io.StringIO(text)):
        where = f"{path}:{line.original.line}"
        if line.error or (line.key is not None and not _NAME.fullmatch(line.key)):
            raise UsageError("is not an assignment", where=where, hint="Write NAME=value, or NAME='a longer value'.")
        if line.key is not None and line.value is not None:
            if "\0" in line.value:
                raise UsageError(f"the value of {line.key} contains a zero byte", where=where)
            quoted = _IN_DOUBLE.match(line.original.string)
            found[line.key] = _ESCAPE.sub(_escaped, quoted[1]) if quoted else line.value
    return found


def _escaped(found: re.Match[str]) -> str:
    """What an escape in double quotes stands for: what the parser knows, and what a shell wants escaped there."""
    return _LETTERS.get(found[1], found[1])
