"""What engines do with one store: each with a new one, after another engine has run, and with one setting changed."""

import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.engines.cases import Case
from tests.engines.report import OUTRO
from wurzel.engines.driver import collected, wurzel
from wurzel.engines.local import WurzelRun

CASE = Case("store", "named")
KEYS = "{access_key_id: {name: bucket, key: id}, secret_access_key: {name: bucket, key: key}}"
CHANGED = 'steps.suffix-en.settings.SUFFIX="?"'
TITLE = "## With a store\n"
TEXT = """
Three steps, two of which read the first. `same`: the store then has the bytes of `wurzel run` without one. After
another engine has run (`wurzel run` on this machine) no step may be executed; with a setting of `suffix-en` changed,
that step alone. Pods of a cluster have the store in a bucket of versitygw, all others in a folder.

| engine | new store | after another engine | one setting changed |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Place:
    """Where a store is: in a folder, or in a bucket whose objects are the files of a folder."""

    folder: Path
    asked: str
    """What `store` is set to."""
    environ: dict = field(default_factory=dict)
    """What a process of this machine needs to use it."""

    @contextmanager
    def reached(self):
        """A process that is started meanwhile can use it."""
        before = dict(os.environ)
        os.environ.update(self.environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def place(driver, name, folder):
    """A store that the steps of a driver can reach."""
    bucket = getattr(driver, "bucket", None)
    if bucket is None:
        return Place(folder / name, f"file://{folder / name}")
    scheme, _, rest = bucket.url.partition("://")
    url = f"{scheme}://{rest.partition('/')[0]}/{folder.name}/{name}"
    asked = f"{{url: '{url}', endpoint: '{bucket.endpoint}', secrets: {KEYS}}}"
    return Place(bucket.folder / folder.name / name, asked, bucket.environ)


def run(driver, store, folder, *sets):
    """The bytes that a run has left in a store, and which steps it has executed."""
    outcome, executed = ran(driver, store, folder, replace(CASE, sets=sets))
    if outcome.code != 0:
        print(outcome.log[-4000:], file=sys.stderr)
        return f"failed: {outcome.code}", []
    return got(store.folder, folder / "got"), executed


def ran(driver, store, folder, case):
    """What came of a case with a store, and which entries its cache has got."""
    before = files(store.folder)
    with store.reached():
        outcome = driver.run_all([replace(case, sets=(f"store={store.asked}", *case.sets))], folder)[case.label]
    now = files(store.folder)
    new = [path for path in now if before.get(path) != now[path] and path.parent.name == "cache"]
    return outcome, sorted(json.loads(path.read_text())["step"] for path in new)


def files(store):
    """When each file of a store was written."""
    return {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}


def got(store, folder):
    """The datasets of the newest run."""
    where = ["--store", str(store)]
    folder.mkdir(parents=True)
    newest = json.loads(wurzel(folder, "store", "ls", "--json", *where).stdout)[0]["run"]
    for step in json.loads(wurzel(folder, "store", "ls", "--run", newest, "--json", *where).stdout):
        wurzel(folder, "store", "get", step["step"], "--run", newest, "-o", f"data/{step['step']}", *where)
    return collected(folder / "data")


def told(drivers, folder):
    """The cells of each engine, by name."""
    local = WurzelRun()
    plain = local.run_all([CASE], folder / "plain")[CASE.label].data
    changed = local.run_all([replace(CASE, sets=(CHANGED,))], folder / "changed")[CASE.label].data
    filled = place(local, "filled", folder)
    run(local, filled, folder / "filler")
    found = {}
    for number, driver in enumerate(drivers):
        if missing := driver.missing():
            print(f"{driver.name}, with a store: not run: {missing}", flush=True)
            continue
        home = folder / f"engine-{number}"
        cells = []
        for name, sets, wanted, steps in (
            ("new", (), plain, ["suffix-de", "suffix-en", "words"]),
            ("after", (), plain, []),
            ("other", (CHANGED,), changed, ["suffix-en"]),
        ):
            store = place(driver, f"store-{name}", home)
            if name != "new" and store.environ:
                run(local, store, home / f"{name}-filler")
            elif name != "new":
                shutil.copytree(filled.folder, store.folder)
            data, executed = run(driver, store, home / name, *sets)
            same = "same" if data == wanted else data if isinstance(data, str) else "DIFFERENT"
            right = "" if executed == steps else f" INSTEAD OF {len(steps)}"
            cells.append(f"{same}, {len(executed)} executed{right}")
        found[driver.name] = cells
        print(f"{driver.name}, with a store: {'; '.join(cells)}", flush=True)
    return found


def is_right(cells):
    """Whether an engine did what it must."""
    return cells == ["same, 3 executed", "same, 0 executed", "same, 1 executed"]


def section(found):
    """The part of the page."""
    rows = [f"| {name} | {' | '.join(cells)} |" for name, cells in found.items()]
    return f"\n{TITLE}{TEXT}" + "\n".join(rows) + "\n"


def kept_rows(page):
    """The cells of each engine of an old page, by name."""
    text = page.partition(f"\n{TITLE}")[2].partition(OUTRO)[0].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {name: cells for name, *cells in rows[1:]}
