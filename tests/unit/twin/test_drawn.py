"""A twin drawn from paid marginals: distributed as they are, valid as ever, and nothing drawn where nothing was paid."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.oracle import clinic, profiles

from enclave.catalogue.dataset import Dataset, Kind
from enclave.catalogue.dictionary import dataset_of
from enclave.catalogue.profile import PERSON
from enclave.intake.descriptor import parse
from enclave.intake.package import Descriptor
from enclave.profile import Marginals, marginals
from enclave.profile.marginals import nearest_shares
from enclave.store import Place
from enclave.twin import made_from, make, path_of

SHIPPED = Path(__file__).parents[3] / "policies" / "datasets" / "hospital" / "datapackage.yaml"
PERSONS = 1_000


DECIDED = {
    ("patients", "age_band"), ("visits", "admit_year"), ("visits", "admit_month"), ("visits", "dx_chapter"),
    ("visits", "dx_category"), ("diagnoses", "dx_category"), ("diagnoses", "dx_chapter"), ("diagnoses", "is_diabetes"),
}  # fmt: skip
"""Columns that another one of the same raw value, or the sex of the person, decides: invented numbers of both disagree."""


def described(d: Descriptor, seed: int = 1) -> Dataset:
    plain = dataset_of(d, version=1, digest="0" * 64, policy_digest="1" * 64)
    return replace(plain, profile=profiles.of_nobody(plain, seed=seed))


HOSPITAL = parse(SHIPPED.read_bytes())
DATASET = described(HOSPITAL)
TOLD = marginals(DATASET)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "hospital.duckdb"
    make(HOSPITAL, path, persons=PERSONS, told=TOLD)
    return path


def read(path: Path, sql: str) -> list[Any]:
    with duckdb.connect(path, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_no_value_lies_outside_its_list_or_bounds(twin: Path) -> None:
    for table in DATASET.tables:
        for column in table.columns:
            if column.lower is None or column.upper is None:
                continue
            value = f"\"{column.name}\" - DATE '1970-01-01'" if column.kind is Kind.DATE else f'"{column.name}"'
            (found,) = read(twin, f'SELECT min({value}), max({value}) FROM "{table.name}"')
            assert found[0] is None or column.lower <= found[0] <= found[1] <= column.upper, column.name


def test_gaps_stand_only_where_they_may_and_as_often_as_was_bought(twin: Path) -> None:
    checked = 0
    for table in DATASET.tables:
        ((rows,),) = read(twin, f'SELECT count(*) FROM "{table.name}"')
        for column in table.columns:
            ((gaps,),) = read(twin, f'SELECT count(*) FROM "{table.name}" WHERE "{column.name}" IS NULL')
            assert column.nullable or gaps == 0, column.name
            told = TOLD.of(table.name, column.name)
            refines = any(column.name in c.finer_than or c.name in column.finer_than for c in table.columns)
            if told is not None and not refines and (table.name, column.name) not in DECIDED:
                assert gaps / rows == pytest.approx(told.missing, abs=near(told.missing, rows)), column.name
                checked += told.missing > 0.02
    assert checked > 3, "the control: some have gaps"


def near(share: float, rows: int) -> float:
    """Five standard deviations of a share of so many rows."""
    return 5 * math.sqrt(share * (1 - share) / rows) + 2 / rows


def test_words_and_numbers_are_as_common_as_was_bought(twin: Path) -> None:
    checked = 0
    for table in DATASET.tables:
        for column in table.columns:
            told = TOLD.of(table.name, column.name)
            derived = column.kind is Kind.BOOLEAN and table.one_row_per_person
            decided = any(column.name in c.finer_than for c in table.columns)
            if told is None or decided or derived or (table.name, column.name) in DECIDED:
                continue
            value = f"\"{column.name}\" - DATE '1970-01-01'" if column.kind is Kind.DATE else f'"{column.name}"'
            found = dict(
                read(twin, f'SELECT {value}, count(*) FROM "{table.name}" WHERE "{column.name}" IS NOT NULL GROUP BY 1')
            )
            rows = sum(found.values())
            if column.codes:
                counts = [found.get(code, 0) for code in column.codes]
            elif column.kind is Kind.BOOLEAN:
                counts = [found.get(False, 0), found.get(True, 0)]
            else:
                counts = [sum(n for v, n in found.items() if low <= v <= high) for low, high in told.stretches]
            assert sum(counts) == rows
            for count, share in zip(counts, told.shares, strict=True):
                assert count / rows == pytest.approx(share, abs=near(share, rows)), column.name
            checked += 1
    assert checked > 12


def test_persons_have_as_many_rows_as_was_bought(twin: Path) -> None:
    each = TOLD.rows["visits"]
    ((rows,),) = read(twin, "SELECT count(*) FROM visits")
    assert rows / PERSONS == pytest.approx(each.mean, rel=0.15)
    ((diagnoses,),) = read(twin, "SELECT count(*) FROM diagnoses")
    assert diagnoses / rows == pytest.approx(TOLD.rows["diagnoses"].mean / each.mean, rel=0.1)
    ((strays,),) = read(
        twin,
        "SELECT count(*) FROM diagnoses d ANTI JOIN visits v ON d.visit_id = v.visit_id AND d.patient_id = v.patient_id",
    )
    assert strays == 0


def test_what_looks_at_other_rows_is_true_of_as_many_persons(twin: Path) -> None:
    told = TOLD.of("patients", "diabetes")
    assert told is not None
    ((share,),) = read(twin, "SELECT avg(diabetes::INTEGER) FROM patients")
    assert share == pytest.approx(told.shares[1], abs=0.1)


def everything(path: Path) -> list[Any]:
    return read(path, "SELECT * FROM visits ORDER BY ALL") + read(path, "SELECT * FROM patients ORDER BY ALL")


def test_the_same_numbers_give_the_same_twin_and_others_another(tmp_path: Path) -> None:
    d = clinic.parsed()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make(d, tmp_path / f"{name}.duckdb", persons=60, told=marginals(described(d, seed)))
    a, b, c = (everything(tmp_path / f"{name}.duckdb") for name in "abc")
    assert a == b != c


def test_nothing_is_drawn_where_nothing_was_paid(tmp_path: Path) -> None:
    d = clinic.parsed()
    unpaid = replace(described(d), profile=None)
    assert marginals(unpaid) == Marginals()
    make(d, tmp_path / "plain.duckdb", persons=60)
    make(d, tmp_path / "unpaid.duckdb", persons=60, told=marginals(unpaid))
    assert everything(tmp_path / "plain.duckdb") == everything(tmp_path / "unpaid.duckdb")
    assert "dictionary alone" in made_from(unpaid, "en") and "仅由数据字典" in made_from(unpaid, "zh")
    assert "ε = 0.2" in made_from(described(d), "en")


def test_numbers_that_drown_in_noise_draw_nothing() -> None:
    profile = DATASET.profile
    assert profile is not None
    faint = replace(profile, histograms=tuple(replace(h, scale=10**7 * PERSON) for h in profile.histograms))
    assert marginals(replace(DATASET, profile=faint)) == Marginals()


def test_after_a_purchase_the_twin_is_another_file(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert path_of(place, DATASET) != path_of(place, replace(DATASET, profile=None))


def test_shares_are_the_nearest_that_are_none_below_nothing() -> None:
    assert nearest_shares((6.0, 3.0, 1.0), 10.0) == pytest.approx((0.6, 0.3, 0.1))
    assert nearest_shares((8.0, 4.0, -2.0), 10.0) == pytest.approx((0.7, 0.3, 0.0))
    many = nearest_shares((1000.0, *((30.0, -30.0) * 500)), 1000.0)
    assert many[0] > 0.95, "the noise of a thousand rare words weighs nothing: cut off at 0 alone, it would be 0.0625"
