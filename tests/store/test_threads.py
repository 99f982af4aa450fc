"""Requests side by side: their order, their errors, Ctrl-C, and two writers at once."""

import os
import signal
import time

import pytest

from wurzel.store.local import LocalBucket
from wurzel.store.threads import ahead, side_by_side


@pytest.mark.parametrize("width", [1, 2, 8, 100])
def test_results_are_in_the_order_of_the_items(width):
    assert side_by_side(lambda item: item * 2, range(50), width) == [item * 2 for item in range(50)]
    assert side_by_side(str, [], width) == []


@pytest.mark.parametrize("width", [1, 4])
def test_an_error_ends_the_rest(width):
    called = []

    def call(item):
        called.append(item)
        time.sleep(0.005)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"\d"):
        side_by_side(call, range(100), width)
    assert len(called) <= width + 1


def test_ctrl_c_does_not_wait_for_a_request_that_hangs():
    begin = time.monotonic()

    def request(item):
        if item == 1:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        side_by_side(request, range(4), 2)
    assert time.monotonic() - begin < 10


def test_one_of_many_writers_creates_an_object(tmp_path):
    bucket = LocalBucket(tmp_path / "store")
    won = side_by_side(lambda item: bucket.put("a/b", b"%d" % item, create=True), range(32), 8)
    assert won.count(True) == 1
    assert bucket.get("a/b") == b"%d" % won.index(True)


@pytest.mark.parametrize("most", [1, 2, 100])
def test_items_ahead_are_those_in_their_order(most):
    assert list(ahead(iter(range(50)), most)) == list(range(50))
    assert list(ahead([], most)) == []


def test_no_more_items_are_got_ready_than_was_said():
    got = []

    def items():
        for number in range(100):
            got.append(number)
            yield number

    found = ahead(items(), 2)
    assert next(found) == 0
    time.sleep(0.1)
    assert len(got) <= 4
    found.close()
    time.sleep(0.1)
    assert len(got) <= 4


def test_an_error_ahead_is_raised_where_the_items_are_used():
    def items():
        yield 1
        raise ValueError("x")

    found = ahead(items(), 2)
    assert next(found) == 1
    with pytest.raises(ValueError, match="x"):
        next(found)
