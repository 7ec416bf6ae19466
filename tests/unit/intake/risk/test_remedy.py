"""The cheapest coarsening: it suffices when the rows are counted anew, and no cheaper one does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.intake.columns import Stored
from enclave.intake.exposure import QuasiIdentifiers, Risk
from enclave.intake.risk import remedy as search
from enclave.intake.risk.classes import TALLY, measured
from enclave.intake.risk.levels import Level, levels, rarest, said
from enclave.intake.risk.remedy import Remedy, Tally, cheapest, entropy, judged

Row = tuple[str | None, str | None, str | None]
ALL = Risk.model_validate({"most": "1"})
"""The number itself stops nothing: these tests are about k, l and t."""


def _asked(**asked: object) -> QuasiIdentifiers:
    return QuasiIdentifiers.model_validate({"name": "s", "table": "t", "columns": ("one", "two"), **asked})


def _stored(name: str, codes: Sequence[str], treatment: str = "keep") -> Stored:
    return Stored(name, "code", name, treatment, codes=tuple(codes))


BANDS = ("00-17", "18-29", "30-44", "45-59", "60+")
COLUMNS = {"one": _stored("one", BANDS, "age_band"), "two": _stored("two", ("x", "y", "z", "w"))}


def _search(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], asked: QuasiIdentifiers) -> Remedy | None:
    con.execute("CREATE OR REPLACE TABLE t (unit BIGINT, one VARCHAR, two VARCHAR, dx VARCHAR)")
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [(n, *row) for n, row in enumerate(rows)])
    measured(con, "t", "unit", asked, single=True)
    return cheapest(*_lattice(con, asked), ALL, asked)


def _lattice(con: duckdb.DuckDBPyConnection, asked: QuasiIdentifiers) -> tuple[Tally, list[tuple[Level, ...]]]:
    steps = []
    for name in asked.columns:
        found = con.execute(f'SELECT "{name}", sum(n_) FROM {TALLY} GROUP BY ALL').fetchall()
        steps.append(levels(COLUMNS[name], {value: int(n) for value, n in found}, asked.k))
    columns = [level.sql for chain in steps for level in chain] + list(asked.sensitive)
    named = ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(columns))
    table = con.execute(f"SELECT {named}, sum(n_)::BIGINT FROM {TALLY} GROUP BY ALL").to_arrow_table()
    return Tally.of(table, [len(chain) for chain in steps], len(asked.sensitive)), steps


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_rare_values_are_merged_rather_than_the_column_dropped(con: duckdb.DuckDBPyConnection) -> None:
    people: list[tuple[str, int]] = [("x", 50), ("y", 40), ("z", 2), ("w", 3)]
    found = _search(con, [("60+", two, None) for two, n in people for _ in range(n)], _asked(k=5))
    assert found is not None and said(found.chosen) == "two: w + z → other"
    assert 0 < found.bits < 0.1


def test_neighbouring_bands_are_joined_and_said_as_the_policy_would(con: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [(band, "x", None) for band in BANDS for _ in range(3)]
    found = _search(con, [*rows * 2, ("60+", "x", None)], _asked(k=7))
    assert found is not None and said(found.chosen) == "one: bands that begin with 00-17, 30-44, 60+"


def test_what_a_class_gives_away_is_coarsened_too(con: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [("60+", two, dx) for two, dx in (("x", "E11"), ("y", "I10")) for _ in range(9)]
    assert (found := _search(con, rows, _asked(k=3))) is not None and said(found.chosen) == ""
    assert (found := _search(con, rows, _asked(k=3, sensitive=("dx",), l=2))) is not None
    assert said(found.chosen) == "two: drop"


def test_too_few_persons_have_no_remedy(con: duckdb.DuckDBPyConnection) -> None:
    assert _search(con, [("60+", "x", None)] * 3, _asked(k=5)) is None
    assert _search(con, [("60+", "x", None)], _asked(k=1)) is not None


def test_a_choice_that_does_not_hold_in_the_rows_is_passed_over(con: duckdb.DuckDBPyConnection) -> None:
    asked = _asked(k=5)
    _search(con, [("60+", code, None) for code in "xyzw" for _ in range(2)], asked)
    tally, steps = _lattice(con, asked)
    tried: list[str] = []

    def never(chosen: tuple[Level, ...]) -> bool:
        tried.append(said(chosen))
        return False

    assert cheapest(tally, steps, ALL, asked, never) is None
    assert len(tried) == len(set(tried)) > 3


def test_merging_takes_the_rarest_until_they_are_enough_together() -> None:
    assert rarest({"a": 9, "b": 1, "c": 2, "d": 8, None: 1}, 3) == ("b", "c")
    assert rarest({"a": 9, "b": 9}, 3) == () and rarest({"a": 9, "b": 1}, 3) == ()
    assert rarest({"a": 9, "b": 1, "c": 5}, 3) == ("b", "c")


def test_entropy_is_in_bits() -> None:
    assert entropy(np.array([1.0, 1, 1, 1])) == 2 and entropy(np.array([4.0])) == 0 and entropy(np.array([])) == 0


@pytest.mark.parametrize(
    ("kind", "value", "same", "other"),
    [("integer", "23", "20", "19"), ("date", "DATE '2024-03-02'", "DATE '2024-03-30'", "DATE '2024-04-02'"),
     ("key", "'I10.x00'", "'I10.x09'", "'I11.000'")],
)  # fmt: skip
def test_every_kind_of_column_has_steps_each_coarser_than_the_last(
    con: duckdb.DuckDBPyConnection, kind: str, value: str, same: str, other: str
) -> None:
    column = Stored("c", kind, "c", "")  # type: ignore[arg-type]  # the kinds of `Kind`
    first, *steps = levels(column, {}, 5)
    texts = [f"SELECT {level.sql} FROM (SELECT {{}} AS c)" for level in steps]
    parts: list[list[object]] = [
        [con.execute(text.format(v)).fetchall()[0][0] for v in (value, same, other)] for text in texts
    ]
    assert parts[0][0] == parts[0][1] != parts[0][2] and parts[-1] == [None, None, None]
    assert first.says == "" and all(level.says for level in steps)


codes = {"one": [*BANDS, None], "two": ["x", "y", "z", "w", None]}
rows = st.lists(
    st.tuples(st.sampled_from(codes["one"]), st.sampled_from(codes["two"]), st.sampled_from(["E11", "I10", None])),
    min_size=1, max_size=30,
)  # fmt: skip
wanted = st.fixed_dictionaries({"k": st.integers(1, 6), "l": st.integers(1, 2), "t": st.sampled_from(["1", "0.5"])})


@settings(deadline=None, max_examples=60)
@given(rows, wanted)
def test_what_is_proposed_suffices_in_the_rows_and_nothing_cheaper_does(
    con: duckdb.DuckDBPyConnection, found: list[Row], wishes: Mapping[str, object]
) -> None:
    asked = _asked(sensitive=("dx",), **wishes)
    proposed = _search(con, found, asked)
    tally, steps = _lattice(con, asked)
    enough = []
    for choice in product(*(range(len(chain)) for chain in steps)):
        chosen = [chain[at] for chain, at in zip(steps, choice, strict=True)]
        coarser = ", ".join(f'{level.sql} AS "{level.column}"' for level in chosen)
        exact = measured(con, f"(SELECT unit, dx, {coarser} FROM t)", "unit", asked, single=True)
        guess, bits = judged(tally, choice, asked)
        assert (exact.k, exact.classes, exact.at_fault) == (guess.k, guess.classes, guess.at_fault)
        if exact.suffices(ALL, asked):
            enough.append(bits)
    whole = judged(tally, (0, 0), asked)[1]
    if proposed is None:
        assert not enough
    else:
        assert proposed.bits == pytest.approx(max(0.0, whole - max(enough)), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(rows, st.integers(1, 6))
def test_a_lattice_too_large_for_that_still_ends_in_something_that_suffices(
    con: duckdb.DuckDBPyConnection, found: list[Row], k: int
) -> None:
    asked = _asked(k=k)
    _search(con, found, asked)
    tally, steps = _lattice(con, asked)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "_WORK", 0)
        proposed = cheapest(tally, steps, ALL, asked)
    assert (proposed is None) == (len(found) < k)
    if proposed is not None:
        choice = tuple(chain.index(level) for chain, level in zip(steps, proposed.chosen, strict=True))
        assert judged(tally, choice, asked)[0].suffices(ALL, asked)
