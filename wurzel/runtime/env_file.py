"""Variables in a `.env` file."""

from __future__ import annotations

import io
import re
from pathlib import Path

from wurzel.exceptions import UsageError
from wurzel.regular_file import read_file

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, as `wurzel env --dotenv` writes it: `NAME=value`, quoted as in a shell.

    Nothing is expanded: `$HOME` is these five characters. `NAME` alone gives no value. Messages never show a value.

    Raises:
        UsageError: when the file cannot be read, or a line is not an assignment.
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
            found[line.key] = _shell(line.value) if '="' in line.original.string else line.value
    return found


def _shell(value: str) -> str:
    """A value in double quotes, with what a shell wants escaped there and the parser leaves escaped."""
    return value.replace("\\$", "$").replace("\\`", "`")
