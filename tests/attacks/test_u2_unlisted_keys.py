"""U2 and rows 17, 18, 26, 45: keys that exist because of one person.

A person may bring hundreds of keys nobody else has. They stay unseen but for the δ that was paid, however many they are,
whatever is filtered; nothing tells how many there were, nor in which order the engine met them. Each naive way is the
control: the δ of one key, the threshold of a library, all keys of a person instead of K.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import opendp.prelude as dp
import pyarrow as pa
import pytest
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, KEY, Rows, build, random_rows
from tests.oracle.neighbours import loss, recorded, unhurried
from tests.oracle.persons import People, length_squared

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import answer, found, mechanisms
from enclave.query.answer import execute
from enclave.query.bounds import tallies
from enclave.query.engine import Engine
from enclave.query.plan import Measure, Plan
from enclave.query.price import Priced, prepare
from enclave.query.question import parse
from enclave.query.threshold import ATTO, Threshold, atto_delta, threshold

K = DATASET.tables[1].keys[0].per_person
BY_KEY = "SELECT finding, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY finding"
OF_ONE = "Q{:03d}"


def crowd_of_keys(count: int, times: int = 1) -> Rows:
    """One person whom nobody shares a key with."""
    return person([{"finding": OF_ONE.format(n), "los_days": n % 7} for n in range(count) for _ in range(times)])


# --- how far one person moves the counts that find keys ---------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        BY_KEY,
        "SELECT finding, COUNT(*) FROM visits GROUP BY finding",
        "SELECT finding, COUNT(*) FROM visits WHERE los_days > 3 AND urgent GROUP BY finding",
        "SELECT finding, SUM(los_days), COUNT(DISTINCT patient_id) FROM visits WHERE finding <> 'Q001' GROUP BY finding",
        "SELECT v.finding, p.sex, COUNT(DISTINCT v.patient_id) FROM visits v JOIN patients p USING (patient_id) "
        "GROUP BY 1, 2",
        "SELECT finding, urgent, COUNT(DISTINCT patient_id) FROM visits GROUP BY 1, 2",
    ],
)
def test_a_person_of_five_hundred_keys_is_counted_in_k_of_them(sql: str) -> None:
    with People(DATASET, crowd_of_keys(500, 2)) as people:
        plan = parse(sql, DATASET)
        moved = tallies(plan)
        for tally, cells in zip(moved, people.vectors(plan, moved), strict=True):
            assert length_squared(cells) <= tally.sensitivity**2
            if plan.aggregates[tally.aggregate].measure is Measure.KEYS:
                assert len(cells) <= K
                assert set(cells.values()) <= {WEIGHT_ONE}


def test_control_all_keys_of_the_person_are_more_than_was_paid_for() -> None:
    with People(DATASET, crowd_of_keys(500)) as people:
        plan = parse(BY_KEY, DATASET)
        (tally,) = tallies(plan)
        naive = people.connection.execute(
            "SELECT finding, count(DISTINCT patient_id) * 65536 FROM extract.visits GROUP BY finding"
        ).fetchall()
        assert sum(total**2 for _, total in naive) > 150 * tally.sensitivity**2


# --- δ ----------------------------------------------------------------------------------------------------------------


def test_the_delta_of_one_key_is_no_delta_for_five_hundred() -> None:
    """The figures of U2: at ρ = 0.0243 and δ = 1e-6 for one key, 500 keys are seen with 1.7e-4 and more."""
    scale = mechanisms.scale_for(24_300_000, WEIGHT_ONE)
    single = threshold(scale, 1, "1e-6")
    told = atto_delta(scale, single.least - WEIGHT_ONE, 500) / ATTO
    assert told > 150 * 1e-6
    ours = threshold(scale, 500, "1e-6")
    assert ours.least > single.least
    assert ours.atto_delta <= 10**12


def test_fractional_weights_never_relax_it() -> None:
    """The norm a person shares over 500 keys is 1/√500 of each: the threshold is as high as for whole persons."""
    scale = mechanisms.scale_for(24_300_000, WEIGHT_ONE)
    relaxed = threshold(scale, 500, "1e-6").least - WEIGHT_ONE + int(WEIGHT_ONE / 500**0.5)
    assert threshold(scale, 500, "1e-6").least > relaxed


def seen(keys: int, least: int, scale: int, times: int) -> int:
    """How often any of `keys` keys of one person alone is told, by the real draw."""
    plan = parse(BY_KEY, DATASET)
    priced = prepare(BY_KEY, DATASET, "1")
    draw = replace(priced.draws[0], scale=scale, threshold=Threshold(least, 0))
    groups: list[tuple[str | None, int]] = [(OF_ONE.format(n), WEIGHT_ONE) for n in range(keys)]
    return sum(bool(found.told(plan, groups, draw).values) for _ in range(times))


def test_unique_keys_are_seen_as_rarely_as_was_paid_and_naively_far_more_often() -> None:
    scale, times, keys = 40 * WEIGHT_ONE, 500, 50
    ours, naive = threshold(scale, keys, "5e-2").least, threshold(scale, 1, "5e-2").least
    assert seen(keys, ours, scale, times) < 55  # 25 expected, six deviations are 29
    assert seen(keys, naive, scale, times) > 0.8 * times


def test_control_the_threshold_of_the_library_promises_too_little() -> None:
    """`make_gaussian_threshold` on integers: at the δ it reports, a key of one person is told more often than that."""
    scale, least = 3, 12
    space = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i64"))
    metric = dp.l02inf_distance(dp.absolute_distance(T="i64"))
    library = dp.m.make_gaussian_threshold(space, metric, scale=float(scale), threshold=least)
    _, promised = library.map((1, 1, 1))  # type: ignore[no-untyped-call]
    assert atto_delta(scale, least - 1, 1) / ATTO > 1.3 * promised


# --- nothing else shows -----------------------------------------------------------------------------------------------


def table(priced: Priced, engine: Engine) -> dict[str, list[Any]]:
    done = execute(unhurried(priced), engine)
    assert not done.incident
    columns: dict[str, list[Any]] = pa.ipc.open_stream(done.body).read_all().to_pydict()
    return columns


@pytest.fixture
def engine_of(tmp_path: Path) -> Any:
    opened: list[Engine] = []

    def made(rows: Rows) -> Engine:
        opened.append(Engine(build(tmp_path / f"{len(opened)}.duckdb", DATASET, rows), KEY))
        return opened[-1]

    yield made
    for engine in opened:
        engine.settle()
        engine.close()


def test_row_18_keys_come_in_the_order_of_their_text_however_rows_lie(engine_of: Callable[[Rows], Engine]) -> None:
    rows = random_rows(300, seed=5)
    for seed in (1, 2):
        random.Random(seed).shuffle(rows["visits"])
        keys = table(prepare(BY_KEY, DATASET, "50"), engine_of(rows))["finding"]
        assert len(keys) > 5
        assert keys == sorted(keys, key=lambda k: (k is None, k or ""))


def frozen(monkeypatch: pytest.MonkeyPatch, outputs: dict[str | None, int]) -> None:
    """Every key that was there before comes out as it did; what is new is given no noise at all."""
    real = found.told

    def told(plan: Plan, groups: list[found.Group], draw: Any) -> found.Found:
        present = sorted(groups, key=lambda g: (g[0] is None, g[0] or ""))
        known = [outputs.setdefault(value, total) for value, total in present]
        with pytest.MonkeyPatch.context() as still:
            still.setattr(mechanisms, "noisy", lambda totals, scale: known)
            return real(plan, groups, draw)

    monkeypatch.setattr(answer, "told", told)


@pytest.mark.parametrize(
    "sql",
    [
        BY_KEY,
        "SELECT finding, urgent, COUNT(*) AS n FROM visits GROUP BY finding, urgent",
        "SELECT finding, COUNT(*) AS n, SUM(los_days) AS s FROM visits WHERE los_days < 9 GROUP BY finding "
        "HAVING n > 3 ORDER BY s DESC LIMIT 4",
        "SELECT p.sex, v.finding, COUNT(DISTINCT v.patient_id) AS n, MEDIAN(v.los_days) AS m FROM visits v "
        "JOIN patients p USING (patient_id) GROUP BY 1, 2",
    ],
)
def test_what_stays_below_leaves_no_trace(
    engine_of: Callable[[Rows], Engine], monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    """But for the event that δ pays for, answers with and without a person of 200 keys are alike: same keys, same shape."""
    rows = random_rows(300, seed=5)
    more = {
        name: [*mine, *({**row, "patient_id": 9_999} for row in crowd_of_keys(200)[name])]
        for name, mine in rows.items()
    }
    for at, visit in enumerate(more["visits"][len(rows["visits"]) :]):
        visit["visit_id"] = 500_000 + at
    priced = prepare(sql, DATASET, "50")
    assert prepare(sql, DATASET, "50").answer_key == priced.answer_key
    frozen(monkeypatch, {})
    with recorded() as drawn:
        first = table(priced, engine_of(rows))
    with recorded(frozen=drawn) as again:
        second = table(priced, engine_of(more))
    assert first == second, "shown although not paid for"
    assert loss(drawn, again) <= priced.rho
    assert not any(str(key).startswith("Q") for key in second["finding"])


def test_control_a_plain_group_by_shows_the_person(engine_of: Callable[[Rows], Engine]) -> None:
    engine = engine_of(crowd_of_keys(9))
    told = engine._connection.cursor().execute("SELECT finding FROM extract.main.visits GROUP BY finding").fetchall()
    assert len(told) == 9


def test_where_the_engine_fails_no_key_is_told(engine_of: Callable[[Rows], Engine]) -> None:
    engine = engine_of(random_rows(300, seed=5))
    engine.groups = None  # type: ignore[method-assign,assignment]
    done = execute(unhurried(prepare(BY_KEY, DATASET, "50")), engine)
    assert done.incident
    shown = pa.ipc.open_stream(done.body).read_all()
    assert (shown.num_rows, shown.column_names) == (0, ["finding", "n", "n_se", "n_low", "n_high"])


def test_row_26_which_keys_a_person_is_counted_in_is_no_public_hash(tmp_path: Path) -> None:
    """The same person under another key of the house is counted in other codes."""
    from tests.oracle import clinic

    raw = clinic.rows()
    raw["visits"] = [clinic.visit(n, 1, main_dx=f"Q{n:02d}.000") for n in range(30)]
    raw["diagnoses"] = []
    chosen = [
        {
            row["dx_code"]
            for row in clinic.stored(clinic.built(tmp_path / name, raw, key=key), "visits")
            if row["vote_dx_code"]
        }
        for name, key in (("one", b"p" * 32), ("again", b"p" * 32), ("other", b"q" * 32))
    ]
    assert len(chosen[0]) == 3
    assert chosen[0] == chosen[1] != chosen[2]
