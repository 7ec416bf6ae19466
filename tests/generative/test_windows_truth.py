"""Any window over the rows of a person is what plain SQL says of the same rows, person by person, in any order they lie."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from tests.oracle.extracts import DATASET, random_rows
from tests.oracle.persons import People

from enclave.query.plan import Stacked
from enclave.query.question import parse
from enclave.query.sources import made

DRAWN = 200
ROW_CLIP = 8
VALUES = ("los_days", "change", "admitted_on", "dx", "urgent", "finding", "change * 2 - 1", "YEAR(admitted_on)")
NUMBERS = ("los_days", "change", "change * 2 - 1", "COALESCE(los_days, 0)")
ORDERS = ("admitted_on", "los_days DESC", "change NULLS FIRST", "YEAR(admitted_on) DESC NULLS FIRST", "fee, los_days")
PARTITIONS = ("", ", dept", ", urgent, dx", ", YEAR(admitted_on)")


def window(draw: random.Random) -> tuple[str, str]:
    """What is asked, and the same as plain SQL with its order made total and kept within what its bound is said to be."""
    by, order = draw.choice(PARTITIONS), draw.choice(ORDERS)
    step, value, number = draw.randint(1, 3), draw.choice(VALUES), draw.choice(NUMBERS)
    first = draw.choice(("UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING"))
    last = draw.choice(("3 FOLLOWING", "UNBOUNDED FOLLOWING"))
    frame = draw.choice((f"{first} AND {last}", "3 PRECEDING AND 1 PRECEDING", "2 PRECEDING AND CURRENT ROW"))
    sorted_rows = f"OVER (PARTITION BY patient_id{by} ORDER BY {order}{{}})"
    framed = f"OVER (PARTITION BY patient_id{by} ORDER BY {order}{{}} ROWS BETWEEN {frame})"
    whole = f"OVER (PARTITION BY patient_id{by})"
    kind = draw.randrange(8)
    if kind < 2:
        call = draw.choice(("ROW_NUMBER()", "RANK()", "DENSE_RANK()"))
        asked, plain = f"{call} {sorted_rows.format('')}", f"{call} {total(call, sorted_rows)}"
        return (f"LEAST({asked}, 5)", f"LEAST({plain}, 5)") if kind else (asked, f"LEAST({plain}, {ROW_CLIP})")
    if kind < 4:
        call = draw.choice((f"LAG({value})", f"LEAD({value}, {step})", f"FIRST_VALUE({value})"))
        return f"{call} {sorted_rows.format('')}", f"{call} {total(call, sorted_rows)}"
    if kind < 5:
        call = draw.choice(("COUNT(*)", f"COUNT({value})"))
        return f"{call} {whole}", f"LEAST({call} {whole}, {ROW_CLIP})"
    call = draw.choice((f"MIN({number})", f"MAX({number})", f"SUM({number})", f"COUNT({value})"))
    plain = f"{call} {total(call, framed)}"
    if "UNBOUNDED" in frame and call.startswith("COUNT"):
        plain = f"LEAST({plain}, {ROW_CLIP})"
    if "UNBOUNDED" in frame and call.startswith("SUM"):
        reach = {"los_days": (0, 480), "COALESCE(los_days, 0)": (0, 480)}.get(number)
        lower, upper = reach or ((-72, 72) if number == "change" else (-19 * ROW_CLIP, 17 * ROW_CLIP))
        plain = f"CASE WHEN {plain} IS NULL THEN NULL ELSE LEAST(GREATEST({plain}, {lower}), {upper}) END"
    return f"{call} {framed.format('')}", plain


def total(call: str, over: str) -> str:
    """Ranks share among ties; all else is told by the key."""
    return over.format("" if call in ("RANK()", "DENSE_RANK()") else ", visit_id")


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(DATASET, random_rows(40, seed=17)) as found:
        found.connection.execute("USE extract")
        yield found


def test_any_window_is_what_plain_sql_says_of_each_person(people: People) -> None:
    draw = random.Random(20)
    for _ in range(DRAWN):
        asked, plain = window(draw)
        question = f"SELECT COUNT(x) FROM (SELECT patient_id, urgent, {asked} AS x FROM visits WHERE los_days <> 9)"
        source = parse(question, DATASET).sources[0]
        assert isinstance(source.made, Stacked)
        mine = people.connection.execute(made(source.made, source.table.unit)).fetchall()
        theirs = people.connection.execute(
            f"SELECT patient_id, urgent, {plain} FROM visits WHERE los_days <> 9"
        ).fetchall()
        assert sorted(mine, key=str) == sorted(theirs, key=str), asked
        kind = source.table.columns[2]
        if kind.lower is not None and kind.upper is not None:
            numbers = [row[2] for row in mine if isinstance(row[2], int)]
            assert all(kind.lower <= n <= kind.upper for n in numbers), asked
