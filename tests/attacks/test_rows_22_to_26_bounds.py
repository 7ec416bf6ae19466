"""Rows 22 to 26: one person made to move an answer further than was paid, through what is done to a value or a row.

Whatever stands inside the aggregate is bounded by its own proof, after all joins, by weights that depend on one person's
rows and on nothing drawn: no sampling of rows, no public hash to aim at. A column without bounds has no answer.
"""

from __future__ import annotations

import re

import pytest
from tests.oracle.counterexamples import person, spread
from tests.oracle.extracts import DATASET, VISITS, Rows, random_rows, with_norms
from tests.oracle.persons import People
from tests.oracle.questions import ANSWERED

from enclave.errors import BadInput, Refused
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.price import prepare
from enclave.query.question import parse

NORM = VISITS.facets[0].norm
FAR: Rows = person([{"los_days": 60, "fee": 5_000_000, "change": 9}] * 40)

BLOWN_UP = [
    "SELECT SUM(los_days * 1000) FROM visits",
    "SELECT SUM(CASE WHEN fee = 50000 THEN 1000000 ELSE 0 END) FROM visits",
    "SELECT SUM(los_days * los_days * los_days) FROM visits",
    "SELECT SUM(los_days + 1000000) FROM visits",
    "SELECT AVG(fee * 1000) FROM visits",
    "SELECT dept, SUM(-fee * 3) FROM visits GROUP BY dept",
]


@pytest.mark.parametrize("sql", BLOWN_UP)
def test_row_22_what_is_summed_is_bounded_above_the_expression(sql: str) -> None:
    for rows in (FAR, spread(40)):
        with People(DATASET, rows) as people:
            assert people.ratio(sql) <= 1


def test_row_22_control_a_clamp_below_the_expression_bounds_nothing() -> None:
    """Clamping los_days to 60 and charging for 60 while 1000 times that is summed."""
    with People(DATASET, FAR) as people:
        ((moved,),) = people.connection.execute("SELECT sum(least(los_days, 60) * 1000) FROM extract.visits").fetchall()
    column = VISITS.column("los_days")
    assert column is not None
    assert column.total_clip is not None
    assert moved > 100 * column.total_clip


@pytest.mark.parametrize("sql", ["SELECT SUM(score) FROM visits", "SELECT AVG(score + los_days) FROM visits"])
def test_row_23_without_bounds_there_is_no_answer_rather_than_no_noise(sql: str) -> None:
    with pytest.raises((BadInput, Refused)) as refused:
        parse(sql, DATASET)
    assert refused.value.code == "query.no_bounds"
    assert refused.value.place


@pytest.mark.parametrize("epsilon", ["1000", "1", "0.001"])
def test_row_23_there_is_no_noiseless_scale(epsilon: str) -> None:
    for sql in ANSWERED[::5]:
        assert all(d.scale >= 1 and d.rho >= 1 for d in prepare(sql, DATASET, epsilon).draws)


def test_row_24_a_hundred_thousand_rows_weigh_no_more_than_the_clip() -> None:
    """The norm is stored on the row; the emitted statement applies it after every join."""
    (row,) = with_norms(VISITS, person([{}])["visits"])
    row |= dict.fromkeys(("unit_rows", *(f.norm for f in VISITS.facets)), 256 * 100000)
    with People(DATASET, FAR) as people:
        people.connection.execute("DELETE FROM extract.visits")
        named = ", ".join(f'"{n}"' for n in row)
        values = ", ".join("NULL" if v is None else f"'{v}'" for v in row.values())
        people.connection.execute(f"INSERT INTO extract.visits ({named}) SELECT {values} FROM range(100000)")
        for sql in ("SELECT COUNT(*) FROM visits", "SELECT p.sex, COUNT(*) FROM visits v JOIN patients p "
                    "USING (patient_id) GROUP BY p.sex"):  # fmt: skip
            assert people.ratio(sql) <= 1
        counted = people.connection.execute("SELECT count(*) FROM extract.visits").fetchall()
    assert counted == [(100_000,)]  # control: unweighed, one person moves the count by all of their rows


def test_rows_25_26_nothing_chooses_among_the_rows_of_a_person() -> None:
    """No statement of ours samples, numbers or hashes rows of the root: there is no draw to aim at or to correlate with.
    What a question numbers by a window is numbered within one person, in an order of the person's own."""
    for sql in ANSWERED:
        plan = parse(sql, DATASET)
        for statement in emitted(plan, tallies(plan)):
            rest = without_windows(statement.sql)
            assert not re.search(r"\b(limit|sample|random|hash|row_number|order by|over)\b", rest, re.IGNORECASE)


def without_windows(sql: str) -> str:
    """What stands outside OVER (PARTITION BY the person …) and the function before it."""
    while window := re.search(r'(row_number\(\))? OVER \(PARTITION BY t0\."patient_id"', sql):
        end, depth = sql.index("(", window.end(1) if window[1] else window.start()) + 1, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        sql = sql[: window.start()] + sql[end:]
    return sql


def test_row_25_weights_of_a_person_do_not_depend_on_anybody_else() -> None:
    rows = random_rows(12, seed=5)
    alone = {
        who: with_norms(VISITS, [r for r in rows["visits"] if r["patient_id"] == who]) for who in range(12)
    }  # each computed by itself
    together = with_norms(VISITS, rows["visits"])
    for who, mine in alone.items():
        norms = {row[NORM] for row in mine}
        assert norms == {row[NORM] for row in together if row["patient_id"] == who}


def test_row_25_control_keeping_the_first_rows_depends_on_the_others() -> None:
    """LIMIT without an order: whose rows are kept changes when somebody else's row is put before them."""
    with People(DATASET, person([{"dept": "A"}, {"dept": "B"}])) as people:
        kept = "SELECT dept FROM extract.visits LIMIT 1"
        before = people.connection.execute(kept).fetchall()
        people.connection.execute("DELETE FROM extract.visits WHERE dept = 'A'")
        assert before != people.connection.execute(kept).fetchall()
