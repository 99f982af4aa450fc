"""Which versions of a pack fit: `globex>=2,<3`, as in a requirements file."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:[<>=!~]=?=?)[^\[\];]*)")


class Requirement(NamedTuple):
    """A pack and the versions of it that fit."""

    name: str
    versions: str
    """Specifiers with commas between them, as `packaging` reads them."""

    def __str__(self) -> str:
        return f"{self.name}{self.versions}"

    def fits(self, version: str) -> bool:
        """Whether a version is one of them; an installed pre-release counts as any other."""
        from packaging.specifiers import SpecifierSet  # only where versions are given
        from packaging.version import InvalidVersion

        try:
            return SpecifierSet(self.versions).contains(version, prereleases=True)
        except InvalidVersion:
            return False


def requirement(text: str) -> Requirement | None:
    """The requirement that a text is; `None` when it only names a folder or a pack.

    Raises:
        ValueError: when what stands behind the name is not a list of versions.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    versions = match.group(2).replace(" ", "")
    try:
        SpecifierSet(versions)
    except InvalidSpecifier:
        message = f"{versions!r} does not say which versions fit; write for example {match.group(1)}>=2,<3"
        raise ValueError(message) from None
    return Requirement(match.group(1), versions)
