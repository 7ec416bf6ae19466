"""Thousands of bent questions, parser to plan: each is refused in words, or becomes a SELECT of our own.

Nothing of the text but checked literals reaches the engine: every name in what is emitted is one of ours or of the
dictionary. 5,000 run here, 100,000 under `make audit`.
"""

from __future__ import annotations

import random
import re
from collections import Counter

import duckdb
import pytest
from tests.oracle.counterexamples import spread
from tests.oracle.extracts import DATASET
from tests.oracle.fuzzed import MARK, text
from tests.oracle.persons import People, length_squared

from enclave.errors import BadInput, Refused
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.plan import Plan
from enclave.query.question import parse

LITERAL = re.compile(r"'(?:[^']|'')*'")
QUOTED = re.compile(r'"([^"]*)"')
OF_OURS = re.compile(r"[a-z]+_\d+")
"""How we number what has no name in the dictionary."""

FROM_OUTSIDE = re.compile(
    r"read_|glob|sleep|error|random|setseed|nextval|query|pragma|duckdb_|current_|now\b|getvariable"
)


def stored_names() -> set[str]:
    names = {"extract", "main", "unit_rows", "first_unit"}
    for table in DATASET.tables:
        names |= {table.name, *(c.name for c in table.columns), *(c.total_norm for c in table.columns)}
        names |= {n for f in table.facets for n in (f.norm, f.distinct_norm, f.first)}
        names |= {n for k in table.keys for n in (k.among, k.vote)}
        names |= {f"{join.table}_{name}" for join in table.joins for name in join.carries}
    return names


NAMES = stored_names()


def understood(sql: str) -> Plan | None:
    try:
        plan = parse(sql, DATASET)
        tallies(plan)
    except (BadInput, Refused) as refused:
        assert refused.words("en"), refused.code
        assert refused.words("zh"), refused.code
        return None
    return plan


def check(sql: str) -> bool:
    """True when it is a question."""
    plan = understood(sql)
    if plan is None:
        return False
    for statement in emitted(plan, tallies(plan)):
        assert [s.type for s in duckdb.extract_statements(statement.sql)] == [duckdb.StatementType.SELECT], sql
        bare = LITERAL.sub("''", statement.sql)
        assert MARK not in bare, sql
        assert all(name in NAMES or OF_OURS.fullmatch(name) for name in QUOTED.findall(bare)), sql
        assert not FROM_OUTSIDE.search(QUOTED.sub('""', bare)), sql
        assert ";" not in bare, sql
        assert "--" not in bare, sql
    return True


def fuzz(count: int, seed: int) -> Counter[bool]:
    draw = random.Random(seed)
    return Counter(check(text(draw, DATASET)) for _ in range(count))


@pytest.mark.parametrize("seed", range(4))
def test_a_bent_question_is_refused_in_words_or_ours(seed: int) -> None:
    met = fuzz(1_250, seed)
    assert met[True] > 100, "a fuzzer that nothing understands tests only the parser"
    assert met[False] > 100


@pytest.mark.audit
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(1_000, 1_020))
def test_a_hundred_thousand(seed: int) -> None:
    fuzz(5_000, seed)


def test_what_was_understood_runs_and_no_person_exceeds_it() -> None:
    """Bent questions are questions too: bound by the same sensitivities, on the widest person."""
    draw, ran = random.Random(77), 0
    with People(DATASET, spread(6)) as people:
        for _ in range(500):
            plan = understood(text(draw, DATASET))
            if plan is not None:
                moved = tallies(plan)
                for tally, cells in zip(moved, people.vectors(plan, moved), strict=True):
                    assert length_squared(cells) <= tally.sensitivity**2
                ran += 1
    assert ran > 50


def test_control_passing_text_on_would_run_what_it_says() -> None:
    """Of the same texts, appended to nothing and handed to a plain engine, some run code of the attacker's choice."""
    with People(DATASET, spread(1)) as people:
        people.connection.execute("USE extract")
        ran = people.connection.execute("SELECT count(*) FROM visits; SELECT version() <> ''").fetchall()
        assert ran == [(True,)]
