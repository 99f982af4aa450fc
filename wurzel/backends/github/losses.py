"""What a job of a GitHub workflow does not get of the workflow's permissions."""

from __future__ import annotations

from collections.abc import Iterator

from wurzel.backends.losses import Lines, Loss, Merge
from wurzel.render.yaml_tree import documents

_MERGE = Merge("A job's permissions replace those of the workflow.", deep=False, only=frozenset({"permissions"}))


def losses(text: str) -> Iterator[Loss]:
    """Permissions of the workflow that jobs do not have."""
    lines = Lines(text)
    for document in documents(text):
        jobs = document.root.at("jobs")
        for name, job in jobs.entries if jobs is not None else ():
            if name is not None:
                yield from _MERGE.losses(f"the job {name.text()!r}", document.root, job, lines)
