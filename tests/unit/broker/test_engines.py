"""Which engines stand open: opening one extract keeps no question on another waiting."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.oracle.extracts import DATASET, KEY, build, random_rows

from enclave.broker import engines
from enclave.broker.engines import OpenExtracts
from enclave.store import Keyring, Place

OTHER = replace(DATASET, name="other")


@pytest.fixture
def extracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenExtracts:
    """Of one small extract, whose key is found at once."""
    path = build(tmp_path / "one.duckdb", DATASET, random_rows(3, seed=1))
    place = Place(tmp_path)
    monkeypatch.setattr(engines, "open_key", lambda *_: (path, KEY))
    return OpenExtracts(place, Keyring(place))


def test_who_opens_one_extract_keeps_nobody_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: ask the largest extract first: every question on the others is late, an incident, and its project frozen."""
    path = build(tmp_path / "one.duckdb", DATASET, random_rows(3, seed=1))
    place, begun, may_open = Place(tmp_path), threading.Event(), threading.Event()
    extracts = OpenExtracts(place, Keyring(place))

    def slowly(_place: object, _keyring: object, dataset: object) -> tuple[Path, str]:
        if dataset == OTHER:
            begun.set()
            assert may_open.wait(20)
        return path, KEY

    monkeypatch.setattr(engines, "open_key", slowly)
    first = extracts.engine(DATASET)
    opening = threading.Thread(target=extracts.engine, args=(OTHER,))
    opening.start()
    assert begun.wait(20)
    asked = threading.Thread(target=lambda: found.append(extracts.engine(DATASET)))
    found: list[object] = []
    asked.start()
    asked.join(10)
    held_up = asked.is_alive()
    may_open.set()
    opening.join(20)
    assert not held_up and found == [first]
    assert extracts.is_open(OTHER)
    extracts.close()


def test_an_engine_that_was_shut_is_forgotten_by_a_charge_after_its_freeze_alone(extracts: OpenExtracts) -> None:
    first, frozen = extracts.engine(DATASET), list[int]()
    first.close()

    def freeze() -> int:
        frozen.append(7)
        return 7

    for _ in range(2):  # found shut twice, frozen once
        extracts.closed(first, freeze)
    assert frozen == [7]
    for charged_before in (3, 7):
        extracts.charged(DATASET, charged_before)
        assert extracts.engine(DATASET) is first and not extracts.is_open(DATASET)
    extracts.charged(DATASET, 9)
    assert extracts.found(DATASET) is None
    assert extracts.engine(DATASET) is not first and extracts.is_open(DATASET)
    extracts.close()


def test_an_engine_that_was_shut_with_its_extract_freezes_nobody(extracts: OpenExtracts) -> None:
    gone = extracts.engine(DATASET)
    extracts.close_destroyed(lambda _: True)
    extracts.closed(gone, pytest.fail)
    assert not gone.is_open
