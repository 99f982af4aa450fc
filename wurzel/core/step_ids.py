"""Ids of steps: what may be one, and the one that a class's name makes."""

from __future__ import annotations

import re

from wurzel.exceptions import StaticTypeError

MAX_ID = 63
"""Longest step id: what Kubernetes allows in a label or a container's name."""

_ID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def check_id(name: object) -> str:
    """The name itself, when it is a step id.

    Raises:
        StaticTypeError: when it is not.
    """
    if not isinstance(name, str) or len(name) > MAX_ID or not _ID.fullmatch(name):
        raise StaticTypeError(
            f"{name!r} is not a step id",
            hint=f"Use at most {MAX_ID} of a-z, 0-9 and -, with a letter or digit at either end.",
        )
    return name


def derive_id(class_name: str) -> str:
    """The id of a step from its class's name: `MyHTMLStep` is `my-html`.

    Raises:
        StaticTypeError: when the name holds other letters or is too long.
    """
    word = class_name.removesuffix("Step") or class_name
    try:
        return check_id(_WORD_START.sub("-", word.strip("_").replace("_", "-")).lower())
    except StaticTypeError as error:
        raise StaticTypeError(
            f"the class name {class_name!r} does not make a step id: {error.message}",
            hint=f'Give the step a name: WZ({class_name}, name="…").',
        ) from None
