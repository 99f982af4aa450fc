"""Damage a store at random, and let jobs read it: `python tests/hostility/store_damage.py FIRST COUNT`.

Whatever the damage, what a job is given is what was stored, or an error; the next job makes it again.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.hostility.budget import MEMORY
from tests.store.filled import PLAN, Filling, files, fingerprint
from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import StoreError
from wurzel.store.runs import Run, latest
from wurzel.store.store import open_store
from wurzel.store.verify import repair, verify

STEPS = {"read": ["a", "bb"], "split": ["c" * 40, "d"], "embed": ["e"], "index": ["b", "ba"], "score": ["f" * 700]}
RUNS = ("argo-1", "argo-2", "argo-3")
MOST = 6
"""Files that are damaged at one time."""


def torn(draw, path, _):
    path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size + 1)])


def flipped(draw, path, _):
    data = bytearray(path.read_bytes())
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def poisoned(draw, path, _):
    path.write_bytes(draw.randbytes(path.stat().st_size))


def longer(draw, path, _):
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randrange(1, 40)))


def empty(_, path, __):
    path.write_bytes(b"")


def deleted(_, path, __):
    path.unlink()


def swapped(_, path, other):
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def replaced(_, path, other):
    path.write_bytes(other.read_bytes())


DAMAGE = (torn, flipped, poisoned, longer, empty, deleted, swapped, replaced)


class Campaign:
    """A store that is copied, damaged and read again and again."""

    def __init__(self, folder):
        self._folder = folder
        self._url = folder / "store"
        filling = Filling(folder / "whole", folder / "scratch")
        for name in RUNS:
            filling.run(name, STEPS)
        self._texts = {fingerprint("-".join([step, *texts])): texts for step, texts in STEPS.items()}
        self._digests = {step: Run(filling.store, RUNS[0]).handed_over(step).data.digest for step in STEPS}
        self._begun = {name: Run(filling.store, name).begun()[:2] for name in RUNS}
        self.counts = Counter()

    def problems(self, seed):
        """What is wrong after the damage of a seed."""
        draw = random.Random(seed)
        shutil.rmtree(self._url, ignore_errors=True)
        shutil.copytree(self._folder / "whole", self._url)
        done = self._damage(draw)
        store = open_store(str(self._url), "rag")
        jobs = [self._read_cache, self._read_runs]
        draw.shuffle(jobs)
        wrong = [problem for job in jobs for problem in job(store)]
        checked = verify(store.bucket, "rag")
        repair(store.bucket, "rag", checked.findings)
        if left := verify(store.bucket, "rag").findings:
            wrong.append(f"not repaired: {left}")
        wrong += self._read_cache(store)
        return [f"seed {seed}, {done}: {each}" for each in wrong]

    def _damage(self, draw):
        done = []
        for _ in range(draw.randint(1, MOST)):
            names = files(self._url)
            kind = draw.choice(("objects", "datasets", "cache", "runs", "whole"))
            name, other = (draw.choice([name for name in names if f"/{kind}/" in name] or names) for _ in range(2))
            if draw.random() < 0.1:
                other = draw.choice(names)
            how = draw.choice(DAMAGE)
            for path in {self._url / name, self._url / other}:
                path.chmod(0o600)
            how(draw, self._url / name, self._url / other)
            self.counts[how.__name__] += 1
            done.append((how.__name__, name, other))
        return done

    def _read_cache(self, store):
        """As a job does: what the cache has is fetched; what it has not, or is bad, is stored again and then right."""
        for key, texts in self._texts.items():
            folder = self._folder / "back"
            for _ in range(3):
                entry = store.look_up(key)
                if entry is None:
                    self.counts["missed"] += 1
                    filling = Filling(self._url, self._folder / "scratch")
                    filling.entry(self._step(key), *texts)
                    continue
                try:
                    store.fetch(entry.datasets[""], folder)
                except StoreError:
                    self.counts["refused"] += 1
                    continue
                self.counts["read"] += 1
                if (found := _texts(folder)) != list(texts) or entry.step != self._step(key):
                    yield f"{key} gave {found} of {entry.step}, not {texts}"
                break
            else:
                yield f"{key} does not heal"

    def _read_runs(self, store):
        newest = latest(store)
        if newest not in {*RUNS, None}:
            yield f"latest is {newest}"
        for name in RUNS:
            run = Run(store, name)
            with self._refused():
                begun = run.begun()
                if begun is not None and begun[:2] != self._begun[name]:
                    yield f"{name} began as {begun}"
            for step, digest in self._digests.items():
                with self._refused():
                    given = run.handed_over(step)
                    if given is not None and (given.data.digest, given.definition) != (digest, PLAN):
                        yield f"{name} handed over {given} for {step}"
                    if given is not None:
                        store.fetch(given.data, self._folder / "back")
                        if (found := _texts(self._folder / "back")) != STEPS[step]:
                            yield f"{name} handed over {found} for {step}"

    @contextmanager
    def _refused(self):
        try:
            yield
        except StoreError:
            self.counts["refused"] += 1

    def _step(self, key):
        return next(step for step, texts in STEPS.items() if texts == self._texts[key])


def _texts(folder):
    return [item["text"] for part in open_dataset(folder).parts for item in json.loads(part.read())]


def main(first, count):
    """Damage `count` stores; print how it went, and give how many results were wrong."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        campaign, begin, wrong = Campaign(Path(folder)), time.monotonic(), 0
        for seed in range(first, first + count):
            for problem in campaign.problems(seed):
                wrong += 1
                print(problem, flush=True)
        harmed = sum(campaign.counts[how.__name__] for how in DAMAGE)
        seconds = time.monotonic() - begin
        print(f"{count} stores, {harmed} files damaged, {wrong} wrong, {dict(campaign.counts)}, {seconds:.0f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
