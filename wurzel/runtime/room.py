"""How much of this machine running steps take, by their cpu and memory requests."""

from __future__ import annotations

import contextlib
import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.ir.pods import Resources

_CGROUP = Path("/sys/fs/cgroup")


class Need(NamedTuple):
    """What a process asks for, or what there is."""

    cpu: Decimal = Decimal(0)
    """Cores."""
    memory: Decimal = Decimal(0)
    """Bytes."""


NOTHING = Need()


def need_of(resources: Resources) -> Need:
    """What a step, or a slice of it, requests; what it leaves open counts as nothing."""
    from wurzel.ir.quantity import amount  # here, since supervising a step must not load the IR

    return Need(*(amount(text) if text else Decimal(0) for text in (resources.cpu, resources.memory)))


def processors() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> Need:
    """Processors and memory that this process may use: those of the machine, or of its container."""
    memory = Decimal(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    cpu = Decimal(processors())
    with contextlib.suppress(OSError, ValueError, ArithmeticError):
        quota, period = _limit("cpu.max")
        cpu = min(cpu, Decimal(quota) / Decimal(period))
    with contextlib.suppress(OSError, ValueError, ArithmeticError):
        (most,) = _limit("memory.max")
        memory = min(memory, Decimal(most))
    return Need(cpu, memory)


class Room:
    """What is left for more processes."""

    def __init__(self, total: Need) -> None:
        """All of it is free."""
        self.total = total
        self._taken = NOTHING
        self._users = 0

    def take(self, need: Need) -> bool:
        """Whether there is room, which is then taken. One process alone may have more than there is."""
        taken = Need(self._taken.cpu + need.cpu, self._taken.memory + need.memory)
        if self._users and (taken.cpu > self.total.cpu or taken.memory > self.total.memory):
            return False
        self._taken = taken
        self._users += 1
        return True

    def give_back(self, need: Need) -> None:
        """The process has ended."""
        self._taken = Need(self._taken.cpu - need.cpu, self._taken.memory - need.memory)
        self._users -= 1

    def lacking(self, need: Need) -> str:
        """What a process asks for beyond what there is, as `64 cpu of 8`; empty where it fits."""
        texts = []
        if need.cpu > self.total.cpu:
            texts.append(f"{need.cpu.normalize():f} cpu of {self.total.cpu.normalize():f}")
        if need.memory > self.total.memory:
            texts.append(f"{need.memory / 2**30:.1f}Gi memory of {self.total.memory / 2**30:.1f}Gi")
        return " and ".join(texts)


def _limit(name: str) -> list[str]:
    """Words of a limit of the container; `max` stands for none."""
    text = (_CGROUP / name).read_text(encoding="ascii").split()
    if text[:1] == ["max"]:
        raise ValueError("no limit")
    return text
