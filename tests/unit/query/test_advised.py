"""With a profile each question gets the clip that serves it, says so, and names it in its keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.profiles import exact

from enclave.catalogue import Dataset, Histogram
from enclave.query import Priced, prepare, topic
from enclave.query.advised import kept, uneven_groups
from enclave.query.bounds import tallies
from enclave.query.question import parse

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
PERSONS = "SELECT dept, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dept"
MEAN = "SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept"


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(400, seed=11)


@pytest.fixture(scope="module")
def known(rows: Rows) -> Dataset:
    """As if 40 times these persons had been profiled without noise."""
    profile = exact(DATASET, rows)
    many = tuple(replace(h, counts=tuple(40 * c for c in h.counts)) for h in profile.histograms)
    return replace(DATASET, profile=replace(profile, histograms=many))


def clip(priced: Priced) -> int:
    return priced.clips[0]


def test_without_a_profile_the_policys_clip_stays() -> None:
    priced = prepare(COUNT, DATASET, "0.5")
    assert priced.clips == (5,)
    card = priced.quote.mechanisms[0]
    assert (card.clip, card.clip_by, card.clipped, card.clipped_about) == (5, "policy", None, None)
    assert "advisor" not in card.bound


def test_with_a_profile_the_clip_follows_the_price(known: Dataset) -> None:
    found = [clip(prepare(PERSONS, known, epsilon)) for epsilon in ("0.001", "0.01", "0.1", "1", "10")]
    assert found == sorted(found) and found[0] < found[-1]


def test_the_quote_says_who_chose_and_what_it_may_take(known: Dataset) -> None:
    card = prepare(COUNT, known, "1").quote.mechanisms[0]
    assert card.clip_by == "advisor" and f"clipped at {card.clip} (advisor)" in card.bound
    assert card.clipped is not None and card.clipped > 0
    assert card.clipped_about is not None and 0 <= card.clipped_about < 1


def test_behind_a_narrow_filter_the_quote_says_what_is_weighed_away_and_promises_no_bound(known: Dataset) -> None:
    narrow = COUNT.replace("GROUP", "WHERE los_days = 7 AND urgent GROUP")
    priced = prepare(narrow, known, "1")
    shares = [(card.clipped, card.clipped_about) for card in priced.quote.mechanisms]
    assert priced.plan.apart
    assert all(most is None and about is not None and 0 <= about < 1 for most, about in shares)
    assert [about for _, about in shares] == sorted((about for _, about in shares if about is not None), reverse=True)


def test_a_faint_profile_leaves_the_policys_clip_and_still_bounds(rows: Rows) -> None:
    faint = replace(DATASET, profile=exact(DATASET, rows, scale=65536 * 1_000))
    card = prepare(COUNT, faint, "1").quote.mechanisms[0]
    assert (card.clip, card.clip_by) == (5, "policy")
    assert card.clipped is not None and card.clipped_about is None


def test_a_mean_has_one_set_of_weights(known: Dataset) -> None:
    priced = prepare("SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits GROUP BY dept", known, "1")
    count, total, rows = priced.clips
    assert total == rows < count and len(priced.statements) == 1
    assert clip(prepare(MEAN, known, "1")) < clip(prepare(COUNT, known, "1"))


def test_tallies_by_other_norms_have_other_clips(known: Dataset) -> None:
    priced = prepare("SELECT dept, COUNT(*) AS n, SUM(los_days) AS days FROM visits GROUP BY dept", known, "1")
    assert len({d.tally.norm.column for d in priced.draws}) == 2
    assert all(d.tally.norm.advised for d in priced.draws)


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT COUNT(*) AS n FROM visits", "unit_rows"),
        ("SELECT dept, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dept", "distinct_dept"),
        ("SELECT dept, COUNT(DISTINCT patient_id) AS n FROM visits WHERE urgent GROUP BY dept", "distinct_dept"),
        ("SELECT SUM(fee) AS f FROM visits", "total_fee"),
        ("SELECT SUM(age) AS a FROM patients", "total_age"),
        ("SELECT code, COUNT(*) AS n FROM diagnoses GROUP BY code", "norm_code"),
    ],
)
def test_every_stored_norm_is_advised_on(known: Dataset, sql: str, column: str) -> None:
    priced = prepare(sql, known, "1")
    tally = priced.draws[0].tally
    if column == "total_age":  # nobody adds more than 90: counted with one row each
        assert tally.norm.column is None and priced.quote.mechanisms[0].clipped == 0
        return
    assert (tally.norm.column, tally.norm.advised) == (column, True)


def test_where_no_clip_is_needed_nothing_is_taken(known: Dataset) -> None:
    card = prepare("SELECT sex, COUNT(*) AS n FROM patients GROUP BY sex", known, "1").quote.mechanisms[0]
    assert (card.clip, card.clip_by, card.clipped) == (None, None, 0)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(DISTINCT dx) AS n FROM visits",
        "SELECT AVG(n) AS a FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS e",
        "SELECT COUNT(*) AS n FROM visits v JOIN diagnoses d USING (patient_id)",
    ],
)
def test_what_the_advisor_does_not_choose_is_the_policys(known: Dataset, sql: str) -> None:
    assert prepare(sql, known, "1").clips == prepare(sql, DATASET, "1").clips


def test_keys_name_the_clip_and_the_profile(known: Dataset) -> None:
    low, high = prepare(COUNT, known, "0.01"), prepare(COUNT, known, "10")
    assert low.clips != high.clips and low.answer_key != high.answer_key
    assert low.statements != high.statements
    assert topic(low) == topic(high) == topic(prepare(COUNT, DATASET, "1")), "one topic, whatever the clip"
    moved = tallies(low.plan)
    assert [t.norm.clip for t in kept(low.plan, moved, known.profile, low.clips)] == list(low.clips)


def test_by_accuracy_the_noise_is_as_asked_and_the_price_falls_with_the_clip(known: Dataset) -> None:
    advised, policy = (prepare(COUNT, d, None, "60", "0.95") for d in (known, DATASET))
    assert advised.draws[0].scale == policy.draws[0].scale, "the same noise"
    assert advised.clips != policy.clips and (advised.rho < policy.rho) == (advised.clips < policy.clips)


def test_the_advisor_never_raises_a_price(known: Dataset) -> None:
    for sql in (COUNT, MEAN):
        assert prepare(sql, known, "0.5").epsilon <= 0.5


def test_small_groups_ask_for_less_noise_in_a_mean(known: Dataset) -> None:
    """By the paid histogram of the key: one large group and five small ones are told worse than six alike."""
    profile = known.profile
    assert profile is not None
    dept = profile.of("visits", "dept")
    assert dept is not None
    alike = replace(dept, counts=tuple(100_000 * 65536 for _ in dept.counts))
    uneven = replace(dept, counts=(400_000 * 65536, *(10_000 * 65536 for _ in dept.counts[1:])))

    def groups(histogram: Histogram) -> float:
        others = (*(h for h in profile.histograms if h is not dept), histogram)
        return uneven_groups(parse(MEAN, DATASET), replace(profile, histograms=others))

    assert groups(alike) == pytest.approx(6)
    assert groups(uneven) > 20


def test_most_of_the_price_of_a_median_is_for_the_number() -> None:
    low, point, high = prepare("SELECT MEDIAN(los_days) AS m FROM visits", DATASET, "1").draws
    assert low.rho == high.rho and point.rho == pytest.approx(3 * low.rho, rel=1e-6)


def test_a_mean_by_values_that_are_still_to_be_found_has_a_price_where_a_profile_was_bought(known: Dataset) -> None:
    """Nobody knows yet how many there are: they were taken for none, and what one of none costs has no words."""
    by_finding = "SELECT finding, AVG(los_days) AS los FROM visits GROUP BY finding"
    assert known.profile is not None
    assert uneven_groups(parse(by_finding, DATASET), known.profile) == 40, "as many as there may be"
    found, control = prepare(by_finding, known, "1"), prepare(by_finding, DATASET, "1")
    assert found.rho > 0 and control.rho > 0
    assert found.draws[0].tally.norm.advised and not control.draws[0].tally.norm.advised
