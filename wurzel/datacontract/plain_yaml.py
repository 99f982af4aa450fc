"""YAML as JSON values: dates and the like stay the text that is written."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from wurzel.exceptions import WurzelError

_DEEPEST = 200
_BRACKETS = re.compile(r"[][{}]")


class NotYaml(WurzelError):
    """The text is not YAML; `line` (from 1) says where."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def load_yaml(text: str) -> Any:
    """The one document in a text, as YAML 1.2 reads it. Raises `NotYaml`, also for more than JSON can hold."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    _refuse_depth(text)
    try:
        try:
            return _yaml(pure=False).load(text)
        except YAMLError:  # the fast parser knows YAML 1.1 alone, where `{a: b:c}` is an error
            return _yaml(pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(str(error.problem or error.context).split())
        raise NotYaml(reason, mark.line + 1 if mark else 1) from None
    except (YAMLError, ValueError, TypeError) as error:
        raise NotYaml(" ".join(str(error).split()), 1) from None
    except RecursionError:
        raise NotYaml("it is nested too deeply", 1) from None


def _refuse_depth(text: str) -> None:
    """Brackets within brackets cost the parser the square of their number."""
    depth = 0
    for char in _BRACKETS.findall(text):
        depth += 1 if char in "[{" else -1
        if depth > _DEEPEST:
            raise NotYaml("it is nested too deeply", 1)


def _yaml(*, pure: bool) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=pure)
    yaml.Constructor = _constructor()
    return yaml


@cache
def _constructor() -> type[Any]:
    from ruamel.yaml.constructor import SafeConstructor

    class PlainConstructor(SafeConstructor):  # type: ignore[misc, unused-ignore]
        """Makes JSON values only."""

    text = PlainConstructor.construct_yaml_str
    PlainConstructor.add_constructor("tag:yaml.org,2002:timestamp", text)
    for kind in ("binary", "omap", "pairs", "set"):
        PlainConstructor.add_constructor(f"tag:yaml.org,2002:{kind}", PlainConstructor.construct_undefined)
    return PlainConstructor
