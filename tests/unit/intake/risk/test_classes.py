"""Classes, k, l, t and the risk number, against counts by hand and by plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.intake.exposure import QuasiIdentifiers, Risk
from enclave.intake.risk.classes import Classes, measured

Row = tuple[int, str | None, str | None, str | None]


def found(rows: Sequence[Row], **asked: object) -> Classes:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE people (unit BIGINT, sex VARCHAR, band VARCHAR, dx VARCHAR)")
        if rows:
            con.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
        spec = {"name": "demo", "table": "people", "columns": ("sex", "band"), **asked}
        return measured(con, "people", "unit", QuasiIdentifiers.model_validate(spec))


PEOPLE: list[Row] = [
    (1, "m", "old", "E11"), (2, "m", "old", "I10"), (3, "m", "old", "I10"),
    (4, "f", "old", "E11"), (5, "f", "old", "E11"), (6, "f", None, "I10"),
]  # fmt: skip


def test_the_classes_of_a_small_table_by_hand() -> None:
    made = found(PEOPLE, k=2, sensitive=("dx",), l=2)
    assert (made.persons, made.classes, made.k, made.unique, made.small) == (6, 3, 1, 1, 1)
    assert made.diversity == {"dx": 1}
    assert made.distance == {"dx": Decimal("0.5")}, "f, old: all E11 of whom everybody has half"
    assert made.at_fault == 3, "f, old has one value; the last is alone"


def test_a_person_with_many_rows_counts_once_in_each_class() -> None:
    made = found([(1, "m", "old", "E11")] * 50 + [(2, "m", "old", "I10")])
    assert (made.persons, made.k, made.unique) == (2, 2, 0)


def test_nobody_is_no_risk() -> None:
    made = found([])
    assert (made.persons, made.at_fault) == (0, 0) and not made.risk(Risk())


values = st.sampled_from(["a", "b", "c", None])
tables = st.lists(st.tuples(values, values, values), min_size=1, max_size=40)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_every_figure_is_what_plain_counting_gives(people: list[tuple[str | None, str | None, str | None]]) -> None:
    rows: list[Row] = [(at, *row) for at, row in enumerate(people)]
    made = found(rows, k=3, sensitive=("dx",), l=2, t=Decimal("0.4"))
    classes: defaultdict[tuple[str | None, str | None], Counter[str | None]] = defaultdict(Counter)
    everybody = Counter(row[3] for row in rows)
    for _, sex, band, dx in rows:
        classes[sex, band][dx] += 1
    sizes = {key: sum(c.values()) for key, c in classes.items()}
    far = {
        key: sum(abs(c[v] / sizes[key] - everybody[v] / len(rows)) for v in everybody) / 2 for key, c in classes.items()
    }
    assert (made.persons, made.classes, made.k) == (len(rows), len(classes), min(sizes.values()))
    assert made.unique == sum(n for n in sizes.values() if n == 1)
    assert made.diversity["dx"] == min(len(c) for c in classes.values())
    assert float(made.distance["dx"]) == pytest.approx(max(far.values()), abs=0.0011)
    surely = sum(n for key, n in sizes.items() if n < 3 or len(classes[key]) < 2 or far[key] > 0.4011)
    perhaps = sum(n for key, n in sizes.items() if n < 3 or len(classes[key]) < 2 or far[key] > 0.3989)
    assert surely <= made.at_fault <= perhaps


@pytest.mark.parametrize(
    ("policy", "k", "classes", "persons", "risk"),
    [
        ({"opening": "controlled", "control": "high", "motive": "medium", "prevalence": "0"}, 5, 20, 100, "0.028"),
        ({"opening": "controlled"}, 4, 20, 100, "1"),
        ({"opening": "public"}, 20, 1, 20, "0.05"),
        ({"opening": "enclave", "prevalence": "0"}, 3, 10, 100, "0.014"),
        ({"opening": "enclave"}, 2, 10, 100, "1"),
    ],
)
def test_the_risk_number_of_the_known_cases(
    policy: dict[str, str], k: int, classes: int, persons: int, risk: str
) -> None:
    made = Classes(persons, classes, k, 0, 0, {}, {}, 0)
    assert made.risk(Risk.model_validate(policy)) == Decimal(risk)
