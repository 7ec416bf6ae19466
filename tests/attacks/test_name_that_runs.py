"""Attack: a name of the question's own that becomes part of what the engine runs.

A table with one row for each person, whose sums are clipped below what one row may hold, was enough: a level of windows over
it carries that clip along with a column named by the analyst, and the norm of a sum was called by that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.generative.test_fuzzed_text import LITERAL, OF_OURS, QUOTED, stored_names
from tests.oracle.extracts import DATASET, KEY, build, random_rows

from enclave.catalogue.dataset import Dataset
from enclave.query.answer import execute
from enclave.query.engine import Engine
from enclave.query.plan import MadeFacet
from enclave.query.price import prepare
from enclave.query.terms import column

WINDOW = "COUNT(*) OVER (PARTITION BY patient_id)"
RUNS = 'x">0THEN 9999 END AS INT))AS INT)p0 FROM(SELECT 1 total_x)t0)--'
"""Closes the name, sums what it likes, and leaves the rest in a remark."""

NAMES = ("total", 'a"b', 'a" IS NULL)--', RUNS, "a'b", "made_0", "t0")


@pytest.fixture(scope="module")
def tight() -> Dataset:
    """Sums over persons are clipped at less than one row may hold."""
    clip = {"age": 50, "balance": 20_000}
    columns = tuple(replace(c, total_clip=clip.get(c.name, c.total_clip)) for c in DATASET.tables[0].columns)
    return replace(DATASET, tables=(replace(DATASET.tables[0], columns=columns), *DATASET.tables[1:]))


@pytest.fixture(scope="module")
def engine(tight: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine(build(tmp_path_factory.mktemp("names") / "n.duckdb", tight, random_rows(30, 7)), KEY)
    yield opened
    opened.close()


def question(name: str, column: str = "age") -> str:
    written = name.replace('"', '""')
    made = f'SELECT patient_id, {column} AS "{written}", {WINDOW} AS r FROM patients'
    return f'SELECT SUM("{written}") AS s FROM ({made})'


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("column", ["age", "balance"])
def test_what_runs_is_the_same_whatever_a_column_is_called(
    tight: Dataset, engine: Engine, name: str, column: str
) -> None:
    priced, plain = prepare(question(name, column), tight, "1"), prepare(question("plain", column), tight, "1")
    assert [s.sql for s in priced.statements] == [s.sql for s in plain.statements]
    assert not execute(priced, engine).incident, "what is charged can be run"


def test_every_name_of_what_runs_is_ours_or_the_dictionarys(tight: Dataset) -> None:
    for statement in prepare(question(RUNS), tight, "1").statements:
        found = QUOTED.findall(LITERAL.sub("''", statement.sql))
        assert all(name in stored_names() or OF_OURS.fullmatch(name) for name in found)


def test_control_a_norm_called_after_the_column_runs_what_the_column_is_called(engine: Engine) -> None:
    """What was emitted: the engine adds up numbers of the attacker's, under a sensitivity that was proved of others."""
    weight = f'CASE WHEN t0."total_{RUNS}" <= 12800 THEN 65536 END'
    read = 'SELECT t0."age" AS "made_0" FROM "extract"."main"."patients" AS t0'
    sql = f'SELECT p0 FROM (SELECT CAST(sum(CAST({weight} AS BIGINT) * t0."made_0") AS HUGEINT) AS p0 FROM ({read}) AS t0)'
    assert engine._connection.execute(sql).fetchall() == [(9999,)]


def test_no_norm_can_be_called_after_what_was_made(tight: Dataset) -> None:
    made = prepare(question("mine"), tight, "1").plan.root.columns[1]
    with pytest.raises(ValueError, match="no stored norm"):
        _ = made.total_norm
    facet = MadeFacet("mine", 1, 1, at=0)
    assert facet.norm == "norm_0"
    for of in ("distinct_norm", "first"):
        with pytest.raises(ValueError, match=r"made within one person|is marked"):
            getattr(facet, of)
    assert column(0, made, may_be_absent=False).type.upper == 90
