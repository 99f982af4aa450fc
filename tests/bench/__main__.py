"""`python -m tests.bench [HEADING]...`: measure all or some sections, and write `docs/performance.md` and its plots."""

import platform
import re
import sys
import tempfile
from pathlib import Path

from tests.bench.chains import chains
from tests.bench.data import data_section, growths, lines_of, ratios
from tests.bench.organisation import costs
from tests.bench.peers import peers
from tests.bench.plot import plot
from tests.bench.quoting import LIMIT as QUOTING
from tests.bench.quoting import quotings
from tests.bench.running import runs
from tests.bench.scaling import SIZES, points
from tests.bench.second import pairs
from tests.bench.startup import STARTS, starts
from tests.bench.store import hand_overs
from tests.bench.upstream import VERSION, compared

DOCS = Path(__file__).resolve().parents[2] / "docs"
LIMIT = 6.0
MEMORY = 250
HEAD = """\
# Performance

Written by `make bench`, which measures everything on one machine ({machine}), a section in one run.
Seconds differ from machine to machine, and by some ten percent from run to run; ratios of commands that ran in turn
hold. No test asserts a time.
"""


def table(head, rows):
    return "\n".join(
        ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]
    )


def over(found):
    """A sentence for each limit that is not met: (title, measured, limit)."""
    return "".join(
        f"\nOver its limit: {title}: measured {measured}, limit {limit}.\n" for title, measured, limit in found
    )


def startup_section(found):
    rows = [
        (
            f"`wurzel {start.title}`",
            f"{start.ours * 1000:.0f} ms",
            f"`{start.baseline}`",
            f"{start.theirs * 1000:.0f} ms",
            f"{start.ratio:.2f}",
            f"{start.limit}",
            "within" if start.ratio <= start.limit else "over",
        )
        for start in found
    ]
    text = f"""
## Cold start

CPU of a whole process, divided by the CPU of the imports that it cannot do without: the least of {STARTS} runs of each,
all in turn, since what else runs on the machine only adds to it.

"""
    text += table(["command", "CPU", "divided by", "CPU", "ratio", "limit", ""], rows) + "\n"
    late = [start for start in found if start.ratio > start.limit]
    return text + over((f"`wurzel {start.title}`", f"{start.ratio:.2f}", start.limit) for start in late)


def quoting_section(found):
    rows = [
        (
            one.file,
            f"{one.items:,}",
            f"{one.ours * 1000:.0f} ms",
            f"{one.plain * 1000:.1f} ms",
            f"{one.ratio:.0f}",
            f"{QUOTING:.0f}",
            "within" if one.ratio <= QUOTING else "over",
        )
        for one in found
    ]
    text = """
## Quoting

Files of many items with five values each, rendered and proved, against Jinja alone, which quotes nothing and reads
nothing back: CPU in one process, in turn, the least of several.

"""
    text += table(["file", "items", "wurzel", "Jinja", "ratio", "limit", ""], rows) + "\n"
    late = [(f"{one.file}, {one.items:,} items", f"{one.ratio:.0f}", f"{QUOTING:.0f}") for one in found]
    return text + over(row for row, one in zip(late, found, strict=True) if one.ratio > QUOTING)


def scaling_section(found):
    rows = []
    for point in found:
        before = next((p for p in found if p[:2] == point[:2] and p.steps * 10 == point.steps), None)
        growth = f"{point.cpu / before.cpu:.1f}" if before and not point.refused else ""
        rows.append(
            (
                point.target,
                point.shape,
                f"{point.steps:,}",
                *(
                    ("", "", "", f"refused: {point.refused}")
                    if point.refused
                    else (f"{point.cpu:.2f} s", growth, f"{point.memory:.0f} MB", f"{point.size / 1e6:.2f} MB")
                ),
            )
        )
    thousand = [point for point in found if point.shape == "diamonds" and point.steps == 1000]
    total = sum(point.cpu for point in thousand)
    left = ", ".join(point.target for point in thousand if point.refused)
    missing = [
        target for target in dict.fromkeys(p.target for p in found) if target not in {p.target for p in thousand}
    ]
    without = ", ".join(filter(None, [left, *missing]))
    but = f" that take them (not: {without})" if without else ""
    text = f"""
## Scaling

From steps in memory to the verified text, imports included; diamonds are layers of ten steps that each feed two of the
next layer. 1,000 steps in diamonds to all targets{but}: {total:.1f} s of CPU;
the limit is {LIMIT:.0f} s: {"within" if total <= LIMIT else "over"}. Growth is the CPU divided by that of a tenth of
the steps; where it is 10 it is linear, below it the imports weigh. Argo is told that its controller takes 1.5 MiB
(`max_workflow_size`, etcd's own limit). What is refused is larger than the platform takes.

![CPU seconds by steps](performance-scaling.svg)

"""
    text += table(["target", "shape", "steps", "CPU", "growth", "peak memory", "written"], rows) + "\n"
    most = {point.target: point for point in found if point.steps == max(SIZES) and not point.refused}
    most = [max((p for p in found if p[0] == name and p.steps == max(SIZES)), key=lambda p: p.cpu) for name in most]
    late = [(f"{p.target}, {p.steps:,} steps", f"{p.cpu:.1f} s", f"{LIMIT:.0f} s") for p in most if p.cpu > LIMIT]
    large = [
        (f"{p.target}, {p.steps:,} steps", f"{p.memory:.0f} MB", f"{MEMORY} MB") for p in most if p.memory > MEMORY
    ]
    return text + over([*late, *large])


