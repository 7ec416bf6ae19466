"""Worker and door are killed while a notebook runs: the jail dies with its worker, the run is done by the next one, and
what was paid for is not paid again. `enclave up` starts what is missing and leaves the rest alone."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.channels import leased, running, spent
from tests.living import Living, notebook_of

from enclave import audit
from enclave.bootstrap import up, worker
from enclave.bootstrap.house import open_house
from enclave.broker.channel import Line, control_path
from enclave.broker.given import answers_given
from enclave.budget import history
from enclave.custody.proof import verify_house
from enclave.errors import Incident
from enclave.run.job import cancel, find, outputs
from enclave.run.pool import Pool
from enclave.run.states import RunState

ASK = """
import domicile, time
n = domicile.open("hospital").sql("SELECT COUNT(*) AS n FROM visits", epsilon="2")
time.sleep(2)
domicile.output.table(n, title="Visits", context="test")
"""


@pytest.fixture
def up_and_running(house: Living) -> Iterator[Living]:
    # nobody waits for a lease: the next worker knows that this one is dead; and no jail waits, to have them up sooner
    with running(house, lease_seconds=600, warm_jails=0) as living:
        yield living


def processes() -> dict[int, tuple[int, str]]:
    """Every process of the machine: its parent, and when it started."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if after_name[0] != "Z":
                found[int(folder.name)] = (int(after_name[1]), after_name[19])
    return found


def below(parent: int) -> dict[int, str]:
    """The descendants of a process, and when they started."""
    everybody = processes()
    family = {parent}
    while more := {pid for pid, (of, _) in everybody.items() if of in family} - family:
        family |= more
    return {pid: everybody[pid][1] for pid in family - {parent} if pid in everybody}


def alive(family: dict[int, str]) -> set[int]:
    everybody = processes()
    return {pid for pid, started in family.items() if pid in everybody and everybody[pid][1] == started}


def wait_for(what: Callable[[], Any], seconds: float, why: str) -> None:
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up, why
        time.sleep(0.05)


def test_a_run_survives_its_worker_and_the_door_and_pays_once(up_and_running: Living) -> None:
    living = up_and_running
    before = {seen.name: seen.pid for seen in up.status(living.place)}
    card = living.submit(notebook_of(ASK))
    wait_for(lambda: answers_given(living.db, card.run), 60, living.logs())
    paid, jail = spent(living), below(before["worker"] or 0)
    assert paid > 0 and len(jail) >= 2 and alive(jail) == set(jail), "the control: the jail lives"
    for name in ("worker", "serve"):
        os.kill(before[name] or 0, signal.SIGKILL)
    wait_for(lambda: not alive(jail), 10, "a process of the jail outlived its worker")
    wait_for(lambda: [s.name for s in up.status(living.place) if s.pid] == ["broker"], 30, "the killed are not gone")
    assert find(living.db, card.run).state is RunState.RUNNING
    after = {seen.name: seen.pid for seen in up.up(living.settings)}
    assert after["broker"] == before["broker"] and after["worker"] not in (None, before["worker"])
    card = living.wait(card)
    assert (card.state, find(living.db, card.run).epoch) == ("finished", 2), card.why
    assert len(outputs(living.db, card.run)) == 1
    assert spent(living) == paid, "the answer of the first epoch is the second's"
    asked = [e["detail"] for e in audit.search(living.db, kind="question.asked", limit=10)]
    assert len(asked) == 2 and len(answers_given(living.db, card.run)) == 1
    assert [entry.kind for entry in history(living.place)].count("reserved") == 1
    verify_house(living.place, living.db, living.keyring)


def test_a_run_called_off_before_its_jail_starts_does_not_end_the_worker(house: Living) -> None:
    opened = open_house(house.settings)
    with opened.closing():
        wall = worker.build_wall(house.settings)
        none_waits = Pool(wall, lambda: Line(control_path(house.settings.place)), 0)
        job = leased(house)
        cancel(house.db, "researcher", job.run)
        worker._carry_out(
            opened, wall, none_waits, job
        )  # no broker runs either: two reasons to end it, and it is ended already
        assert find(house.db, job.run).state is RunState.CANCELLED
        other = leased(house)
        worker._carry_out(opened, wall, none_waits, other)
        assert (find(house.db, other.run).state, find(house.db, other.run).why) == (RunState.FAILED, "broker.not_there")


def test_starting_and_looking_at_once_never_refuses_the_start(house: Living) -> None:
    """`up` looks whether a process runs while that process takes its lock."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            up.seen(house.place, "broker")

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for thread in lookers:
        thread.start()
    try:
        for _ in range(200):
            with up.alone(house.place, "broker"):
                pass
    finally:
        stop.set()
        for thread in lookers:
            thread.join()


def test_up_starts_what_was_still_dying_when_it_looked(up_and_running: Living) -> None:
    """A killed process keeps its lock until the kernel has let go of it: here somebody else lets go of it late."""
    place, door = up_and_running.place, up.seen(up_and_running.place, "serve").pid or 0
    os.kill(door, signal.SIGKILL)
    wait_for(lambda: up.seen(place, "serve").pid is None, 30, "the door is not gone")
    taken, over = threading.Event(), threading.Event()

    def dying() -> None:
        with up.alone(place, "serve"):
            taken.set()
            over.wait(2)

    other = threading.Thread(target=dying)
    other.start()
    assert taken.wait(10)
    threading.Timer(1, over.set).start()
    after = {seen.name: seen.pid for seen in up.up(up_and_running.settings)}
    other.join()
    assert after["serve"] not in (None, door, os.getpid())


def test_a_process_that_cannot_start_is_named_at_once(house: Living) -> None:
    (house.place.witness / "heads.jsonl").write_text("no line of ours\n")
    begun = time.monotonic()
    with pytest.raises(Incident) as told:
        up.up(house.settings)
    up.down(house.place)
    assert told.value.facts["name"] == "broker" and time.monotonic() - begun < 20
