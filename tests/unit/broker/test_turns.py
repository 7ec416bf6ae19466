"""Turns: room is made by public moments alone, and the same question is never carried out twice at once."""

from __future__ import annotations

import threading
import time

import pytest

from enclave.broker.turns import Turns
from enclave.errors import Incident


def enter(turns: Turns, question: str, entered: list[tuple[str, float]]) -> threading.Thread:
    def take() -> None:
        with turns.turn(question):
            entered.append((question, time.monotonic()))

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def test_a_turn_lasts_until_its_moment_however_soon_the_engine_is_done() -> None:
    turns, entered = Turns(at_once=1), list[tuple[str, float]]()
    with turns.turn("a") as mine:
        mine.until = time.monotonic() + 0.2
    enter(turns, "b", entered).join(5)
    assert mine.until <= entered[0][1] < mine.until + 1


def test_a_question_that_was_refused_gives_its_turn_back_at_once() -> None:
    turns = Turns(at_once=1)
    with pytest.raises(ValueError, match="refused"), turns.turn("a"):
        raise ValueError("refused")
    with turns.turn("b"):
        pass


def test_the_same_question_waits_for_itself_and_another_does_not() -> None:
    turns, entered = Turns(at_once=4), list[tuple[str, float]]()
    with turns.turn("a"):
        same = enter(turns, "a", entered)
        enter(turns, "b", entered).join(5)
        assert [question for question, _ in entered] == ["b"]
    same.join(5)
    assert [question for question, _ in entered] == ["b", "a"]


def test_a_closing_broker_gives_no_turn_and_waits_for_those_it_gave() -> None:
    turns, entered = Turns(at_once=1), list[tuple[str, float]]()
    taken, go, refused = threading.Event(), threading.Event(), list[str]()

    def long() -> None:
        with turns.turn("long"):
            taken.set()
            go.wait(5)

    def waiting() -> None:
        try:
            with turns.turn("waiting"):
                entered.append(("waiting", 0.0))
        except Incident as told:
            refused.append(told.code)

    threads = [threading.Thread(target=long), threading.Thread(target=waiting)]
    threads[0].start()
    assert taken.wait(5)
    threads[1].start()
    assert not turns.close(0.1), "one is in the engines still"
    go.set()
    assert turns.close(5)
    for thread in threads:
        thread.join(5)
    assert (entered, refused) == ([], ["broker.ending"])
