"""Names in a DAG file: ids and variables of tasks, and those that steps may not take."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

CLEANER = "remove_old_runs"
"""Id of the task that removes the data of old runs."""
COUNTER = "--slices"
"""What the id of the task that counts the slices of a step ends with."""
TAKEN = frozenset({CLEANER, "starts_in_time"})
"""Ids of tasks that are not steps."""
POD = "POD"
"""Constant of the DAG file that holds what all pods share."""
_RESERVED = frozenset(
    {*keyword.kwlist, *dir(builtins), "deepcopy", "k8s", "literal", "mask_secret", "on_failure", "pendulum"}
    | {"in_time", "ir", "json", "moment", "os", "re", "secret", "slices", "starts_in_time", "subprocess", "task"}
    | {"tell", "time", "timedelta", "urllib", "word_slices"}
)


def task_id(name: str) -> str:
    """The id of a job's task: with underscores, so that its variable can have the same name (ruff's AIR001)."""
    return name.replace("-", "_")


def variables(names: Iterable[str]) -> dict[str, str]:
    """A Python name for every task id, none of which hides another or a name the file uses."""
    taken = set(_RESERVED)
    found = {}
    for name in names:
        variable = task_id(name)
        variable = f"_{variable}" if variable[0].isdigit() else variable
        while variable in taken:
            variable += "_"
        taken.add(variable)
        found[name] = variable
    return found
