"""The actions that a workflow uses, and those that somebody has pinned to another commit in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.backends.github.context import Action
from wurzel.backends.github.options import ENTERPRISE_PINS, PINS

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions

_USES = re.compile(
    r"(?m)^\s*(?:- )?uses:\s*(?:&\S+ +)?([-\w]+/[-\w]+)(?:/[-\w/]+)?@(\S+)(?:[ \t]+#[ \t]*(\S+))?[ \t]*$"
)


def pinned(options: GithubOptions) -> dict[str, str]:
    """What `uses` takes for each action, with its version: `OWNER/NAME@COMMIT # VERSION`."""
    pins = PINS | ENTERPRISE_PINS if options.legacy else PINS
    return {name: options.actions.get(name, f"{name}@{commit} # {version}") for name, (commit, version) in pins.items()}


def actions(options: GithubOptions) -> dict[str, Action]:
    """The action to use for each, by the last word of its name."""
    found = {}
    for name, text in pinned(options).items():
        uses, _, shown = text.partition(" # ")
        found[name.partition("/")[2].replace("-", "_")] = Action(uses.strip(), shown.strip())
    name, _, commit = found["cache"].uses.partition("@")
    for part in ("restore", "save"):
        found[f"cache_{part}"] = Action(f"{name}/{part}@{commit}", found["cache"].version)
    return found


def changed(text: str, options: GithubOptions) -> Iterator[tuple[str, str, str]]:
    """For each action that a workflow pins otherwise: its name, the rendered pin, and the one in the workflow."""
    known = pinned(options)
    for name, old in known.items():
        used, _, commit = old.partition(" # ")[0].strip().partition("@")
        for match in _USES.finditer(text):
            if match[1] == used and match[2] != commit:
                version = f" # {match[3]}" if match[3] else ""
                yield name, old, f"{used}@{match[2]}{version}"
                break
