"""Spares a step, and a run, the search for plugins of pydantic where none is installed.

Before pydantic builds its first validator it imports what reads the metadata of packages, and reads all of it: a tenth
of a step's cold start, or of a run with nothing to do. Looking for the one word that a plugin must have there takes a
millisecond.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_LOADER = "pydantic.plugin._loader"
_METADATA = (".dist-info", ".egg-info")
_GROUP = b"[pydantic]"


def skip_search() -> None:
    """Let pydantic know that there are no plugins, unless a package that can be imported has one."""
    if _LOADER not in sys.modules and not any(map(_may_have_plugin, (*sys.path, os.curdir))):
        sys.modules[_LOADER] = _NoPlugins(_LOADER)


class _NoPlugins(ModuleType):
    """Stands in for the module that searches; anything else that it is asked for comes from that module itself."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[_LOADER]
        return getattr(import_module(_LOADER), name)


def _may_have_plugin(folder: str) -> bool:
    """Whether a folder of packages, or an archive of them, may have a plugin."""
    try:
        found = [entry.path for entry in os.scandir(folder or os.curdir) if entry.name.endswith(_METADATA)]
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(_names_plugin(os.path.join(path, "entry_points.txt")) for path in found)  # noqa: PTH118 - strings are faster


def _names_plugin(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - strings are faster
            return _GROUP in file.read()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