def store_section(found):
    rows = [
        (
            one.title,
            f"{one.ours.wall:.1f} s",
            f"{one.plain.wall:.1f} s",
            f"{one.ours.wall / one.plain.wall:.2f}",
            f"{one.ours.cpu:.1f} s",
            f"{one.plain.cpu:.1f} s",
            f"{one.ours.cpu / one.plain.cpu:.2f}",
            f"{one.ours.memory:.0f} MB",
            f"{one.plain.memory:.0f} MB",
        )
        for one in found
    ]
    text = """
## Object stores

A dataset to Versity Gateway on this machine and back by TLS, hashed on both ways, whole processes, in turn with
obstore's own copy of the same files, 16 at once, which checks nothing.

"""
    head = ["dataset", "wall", "plain", "ratio", "CPU", "plain", "ratio", "memory", "plain"]
    return text + table(head, rows) + "\n" if rows else ""


def second_section(found):
    rows = [
        (
            pair.title,
            *(f"{wall:.1f} s" for wall in pair.walls),
            f"{pair.walls[1] / pair.walls[0]:.2f}",
            *(f"{cpu:.1f} s" for cpu in pair.cpus),
            f"{pair.computed[0]}, then {pair.computed[1]}",
        )
        for pair in found
    ]
    text = """
## Second runs

The example `rag`, with three short documents and the model `words`, by each engine with a new store, and once more
from a new checkout with the same store. With rendering and all that an engine takes to start. CPU is that of processes
of this machine, without pods. Single runs: they tell what is computed again, not how fast an engine is. The
cluster is one that `make cluster` started; its rows were measured separately.

"""
    head = ["engine", "first run", "second run", "ratio", "CPU, first", "CPU, second", "steps computed"]
    return text + table(head, rows) + "\n"


def peers_section(found):
    names = list(dict.fromkeys(name for peer in found for name in peer.cpu))
    rows = []
    for peer in found:
        least = peer.cpu.get("wurzel, argo") or peer.cpu["wurzel, gitlab"]
        cells = [
            f"{peer.cpu[name]:.2f} s ({peer.cpu[name] / least:.1f})" if name in peer.cpu else "refused"
            for name in names
        ]
        rows.append((f"{peer.steps:,}", *cells))
    text = """
## Peers

Whole processes that write the same diamonds, imports included, in turn; in brackets the ratio to the first column that
has a figure. hera and kfp write less for each task (no data, resources or retries) and read nothing back.

"""
    return text + table(["steps", *names], rows) + "\n"


def upstream_section(found):
    rows = [
        (
            pair.target,
            pair.shape,
            str(pair.steps),
            f"{pair.ours:.2f} s",
            f"{pair.theirs:.2f} s" if pair.theirs else f"fails: {'NodeNameConflict' if pair.conflict else 'an error'}",
            f"{pair.theirs / pair.ours:.1f}" if pair.theirs else "",
        )
        for pair in found
    ]
    text = f"""
## telekom/wurzel

The command lines of this project and of telekom/wurzel {VERSION}, in turn, on one module of steps; diamonds stand one
below the other here, so that each doubles the number of paths.

"""
    return text + table(["target", "shape", "steps", "here", "telekom/wurzel", "ratio"], rows) + "\n" if rows else ""


