"""Products of columns as one vector: the entries that are true, how long one row's vector is, what is refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Row, Rows

from enclave.errors import EnclaveError
from enclave.query.answer import execute
from enclave.query.bounds import tallies
from enclave.query.engine import Engine
from enclave.query.mechanisms import price, scale_for
from enclave.query.plan import Sort
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.sscp import HALF, ONE, Matrix, matrix_in

FREE = replace(
    DATASET,
    tables=tuple(
        replace(
            t,
            row_clip=t.row_clip if t.one_row_per_person else 40,
            facets=tuple(replace(f, clip=40) for f in t.facets),
        )
        for t in DATASET.tables
    ),
)
"""No person of the small extract has more rows: nothing is clipped."""

QUIET = "1000"
JOINED = (
    "SELECT SSCP(v.los_days, v.fee, p.sex, v.urgent) AS m FROM visits v JOIN patients p USING (patient_id) "
    "WHERE v.dept IS NOT NULL"
)


def asked(engine: Engine, sql: str, epsilon: str = QUIET) -> list[Row]:
    executed = execute(prepare(sql, FREE, epsilon), engine)
    assert not executed.incident
    found: list[Row] = pa.ipc.open_stream(executed.body).read_all().to_pylist()
    return found


def matrix(sql: str) -> Matrix:
    found = matrix_in(parse(sql, DATASET))
    assert found is not None
    return found


def z(value: object, middle: float, half: float) -> float:
    return (float(str(value)) - middle) / half


def slots_of(row: Row, sex: object) -> dict[tuple[str, str | None], float]:
    """The slots of one visit, worked out by hand."""
    return {
        ("1", None): 1.0,
        ("los_days", None): z(row["los_days"], 30, 512 / 17),
        ("fee", None): z(row["fee"], 2_500_000, 2_500_000),
        ("sex", "F"): float(sex == "F"),
        ("sex", "M"): float(sex == "M"),
        ("urgent", "true"): float(row["urgent"] is True),
    }


def named(row: Row, side: str) -> tuple[str, str | None]:
    code = row[f"{side}_code"]
    return str(row[side]), None if code is None else str(code)


def test_every_entry_is_the_sum_it_says(engine: Engine, small_rows: Rows) -> None:
    sexes = {p["patient_id"]: p["sex"] for p in small_rows["patients"]}
    rows = [
        slots_of(v, sexes[v["patient_id"]])
        for v in small_rows["visits"]
        if None not in (v["dept"], v["los_days"], v["fee"], v["urgent"], sexes[v["patient_id"]])
    ]
    found = asked(engine, JOINED)
    assert len(found) == 1 + 5 + 2 + (1 + 2 + 1 + 2 + 1 + 2)
    for row in found:
        left, right = named(row, "left"), named(row, "right")
        shift = 0.5 if left == right and left in (("los_days", None), ("fee", None)) else 0.0
        truth = sum(r[left] * r[right] - shift for r in rows)
        assert row["m"] == pytest.approx(truth, abs=8 * float(str(row["m_se"])) + len(rows) / HALF), (left, right)
        assert float(str(row["m_low"])) < float(str(row["m"])) < float(str(row["m_high"]))


def test_a_number_says_the_middle_of_its_bounds_and_where_z_is_1(engine: Engine) -> None:
    found = asked(engine, JOINED)
    middles = {(row["right"], row["right_middle"], row["right_half"]) for row in found if row["right_code"] is None}
    assert middles == {("1", None, None), ("los_days", 30.0, 512 / 17), ("fee", 25_000.0, 25_000.0)}


def test_entries_of_a_group_are_those_of_its_rows(engine: Engine) -> None:
    whole = asked(engine, "SELECT SSCP(los_days, change) AS m FROM visits WHERE dept IN ('A', 'B')")
    parts = asked(engine, "SELECT dept, SSCP(los_days, change) AS m FROM visits GROUP BY dept")
    assert len(parts) == 7 * len(whole)
    for at, row in enumerate(whole):
        mine = [p for p in parts[at :: len(whole)] if p["dept"] in ("A", "B")]
        assert {(p["left"], p["right"]) for p in mine} == {(row["left"], row["right"])}
        total, se = sum(float(str(p["m"])) for p in mine), float(str(row["m_se"]))
        assert float(str(row["m"])) == pytest.approx(total, abs=20 * se)


def corners(made: Matrix) -> Iterator[dict[tuple[int, str | None], int]]:
    """Rows at the ends of every bound, with every code and with none."""
    choices: list[list[dict[tuple[int, str | None], int]]] = []
    for at, variable in enumerate(made.variables):
        if variable.is_number:
            choices.append([{(at, None): end} for end in (-HALF, 0, HALF)])
        else:
            listed: list[tuple[int, str | None]] = [(at, c) for c in variable.codes]
            choices.append([{slot: HALF * (slot == has) for slot in listed} for has in (*listed, None)])
    for combination in itertools.product(*choices):
        yield {k: v for part in combination for k, v in part.items()} | {(-1, None): HALF}


@pytest.mark.parametrize(
    "columns", ["los_days, fee", "los_days, dept", "urgent, dx, dept", "los_days, change, fee, dx, urgent"]
)
def test_no_row_is_longer_than_declared_and_some_row_is_as_long(columns: str) -> None:
    made, longest, most = matrix(f"SELECT SSCP({columns}) FROM visits"), 0, 0
    for slots in corners(made):
        square = together = 0
        for a, b in made.entries:
            value = slots[a.at, a.code] * slots[b.at, b.code]
            value -= ONE // 2 if a == b and a.at >= 0 and a.code is None else 0
            square, together = square + value**2, together + abs(value)
        longest, most = max(longest, square), max(most, together)
    assert longest <= made.length**2
    assert math.isqrt(longest - 1) + 1 == made.length
    assert most == made.length_together > made.length, "in l1, which pure ε is priced by"


def test_in_pure_epsilon_a_matrix_is_one_draw_of_laplace_noise_under_the_rows_of_a_person() -> None:
    sql = "SELECT dept, SSCP(los_days, change, urgent) FROM visits GROUP BY dept"
    (draw,) = prepare(sql, DATASET, "1", pure=True).draws
    made = matrix(sql)
    assert (draw.mechanism, draw.nano_epsilon, draw.tally.norm.column) == ("discrete_laplace", 10**9, "unit_rows")
    assert draw.tally.sensitivity == made.length_together * 8 * 65_536
    assert made.length_together == (1 + 3 + 1 + 3) * ONE, "itself, three variables, two halves of squares, three pairs"


def test_one_vector_is_less_noisy_than_its_entries_one_by_one() -> None:
    plan = parse("SELECT SSCP(los_days, dept, dx, urgent) FROM visits", DATASET)
    (tally,) = tallies(plan)
    made, rho = matrix("SELECT SSCP(los_days, dept, dx, urgent) FROM visits"), 10**7
    together = scale_for(rho, tally.sensitivity) / float(tally.unit)
    alone = scale_for(rho // made.count, tally.norm.reach * 65_536) / 65_536
    assert made.count > 50
    assert together < 0.55 * alone
    assert price(scale_for(rho, tally.sensitivity), tally.sensitivity) <= rho


def test_a_code_costs_the_same_however_many_codes_its_list_has() -> None:
    lengths = {c: matrix(f"SELECT SSCP(los_days, {c}) FROM visits").length for c in ("urgent", "dx", "dept", "ward")}
    assert len(set(lengths.values())) == 1


def test_numbers_codes_and_conditions_each_have_their_slots() -> None:
    made = matrix(
        "SELECT SSCP(los_days * 2, dx, los_days > 3, CASE WHEN change < 0 THEN 'down' ELSE 'up' END) FROM visits"
    )
    assert [v.term.type.sort for v in made.variables] == [Sort.NUMBER, Sort.CODE, Sort.TRUTH, Sort.CODE]
    assert [s.code for s in made.slots] == [None, None, *["I10", "E11", "J18", "C50"], "true", "down", "up"]
    assert [v.name for v in made.variables] == ["column_1", "dx", "column_3", "column_4"]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT SSCP(los_days) FROM visits", "query.matrix"),
        ("SELECT SSCP(los_days, " + ", ".join(f"change + {i}" for i in range(20)) + ") FROM visits", "query.matrix"),
        ("SELECT SSCP(los_days, los_days) FROM visits", "query.matrix_twice"),
        ("SELECT SSCP(los_days, score) FROM visits", "query.no_bounds"),
        ("SELECT SSCP(los_days, admitted_on) FROM visits", "query.needs_number"),
        ("SELECT SSCP(los_days, visit_id) FROM visits", "query.needs_number"),
        ("SELECT SSCP(los_days, patient_id) FROM visits", "query.unit_key"),
        ("SELECT SSCP(los_days, *) FROM visits", "query.not_in_grammar"),
        ("SELECT SSCP(los_days, NULL) FROM visits", "query.bare_null"),
        ("SELECT SSCP(los_days, change), COUNT(*) FROM visits", "query.matrix_alone"),
        ("SELECT dept FROM visits GROUP BY dept HAVING SSCP(los_days, change) > 1", "query.no_aggregate"),
        ("SELECT SSCP(los_days, change) * 2 FROM visits", "query.function"),
        ("SELECT SSCP(los_days, change) FILTER (WHERE urgent) FROM visits", "after.filter"),
        ("SELECT SSCP(DISTINCT los_days, change) FROM visits", "query.matrix"),
        (
            "SELECT AVG(m) FROM (SELECT patient_id, SSCP(los_days, change) AS m FROM visits GROUP BY 1)",
            "query.function",
        ),
        ("SELECT dept AS right_half, SSCP(los_days, change) FROM visits GROUP BY dept", "query.duplicate_alias"),
        (
            "SELECT SSCP(los_days, dept, dx, ward, change, fee) FROM visits GROUP BY ward, urgent",
            "query.too_many_cells",
        ),
    ],
)
def test_what_is_no_matrix_is_refused_in_words_and_at_its_place(sql: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code
    assert refused.value.words("en") and refused.value.words("zh")


def test_too_many_codes_are_refused() -> None:
    wide = tuple(f"C{i}" for i in range(100))
    tables = tuple(
        replace(t, columns=tuple(replace(c, codes=wide) if c.name in ("dx", "ward") else c for c in t.columns))
        for t in DATASET.tables
    )
    with pytest.raises(EnclaveError) as refused:
        prepare("SELECT SSCP(los_days, dx, ward) FROM visits", replace(DATASET, tables=tables), "1")
    assert refused.value.code == "query.matrix_too_large"


def test_no_accuracy_is_promised_and_other_columns_are_another_answer() -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(JOINED, DATASET, None, "50")
    assert refused.value.code == "query.accuracy_of_others"
    keys = {
        prepare(f"SELECT SSCP({c}) FROM visits", DATASET, "1").answer_key for c in ("los_days, fee", "fee, los_days")
    }
    assert len(keys) == 2


def test_what_it_reads_is_held_against_the_grant() -> None:
    assert ("patients", "sex") in parse(JOINED, DATASET).variables
    made = "SELECT SSCP(l, s) FROM (SELECT patient_id, los_days AS l, urgent AS s FROM visits)"
    assert {("visits", "los_days"), ("visits", "urgent")} <= parse(made, DATASET).variables


def test_a_failing_engine_answers_in_the_ordinary_shape() -> None:
    class Broken:
        def totals(self, *_: object) -> list[list[int]]:
            raise RuntimeError

    done = execute(prepare(JOINED, DATASET, "1"), Broken())
    table = pa.ipc.open_stream(done.body).read_all()
    assert done.incident
    assert table.num_rows == matrix(JOINED).count
