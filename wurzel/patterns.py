"""Regular expressions that are compiled when they are first used: a cold render defines fifty and uses half of them.

Type checkers see `re.compile`.
"""

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


class _Pattern:
    """What `re.compile` gives, from the first call of a method on."""

    def __init__(self, text: Any, flags: int = 0) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        made = re.compile(*self._given)
        self.__dict__ |= {method: getattr(made, method) for method in _METHODS}
        return self.__dict__[name]


if TYPE_CHECKING:
    from re import compile as pattern
else:
    pattern = _Pattern
