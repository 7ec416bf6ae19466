"""Models asked of a real extract: the truth at a price where noise is little, words where there is none to tell."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.integration.channels import broker, leased, spent
from tests.living import Living
from tests.oracle.door import Door, opened
from tests.oracle.extracts import DATASET, DEPTS, DX, KEY, WARDS, Row, Rows, build, random_patient

import domicile
from domicile.client.channel import Channel
from domicile.client.dataset import Dataset
from domicile.client.problem import ProblemError
from domicile.models.lifetable import LifeTable, curve
from domicile.models.linear import Regression
from domicile.models.result import Result
from enclave.broker.channel import ask_for_channel, control_path
from enclave.query.engine import Engine

PERSONS = 1_500
QUIET = 900
VISITS_AND_PATIENTS = "visits JOIN patients USING (patient_id)"
LIVES = (
    "(SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id) r "
    "JOIN patients USING (patient_id)"
)


def admitted(draw: random.Random, person: int, at: int, patient: Row) -> Row:
    """A visit whose length depends on age and department."""
    dept = draw.choice(DEPTS)
    length = 4 + 0.1 * int(str(patient["age"] or 0)) + 5 * (dept == "B") + draw.uniform(-4, 4)
    return {
        "visit_id": at, "patient_id": person, "dept": dept, "ward": draw.choice([w for w in WARDS if w[0] == dept]),
        "dx": draw.choice(DX), "los_days": round(length), "change": draw.randint(-9, 9), "fee": draw.randint(0, 900_000),
        "admitted_on": dt.date(2021, 1, 1) + dt.timedelta(draw.randrange(1_400)), "score": 1, "urgent": draw.random() < 0.4,
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> Rows:
    draw = random.Random(8)
    made: Rows = {"patients": [random_patient(draw, p) for p in range(PERSONS)], "visits": [], "diagnoses": []}
    for person, patient in enumerate(made["patients"]):
        for _ in range(draw.choice((0, 1, 1, 2, 3))):
            made["visits"].append(admitted(draw, person, len(made["visits"]), patient))
    return made


@pytest.fixture(scope="module")
def engine(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(build(tmp_path_factory.mktemp("models") / "v1.duckdb", DATASET, rows), KEY)
    yield made
    made.close()


@pytest.fixture
def hospital(engine: Engine) -> tuple[Dataset, Door]:
    return opened(DATASET, engine)


@pytest.fixture(params=[False, True], ids=["zcdp", "pure"])
def either(engine: Engine, request: pytest.FixtureRequest) -> tuple[Dataset, Door]:
    """Asked by a project that is counted in ρ, and by one in pure ε."""
    return opened(DATASET, engine, pure=request.param)


def by_term(found: Regression) -> dict[str, Any]:
    return {row["term"]: row for row in found.frame().to_dict("records")}


def far_off(found: Result) -> int:
    """Standard deviations beyond which noise hardly ever comes: Laplace noise once in 10⁹ draws, normal once in 10⁶."""
    return 15 if found.quote.pure else 5


def least_squares(rows: Rows) -> dict[str, float]:
    """Days on age and department, by numpy, of visits with a known age."""
    ages = {p["patient_id"]: p["age"] for p in rows["patients"]}
    known = [(v, ages[v["patient_id"]]) for v in rows["visits"] if ages[v["patient_id"]] is not None]
    x = [[1.0, float(str(age)), *(float(v["dept"] == d) for d in DEPTS[1:])] for v, age in known]
    beta = np.linalg.lstsq(np.array(x), np.array([float(str(v["los_days"])) for v, _ in known]), rcond=None)[0]
    return dict(zip(["(intercept)", "age", *(f"dept={d}" for d in DEPTS[1:])], beta.tolist(), strict=True))


def test_a_regression_is_that_of_all_rows_in_the_units_of_the_data(either: tuple[Dataset, Door], rows: Rows) -> None:
    dataset, door = either
    found = dataset.linear_regression("los_days", ["age", "dept"], source=VISITS_AND_PATIENTS, epsilon=QUIET)
    table = by_term(found)
    for term, beta in least_squares(rows).items():
        row = table[term]
        assert abs(row["coef"] - beta) < far_off(found) * row["coef_noise_se"] + 0.02, term
        assert row["coef_low"] < row["coef"] < row["coef_high"]
        assert row["coef_se"] == pytest.approx(np.hypot(row["coef_noise_se"], row["coef_sampling_se"]))
    assert table["dept=B"]["p"] < 1e-6
    overall = {row["what"]: row for row in found.overall().to_dict("records")}
    for what, truth in (("rows", 0.75 * len(rows["visits"])), ("residual_sd", 8 / np.sqrt(12))):
        assert overall[what]["value"] == pytest.approx(truth, rel=0.1, abs=5 * overall[what]["value_se"])
    assert 0 <= overall["r2"]["value_low"] < overall["r2"]["value"] < overall["r2"]["value_high"] <= 1
    assert len(door.asked) == 1
    assert found.spent == door.asked[0].epsilon
    assert any("several rows" in note for note in found.notes)


def test_another_reference_moves_the_coefficients_and_nothing_else(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    ask: dict[str, Any] = {"source": VISITS_AND_PATIENTS, "epsilon": QUIET}
    found = [
        by_term(dataset.linear_regression("los_days", ["age", "dept"], reference=r, **ask))
        for r in (None, {"dept": "B"})
    ]
    near = 8 * found[0]["dept=B"]["coef_noise_se"]
    assert found[1]["dept=A"]["coef"] == pytest.approx(-found[0]["dept=B"]["coef"], abs=near)
    assert found[1]["age"]["coef"] == pytest.approx(found[0]["age"]["coef"], abs=8 * found[0]["age"]["coef_noise_se"])
    assert ("dept=B" in found[1], "dept=A" in found[0]) == (False, False)


def test_little_money_for_many_codes_gives_no_line_and_says_so(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    found = dataset.linear_regression("balance", ["age", "sex", "smoker"], source="patients", epsilon="0.02")
    assert found.frame()[["coef", "coef_low", "coef_high"]].isna().all(axis=None)
    assert found.overall()["value"].isna().all()
    assert any("no coefficient is shown" in note for note in found.notes)
    assert "no coefficient is shown" in repr(found)
    assert "no coefficient is shown" in found._repr_html_()


def test_codes_too_rare_to_tell_are_counted_with_the_reference_and_named(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    found = dataset.linear_regression(
        "los_days", {"urgent": "urgent", "kind": "CASE WHEN los_days > 400 THEN 'long' WHEN urgent THEN 'u' ELSE 'n' END"},
        source="visits", where="dept = 'A'", epsilon=200, reference={"kind": "long"},
    )  # fmt: skip
    assert any("long" in note for note in found.notes)
    assert "kind=long" not in found.frame()["term"].tolist()


def test_a_life_table_is_that_of_all_persons(either: tuple[Dataset, Door], rows: Rows) -> None:
    dataset, door = either
    found = dataset.survival("days", "back", source=LIVES, by="sex", every=4, until=24, epsilon=QUIET)
    sexes = {p["patient_id"]: p["sex"] for p in rows["patients"]}
    lives: dict[object, list[int]] = {}
    for visit in rows["visits"]:
        lives.setdefault(visit["patient_id"], []).append(int(str(visit["los_days"])))
    for sex in ("F", "M"):
        events, censored = np.zeros(7), np.zeros(7)
        for person, stays in lives.items():
            if sexes[person] == sex:
                (events if len(stays) > 1 else censored)[min(max(stays) // 4, 6)] += 1
        truth = curve(LifeTable.of(events, censored, 1e-9, 0.5), 1.96).survival
        table = found.frame()[found.frame()["sex"] == sex]
        assert table["time"].tolist() == [0, 4, 8, 12, 16, 20, 24]
        assert table["survival"].tolist() == pytest.approx([1, *truth], abs=0.01)
        assert (table["survival_low"] <= table["survival"]).all()
        assert (table["survival"] <= table["survival_high"]).all()
        assert table["at_risk"].iloc[0] == pytest.approx(events.sum() + censored.sum(), abs=5)
    (mechanism,) = door.asked[0].quote.mechanisms
    assert (mechanism.sensitivity, mechanism.one_per_person) == (1.0, True)
    assert found.log_rank()["p"].iloc[0] > 0.001
    assert found.median()["median"].between(4, 24).all()
    (ratio,) = found.hazard_ratios().to_dict("records")
    assert ratio["hazard_ratio_low"] < ratio["hazard_ratio"] < ratio["hazard_ratio_high"]


def test_survival_of_rows_instead_of_persons_is_refused_before_it_costs(hospital: tuple[Dataset, Door]) -> None:
    dataset, door = hospital
    with pytest.raises(ProblemError, match="one row for each person"):
        dataset.survival("los_days", "urgent", source="visits", every=7, until=28, epsilon=1)
    assert not door.asked


def test_a_cross_table_is_that_of_all_persons(either: tuple[Dataset, Door], rows: Rows) -> None:
    dataset, _ = either
    found = dataset.crosstab({"sex": "sex", "smoker": "smoker", "old": "age > 29"}, source="patients", epsilon=QUIET)
    old = {0: False, 30: True, 90: True, None: None}
    truth = Counter((p["sex"], p["smoker"], old[p["age"]]) for p in rows["patients"])  # type: ignore[index]
    for row in found.frame().to_dict("records"):
        sex, smoker, aged = (None if isinstance(row[k], float) else row[k] for k in ("sex", "smoker", "old"))
        assert row["n"] == pytest.approx(truth[sex, smoker, aged], abs=far_off(found) * row["n_se"])
        assert 0 <= row["n_low"] <= row["n"] <= row["n_high"]
    assert found.margin()["n"].iloc[0] == pytest.approx(PERSONS, abs=2)
    assert found.margin("sex")["n"].sum() == pytest.approx(found.frame()["n"].sum())
    shares = found.shares("sex").groupby("sex", dropna=False)["share"].sum()
    assert shares.tolist() == pytest.approx([1.0] * 3)
    assert found.independence()["p"].min() > 1e-4
    assert len(found.independence()) == 3


def test_cells_of_a_cheap_table_are_possible_and_add_up(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    found = dataset.crosstab(["sex", "smoker", "age"], source="patients", epsilon="0.1")
    assert (found.frame()["n"] >= 0).all()
    for by in ("sex", "smoker", "age"):
        told = found.margin(by)
        assert told["n"].sum() == pytest.approx(found.margin()["n"].iloc[0], rel=1e-3, abs=1)
        assert (told["n_low"] <= told["n"] + 1e-6).all()


def test_a_table_of_rows_says_that_persons_may_count_twice_and_tests_nothing(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    found = dataset.crosstab(["dept", "urgent"], source="visits", epsilon=1)
    assert any("several cells" in note for note in found.notes)
    with pytest.raises(ValueError, match="every person once"):
        found.independence()
    with pytest.raises(ValueError, match="not among the keys"):
        found.margin("ward")


BY_AGE: dict[str, Any] = {"on": ["age"], "source": VISITS_AND_PATIENTS, "epsilon": 1}
LIVING: dict[str, Any] = {"source": LIVES, "every": 1, "until": 9, "epsilon": 1}
MANY = ["age", "balance > 0", "sex", "age > 3", "age > 4", "age > 5"]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda h: h.linear_regression("score", **BY_AGE), "query.no_bounds"),
        (lambda h: h.linear_regression("dept", **BY_AGE), "query.matrix_outcome"),
        (lambda h: h.linear_regression("los_days", **BY_AGE | {"on": ["admitted_on"]}), "query.needs_number"),
        (lambda h: h.linear_regression("los_days", **BY_AGE | {"on": []}), "models.needs_columns"),
        (lambda h: h.linear_regression("los_days", **BY_AGE | {"source": "visits"}), "query.unknown_column"),
        (lambda h: h.linear_regression("los_days", **BY_AGE | {"epsilon": "nan"}), "client.epsilon_wrong"),
        (lambda h: h.survival("score", "urgent", **LIVING | {"source": "visits"}), "query.no_bounds"),
        (lambda h: h.survival("days", "days", **LIVING), "query.mixed_kinds"),
        (lambda h: h.survival("days", "back", by="patient_id", **LIVING), "query.unit_key"),
        (lambda h: h.survival("days", "back", by="balance", **LIVING), "query.key_not_public"),
        (lambda h: h.survival("days", "back", **LIVING | {"until": 0}), "models.intervals"),
        (lambda h: h.crosstab(["visit_id"], source="visits", epsilon=1), "query.key_not_public"),
        (lambda h: h.crosstab(MANY, source="patients", epsilon=1), "query.too_many_cells"),
        (lambda h: h.crosstab(["sex"], source="patients; DROP TABLE patients", epsilon=1), "query.syntax"),
        (lambda h: h.crosstab(["sex"], source="patients", where="age >", epsilon=1), "query.syntax"),
    ],
)
def test_what_cannot_be_told_is_refused_in_words_and_costs_nothing(
    hospital: tuple[Dataset, Door], ask: Any, code: str
) -> None:
    dataset, door = hospital
    with pytest.raises(ProblemError) as refused:
        ask(dataset)
    assert refused.value.code == code
    assert not door.asked


def test_a_model_is_quoted_like_any_question(hospital: tuple[Dataset, Door]) -> None:
    dataset, door = hospital
    asked = domicile.Survival("days", "back", source=LIVES, by="sex", every=4, until=24)
    quote = dataset.quote(asked, epsilon=1)
    assert quote.rho == dataset.survival("days", "back", source=LIVES, by="sex", every=4, until=24, epsilon=1).quote.rho
    assert len(door.asked) == 1


def test_results_may_be_declared_and_name_their_answer(hospital: tuple[Dataset, Door]) -> None:
    dataset, _ = hospital
    lives = dataset.survival("days", "back", source=LIVES, by="sex", every=4, until=24, epsilon=3)
    chart = domicile.output.chart(lives, mark="line", x="time", y="survival", color="sex", title="Back", context="95 %")
    assert chart is not None
    assert chart.bundle["answers"] == [lives.id]
    assert (chart.bundle["error_low"], chart.bundle["error_high"]) == ("survival_low", "survival_high")
    for frame in (lives.log_rank(), lives.median(), lives.hazard_ratios()):
        table = domicile.output.table(frame.dropna(axis="columns"), title="Back", context="95 %")
        assert table is not None
        assert table.bundle["answers"] == [lives.id]


def test_over_the_channel_a_model_is_one_charge_and_free_the_second_time(house: Living) -> None:
    job = leased(house)
    with broker(house):
        stream = ask_for_channel(
            control_path(house.settings.place), run=job.run, epoch=job.epoch, worker=job.worker or ""
        )
        stream.settimeout(60)
        with stream:
            dataset = Dataset("hospital", Channel(stream))
            ask: dict[str, Any] = {"source": VISITS_AND_PATIENTS, "epsilon": 1}
            line = dataset.linear_regression("LEAST(los_days, 20)", ["age", "sex"], **ask)
            assert line.quote.rho == spent(house) > 0
            table = dataset.crosstab(["sex", "diabetes"], source="patients", epsilon=1)
            assert line.quote.rho + table.quote.rho == spent(house)
            again = dataset.linear_regression("LEAST(los_days, 20)", ["age", "sex"], **ask)
            assert again.spent == 0
            assert again.frame().equals(line.frame())
            sharper = dataset.crosstab(["sex", "diabetes"], source="patients", epsilon=2)
            assert sharper.noise < table.noise
            assert line.quote.rho + sharper.quote.rho == pytest.approx(spent(house), rel=1e-4)
