"""On which processors does a question run?

An engine works with two threads: whoever asks, and one of its own. Woken after a pause, the kernel may put both on one
processor while the other idles, and a narrow filter takes twice its time (0125). So those who ask stand on one half of the
processors, and engines' own threads on the other. An interpreter, where one thread at a time works whatever their number,
has one processor: who is woken on another comes late.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

Half = frozenset[int]

THERE = frozenset(os.sched_getaffinity(0))
"""Where this process was let."""


def halves(processors: frozenset[int]) -> tuple[Half, Half]:
    """Of some processors: for those who ask, and for engines. The same twice where there is but one.
    The first processor, which has most of the kernel's own work, is the engines'."""
    in_order = sorted(processors)
    middle = len(in_order) // 2
    if not middle:
        return processors, processors
    return frozenset(in_order[middle:]), frozenset(in_order[:middle])


ASKERS, ENGINES = halves(THERE)


def for_engines() -> contextlib.AbstractContextManager[None]:
    """Threads that are started within stand on the engines' half, for good."""
    return _standing(ENGINES)


def for_asker() -> contextlib.AbstractContextManager[None]:
    """The calling thread stands on the askers' half, and afterwards where it stood."""
    return _standing(ASKERS)


def for_interpreter() -> contextlib.AbstractContextManager[None]:
    """The calling thread, and those it starts within, stand on one processor, of the askers' half."""
    return _standing(frozenset({max(ASKERS)}))


@contextlib.contextmanager
def _standing(half: Half) -> Iterator[None]:
    """Where the kernel does not let a thread choose, it stands where it is put: that costs time, and nothing else."""
    before = os.sched_getaffinity(0)
    if before == half:
        yield
        return
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, half)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, before)