def chains_section(found):
    """The section of the page."""
    rows = [
        (
            one.title,
            f"{one.wall:.2f} s",
            f"{one.wall / found[0].wall:.2f}",
            f"{one.cpu:.2f} s",
            f"{one.cpu / found[0].cpu:.2f}",
        )
        for one in found
    ]
    text = f"""
## Chains

{found[0].steps} steps in a row that each add a letter to a text, once, from nothing. `wurzel run`, make, Metaflow
and DVC start a process for each step and keep what it gave; the others do neither. Ratios are to `wurzel run`.

"""
    return text + table(["runner", "wall", "ratio", "CPU", "ratio"], rows) + "\n"


def running_section(found):
    rows = []
    for ran in found:
        first = next(other for other in found if other.steps == ran.steps)
        walls, cpus = f"{ran.wall / first.wall:.2f}", f"{ran.cpu / first.cpu:.2f}"
        rows.append((str(ran.steps), ran.title, f"{ran.wall:.2f} s", walls, f"{ran.cpu:.2f} s", cpus))
    text = """
## Running

Steps in diamonds that do next to nothing, from nothing, so that what is measured is the runner; all give the same
data. Ratios are to `wurzel run`.

"""
    return text + table(["steps", "runner", "wall", "ratio", "CPU", "ratio"], rows) + "\n"


def organisation_section(found):
    rows = [
        (
            cost.title,
            f"{cost.ours:.2f} s",
            f"{cost.plain:.2f} s",
            f"{cost.ratio:.2f}",
            str(cost.limit),
            "within" if cost.ratio <= cost.limit else "over",
        )
        for cost in found
    ]
    text = """
## Templates of an organisation

Whole commands for all seven targets; each override has a loop, a macro and an include. Divided by the CPU of the same
command without these templates.

"""
    text += table(["command", "CPU", "without", "ratio", "limit", ""], rows) + "\n"
    return text + over((cost.title, f"{cost.ratio:.2f}", cost.limit) for cost in found if cost.ratio > cost.limit)


def scaling(_work):
    scaled = points()
    lines = {
        target: [(p.steps, p.cpu) for p in scaled if p.target == target and p.shape == "diamonds" and not p.refused]
        for target in dict.fromkeys(point.target for point in scaled)
    }
    lines = {target: line for target, line in lines.items() if line}
    svg = plot("Rendering layered diamonds", lines, SIZES, (0.1, 1, 10, 100), "steps", "CPU seconds")
    (DOCS / "performance-scaling.svg").write_text(svg)
    return scaling_section(scaled)


def data(work):
    costs, found = ratios(work), growths(work)
    ticks = [one.items for one in found if one.title == "17 B"]
    for line, name, label, marks in zip(
        lines_of(found), ("cpu", "memory"), ("CPU seconds", "MB"), ((0.1, 1, 10, 100), (10, 100, 1000)), strict=True
    ):
        svg = plot("Passing items of 17 B", line, ticks, marks, "items", label)
        (DOCS / f"performance-data-{name}.svg").write_text(svg)
    return data_section(costs, found)


SECTIONS = {
    "Cold start": lambda work: startup_section(starts(work)),
    "Quoting": lambda work: quoting_section(quotings(work)),
    "Templates of an organisation": lambda work: organisation_section(costs(work)),
    "Scaling": scaling,
    "Running": lambda work: running_section(runs(work)),
    "Chains": lambda work: chains_section(chains(work)),
    "Object stores": lambda _work: store_section(hand_overs()),
    "Second runs": lambda work: second_section(pairs(work)),
    "Data": data,
    "Peers": lambda work: peers_section(peers(work)),
    "telekom/wurzel": lambda work: upstream_section(compared(work)),
}
"""Heading to what measures its section, in the order of the page."""


def main():
    page = DOCS / "performance.md"
    parts = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)[1:] if page.exists() else []
    known = {part.partition("\n")[0].removeprefix("## "): f"\n{part.strip()}\n" for part in parts}
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    for heading in sys.argv[1:] or SECTIONS:
        with tempfile.TemporaryDirectory() as work:
            known[heading] = SECTIONS[heading](Path(work))
        print(known[heading], flush=True)
        # After each section, so that a run which is interrupted keeps what it has measured.
        page.write_text(HEAD.format(machine=machine) + "".join(known.get(name, "") for name in SECTIONS))


if __name__ == "__main__":
    main()
