"""What the next gc may delete: files that nothing leads to, with when they were found so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple
from wurzel.store.records import seal, unseal

if TYPE_CHECKING:
    from wurzel.store.store import Store

KEY = "gc/condemned.json"


class Note(NamedTuple):
    """When a file was found to be unreferenced, and its own time then; both on the server's clock."""

    since: datetime
    modified: datetime
    """A file that was written again has another one."""


def read_condemned(store: Store) -> dict[str, Note]:
    """The notes of earlier gcs by key; none where they are damaged, so that the time begins again."""
    text = store.bucket.get(store.key(KEY))
    try:
        fields = {} if text is None else unseal(text)["condemned"]
        return {str(key): Note(_time(since), _time(modified)) for key, (since, modified) in fields.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def write_condemned(store: Store, notes: Mapping[str, Note]) -> None:
    """Replace the notes; there is no file where there are none. Raises `StoreError` when they cannot be written."""
    if notes:
        fields = {key: [note.since.isoformat(), note.modified.isoformat()] for key, note in notes.items()}
        store.bucket.put(store.key(KEY), seal({"condemned": fields}))
    else:
        store.bucket.delete([store.key(KEY)])


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
