"""YAML and JSON that stand as text in a document: policies see them parsed, so that no escape hides what they say."""

from __future__ import annotations

import re
from json import dumps
from typing import Any

from wurzel.render.documents import parsed
from wurzel.render.values import NotAValue
from wurzel.render.verify import Unreadable

_ANYWHERE = frozenset({"podSpecPatch"})
_KEYS = _ANYWHERE | {"manifest", "patch", "patchesStrategicMerge", "patchesJson6902"}
"""Argo reads the text of `podSpecPatch` and `manifest`, kustomize that of the others, as YAML."""
_READ_BY = frozenset({"apiVersion", "kind", "patches", "patchesStrategicMerge", "patchesJson6902"})
"""Keys of documents that are for one of the two; a variable called `patch` of a CI job is any text."""
_FOLDED = str.maketrans("\u017f\u212a", "sk")
"""Letters that Go's reader of JSON, and so Argo for `podSpecPatch`, takes for these in a key."""
_FILLED_IN = re.compile(r"""("(?:\\.|[^"\\])*"|'[^']*')|(\{\{.*?\}\})""", re.DOTALL)
"""What Argo replaces before it reads the text: outside of quotes, no YAML."""


def unfold(documents: list[Any]) -> list[Any]:
    """The documents, with such texts in place as what they say; others, such as a file name, stay as they are.

    Raises `NotAValue` for a text that should be YAML and is not, since no policy can tell what it says.
    """
    for one in documents:
        _unfold(one, _ANYWHERE if not isinstance(one, dict) or _READ_BY.isdisjoint(one) else _KEYS)
    return documents


def _unfold(document: Any, keys: frozenset[str]) -> None:
    waiting = [document] if isinstance(document, dict | list) else []
    seen: set[int] = set()
    while waiting:
        holder = waiting.pop()
        if id(holder) in seen:  # an alias refers to the very same mapping
            continue
        seen.add(id(holder))
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(holder, dict) and key in keys:
                inner = value if isinstance(value, list) else [value]
                found = [_read(key, each) if isinstance(each, str) else each for each in inner]
                holder[key] = found if isinstance(value, list) else found[0]
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _read(key: str, value: str) -> Any:
    problem = ""
    value = value.translate(_FOLDED) if key == "podSpecPatch" else value
    for text in (value, _FILLED_IN.sub(lambda found: found[1] or dumps(found[2]), value)):
        try:
            found = parsed(text)
        except Unreadable as error:
            problem = str(error)
            continue
        whole = found[0] if len(found) == 1 else found
        return whole if isinstance(whole, dict | list) and whole else value
    raise NotAValue(f"{key} is not YAML, so no policy can check it: {problem}", "Write its text as plain YAML.")
