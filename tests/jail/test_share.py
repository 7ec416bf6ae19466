"""Who makes way for whom: what the kernel is told of a jail as it starts, in the first moments of a run, and after them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enclave.run import JailSpec, Wall
from enclave.run.jail import Jail
from enclave.run.share import BACK, FORWARD, STARTING

from .conftest import notebook
from .test_neighbours import BOMBS
from .test_pool import until

pytestmark = [
    pytest.mark.xdist_group("jail runs"),
    pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel has no groups of sessions"),
]


def niceness(process: int | None) -> int:
    """Of the session of a process, as the scheduler has it."""
    return int(Path(f"/proc/{process}/autogroup").read_text().split()[-1])


@pytest.fixture
def waiting(wall: Wall) -> Iterator[Jail]:
    """A jail whose kernel is up."""
    jail = Jail(wall, wall.limits)
    try:
        until(lambda: jail.attend() and jail.is_ready, "it did not get ready")
        yield jail
    finally:
        jail.end()


def seen_while(jail: Jail, cell: str, enough: Callable[[list[int]], bool]) -> list[int]:
    """The nicenesses a jail had, in order, while this cell ran; it is called off when that is enough."""
    seen: list[int] = []

    def look() -> bool:
        if jail.process is not None and niceness(jail.process) not in seen[-1:]:
            seen.append(niceness(jail.process))
        return not enough(seen)

    jail.carry_out(JailSpec(notebook(cell)), still_wanted=look)
    return seen


def test_a_jail_that_waits_has_stood_back_while_it_started(waiting: Jail) -> None:
    assert niceness(waiting.process) == STARTING > FORWARD


@pytest.mark.parametrize("bomb", ["fork", "busy", "memory"])
def test_a_bomb_makes_way_once_its_first_moments_are_over(waiting: Jail, bomb: str) -> None:
    """Its session got as much as anybody's for as long as it lived: two bombs left a third of a processor to a short run."""
    seen = seen_while(waiting, BOMBS[bomb][0], lambda seen: BACK in seen)
    assert seen[-1] == BACK and seen in ([FORWARD, BACK], [BACK])


def test_a_run_that_uses_little_never_makes_way(waiting: Jail) -> None:
    """However long it takes: it is processor time that counts."""
    ended = time.monotonic() + 1
    assert seen_while(waiting, "import time; time.sleep(60)", lambda _: time.monotonic() > ended) == [FORWARD]


def test_a_jail_started_for_its_run_comes_forward_when_it_is_ready(wall: Wall) -> None:
    jail = Jail(wall, wall.limits)
    seen = seen_while(jail, "import time; time.sleep(60)", lambda seen: FORWARD in seen)
    assert seen in ([0, STARTING, FORWARD], [STARTING, FORWARD]), "0: before bubblewrap made its session"
