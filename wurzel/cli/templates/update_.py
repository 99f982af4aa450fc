"""`wurzel templates update`: merges upstream changes into ejected templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.templates.names import open_renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.render.ejected import Outcome, Update

_SAID: dict[Outcome, str] = {
    "current": "up to date",
    "updated": "updated: you had not changed it",
    "merged": "merged with upstream changes",
    "conflict": "conflict",
    "waiting": "has an unresolved conflict of an earlier update",
    "gone": "the upstream template no longer exists",
    "left over": "the template was deleted, but not its base: delete that too",
}


@click.command("update")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a template is out of date.")
def command(check: bool) -> None:
    """Merge upstream changes into ejected templates.

    Run it after upgrading wurzel or a pack. Each whole copy that `wurzel templates eject` made has its base beside it
    (NAME.base), so your changes and theirs are merged line by line. Where both changed the same lines, both are kept
    between <<<<<<< and >>>>>>>, and the command exits 1.
    """
    from wurzel.exceptions import CheckFailed
    from wurzel.render.ejected import apply, updates

    found = list(updates(open_renderer().layers))
    for update in found:
        if not check:
            apply(update)
        click.echo(f"{update.label}: {_what(update, check=check)}", err=True)
    if not found:
        click.echo("no whole template was ejected", err=True)
    if check and (behind := [update for update in found if update.outcome != "current"]):
        raise CheckFailed(_list("out of date", behind), hint="Run: wurzel templates update")
    if conflicts := [update for update in found if update.outcome in {"conflict", "waiting"}]:
        raise CheckFailed(
            _list("both sides changed the same lines", conflicts),
            hint="Resolve the conflicts and delete the markers; `wurzel templates check` finds them.",
        )


def _what(update: Update, *, check: bool) -> str:
    if check and update.outcome in {"updated", "merged", "conflict"}:
        return "has upstream changes"
    return _SAID[update.outcome]


def _list(what: str, updates: Sequence[Update]) -> str:
    places = [f"{update.label}:{line}" for update in updates for line in update.lines or [1]]
    return "\n  ".join([what, *places])
