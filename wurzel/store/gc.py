"""Removes what a store no longer needs, beside running jobs: old runs, old entries, then files that nothing leads to.

Only the server's clock counts. Files are deleted at least a day after they were found unreferenced, and only if they
still are and were not written again: a job uploads its files before the entry that names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wurzel.exceptions import UsageError
from wurzel.store.gc_plan import DAY, Plan, Removed, Used, server_time
from wurzel.store.listing import sides
from wurzel.store.local import LocalBucket
from wurzel.store.references import hand_overs

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket
    from wurzel.store.store import Store


def gc(bucket: Bucket, pipelines: Sequence[str], keep: timedelta, *, dry_run: bool = False) -> list[Removed]:
    """Remove what pipelines no longer need.

    Runs, and entries that no kept run names, are removed when they are older than `keep`. A dry run notes nothing for
    the next gc. Gives what was removed of what trusted jobs wrote, and of what others did. Raises `UsageError` when
    `keep` is less than a day, `StoreError` when the store cannot be read or written; the next gc goes on.
    """
    if keep < DAY:
        raise UsageError(
            "--keep is less than 24 hours", hint="Running jobs may still need newer data: use 24h or more."
        )
    if not pipelines:
        return []
    now = server_time(_side_of(bucket, pipelines[0]))
    found = [each for name in pipelines for each in _gc(bucket, name, now, keep, dry_run=dry_run)]
    if isinstance(bucket, LocalBucket) and not dry_run:
        bucket.sweep(now - DAY)
    return [each for each in found if any(each[2:])]


def _gc(bucket: Bucket, pipeline: str, now: datetime, keep: timedelta, *, dry_run: bool) -> list[Removed]:
    plans = [Plan(store, now, now - keep) for store in sides(bucket, pipeline)]
    plans[0].spare({run for plan in plans for run in plan.read_by_others()})
    used = Used()
    for plan in plans:
        for reference in hand_overs(plan.store):
            used.add(plan.store, reference, kept=plan.keeps(reference))
    for plan in plans:
        plan.choose_entries(used)
    return [plan.describe(used) if dry_run or plan.is_empty else plan.carry_out(used) for plan in plans]


def _side_of(bucket: Bucket, pipeline: str) -> Store:
    return next(store for store in sides(bucket, pipeline) if not store.trusted or bucket.folders(store.key("")))
