"""A question is interrupted when its time is over, again until it is gone, and never after."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from enclave.query.clock import Clock

LONG = 3_600_000
PATIENCE_S = 60.0


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    made.close()


def test_an_interrupt_comes_again_until_the_question_is_gone(clock: Clock) -> None:
    times = threading.Semaphore(0)
    with clock.capped(times.release, 1):
        assert all(times.acquire(timeout=PATIENCE_S) for _ in range(3)), "one between two statements is lost"


def test_a_short_question_behind_a_long_one_is_not_made_to_wait_for_it(clock: Clock) -> None:
    long, short = threading.Event(), threading.Event()
    with clock.capped(long.set, LONG), clock.capped(short.set, 1):
        assert short.wait(PATIENCE_S)
    assert not long.is_set()


def test_what_has_ended_is_never_interrupted(clock: Clock) -> None:
    """An interrupt that came late would hit the next question of the same cursor, or one that is closed."""
    ended, later = threading.Event(), threading.Event()
    with clock.capped(ended.set, LONG):
        (running,) = clock._running
    running.due = 0.0  # its time is over now
    with clock.capped(later.set, 1):
        assert later.wait(PATIENCE_S)
    assert not ended.is_set()


def test_one_thread_serves_all_questions_and_ends_with_the_engine(clock: Clock) -> None:
    seen = set()
    for _ in range(5):
        with clock.capped(lambda: None, LONG):
            seen.add(clock._thread)
    (thread,) = seen
    assert thread is not None
    assert thread.is_alive()
    clock.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
