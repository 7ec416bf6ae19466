"""How fresh data are: from the shelf and the signed text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.oracle import clinic

from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import dataset_of, from_json, to_json
from enclave.catalogue.freshness import card_of
from enclave.errors import BadInput

FIRST, HERE = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 3, 2, tzinfo=UTC)


def stated(renewed: str) -> Dataset:
    covers = {"from": date(2020, 1, 1), "to": date(2024, 12, 31), "renewed": renewed}
    parsed = clinic.parsed(lambda tree: tree.update(covers=covers))
    return dataset_of(parsed, version=3, digest="d" * 64, policy_digest="p" * 64)


def test_what_the_text_states_is_in_the_dictionary_and_comes_back() -> None:
    dataset = stated("monthly")
    assert (dataset.covers_from, dataset.covers_to, dataset.renewed) == ("2020-01-01", "2024-12-31", "monthly")
    assert from_json(to_json(dataset)) == dataset


def test_who_states_nothing_is_spelt_as_ever() -> None:
    plain = dataset_of(clinic.parsed(), version=1, digest="d" * 64, policy_digest="p" * 64)
    assert "covers" not in to_json(plain) and "renewed" not in to_json(plain)


@pytest.mark.parametrize(
    ("renewed", "today", "due", "overdue"),
    [
        ("monthly", date(2025, 4, 1), date(2025, 4, 2), False),
        ("monthly", date(2025, 4, 3), date(2025, 4, 2), True),
        ("yearly", date(2025, 4, 3), date(2026, 3, 3), False),
        ("never", date(2030, 1, 1), None, False),
        ("irregularly", date(2030, 1, 1), None, False),
    ],
)
def test_a_version_is_due_one_period_after_the_one_before(
    renewed: str, today: date, due: date | None, overdue: bool
) -> None:
    found = card_of(stated(renewed), FIRST, HERE, 3, today)
    assert (found.due_on, found.overdue) == (due, overdue)
    assert found.every_days == 30.0 and found.covers_to == date(2024, 12, 31)


def test_a_first_version_was_never_renewed() -> None:
    assert card_of(stated("daily"), HERE, HERE, 1, HERE.date()).every_days is None


def test_a_span_that_ends_before_it_begins_is_bad_input() -> None:
    with pytest.raises(BadInput) as refused:
        clinic.parsed(lambda tree: tree.update(covers={"from": date(2024, 1, 1), "to": date(2023, 1, 1)}))
    assert "covers" in (refused.value.place or "")
