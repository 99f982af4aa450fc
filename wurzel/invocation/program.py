"""Which version of its program a step would run: what the program prints when it is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wurzel.core.typed_step import TypedStep

_PATIENCE = 60.0


def version_words(step_class: type[TypedStep[Any, Any, Any]] | None) -> Sequence[str]:
    """The command that prints the version of a step's program; empty for a step that is not a program."""
    from wurzel.core.command_step import CommandStep

    return step_class.version if step_class is not None and issubclass(step_class, CommandStep) else ()


def program_digest(words: Sequence[str], environ: Mapping[str, str], root: Path) -> str | None:
    """The digest of what a program prints on both streams; `None` if it cannot start, hangs or prints nothing."""
    try:
        done = subprocess.run(
            list(words),
            env=dict(environ),
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if not done.stdout and not done.stderr:
        return None
    return sha256(b"%d\0%b\0%b" % (len(done.stdout), done.stdout, done.stderr)).hexdigest()
