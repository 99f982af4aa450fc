"""Requests side by side, in threads that neither Ctrl-C nor the end of the process has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(call: Callable[[T], R], items: Iterable[T], width: int) -> list[R]:
    """The result of `call` for each item, in their order.

    After `call` has raised an error, which is raised here, no more calls begin. At most `width` threads; with 1, and
    for a single item, it is called here: to start a thread costs as much as a request.
    """
    todo = list(items)
    if width <= 1 or len(todo) <= 1:
        return [call(item) for item in todo]
    return _in_threads(call, todo, min(width, len(todo)))


def _in_threads(call: Callable[[T], R], todo: Sequence[T], threads: int) -> list[R]:
    found: list[R | None] = [None] * len(todo)
    failed: list[BaseException] = []
    turns: SimpleQueue[int | None] = SimpleQueue()
    ended: SimpleQueue[None] = SimpleQueue()
    for turn in (*range(len(todo)), *[None] * threads):
        turns.put(turn)

    def work() -> None:
        try:
            while not failed and (turn := turns.get()) is not None:
                found[turn] = call(todo[turn])
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            failed.append(error)
        ended.put(None)

    # Daemon threads: a request may hang for minutes, and an executor's threads are joined when the process ends.
    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in range(threads):
            ended.get()
    except BaseException as error:
        failed.append(error)  # after Ctrl-C no more calls begin
        raise
    if failed:
        raise failed[0]
    return found  # type: ignore[return-value]


def interruptible(call: Callable[[], R]) -> R:
    """The result of `call`, which Ctrl-C ends at once where code outside of Python waits for a server."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    return _in_threads(lambda _: call(), [None], 1)[0]


def ahead(items: Iterable[T], most: int) -> Iterator[T]:
    """The items, up to `most` of which are got ready by a thread while one is used; it ends with this iterator."""
    ready: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
    room, ended = threading.Semaphore(most), threading.Event()

    def work() -> None:
        try:
            for item in items:
                ready.put((item,))
                room.acquire()
                if ended.is_set():
                    return
            ready.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the items are used
            ready.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
            room.release()
    finally:
        ended.set()
        room.release()
