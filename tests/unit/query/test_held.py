"""What a question holds at once is proved from public sizes; a table's own class makes the proof, and the moment, nearer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET

from domicile import Survival
from enclave.catalogue.dataset import Dataset
from enclave.errors import Refused
from enclave.query import prepare
from enclave.query.held import MOST_BYTES
from enclave.query.moment import REPLY_CLASSES_MS

LIVES = """(SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id) AS r
JOIN patients USING (patient_id)"""
SURVIVAL = Survival("days", "back", LIVES, 5, 60, by="sex").sql
FOUR = (
    "SELECT AVG(a + b) FROM (SELECT patient_id, MAX(los_days) AS a, MIN(los_days) AS b, SUM(change) AS c, COUNT(*) AS d \
FROM visits GROUP BY patient_id HAVING COUNT(dept) > 0) AS each"
)
APART = "SELECT dept, COUNT(DISTINCT patient_id) FROM visits WHERE urgent GROUP BY dept"
COUNTED = "SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS each"


def sized(largest: int, **tables: int) -> Dataset:
    stated = tuple(replace(t, size_class=tables.get(t.name, 0)) for t in DATASET.tables)
    return replace(DATASET, size_class=largest, tables=stated)


@pytest.mark.parametrize("sql", [SURVIVAL, FOUR, APART], ids=["survival", "four", "apart"])
def test_what_may_not_fit_is_refused_and_a_stated_number_of_persons_makes_it_fit(sql: str) -> None:
    with pytest.raises(Refused) as refused:
        prepare(sql, sized(110_000_000), "1")
    assert refused.value.code == "within.too_many_persons"
    persons = 300_000 if sql is APART else 15_000_000
    assert prepare(sql, sized(110_000_000, patients=persons), "1").reply_ms <= REPLY_CLASSES_MS[-1]


STACKED = "(SELECT patient_id, los_days FROM visits UNION ALL SELECT patient_id, los_days FROM visits)"
FIND = "SELECT finding, COUNT(DISTINCT patient_id) FROM visits WHERE urgent GROUP BY finding"


def test_each_sum_of_rows_without_a_stored_norm_is_reckoned() -> None:
    """Measured at a million and a half rows: 138 bytes a row with one mean, 326 with eight (docs/reference/scale.md)."""
    means = [f"AVG({n} * los_days)" for n in range(1, 9)]
    held = [prepare(f"SELECT {', '.join(means[:n])} FROM {STACKED}", sized(1_500_000), "5").held for n in (1, 8)]
    assert [h / 3_000_000 for h in held] == [104 + 16 * 2, 104 + 16 * 16]
    assert prepare(f"SELECT AVG(los_days) FROM {STACKED}", sized(6_000_000), "5").held <= MOST_BYTES
    with pytest.raises(Refused) as refused:
        prepare(f"SELECT {', '.join(means)} FROM {STACKED}", sized(6_000_000), "5")
    assert refused.value.code == "within.too_many_persons"


def test_persons_by_an_unlisted_key_are_told_apart_too_where_rows_are_filtered() -> None:
    plain = FIND.replace("WHERE urgent ", "")
    assert prepare(plain, sized(30_000_000), "5").held == 0, "one row of each person and value carries the vote"
    assert prepare(FIND, sized(1_500_000), "5").held > 69 * 1_500_000, "what was measured"
    with pytest.raises(Refused) as refused:
        prepare(FIND, sized(30_000_000), "5")
    assert refused.value.code == "within.too_many_persons"


def test_levels_below_and_what_is_told_apart_above_them_are_added_up() -> None:
    level = "(SELECT patient_id, dept, MAX(los_days) AS m, MIN(los_days) AS l FROM visits GROUP BY patient_id, dept)"
    below = prepare(f"SELECT AVG(m - l) FROM {level}", sized(1_000_000), "1").held
    both = prepare(f"SELECT m, COUNT(DISTINCT patient_id) FROM {level} GROUP BY m", sized(1_000_000), "1").held
    assert both > below > 0


def test_rows_of_a_person_that_are_stored_hold_nothing() -> None:
    """Their number rests on one of them: no group is made, whatever there is, and the moment is that of a scan."""
    large = sized(110_000_000)
    assert prepare(COUNTED, large, "1").reply_ms <= 4 * prepare("SELECT COUNT(*) FROM visits", large, "1").reply_ms
    with pytest.raises(Refused):
        prepare(COUNTED.replace("GROUP", "WHERE urgent GROUP"), sized(MOST_BYTES // 30), "1")


def test_only_the_tables_that_are_read_fix_the_moment() -> None:
    """Ten million visits beside more diagnoses: survival leaves within two minutes; at the class of the largest, later."""
    stated = sized(25_000_000, patients=2_500_000, visits=11_000_000)
    assert prepare(SURVIVAL, stated, "1").reply_ms <= 120_000
    assert prepare(SURVIVAL, sized(25_000_000, patients=25_000_000 // 2), "1").reply_ms > 120_000
    count = "SELECT COUNT(*) FROM {}"
    moments = [prepare(count.format(t), stated, "1").reply_ms for t in ("patients", "visits", "diagnoses")]
    assert moments == sorted(set(moments))


def test_a_class_beyond_the_largest_is_that_of_the_largest() -> None:
    dataset = sized(1_000, visits=5_000, patients=10)
    assert [dataset.rows_of(t) for t in ("visits", "patients", "diagnoses")] == [1_000, 10, 1_000]
    assert [dataset.persons_of(t) for t in dataset.tables] == [10, 10, 10], "all are of persons"
