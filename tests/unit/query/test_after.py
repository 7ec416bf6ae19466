"""What is done with noisy answers: arithmetic with its interval, HAVING, FILTER; each refusal in words."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, random_rows, without_limits
from tests.oracle.persons import People

from domicile.wire.words import catalogue
from enclave.errors import EnclaveError
from enclave.query import after
from enclave.query.answer import execute
from enclave.query.bounds import tallies
from enclave.query.plan import Key, Plan
from enclave.query.price import Priced, prepare
from enclave.query.question import parse
from enclave.query.reckon import Post, Reckon

REFUSED = [
    ("SELECT AVG(fee) / COUNT(*) FROM visits", "after.only_totals"),
    ("SELECT 2 * MEDIAN(los_days) FROM visits", "after.only_totals"),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept HAVING SUM(fee) > 1", "after.having"),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept HAVING dept = 'A'", "after.having"),
    ("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept HAVING n", "after.having"),
    ("SELECT ROW_NUMBER() FILTER (WHERE urgent) FROM visits", "after.filter"),
    ("SELECT COUNT() FILTER (WHERE urgent) FROM visits", "after.filter"),
    ("SELECT SUM(fee) / dept FROM visits GROUP BY dept", "query.not_grouped"),
    ("SELECT SUM(fee) / 'x' FROM visits", "query.not_in_grammar"),
    ("SELECT SUM(fee) % COUNT(*) FROM visits", "query.aggregate_here"),
    ("SELECT " + "1 + " * 100 + "COUNT(*) FROM visits", "query.too_deep"),
]


@pytest.mark.parametrize(("sql", "code"), REFUSED, ids=[s[:60] for s, _ in REFUSED])
def test_it_is_refused_in_words(sql: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code, refused.value.words("en")
    assert refused.value.words("zh")


def test_every_refusal_is_tried() -> None:
    assert {c for c in catalogue() if c.startswith("after.")} == {c for _, c in REFUSED if c.startswith("after.")}


def answered(priced: Priced) -> dict[str, list[float]]:
    class Exact:
        """The exact totals of random rows, as an engine gives them."""

        def totals(self, statements: object, keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
            with People(DATASET, random_rows(60, seed=5)) as people:
                found = people.vectors(priced.plan, tuple(d.tally for d in priced.draws))
            domain = keys[0].domain if keys else ()
            return [[v.get((k,), 0) for k in domain] if keys else [v[()]] for v in found]

    done = execute(priced, Exact())
    assert not done.incident
    columns: dict[str, list[float]] = pa.ipc.open_stream(done.body).read_all().to_pydict()
    return columns


def test_a_ratio_is_drawn_from_two_numbers_and_paid_as_two() -> None:
    priced = prepare("SELECT dept, SUM(los_days) / COUNT(*) AS r FROM visits GROUP BY dept", DATASET, "100")
    assert [d.tally.aggregate for d in priced.draws] == [0, 1]
    assert priced.quote.columns == ("dept", "r")
    found = answered(priced)
    assert list(found) == ["dept", "r", "r_se", "r_low", "r_high"]
    for value, error, low, high in zip(found["r"], found["r_se"], found["r_low"], found["r_high"], strict=True):
        assert low <= value <= high
        assert 0 < error < high - low


def test_what_stands_twice_is_drawn_once_and_agrees() -> None:
    sql = "SELECT SUM(los_days) AS s, COUNT(*) AS n, SUM(los_days) / COUNT(*) AS r, (COUNT(*) - 5) * 2 AS t FROM visits"
    priced = prepare(sql, DATASET, "100")
    assert len(priced.draws) == 2
    found = answered(priced)
    assert found["r"][0] == pytest.approx(found["s"][0] / found["n"][0])
    assert found["t"][0] == pytest.approx(2 * found["n"][0] - 10)


def test_having_keeps_the_answers_it_says() -> None:
    sql = "SELECT dept, COUNT(*) AS n, SUM(fee) AS s FROM visits GROUP BY dept"
    for condition in ("n > 20", "COUNT(*) > 20", "20 < n", "NOT n <= 20", "n > 20 AND (s > -1 OR s <= -1)"):
        found = answered(prepare(f"{sql} HAVING {condition} ORDER BY n DESC", DATASET, "1000"))
        assert 0 < len(found["n"]) < 7
        assert all(n > 20 for n in found["n"])
        assert found["n"] == sorted(found["n"], reverse=True)


def test_the_price_of_having_is_nothing() -> None:
    sql = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
    plain, kept = prepare(sql, DATASET, "1"), prepare(sql + " HAVING n > 3", DATASET, "1")
    assert (plain.rho, plain.statements) == (kept.rho, kept.statements)
    assert plain.answer_key != kept.answer_key


@pytest.mark.parametrize(
    ("filtered", "plain"),
    [
        ("COUNT(*) FILTER (WHERE urgent)", "COUNT(CASE WHEN urgent THEN 1 END)"),
        ("SUM(fee) FILTER (WHERE urgent)", "SUM(CASE WHEN urgent THEN fee END)"),
        ("AVG(los_days) FILTER (WHERE dx = 'I10')", "AVG(CASE WHEN dx = 'I10' THEN los_days END)"),
    ],
)
def test_filter_is_case(filtered: str, plain: str) -> None:
    one, other = (
        parse(f"SELECT {filtered} AS x FROM visits", DATASET),
        parse(f"SELECT {plain} AS x FROM visits", DATASET),
    )
    assert one == other


def test_filter_counts_what_plain_sql_counts() -> None:
    sql = "SELECT COUNT(*) FILTER (WHERE urgent), COUNT(visit_id) FILTER (WHERE NOT urgent), COUNT(dx) FILTER (WHERE "
    sql += "urgent OR dept = 'A') FROM visits"
    free = without_limits(DATASET)
    with People(free, random_rows(3, seed=2)) as people:
        plan: Plan = parse(sql, free)
        people.connection.execute("USE extract")
        expected = people.connection.execute(sql).fetchall()[0]
        assert [v[()] // 65_536 for v in people.vectors(plan, tallies(plan))] == list(expected)


def test_no_accuracy_is_promised_of_a_ratio() -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare("SELECT SUM(fee) / COUNT(*) AS r FROM visits", DATASET, None, "5", "0.95")
    assert refused.value.code == "query.accuracy_of_others"


def aggregate(at: int) -> Post:
    return Post(Reckon.AGGREGATE, at=at)


def test_a_box_that_holds_zero_gives_no_interval_for_a_ratio() -> None:
    ratio = Post(Reckon.OVER, args=(aggregate(0), aggregate(1)))
    parts = {0: after.Noisy([10.0, 10.0, 10.0], 1.0, 2.0), 1: after.Noisy([5.0, 1.0, 0.0], 1.0, 2.0)}
    values, errors, lows, highs = after.columns(ratio, parts, 3)
    assert values == [2.0, 10.0, None]
    assert errors[0] == pytest.approx(math.hypot(1 / 5, 10 / 25))
    assert (lows, highs) == ([8 / 7, None, None], [12 / 3, None, None])


def test_an_interval_covers_every_corner_of_the_box() -> None:
    minus = Post(Reckon.MINUS, args=(aggregate(0), Post(Reckon.TIMES, args=(aggregate(1), aggregate(0)))))
    parts = {0: after.Noisy([-3.0], 1.0, 2.0), 1: after.Noisy([4.0], 1.0, 1.0)}
    _, _, (low,), (high,) = after.columns(minus, parts, 1)
    for x in (-5.0, -3.0, -1.0):
        for y in (3.0, 4.0, 5.0):
            assert low is not None
            assert high is not None
            assert low <= x - y * x <= high
