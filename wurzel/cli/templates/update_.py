"""`wurzel templates update`: what has changed below is merged into ejected templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.templates.names import open_renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.render.ejected import Outcome, Update

_SAID: dict[Outcome, str] = {
    "current": "up to date",
    "updated": "updated: it had no changes of yours",
    "merged": "merged with what has changed below",
    "conflict": "conflict",
    "waiting": "a conflict of an earlier update waits",
    "gone": "there is no template below any more that it could be merged with",
    "left over": "the template is gone, its base is not: delete it",
}


@click.command("update")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a template is not up to date.")
def command(check: bool) -> None:
    """Merge what has changed below into ejected templates.

    Run it after an upgrade of wurzel or of a pack. Each whole copy that `wurzel templates eject` made has its base beside
    it (NAME.base), so your changes and theirs are merged line by line. Where both changed the same lines, both are kept
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
        click.echo("no template was ejected as a whole", err=True)
    if check and (behind := [update for update in found if update.outcome != "current"]):
        raise CheckFailed(_list("not up to date", behind), hint="Run: wurzel templates update")
    if conflicts := [update for update in found if update.outcome in {"conflict", "waiting"}]:
        raise CheckFailed(
            _list("both sides changed the same lines", conflicts),
            hint="Choose between the lines of both sides, and delete the marks; `wurzel templates check` finds them.",
        )


def _what(update: Update, *, check: bool) -> str:
    if check and update.outcome in {"updated", "merged", "conflict"}:
        return "has changed below"
    return _SAID[update.outcome]


def _list(what: str, updates: Sequence[Update]) -> str:
    places = [f"{update.label}:{line}" for update in updates for line in update.lines or [1]]
    return "\n  ".join([what, *places])
