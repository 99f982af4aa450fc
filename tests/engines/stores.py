"""What engines do with one store: each with a new one, after another engine has run, and with one setting changed."""

import json
import shutil
import sys
from dataclasses import replace

from tests.engines.cases import Case
from tests.engines.report import OUTRO
from wurzel.engines.driver import collected, wurzel
from wurzel.engines.local import WurzelRun

CASE = Case("store", "named")
CHANGED = 'steps.suffix-en.settings.SUFFIX="?"'
TITLE = "## With a store\n"
TEXT = """
Three steps, two of which read the first. `same`: the store then has the bytes of `wurzel run` without one. After
another engine has run (`wurzel run` on this machine) no step may be executed; with a setting of `suffix-en` changed,
that step alone. Engines whose steps do not see a folder of this machine have tests with buckets instead.

| engine | new store | after another engine | one setting changed |
|---|---|---|---|
"""


def run(driver, store, folder, *sets):
    """The bytes that a run has left in a store, and which steps it has executed."""
    before = files(store)
    case = replace(CASE, sets=(f"store=file://{store}", *sets))
    outcome = driver.run_all([case], folder)[case.label]
    if outcome.code != 0:
        print(outcome.log[-4000:], file=sys.stderr)
        return f"failed: {outcome.code}", []
    new = [
        path for path, written in files(store).items() if before.get(path) != written and path.parent.name == "cache"
    ]
    return got(store, folder / "got"), sorted(json.loads(path.read_text())["step"] for path in new)


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
    run(local, folder / "filled", folder / "filler")
    found = {}
    for number, driver in enumerate(drivers):
        if driver.missing():
            continue
        home = folder / f"engine-{number}"
        cells = []
        for name, sets, wanted, steps in (
            ("new", (), plain, ["suffix-de", "suffix-en", "words"]),
            ("after", (), plain, []),
            ("other", (CHANGED,), changed, ["suffix-en"]),
        ):
            store = home / f"store-{name}"
            if name != "new":
                shutil.copytree(folder / "filled", store)
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


def kept_section(page):
    """That part of an old page, or ''."""
    text = page.partition(f"\n{TITLE}")[2].partition(OUTRO)[0].partition("\n## ")[0]
    return f"\n{TITLE}{text}" if text else ""
