"""COUNT(DISTINCT column): no person moves it further than declared, whoever else is there."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Row, Rows, random_rows, with_norms, without_limits
from tests.oracle.persons import Cells, People
from tests.oracle.questions import VALUES

from enclave.errors import EnclaveError
from enclave.query.answer import execute
from enclave.query.bounds import tallies
from enclave.query.engine import Engine
from enclave.query.mechanisms import discrete_gaussian
from enclave.query.plan import Plan
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.tally import Norm, Tally


def without(rows: Rows, person: int) -> Rows:
    return {table: [row for row in mine if row["patient_id"] != person] for table, mine in rows.items()}


def moved_by(rows: Rows, person: int, questions: list[tuple[Plan, tuple[Tally, ...]]]) -> list[list[float]]:
    """l2 of what leaving the person out changes, over what is declared, for every tally."""
    found: list[list[list[Cells]]] = []
    for some in (rows, without(rows, person)):
        with People(DATASET, some) as people:
            found.append([people.vectors(plan, moved) for plan, moved in questions])
    ratios = []
    for (_, moved), with_all, with_less in zip(questions, *found, strict=True):
        ratios.append(
            [
                sum((one.get(k, 0) - less.get(k, 0)) ** 2 for k in one | less) ** 0.5 / tally.sensitivity
                for tally, one, less in zip(moved, with_all, with_less, strict=True)
            ]
        )
    return ratios


@pytest.mark.parametrize("seed", range(6))
def test_no_person_moves_it_further_than_declared(seed: int) -> None:
    rows = random_rows(4, seed)
    questions = [(plan, tallies(plan)) for plan in (parse(sql, DATASET) for sql in VALUES)]
    for person in range(4):
        for sql, ratios in zip(VALUES, moved_by(rows, person, questions), strict=True):
            assert max(ratios) <= 1, (sql, person)


def person(visits: list[Row]) -> Rows:
    plain = random_rows(30, 2)["visits"][0]
    made = [{**plain, "patient_id": 0, "visit_id": at, **visit} for at, visit in enumerate(visits)]
    return {"patients": [], "visits": made, "diagnoses": []}


def test_one_person_reaches_what_is_declared_and_the_root_alone_would_not_hold() -> None:
    """Control: weighed by the stored root instead of its square, k values move the count by 2·√k."""
    rows = person([{"dept": d, "dx": "I10"} for d in "ABCDEF"])
    plan = parse("SELECT COUNT(DISTINCT dept) FROM visits", DATASET)
    (tally,) = tallies(plan)
    assert tally.norm == Norm("distinct_dept", 2, squared=True)
    assert tally.sensitivity == 4 * 65536
    assert moved_by(rows, 0, [(plan, (tally,))])[0][0] == pytest.approx(1, rel=1e-2)
    wrong = replace(tally, norm=replace(tally.norm, squared=False))
    assert moved_by(rows, 0, [(plan, (wrong,))])[0][0] > 2


def test_it_is_near_the_truth_when_nobody_is_clipped(engine: Engine, small_rows: Rows) -> None:
    sql = "SELECT COUNT(DISTINCT dept) AS d, COUNT(DISTINCT ward) AS w, COUNT(DISTINCT visit_id) AS v FROM visits"
    priced = prepare(sql, without_limits(DATASET), "1")
    exact = [t[0] / 65536 for t in engine.totals(priced.statements, (), 10_000)]
    known = [{row[c] for row in small_rows["visits"]} - {None} for c in ("dept", "ward", "visit_id")]
    assert exact == [len(k) for k in known]
    (row,) = pa.ipc.open_stream(execute(prepare(sql, DATASET, "1000"), engine).body).read_all().to_pylist()
    assert row["d"] == pytest.approx(6, abs=8 * row["d_se"])
    assert row["d_low"] < row["d"] < row["d_high"]


def test_the_norm_is_that_of_the_facet_only_where_a_person_falls_into_one_group() -> None:
    def norm(sql: str) -> str | None:
        return tallies(parse(sql, DATASET))[0].norm.column

    assert norm("SELECT COUNT(DISTINCT dx) FROM visits") == "distinct_dx"
    assert norm("SELECT dept, COUNT(DISTINCT dx) FROM visits GROUP BY dept") == "unit_rows"
    assert norm("SELECT COUNT(DISTINCT COALESCE(dx, 'I10')) FROM visits") == "unit_rows"
    assert norm("SELECT COUNT(DISTINCT age) FROM patients") is None


def test_it_is_priced_by_the_map() -> None:
    (draw,) = prepare("SELECT COUNT(DISTINCT dx) FROM visits", DATASET, "1").draws
    assert draw.rho >= discrete_gaussian(draw.scale).map(float(draw.tally.sensitivity)) * 10**9


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT COUNT(DISTINCT dept, ward) FROM visits", "query.distinct_other"),
        ("SELECT SUM(DISTINCT los_days) FROM visits", "query.distinct_other"),
        ("SELECT COUNT(DISTINCT nothing) FROM visits", "query.unknown_column"),
        (
            "SELECT COUNT(DISTINCT d.code) FROM visits v JOIN diagnoses d USING (patient_id)",
            "query.distinct_values_here",
        ),
    ],
)
def test_other_distincts_are_refused_in_words(sql: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code


def test_the_oracle_rows_carry_their_norms() -> None:
    assert all("distinct_dept" in row for row in with_norms(DATASET.tables[1], random_rows(3, 1)["visits"]))
