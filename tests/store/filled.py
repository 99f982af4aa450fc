"""Stores with something in them, and damage to what is there."""

import os
from pathlib import Path

from wurzel.datacontract import PydanticModel
from wurzel.datacontract.manifest import Slice
from wurzel.datacontract.opening import shard_folder
from wurzel.datacontract.shape import shape_of
from wurzel.datacontract.writer import writing
from wurzel.store.local import LocalBucket
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run
from wurzel.store.store import open_store

PLAN = "d" * 64


class Doc(PydanticModel):
    text: str


def dataset(folder, *texts, cut=None):
    with writing(folder, shape_of(list[Doc]), cut) as writer:
        writer.add([Doc(text=text) for text in texts])
    return folder


def fingerprint(name):
    return name.encode().hex().ljust(64, "0")[:64]


def slice_of(number, of):
    return Slice(number, of, "items", "0" * 64)


class Filling:
    """Writes into a store what jobs of a pipeline would."""

    def __init__(self, url, scratch, pipeline="rag", cache="read-write"):
        self.store = open_store(str(url), pipeline, cache=cache)
        self._scratch = scratch

    def data(self, *texts, cut=None):
        folder = dataset(self._scratch / "-".join(["out", *(text[:20] for text in texts)]), *texts, cut=cut)
        return self.store.put_dataset(folder if cut is None else shard_folder(folder, cut.number, cut.of))

    def entry(self, step, *texts):
        """What a step gave, in the cache: a fingerprint of step and texts, which is not looked up first."""
        key = fingerprint("-".join([step, *texts]))
        data = self.data(*texts)._replace(fingerprint=key)
        return self.store.record(Entry(key, step, {"": data}, {}), force=True).datasets[""]

    def run(self, name, steps, *, whole=True, definition=PLAN):
        """A run whose steps handed over these texts, each reading the one before it."""
        run = Run(self.store, name)
        run.begin(definition)
        inputs = {}
        for step, texts in steps.items():
            data = self.entry(step, *texts)
            run.hand_over(HandOver(name, step, "", data, definition, inputs=inputs))
            inputs = {f"{step}/_": data.digest}
        if whole:
            assert run.finish({step: [""] for step in steps}) == []
        return run


def files(url):
    return sorted(str(path.relative_to(url)) for path in Path(url).rglob("*") if path.is_file())


def age(url, days, pattern="**/*"):
    """Let files be older; on a folder the times of files are the server's clock."""
    for path in Path(url).glob(pattern):
        if path.is_file():
            then = path.stat().st_mtime - days * 86400
            os.utime(path, (then, then))


def change(path, how):
    """Damage one file: torn, flipped, empty or deleted."""
    path = Path(path)
    path.chmod(0o600)
    data = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(
            {"torn": data[:-3], "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "empty": b""}[how]
        )


class Killing(LocalBucket):
    """A bucket in a folder where the process is killed at its nth request, in the middle of what it does."""

    def __init__(self, bucket, left):
        super().__init__(bucket.root)
        self.left = left
        self._place = bucket._place

    def _request(self):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt

    def get(self, key):
        self._request()
        return super().get(key)

    def stream(self, key, size):
        self._request()
        for piece in super().stream(key, size):
            yield piece
            self._request()

    def put(self, key, data, *, create=False):
        self._request()
        return super().put(key, data, create=create)

    def head(self, key):
        self._request()
        return super().head(key)

    def list(self, prefix):
        for item in super().list(prefix):
            self._request()
            yield item

    def folders(self, prefix):
        self._request()
        return super().folders(prefix)

    def delete(self, keys):
        for key in keys:
            self._request()
            super().delete([key])

    def discard(self, items):
        found = []
        for item in items:
            self._request()
            found += super().discard([item])
        return found
