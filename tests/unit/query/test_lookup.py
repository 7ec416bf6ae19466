"""A public list joined to a question: what plain SQL says with the list as a table, and nothing more is read or granted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.oracle.extracts import DATASET, REFERENCES, random_rows, without_limits
from tests.oracle.persons import People

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.errors import EnclaveError
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.plan import Measure
from enclave.query.price import prepare
from enclave.query.question import parse

FREE = without_limits(DATASET)


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(FREE, random_rows(40, seed=8)) as made:
        for one in REFERENCES:
            columns = [(c.name, {code: value for value, codes in c.values for code in codes}) for c in one.columns]
            rows = [[code, *(told.get(code) for _, told in columns)] for code in one.codes]
            kinds = ", ".join(
                f"{name} {'INTEGER' if isinstance(next(iter(t.values())), int) else 'VARCHAR'}" for name, t in columns
            )
            made.connection.execute(f"CREATE TABLE extract.{one.name} ({one.key} VARCHAR, {kinds})")
            marks = ", ".join("?" * (1 + len(columns)))
            made.connection.executemany(f"INSERT INTO extract.{one.name} VALUES ({marks})", rows)
        made.connection.execute("USE extract")
        yield made


LOOKED = [
    "SELECT division, COUNT(*) FROM visits JOIN departments USING (dept) GROUP BY division",
    "SELECT division, COUNT(*), SUM(beds) FROM visits LEFT JOIN departments USING (dept) GROUP BY division",
    "SELECT d.beds, COUNT(*), COUNT(DISTINCT v.patient_id) FROM visits v JOIN departments d ON d.dept = v.dept GROUP BY 1",
    "SELECT x.dept, COUNT(*) FROM visits v LEFT JOIN departments x ON v.dept = x.dept GROUP BY x.dept",
    "SELECT x.dept, COUNT(*) FROM visits v JOIN departments x ON v.dept = x.dept WHERE x.dept <> 'A' GROUP BY x.dept",
    "SELECT f.floor, COUNT(*) FROM visits v JOIN departments d ON v.dept = d.dept JOIN divisions f USING (division) "
    "GROUP BY 1",
    "SELECT f.floor, p.sex, COUNT(*) FROM visits v LEFT JOIN departments d ON v.dept = d.dept LEFT JOIN divisions f "
    "ON d.division = f.division JOIN patients p USING (patient_id) GROUP BY 1, 2",
    "SELECT COUNT(*) FROM visits JOIN departments USING (dept) WHERE division IS NULL",
    "SELECT COUNT(*), SUM(n) FROM (SELECT patient_id, division, COUNT(*) AS n FROM visits JOIN departments USING (dept) "
    "GROUP BY 1, 2) WHERE division = 'medical'",
    "WITH m AS (SELECT patient_id, beds FROM visits LEFT JOIN departments USING (dept)) SELECT beds, COUNT(*) "
    "FROM m GROUP BY 1",
]


@pytest.mark.parametrize("sql", LOOKED)
def test_it_is_what_plain_sql_says(people: People, sql: str) -> None:
    plan = parse(sql, FREE)
    moved, keys = tallies(plan), len(plan.keys)
    vectors = people.vectors(plan, moved)
    expected = people.connection.execute(sql).fetchall()
    assert expected and {row[:keys] for row in expected} == set(vectors[0])
    assert all(a.measure in (Measure.ROWS, Measure.PERSONS, Measure.SUM) for a in plan.aggregates)
    for row in expected:
        assert [v[row[:keys]] / WEIGHT_ONE for v in vectors] == [x or 0 for x in row[keys:]]
        for key, value in zip(plan.keys, row, strict=False):
            assert value in key.domain


def test_nothing_but_the_column_itself_is_read_granted_or_emitted() -> None:
    priced = prepare(LOOKED[0], DATASET, "1")
    assert priced.variables == {("visits", "patient_id"), ("visits", "dept")}
    assert all("departments" not in s.sql for s in emitted(priced.plan, tallies(priced.plan)))


def test_what_every_kept_row_has_is_never_missing() -> None:
    (key,) = parse("SELECT beds, COUNT(*) FROM visits JOIN departments USING (dept) GROUP BY beds", DATASET).keys
    assert key.domain == tuple(range(10, 41))
    (left,) = parse("SELECT beds, COUNT(*) FROM visits LEFT JOIN departments USING (dept) GROUP BY beds", DATASET).keys
    assert left.domain == (*range(10, 41), None)


def test_a_key_that_is_looked_up_is_coarser_than_its_facet_and_takes_the_norm_of_all_rows() -> None:
    """U1, rule 2: two departments are one division."""
    looked = parse("SELECT division, COUNT(*) FROM visits JOIN departments USING (dept) GROUP BY division", DATASET)
    assert [t.norm.column for t in tallies(looked)] == ["unit_rows"]
    plain = parse("SELECT dept, COUNT(*) FROM visits JOIN departments USING (dept) GROUP BY dept", DATASET)
    assert [t.norm.column for t in tallies(plain)] == ["norm_dept"], "the control: the facet itself"


REFUSED = [
    ("SELECT COUNT(*) FROM departments", "query.nobodys_rows"),
    ("SELECT COUNT(*) FROM departments JOIN visits USING (dept)", "query.nobodys_rows"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON v.los_days = d.dept", "query.look_up"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON v.dx = d.dept", "query.look_up"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON v.dept = d.division", "query.look_up"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON v.dept < d.dept", "query.join_condition"),
    ("SELECT COUNT(*) FROM visits v RIGHT JOIN departments d ON v.dept = d.dept", "query.join_kind"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON d.dept = d.dept", "query.look_up"),
    (
        "SELECT COUNT(*) FROM visits v JOIN divisions f USING (division) JOIN departments d USING (dept)",
        "query.unknown_column",
    ),
    ("SELECT COUNT(*) FROM visits JOIN departments ON visits.patient_id = departments.dept", "query.look_up"),
    ("WITH departments AS (SELECT patient_id FROM visits) SELECT COUNT(*) FROM departments", "query.duplicate_alias"),
]


@pytest.mark.parametrize(("sql", "code"), REFUSED)
def test_what_is_no_look_up_is_refused_in_words_at_its_place(sql: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code
    assert refused.value.place and refused.value.words("zh")
