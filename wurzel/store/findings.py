"""What is found to be wrong in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.store.buckets import Item

MISSING = "is missing"
FOREIGN = "was not written by wurzel"


class Finding(NamedTuple):
    """Something in a store that is not as it was written."""

    key: str
    problem: str
    item: Item | None = None
    """As it was listed; `None` where it is missing."""
    leads: tuple[Item, ...] = ()
    """Entries, hand-overs and marks that lead to it."""
    manifest: Manifest | None = None
    """What the manifest of a dataset has to be, where something leads to it."""
