"""Files of imported modules, and what tells whether a file has changed without reading it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

Stamp = tuple[int, int, int]
"""When it last changed, in nanoseconds, size, and inode, which changes when a file is replaced by a rename.

Programs can set the time of modification, such as `cp -p`, but not that of the status.
"""


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a file; `None` if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ctime_ns, status.st_size, status.st_ino


def own_modules() -> Iterator[Path]:
    """Files of imported modules that are neither installed nor part of Python or wurzel."""
    own = Path(__file__).parents[1]
    library = Path(os.__file__).parent
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or name.startswith("<") or "site-packages" in name or "dist-packages" in name:
            continue
        path = Path(name)
        if not path.is_relative_to(own) and not path.is_relative_to(library):
            yield path
