"""Patterns of packs match whole values, and come to an end."""

import signal
from threading import Thread

import pytest

from wurzel.project import pattern
from wurzel.project.pattern import TooSlow, fits


def test_the_whole_value_has_to_match():
    assert fits("[0-9]{4}", "0042")
    assert not fits("[0-9]{4}", "00421")
    assert fits("[a-z]+(-[a-z0-9]+)*", "a-b-c1")


def test_a_pattern_that_does_not_end_is_told(monkeypatch):
    monkeypatch.setattr(pattern, "SECONDS", 0.1)
    before = signal.getsignal(signal.SIGVTALRM)
    for _ in range(2):
        with pytest.raises(TooSlow):
            fits("(a+)+$", "a" * 60 + "!")
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_other_threads_match_as_well():
    found = []
    thread = Thread(target=lambda: found.append(fits("[0-9]+", "42")))
    thread.start()
    thread.join()
    assert found == [True]
