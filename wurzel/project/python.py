"""The Python that jobs of a project get: what its files ask for."""

from __future__ import annotations

import re
from pathlib import Path

from wurzel.project.packaging import text_of

USUAL = 12
"""The minor version of Python 3 where a project allows it; what wurzel is tested with most."""
_OLDEST, _NEWEST = 11, 30
_LATEST_PATCH = 99
"""Jobs get the last patch of a minor version, which `>=3.12.4` allows."""
_PINNED = r"(?m)^[ \t]*(?:cpython-)?3\.(\d+)(?:\.\d+)?[ \t]*(?:#.*)?$"
_REQUIRED = (
    r"""(?m)^[ \t]*requires-python[ \t]*=[ \t]*["']([^"']+)["']""",
    r"""(?m)^\[tool\.poetry\.dependencies\][^\[]*?^[ \t]*python[ \t]*=[ \t]*["']([^"']+)["']""",
)
_PLAIN = r">=\s*3\.(\d+)(?:\.\d+)?(?:\s*,\s*<\s*4(?:\.0)?)?"


def python_of(project: Path) -> str:
    """What `.python-version` pins, else 3.12 if `requires-python` allows it, else the lowest minor that it allows."""
    pinned = re.search(_PINNED, text_of(project / ".python-version"))
    return f"3.{pinned.group(1) if pinned is not None else _required(text_of(project / 'pyproject.toml'))}"


def _required(text: str) -> int:
    found = next((match for pattern in _REQUIRED if (match := re.search(pattern, text)) is not None), None)
    wanted = found.group(1).strip() if found is not None else ""
    if (plain := re.fullmatch(_PLAIN, wanted)) is not None or not wanted:
        return max(USUAL, int(plain.group(1))) if plain is not None else USUAL
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(_specifiers(wanted))
    except InvalidSpecifier:  # its own program says so
        return USUAL
    minors = (USUAL, *range(_OLDEST, _NEWEST))
    return next((minor for minor in minors if allowed.contains(f"3.{minor}.{_LATEST_PATCH}")), USUAL)


def _specifiers(text: str) -> str:
    """The forms of poetry, `^3.11` and `~3.11` and `3.11.*`, as all other programs write them."""
    text = re.sub(r"\^\s*(3[\d.]*)", r">=\1,<4", text)
    text = re.sub(r"~\s*(3\.\d+)[\d.]*", r"==\1.*", text)
    return re.sub(r"^(?=3)", "==", text)
