"""Commands of tasks, as shell lines or words of a pod; variables stand for the folders that only a run knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.backends.airflow.environment import DATA, IR, NULL, RUN
from wurzel.backends.kubernetes import escape

if TYPE_CHECKING:
    from wurzel.ir.model import Step

XCOM = "/airflow/xcom/return.json"
"""File in a pod that Airflow takes the result of its task from."""
_PLACE = re.compile(rf"\$({DATA}|{RUN}|{IR}|work)(/.*)?")
"""A word that begins with one of our variables, which a shell or the kubelet puts in."""


def script(argv: Sequence[str], blanks: Sequence[str], kind: str) -> str:
    """A shell line, after Jinja that unsets variables whose parameter is null; the Jinja contains no text of users."""
    words = [quoted(word) for word in argv]
    before = "".join(f"{{% if params.{name} is none %}}unset {name}; {{% endif %}}" for name in blanks)
    return before + ("" if kind == "bash" else "exec ") + " ".join(words)


def unset(blanks: Sequence[str]) -> str:
    """Shell text that unsets variables whose parameter is null, where Airflow renders no templates but `NULL_…`."""
    return "".join(f'if [ "${NULL}{name}" = True ]; then unset {name}; fi; ' for name in blanks)


def quoted(word: str) -> str:
    """A word for the shell, which still expands our variables for folders, also behind the `NAME=` of an input."""
    name, equals, place = word.rpartition("=")
    if _PLACE.fullmatch(place) and (name.isidentifier() or not equals):
        return f'{name}{equals}"{place}"'
    return shlex.quote(word)


def slices_of(step: Step, kind: str) -> str:
    """The value of `--slices`: a step, and where Airflow looks for the list of its slices."""
    return f"{step.id}={XCOM if kind == 'kubernetes' else '-'}"


def expanded(word: str) -> str:
    """A word in which the kubelet expands `$(NAME)`."""
    before, equals, place = word.rpartition("=")
    found = _PLACE.fullmatch(place)
    if found is None or not (before.isidentifier() or not equals):
        return escape(word)
    return f"{before}{equals}$({found[1]}){found[2] or ''}"
