"""What storing costs: CPU against a loop over pydantic that checks nothing, and the memory of streams and lists."""

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import Cost, in_turn, python, run, wurzel

ROUNDS = 3
STEPS = """
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal
from wurzel import NoSettings, PydanticModel, TypedStep

class Tiny(PydanticModel):
    a: int

class Plain(PydanticModel):
    text: str
    url: str = ""
    number: int = 1

class Limited(PydanticModel, str_max_length=1 << 20):
    text: str
    number: int = 1

class Dated(PydanticModel):
    text: str
    day: date = date(2024, 1, 2)
    kind: Literal["a", "b"] = "a"

class Free(PydanticModel):
    text: str
    metadata: dict[str, Any] | None = {{"page": 1, "source": "web"}}

class Tags(PydanticModel):
    text: str
    tags: set[str] = {{"a", "b", "c"}}

def make(number):
    return {make}

def change(item):
    return {contract}(**item.__dict__)

class Make(TypedStep[NoSettings, None, Iterator[{contract}]]):
    def run(self, inpt: None) -> Iterator[{contract}]:
        return (make(number) for number in range({items}))

class Stream(TypedStep[NoSettings, Iterator[{contract}], Iterator[{contract}]]):
    def run(self, inpt: Iterator[{contract}]) -> Iterator[{contract}]:
        return (change(item) for item in inpt)

class Listed(TypedStep[NoSettings, list[{contract}], list[{contract}]]):
    def run(self, inpt: list[{contract}]) -> list[{contract}]:
        return [change(item) for item in inpt]
"""
LOOP = """
from costs import {contract}, change
from pathlib import Path
{contract}.model_rebuild()
read, write = {contract}.__pydantic_validator__.validate_json, {contract}.__pydantic_serializer__.to_json
Path("loop").mkdir()
with open("loop/part", "wb") as out:
    for path in sorted(Path("given").glob("part-*")):
        with path.open("rb") as lines:
            for line in lines:
                if len(line) > 2:
                    out.write(write(change(read(line.rstrip(b",\\n")))))
                    out.write(b",\\n")
"""
HOLD = "from costs import make\nitems = [make(number) for number in range({items})]"
MOST_LISTED = 1 << 29
"""Bytes of items above which no list of them is measured."""


class Case(NamedTuple):
    """Items of one contract."""

    title: str
    contract: str
    make: str
    items: int
    least: float
    """The least ratio of the loop's CPU to a step's."""


CASES = [
    Case("one number, 17 B", "Tiny", "Tiny(a=10**9 + number)", 300_000, 0.7),
    Case("plain fields, 0.2 kB", "Plain", "Plain(text='word ' * 30, url=f'https://x/{number}')", 150_000, 0.7),
    Case("plain fields, 2 kB", "Plain", "Plain(text='word ' * 400, url=f'https://x/{number}')", 60_000, 0.7),
    Case("plain fields, 50 kB", "Plain", "Plain(text='wörd ' * 9_000, url=f'https://x/{number}')", 3_000, 0.7),
    Case("a limit, 2 kB", "Limited", "Limited(text='word ' * 400, number=number)", 60_000, 0.45),
    Case("a limit, 50 kB", "Limited", "Limited(text='wörd ' * 9_000, number=number)", 3_000, 0.45),
    Case("date and literal, 0.2 kB", "Dated", "Dated(text='word ' * 30)", 150_000, 0.45),
    Case("mapping of any values, 2 kB", "Free", "Free(text='word ' * 400)", 60_000, 0.45),
    Case("set of texts, 2 kB", "Tags", "Tags(text='word ' * 400)", 60_000, 0.45),
]
LARGE = Case("", "Plain", "Plain(text='word ' * 4_000, url=str(number))", 100_000, 0)
TINY = CASES[0]._replace(items=1_000_000)


class Ratio(NamedTuple):
    """CPU seconds of a loop, of a step that streams, and of one that takes and gives lists."""

    case: Case
    loop: float
    stream: float
    listed: float


class Growth(NamedTuple):
    """What it takes to pass so many items by a loop, as a stream, and as a list, with the limits of memory in MB."""

    title: str
    items: int
    size: int
    """Bytes on disk."""
    loop: Cost
    stream: Cost
    limit: float
    listed: Cost | None = None
    list_limit: float = 0

    @property
    def is_within(self):
        """Whether all of them keep to their limits."""
        return self.stream.memory <= self.limit and (not self.listed or self.listed.memory <= self.list_limit)


