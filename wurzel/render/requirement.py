"""Version requirements of packs: `globex>=2,<3`, as in a requirements file."""

from __future__ import annotations

from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern

_FORM = pattern(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:[<>=!~]=?=?)[^\[\];]*)")
_WITH_MORE = pattern(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[\w\s,-]+\].*|[<>=!~][^;]*;.*)")
"""A requirement with extras or with a marker, which pip reads when it installs the pack."""


class Requirement(NamedTuple):
    """A pack and its allowed versions."""

    name: str
    versions: str
    """Specifiers with commas between them, as `packaging` reads them."""

    def __str__(self) -> str:
        return f"{self.name}{self.versions}"

    def fits(self, version: str) -> bool:
        """Whether a version is allowed; an installed pre-release counts like any other."""
        from packaging.specifiers import SpecifierSet  # imported only if there are version specifiers
        from packaging.version import InvalidVersion

        try:
            return SpecifierSet(self.versions).contains(version, prereleases=True)
        except InvalidVersion:
            return False


def requirement(text: str) -> Requirement | None:
    """The requirement in a text, unless it is just a name. Raises `ValueError` for bad specifiers and for extras."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        if more := _WITH_MORE.fullmatch(text.strip()):
            raise ValueError(f"extras and markers belong to the installation; write for example {more[1]}>=2,<3")
        return None
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    versions = match.group(2).replace(" ", "")
    try:
        SpecifierSet(versions)
    except InvalidSpecifier:
        message = f"{versions!r} is not a list of version specifiers; write for example {match.group(1)}>=2,<3"
        raise ValueError(message) from None
    return Requirement(match.group(1), versions)


def pack_name(text: str) -> str:
    """The pack that a text names, with or without versions."""
    try:
        wanted = requirement(text)
    except ValueError:
        wanted = None
    return wanted.name if wanted is not None else text
