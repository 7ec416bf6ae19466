"""Sensitivities as design §4 states them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET, VISITS

from enclave.catalogue.dataset import Dataset
from enclave.errors import Refused
from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import ONE_PER_PERSON, Norm, Style

ONE = 65_536


def of(sql: str, dataset: Dataset = DATASET) -> list[tuple[str | None, int, int]]:
    """(norm, clip, sensitivity) of each tally."""
    return [(t.norm.column, t.norm.clip, t.sensitivity) for t in tallies(parse(sql, dataset))]


def test_counts_cost_their_clip() -> None:
    assert of("SELECT COUNT(*) FROM visits") == [("unit_rows", 8, 8 * ONE)]
    assert of("SELECT dept, COUNT(*) FROM visits GROUP BY dept") == [("norm_dept", 5, 5 * ONE)]


def test_one_row_per_person_costs_one() -> None:
    assert of("SELECT sex, COUNT(*) FROM patients GROUP BY sex") == [(None, 1, ONE)]
    assert of("SELECT SUM(age) FROM patients") == [(None, 1, 90 * ONE)]
    assert of("SELECT SUM(balance) FROM patients") == [(None, 1, 50_000 * ONE)]


def test_a_sum_costs_its_total_clip_or_its_bound_times_a_count() -> None:
    assert of("SELECT dept, SUM(fee) FROM visits GROUP BY dept") == [("total_fee", 2_000_000, 2_000_000 * ONE)]
    assert of("SELECT dept, SUM(fee + 1) FROM visits GROUP BY dept") == [("norm_dept", 5, 5 * 5_000_100 * ONE)]


def test_a_mean_costs_half_its_width_times_the_clip_and_the_clip() -> None:
    assert of("SELECT dept, AVG(los_days) FROM visits GROUP BY dept") == [
        ("norm_dept", 5, 30 * 5 * ONE),
        ("norm_dept", 5, 5 * ONE),
    ]
    centred, counted = tallies(parse("SELECT AVG(change) FROM visits", DATASET))
    assert (centred.centre, centred.clamp, centred.factor) == (0, (-9, 9), 9)
    assert counted.counts


def test_several_aggregates_are_several_mechanisms() -> None:
    assert len(of("SELECT COUNT(*), COUNT(*), AVG(fee), COUNT(DISTINCT patient_id) FROM visits")) == 5


def test_persons_in_one_cell_cost_one() -> None:
    (tally,) = tallies(parse("SELECT COUNT(DISTINCT patient_id) FROM visits WHERE urgent", DATASET))
    assert (tally.style, tally.norm, tally.sensitivity) == (Style.DISTINCT, ONE_PER_PERSON, ONE)


def test_a_constant_term_still_costs_something() -> None:
    assert of("SELECT SUM(0) FROM visits") == [("unit_rows", 8, 8 * ONE)]
    assert of("SELECT AVG(1) FROM visits")[0][2] == 8 * ONE


def test_values_too_wide_for_their_weight_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        of("SELECT SUM(fee * fee * 10) FROM visits")
    assert refused.value.code == "query.too_wide"


def test_a_clip_too_wide_for_its_weight_is_refused() -> None:
    columns = tuple(replace(c, total_clip=2**40) if c.name == "fee" else c for c in VISITS.columns)
    wide = replace(DATASET, tables=(replace(VISITS, columns=columns), *DATASET.tables[:1]))
    with pytest.raises(Refused) as refused:
        of("SELECT SUM(fee) FROM visits", wide)
    assert refused.value.code == "query.too_wide_for_clip"


def test_a_norm_without_a_column_or_with_a_clip_below_one_cannot_exist() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Norm("unit_rows", 0)
    with pytest.raises(ValueError, match="at least 1"):
        Norm(None, 2)
