"""A channel is bound once, to (run, lease epoch), and whoever speaks on it before has it ended."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.channels import broker, leased
from tests.living import Living

from domicile.wire import frame
from enclave.broker.channel import MOST_UNBOUND, Line, control_path
from enclave.errors import Incident, Refused

DESCRIBE = {"verb": "describe", "dataset": "hospital", "id": 1}


@pytest.fixture
def door(house: Living) -> Iterator[Path]:
    with broker(house):
        yield control_path(house.settings.place)


def is_ended(end: socket.socket) -> bool:
    """Nothing comes but the end, abrupt where something was left unread."""
    end.settimeout(10)
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_bound_channel_answers_for_its_run(house: Living, door: Path) -> None:
    job = leased(house)
    with Line(door) as line:
        line.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
        frame.send(line.channel, DESCRIBE)
        assert frame.receive(line.channel)[0]["ok"], "the control"


def test_bytes_before_binding_end_the_channel_at_once(house: Living, door: Path) -> None:
    with Line(door) as line:
        frame.send(line.channel, DESCRIBE)
        assert is_ended(line.control) and is_ended(line.channel)


def test_bytes_that_race_the_binding_are_never_answered(house: Living, door: Path) -> None:
    job = leased(house)
    for _ in range(20):
        with Line(door) as line:
            frame.send(line.channel, DESCRIBE)
            with pytest.raises((Refused, Incident)):
                line.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
            assert is_ended(line.channel)


def test_nobody_elses_run_is_bound(house: Living, door: Path) -> None:
    job = leased(house)
    wrong = ({"run": "run_0"}, {"epoch": job.epoch + 1}, {"worker": "another"})
    for changed in wrong:
        with Line(door) as line, pytest.raises(Refused):
            line.bind(**{"run": job.run, "epoch": job.epoch, "worker": job.worker or "", **changed})  # type: ignore[arg-type]  # one of three


def test_it_is_bound_once(house: Living, door: Path) -> None:
    """The second word on a line is no binding: the line is a bell by then."""
    job, other = leased(house), leased(house)
    with Line(door) as line:
        line.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
        frame.send(line.control, {"run": other.run, "epoch": other.epoch, "worker": other.worker})
        frame.send(line.channel, DESCRIBE)
        assert frame.receive(line.channel)[0]["ok"]
        line.control.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.control.recv(1)


def test_a_run_has_one_channel_and_a_new_one_ends_the_one_before(house: Living, door: Path) -> None:
    job = leased(house)
    with Line(door) as first, Line(door) as second:
        first.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
        frame.send(first.channel, DESCRIBE)
        assert frame.receive(first.channel)[0]["ok"], "the control"
        second.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
        frame.send(second.channel, DESCRIBE)
        assert frame.receive(second.channel)[0]["ok"] and is_ended(first.channel)


def test_channels_of_nobodys_are_counted(house: Living, door: Path) -> None:
    kept: list[Line] = []
    try:
        with pytest.raises((Refused, Incident)):
            for _ in range(MOST_UNBOUND + 8):
                kept.append(Line(door))
        assert len(kept) == MOST_UNBOUND
        kept.pop().close()
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            try:
                kept.append(Line(door))
                break
            except (Refused, Incident):
                time.sleep(0.05)
        assert len(kept) == MOST_UNBOUND, "what is given up can be given again"
    finally:
        for line in kept:
            line.close()
