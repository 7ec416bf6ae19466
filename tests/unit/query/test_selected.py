"""What a filter lets through is estimated from text and the paid profile, and never looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.profiles import exact

from enclave.catalogue.profile import Profile
from enclave.query.question import parse
from enclave.query.selected import LEAST, share_of

EVERY = "SELECT COUNT(*) AS n FROM visits WHERE "


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(400, seed=11)


@pytest.fixture(scope="module")
def profile(rows: Rows) -> Profile:
    return exact(DATASET, rows)


def by_person(rows: Rows, passes: Callable[[dict[str, object]], bool]) -> float:
    """The same share, each person spread over their rows."""
    found: dict[object, list[bool]] = {}
    for row in rows["visits"]:
        found.setdefault(row["patient_id"], []).append(passes(row))
    return sum(sum(each) / len(each) for each in found.values()) / len(found)


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        ("urgent", lambda row: row["urgent"] is True),
        ("dept IN ('A', 'B')", lambda row: row["dept"] in ("A", "B")),
        ("NOT (dept = 'A' OR dept IS NULL)", lambda row: row["dept"] not in ("A", None)),
    ],
)
def test_conditions_on_words_are_what_the_histogram_says(
    rows: Rows, profile: Profile, where: str, passes: Callable[[dict[str, object]], bool]
) -> None:
    assert share_of(parse(EVERY + where, DATASET), profile) == pytest.approx(by_person(rows, passes), abs=0.01)


def test_without_a_filter_everything_passes(profile: Profile) -> None:
    assert share_of(parse("SELECT COUNT(*) AS n FROM visits", DATASET), profile) == 1


def test_conditions_on_several_columns_count_as_independent(profile: Profile) -> None:
    one, other, both = (
        share_of(parse(EVERY + w, DATASET), profile) for w in ("urgent", "los_days > 3", "urgent AND los_days > 3")
    )
    assert both == pytest.approx(one * other)
    assert 0 < both < min(one, other) < 1


def test_where_no_histogram_was_bought_values_are_thought_even(profile: Profile) -> None:
    bare = replace(profile, histograms=())
    assert share_of(parse(EVERY + "urgent", DATASET), bare) == pytest.approx(1 / 2)


def test_what_cannot_be_tried_lets_everything_through(profile: Profile) -> None:
    assert share_of(parse(EVERY + "los_days > change", DATASET), profile) == 1
    assert share_of(parse(EVERY + "los_days + 1 > 3", DATASET), profile) == 1


def test_no_filter_is_thought_to_let_nothing_through(profile: Profile) -> None:
    assert share_of(parse(EVERY + "los_days > 3 AND los_days < 2", DATASET), profile) == LEAST
