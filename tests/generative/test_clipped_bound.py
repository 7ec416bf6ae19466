"""The bound beside each number holds: what clipping takes of any answer is never more, by a histogram without noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, KEY, build, random_rows, without_limits
from tests.oracle.profiles import exact

from enclave.catalogue import Dataset
from enclave.query import Engine, Priced, prepare, scaled
from enclave.query.answer import packed, shown

QUESTIONS = (
    "SELECT dept, COUNT(*) AS a FROM visits GROUP BY dept",
    "SELECT ward, COUNT(*) AS a FROM visits WHERE urgent GROUP BY ward",
    "SELECT COUNT(*) AS a FROM visits",
    "SELECT urgent, COUNT(*) AS a FROM visits GROUP BY urgent",
    "SELECT dept, COUNT(DISTINCT patient_id) AS a FROM visits GROUP BY dept",
    "SELECT dept, COUNT(DISTINCT patient_id) AS a FROM visits WHERE los_days > 3 GROUP BY dept",
    "SELECT dept, SUM(los_days) AS a FROM visits GROUP BY dept",
    "SELECT ward, dx, COUNT(*) AS a FROM visits GROUP BY ward, dx",
    "SELECT ward, dx, SUM(los_days) AS a FROM visits WHERE urgent GROUP BY ward, dx",
    "SELECT SUM(change) AS a FROM visits",
    "SELECT dx, SUM(los_days + 1) AS a FROM visits GROUP BY dx",
    "SELECT dept, AVG(los_days) AS a FROM visits GROUP BY dept",
    "SELECT AVG(change) AS a FROM visits",
    "SELECT VAR_POP(los_days) AS a FROM visits",
    "SELECT STDDEV_SAMP(change) AS a FROM visits",
    "SELECT COVAR_POP(los_days, change) AS a FROM visits",
    "SELECT dept, SUM(los_days) / COUNT(*) AS a FROM visits GROUP BY dept",
    "SELECT p.sex, COUNT(*) AS a FROM diagnoses d JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT dx, COUNT(DISTINCT code) AS a FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY dx",
)
EPSILONS = ("0.05", "1")

WIDE = replace(
    DATASET,
    tables=tuple(
        replace(t, columns=tuple(replace(c, total_clip=c.total_clip * 10) if c.total_clip else c for c in t.columns))
        for t in DATASET.tables
    ),
)
"""The same dictionary with clips of totals that no person of these rows passes eight times over."""


@pytest.fixture(scope="module", params=[0, 1])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Dataset, Engine]]:
    rows = random_rows(300, seed=request.param)
    folder: Path = tmp_path_factory.mktemp("clipped")
    engine = Engine(build(folder / "v1.duckdb", WIDE, rows), KEY)
    yield replace(WIDE, profile=exact(WIDE, rows)), engine
    engine.close()


def without_noise(priced: Priced, engine: Engine) -> dict[str, list[float | None]]:
    """The answer as it would leave if the noise were 0 and known to be (scale 1)."""
    totals = engine.totals(priced.statements, priced.plan.keys, 600_000)
    draws = tuple(replace(draw, scale=1) for draw in priced.draws)
    told = [scaled.summed(t) if d.tally.part == scaled.WHOLE else t for d, t in zip(draws, totals, strict=True)]
    columns = pa.ipc.open_stream(packed(priced.plan, shown(priced, draws, told))).read_all().to_pydict()
    return {str(name): list(values) for name, values in columns.items()}


@pytest.mark.parametrize("sql", QUESTIONS)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_no_number_was_moved_by_more_than_is_said(opened: tuple[Dataset, Engine], sql: str, epsilon: str) -> None:
    dataset, engine = opened
    told = without_noise(prepare(sql, dataset, epsilon), engine)
    true = without_noise(prepare(sql, without_limits(replace(dataset, profile=None)), "100"), engine)
    assert len(told["a"]) == len(true["a"])
    bounded = 0
    for cell, (number, whole) in enumerate(zip(told["a"], true["a"], strict=True)):
        most = told["a_clipped"][cell]
        if most is None or number is None or whole is None:
            continue
        bounded += 1
        assert abs(number - whole) <= most + 1e-3 * (1 + abs(whole)), (cell, number, whole, most)
    assert bounded, "a bound that is never said holds nothing"


def test_the_bound_can_fail(opened: tuple[Dataset, Engine]) -> None:
    """The control: clipping does move these numbers."""
    dataset, engine = opened
    tight = without_noise(prepare(QUESTIONS[0], dataset, "0.05"), engine)["a"]
    whole = without_noise(prepare(QUESTIONS[0], without_limits(replace(dataset, profile=None)), "100"), engine)["a"]
    assert max(abs((a or 0) - (b or 0)) for a, b in zip(tight, whole, strict=True)) > 5


def test_where_no_profile_was_bought_nothing_is_said(opened: tuple[Dataset, Engine]) -> None:
    dataset, engine = opened
    told = without_noise(prepare(QUESTIONS[0], replace(dataset, profile=None), "1"), engine)
    assert list(told) == ["dept", "a", "a_se", "a_low", "a_high"]


def test_where_persons_lie_beyond_the_last_edge_nothing_is_said(opened: tuple[Dataset, Engine]) -> None:
    _, engine = opened
    rows = random_rows(300, seed=0)
    told = without_noise(
        prepare(
            "SELECT dept, SUM(los_days) AS a FROM visits GROUP BY dept",
            replace(DATASET, profile=exact(DATASET, rows)),
            "1",
        ),
        engine,
    )
    assert set(told["a_clipped"]) == {None}


def test_what_is_not_known_is_null(opened: tuple[Dataset, Engine]) -> None:
    dataset, engine = opened
    told = without_noise(prepare("SELECT CORR(los_days, change) AS a FROM visits", dataset, "1"), engine)
    assert told["a_clipped"] == [None]
