"""Steps run side by side only as far as their cpu and memory requests fit on this machine."""

from decimal import Decimal
from pathlib import Path

import pytest

from wurzel.ir.pods import Resources
from wurzel.runtime import room as rooms
from wurzel.runtime.processes import Command, Watch
from wurzel.runtime.room import Need, Room, machine, need_of
from wurzel.runtime.supervise import Pool, Task

GIB = 2**30


def most_at_once(tmp_path, needs, total, jobs=8):
    """The largest number of tasks with these needs that ran at one time, and the order in which they ended."""
    log = tmp_path / "log"
    ended = []
    with Watch() as watch:
        pool = Pool(watch, jobs, Room(total))
        for number, need in enumerate(needs):
            script = f"echo + >> {log}; sleep 0.2; echo - >> {log}"
            command = Command(["sh", "-c", script])
            pool.submit(Task(lambda command=command: command, lambda _, n=number: ended.append(n), need=need))
        pool.run()
    running = highest = 0
    for line in log.read_text().split():
        running += 1 if line == "+" else -1
        highest = max(highest, running)
    assert sorted(ended) == list(range(len(needs)))
    return highest


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ([Need()] * 4, 4),
        ([Need(Decimal(1))] * 4, 2),
        ([Need(Decimal("0.5"))] * 4, 4),
        ([Need(memory=Decimal(3 * GIB))] * 3, 1),
        ([Need(Decimal(64))] * 2, 1),  # more than there is: one after the other
        ([Need(Decimal(64)), Need(), Need()], 2),  # and nothing that asks for something beside it
    ],
)
def test_what_runs_side_by_side(tmp_path, needs, expected):
    assert most_at_once(tmp_path, needs, Need(Decimal(2), Decimal(4 * GIB))) == expected


def test_tasks_that_start_no_process_take_no_room(tmp_path):
    over = []
    with Watch() as watch:
        pool = Pool(watch, 1, Room(Need(Decimal(1))))
        for number in range(3):
            pool.submit(Task(lambda number=number: over.append(number), lambda _: None, need=Need(Decimal(1))))
        command = Command(["/nonexistent"])
        pool.submit(Task(lambda: command, lambda outcome: over.append(outcome.code), need=Need(Decimal(1))))
        pool.submit(Task(lambda: Command(["true"]), lambda outcome: over.append("ran"), need=Need(Decimal(1))))
        pool.run()
    assert over == [0, 1, 2, 2, "ran"]


def test_requests_are_quantities():
    assert need_of(Resources(cpu="500m", memory="1Gi")) == (Decimal("0.5"), GIB)
    assert need_of(Resources()) == (0, 0)


@pytest.mark.parametrize(
    ("cpu", "memory", "expected"),
    [("50000 100000", "1048576", ("0.5", 2**20)), ("max 100000", "max", None), ("", "", None), ("0 0", "x", None)],
)
def test_limits_of_a_container_count(tmp_path, monkeypatch, cpu, memory, expected):
    monkeypatch.setattr(rooms, "_CGROUP", Path("/nonexistent"))
    whole = machine()
    assert whole.cpu >= 1
    assert whole.memory > 2**20
    monkeypatch.setattr(rooms, "_CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text(cpu)
    (tmp_path / "memory.max").write_text(memory)
    assert machine() == (whole if expected is None else Need(Decimal(expected[0]), Decimal(expected[1])))


def test_what_is_lacking_is_said():
    room = Room(Need(Decimal(8), Decimal(16 * GIB)))
    assert room.lacking(need_of(Resources(cpu="64", memory="32Gi"))) == "64 cpu of 8 and 32.0Gi memory of 16.0Gi"
    assert room.lacking(need_of(Resources(cpu="8", memory="16Gi"))) == ""
