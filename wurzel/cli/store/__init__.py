"""`wurzel store`: lists, copies, checks and cleans what is in a store.

One module per sub-command, each imported only when it is called.
"""

from __future__ import annotations

import click

from wurzel.cli.group import CommandGroup

COMMANDS = {
    "ls": "List runs, or what a run handed over.",
    "get": "Write what a step handed over into a folder.",
    "verify": "Read everything, and find what is damaged or missing.",
    "forget": "Remove results of a step from the cache, so that it runs again.",
    "gc": "Remove old runs, and what nothing needs any more.",
    "du": "Show how many bytes each step takes.",
}


@click.group("store", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.store.{}_")
def command() -> None:
    """Inspect a store, and keep it small.

    The store is that of `--store` or WURZEL_STORE, else the one that wurzel.yaml names. PIPELINE may be left out
    where wurzel.yaml, or the store, has only one.
    """
