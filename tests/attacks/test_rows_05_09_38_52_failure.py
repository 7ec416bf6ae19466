"""Rows 5, 9, 38, 52: something fails, is retried, or is drawn beside the price.

After the charge nothing is refunded, retried or shown: one pass over the data, one release for each mechanism that was
priced, and a failing engine answers in the same shape. Each has the naive way as its control.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.attacks.asked import Door
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, KEY, build
from tests.oracle.neighbours import recorded, unhurried
from tests.oracle.questions import ANSWERED

from enclave.budget import AccountKind
from enclave.errors import Refused
from enclave.query import mechanisms
from enclave.query.answer import execute
from enclave.query.emit import Statement
from enclave.query.engine import Engine
from enclave.query.plan import Key
from enclave.query.price import prepare

SQL = "SELECT dept, COUNT(*) AS n, SUM(fee) AS fee FROM visits GROUP BY dept"
"""Numbers that are always there: a mean of nobody is none by chance, and a column in which one is none is longer."""


class Failing:
    """An engine that fails because of one row, as often as it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
        self.asked += 1
        raise duckdb.OutOfRangeException("Overflow in multiplication of INT64 (HIV-positive)")


def test_row_05_what_fails_after_the_charge_stays_charged(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "totals", Failing().totals)
    answered = door.ask("SELECT COUNT(*) AS n FROM visits", "1")
    spent = door.balance(AccountKind.PROJECT, door.living.project).spent.nano_rho
    assert spent == answered.head.rho_spent > 0
    assert door.balance(AccountKind.POPULATION).spent.nano_rho == spent
    with pytest.raises(Refused, match=r"freez|frozen|stopped"):
        door.ask("SELECT COUNT(*) AS again FROM visits", "1")


def test_row_05_control_charging_on_success_is_a_free_bit() -> None:
    """The naive order: run, then deduct. Whoever makes the row fail learns of it for nothing."""
    spent = 0
    try:
        Failing().totals((), (), 0)
        spent += 1
    except duckdb.Error as told:
        assert "HIV-positive" in str(told)
    assert spent == 0


def test_row_52_a_question_runs_once_and_is_never_tried_again() -> None:
    failing, priced = Failing(), prepare(SQL, DATASET, "1")
    with recorded() as record:
        executed = execute(priced, failing)
    assert (failing.asked, len(record.calls), executed.incident) == (1, len(priced.draws), True)


def test_row_52_control_trying_again_until_it_looks_well_is_a_choice_by_the_noise() -> None:
    """Keeping the first positive of many draws of 0 reports a mean far from 0 for the price of one."""
    kept = [next(d for d in iter(lambda: mechanisms.noisy([0], 100)[0], None) if d > 0) for _ in range(200)]
    assert sum(kept) / len(kept) > 50


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path = build(tmp_path_factory.mktemp("one") / "one.duckdb", DATASET, person([{"dept": "A"}, {"dept": "B"}]))
    return Engine(path, KEY)


@pytest.mark.parametrize("sql", ANSWERED[::6])
def test_row_38_every_release_of_the_kernel_was_priced(opened: Engine, sql: str) -> None:
    """No threshold, no count, no bound is drawn beside the price: as many releases as prices, and their sum is paid."""
    priced = prepare(sql, DATASET, "1")
    with recorded() as record:
        execute(unhurried(priced), opened)
    assert len(record.calls) == len(priced.draws) == len(priced.quote.mechanisms)
    assert sum(d.rho for d in priced.draws) == priced.rho == sum(c.rho for c in priced.quote.mechanisms)
    with recorded() as record:
        prepare(sql, DATASET, "1.5")
    assert not record.calls, "a price draws nothing"


def test_row_38_control_an_auxiliary_release_is_seen(opened: Engine) -> None:
    with recorded() as record:
        mechanisms.noisy([1], 1)
        execute(prepare("SELECT COUNT(*) FROM visits", DATASET, "1"), opened)
    assert len(record.calls) == 2


def test_row_09_memory_runs_out_in_the_ordinary_shape(tmp_path: Path) -> None:
    path = build(tmp_path / "m.duckdb", DATASET, person([{}]))
    priced = prepare(SQL, DATASET, "1")
    tight, roomy = Engine(path, KEY, threads=1, memory_mib=64), Engine(path, KEY)
    totals = "sum(length(l)) FROM (SELECT list(range) AS l FROM range(100000000))"
    greedy = tuple(Statement(f"SELECT 'A', {totals}", s.keys, s.tallies[:1]) for s in priced.statements)
    with pytest.raises(duckdb.Error):  # control: the engine alone would tell
        tight.totals(greedy, priced.plan.keys, 60_000)

    class Greedy:
        def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
            return tight.totals(greedy, keys, cap_ms)

    out, well = execute(unhurried(priced), Greedy()), execute(unhurried(priced), roomy)
    assert (out.incident, well.incident) == (True, False)
    schemas = {str(pa.ipc.open_stream(e.body).schema) for e in (out, well)}
    assert len(schemas) == 1
    assert len(out.body) == len(well.body)
    tight.close()
    roomy.close()
