"""`wurzel notify`: tell of a failed run; what rendered files call."""

from __future__ import annotations

import os

import click

from wurzel.exceptions import UsageError


@click.command("notify", short_help="Report a failed run; this is what rendered files call.")
@click.argument("pipeline")
@click.option("--step", default="", metavar="ID", help="The step that failed.")
@click.option("--reason", default="", metavar="TEXT", help="Why it failed.")
@click.option("--webhook", is_flag=True, help="Send it to the webhook in WURZEL_WEBHOOK.")
@click.option("--run", "run", envvar="WURZEL_RUN_ID", default="", metavar="ID", help="Id of the run.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def command(pipeline: str, step: str, reason: str, webhook: bool, run: str, command: tuple[str, ...]) -> None:
    """Send a failure to a webhook, run COMMAND, or both.

    COMMAND gets the facts in the variables WURZEL_PIPELINE, WURZEL_STEP, WURZEL_REASON, WURZEL_LINK and WURZEL_RUN.
    """
    from wurzel.runtime.notice import notice, tell

    found = notice(pipeline, os.environ, step=step, reason=reason, run=run)
    if not webhook and not command:
        raise UsageError("there is no one to notify", hint="Add --webhook, or -- COMMAND.")
    tell(found, os.environ, webhook=webhook, command=command)
    click.echo(f"notified of: {found.text}", err=True)
