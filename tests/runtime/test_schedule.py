import time

from tests.plain import plain_step
from wurzel.ir.model import DataType
from wurzel.runtime.run import Schedule


def steps(**needs):
    return [
        plain_step(id=name, run="m:C", needs=tuple(before.split()), output=DataType(contract="m:X"))
        for name, before in needs.items()
    ]


def ids(found):
    return [step.id for step in found]


def test_a_step_is_ready_when_all_it_needs_is_done():
    schedule = Schedule(steps(a="", b="a", c="a", d="b c", e=""))
    assert ids(schedule.first()) == ["a", "e"]
    assert ids(schedule.done("a")) == ["b", "c"]
    assert ids(schedule.done("c")) == []
    assert ids(schedule.done("b")) == ["d"]


def test_a_failure_blocks_everything_after_it_once():
    schedule = Schedule(steps(a="", b="", c="a", d="c b", e="b", f="d"))
    assert ids(schedule.failed("a")) == ["c", "d", "f"]
    assert ids(schedule.failed("b")) == ["e"]


def test_what_has_begun_is_not_blocked_by_a_late_failure():
    """As when a result cannot be handed over that another step reads by then."""
    schedule = Schedule(steps(a="", b="a", c="a x", x="", d="b"))
    assert ids(schedule.done("a")) == ["b"]
    assert ids(schedule.failed("a")) == ["c"]
    assert ids(schedule.done("b")) == ["d"]


def test_a_blocked_step_is_never_ready():
    schedule = Schedule(steps(a="", b="", c="a b"))
    schedule.failed("a")
    assert schedule.done("b") == []


def test_ten_thousand_steps_in_a_row_and_a_wide_fan_in():
    chain = {f"s{n}": f"s{n - 1}" if n else "" for n in range(10_000)}
    wide = {**{f"w{n}": "" for n in range(10_000)}, "end": " ".join(f"w{n}" for n in range(10_000))}
    all_steps = [steps(**chain), steps(**wide)]
    began = time.process_time()
    first = Schedule(all_steps[0])
    assert len(first.failed("s0")) == 9_999
    second = Schedule(all_steps[1])
    assert ids(ready for n in range(10_000) for ready in second.done(f"w{n}")) == ["end"]
    assert time.process_time() - began < 5
