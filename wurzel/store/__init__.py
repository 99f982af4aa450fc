"""The store: data of all jobs by content, a cache that all engines share, and what each run handed over.

Example:
store = open_store("/srv/wurzel", "rag")
entry = store.look_up(fingerprint)
if entry is None:                               # run the step into `folder`
    data = {"": store.put_dataset(folder)}
    entry = store.record(Entry(fingerprint, "split", data, report))
run = Run(store, run_name("argo", uid))
begun = run.begin(definition)
run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], definition, inputs={"read/_": digest}))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wurzel.store.credentials import withdraw
    from wurzel.store.names import run_name, slice_fingerprint, slice_name
    from wurzel.store.records import Data, Entry, HandOver
    from wurzel.store.runs import Begun, Run, latest
    from wurzel.store.store import CacheMode, Store, open_store

__all__ = [
    "Begun",
    "CacheMode",
    "Data",
    "Entry",
    "HandOver",
    "Run",
    "Store",
    "latest",
    "open_store",
    "run_name",
    "slice_fingerprint",
    "slice_name",
    "withdraw",
]

_HOMES = {
    "Begun": "runs",
    "CacheMode": "store",
    "Data": "records",
    "Entry": "records",
    "HandOver": "records",
    "Run": "runs",
    "Store": "store",
    "latest": "runs",
    "open_store": "store",
    "run_name": "names",
    "slice_fingerprint": "names",
    "slice_name": "names",
    "withdraw": "credentials",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"wurzel.store.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