def ratios(folder):
    """Whole processes that copy items through a contract, in turn."""
    found = []
    for case in CASES:
        prepare(folder, case)
        loop = python(LOOP.format(contract=case.contract))
        calls = [
            partial(copied, folder, "loop", loop),
            *(partial(step, folder, name) for name in ("Stream", "Listed")),
        ]
        found.append(Ratio(case, *(cost.cpu for cost in in_turn(calls, ROUNDS))))
    return found


def growths(folder):
    """Whole processes with ever more items, up to 2 GB, and up to a million tiny ones."""
    found = []
    for case, each, limit in ((LARGE, "20 kB", 200), (TINY, "17 B", 100)):
        for items in (case.items // 100, case.items // 10, case.items):
            size = prepare(folder, case._replace(items=items))
            loop = copied(folder, "loop", python(LOOP.format(contract=case.contract)))
            one = Growth(each, items, size, loop, step(folder, "Stream"), limit)
            if size < MOST_LISTED:
                held = [run(python(HOLD.format(items=number)), folder).memory for number in (1, items)]
                most = loop.memory + 10 * (held[1] - held[0])
                one = one._replace(listed=step(folder, "Listed"), list_limit=most)
            found.append(one)
    return found


def prepare(folder, case):
    """Write the steps and the items of a case; gives the bytes of the items."""
    (folder / "costs.py").write_text(STEPS.format(**case._asdict()))
    copied(folder, "given", wurzel("step", "costs:Make", "-o", "given"))
    return sum(path.stat().st_size for path in (folder / "given").glob("part-*"))


def step(folder, name):
    """The cost of a step that reads `given`."""
    return copied(folder, name, wurzel("step", f"costs:{name}", "-i", "given", "-o", name))


def copied(folder, name, argv):
    """The cost of a command that writes a folder."""
    shutil.rmtree(folder / name, ignore_errors=True)
    return run(argv, folder, {"PYTHONPATH": str(folder)})


def lines_of(found):
    """CPU and memory of the tiny items by their number, for plots: two of name to points."""
    tiny = [one for one in found if one.title == "17 B"]
    named = {"a loop": "loop", "a stream": "stream", "a list": "listed"}
    return [
        {name: [(one.items, getattr(getattr(one, field), what)) for one in tiny] for name, field in named.items()}
        for what in ("cpu", "memory")
    ]


def data_section(costs, found):
    """The section of the page."""
    rows = []
    for one in costs:
        stream, listed = one.loop / one.stream, one.loop / one.listed
        verdict = "within" if stream >= one.case.least else "over"
        seconds = f"{one.loop:.2f} s | {one.stream:.2f} s | {stream:.2f} | {listed:.2f}"
        rows.append(f"| {one.case.title} | {one.case.items:,} | {seconds} | {one.case.least} | {verdict} |")
    sizes = []
    for one in found:
        cells = [f"{one.title}", f"{one.items:,}", f"{one.size / 1e6:,.0f} MB"]
        cells += [f"{one.loop.cpu:.1f} s", f"{one.stream.cpu:.1f} s", f"{one.listed.cpu:.1f} s" if one.listed else ""]
        cells += [f"{one.loop.memory:.0f} MB", f"{one.stream.memory:.0f} of {one.limit} MB"]
        cells += [f"{one.listed.memory:.0f} of {one.list_limit:.0f} MB" if one.listed else ""]
        sizes.append(f"| {' | '.join([*cells, 'within' if one.is_within else 'over'])} |")
    head = f"""
## Data

`wurzel step` of a step that copies each item, against a loop over `pydantic_core` that reads, copies and writes the
same lines without a check or a hash: CPU of whole processes, in turn, median of {ROUNDS}. The ratio is the CPU of
the loop divided by that of the step.

| items | number | loop | stream | ratio | ratio of lists | least |  |
|---|---|---|---|---|---|---|---|
"""
    between = """

At 50 kB, the difference is SHA-256, of what is read and of what is written; all else that a step checks takes 2%.

With more items, once each: CPU, and the largest that the process gets of its limit. That of a list is the loop's and
ten times what the items take in memory.

![CPU seconds by items](performance-data-cpu.svg)
![Memory by items](performance-data-memory.svg)

| items | number | on disk | loop | stream | list | loop | stream | list |  |
|---|---|---|---|---|---|---|---|---|---|
"""
    return head + "\n".join(rows) + between + "\n".join(sizes) + "\n"


def main():
    """Measure this section alone, and print it."""
    with tempfile.TemporaryDirectory() as folder:
        print(data_section(ratios(Path(folder)), growths(Path(folder))))


if __name__ == "__main__":
    main()
