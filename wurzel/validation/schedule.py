"""Rules for schedules, the same in CronJobs and CronWorkflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.ir.schedule import check_cron, check_zone

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

_POLICIES = ("Allow", "Forbid", "Replace")
_SOONEST = 10


def check_runs(spec: Node, zone: str) -> Iterator[Problem]:
    """When runs start, besides the schedule itself, and how many are kept; `zone` is the key of the time zone."""
    yield from _check_zone_name(spec[zone])
    yield from spec["concurrencyPolicy"].check_known(_POLICIES)
    yield from _check_deadline(spec["startingDeadlineSeconds"])
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from spec[field].check_number(0, "a whole number, 0 or more")


def check_schedule(schedule: Node) -> Iterator[Problem]:
    """A cron expression as Kubernetes and Argo read it."""
    if not schedule.text:
        yield schedule.problem(f"{schedule.quoted} is not a schedule", 'Write for example "0 4 * * *", in quotes.')
        return
    try:
        check_cron(schedule.text)
    except ValueError as error:
        yield schedule.problem(str(error))


def _check_zone_name(zone: Node) -> Iterator[Problem]:
    """An IANA time zone; without one, the schedule follows the controller's clock."""
    if not zone:
        yield zone.problem("has no time zone, so the controller's time zone would apply", "Write for example UTC.")
        return
    try:
        check_zone(zone.text)
    except ValueError as error:
        yield zone.problem(str(error))


def _check_deadline(deadline: Node) -> Iterator[Problem]:
    """How late a run may start; the controller checks every ten seconds."""
    yield from deadline.check_number(0, "a number of seconds")
    if deadline.number is not None and 0 <= deadline.number < _SOONEST:
        yield deadline.problem(
            f"{deadline.quoted} is less than {_SOONEST} seconds, so runs may never start",
            "The controller checks every ten seconds.",
        )
