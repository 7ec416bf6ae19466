"""Every row of a twin keeps the signed rules, and columns made of one raw value say the same of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.oracle import clinic, profiles

from enclave.catalogue.dictionary import dataset_of
from enclave.intake.descriptor import parse
from enclave.intake.package import Descriptor
from enclave.profile import Marginals, marginals
from enclave.twin import make
from enclave.twin.twin import NOTHING

SHIPPED = Path(__file__).parents[3] / "policies" / "datasets" / "hospital" / "datapackage.yaml"
TOLD = pytest.mark.parametrize("paid", [False, True], ids=["dictionary", "marginals"])
RULES = [
    "discharged_at >= admitted_at", "operated_at > admitted_at", "operated_at is present", "los_days <= 30", "los_days > 2",
    "deposit <= fee", "bed != floor", "floor = ground", "dept in acute", "total = sum(fee, deposit)",
    "seen_at = admitted_at",
]  # fmt: skip


def _ruled(tree: dict[str, Any]) -> None:
    tree["code_lists"]["acute"] = {"codes": ["CARD", "ENDO"]}
    visits = clinic.resource(tree, "visits")
    visits["rules"] = RULES
    number = {"type": "integer", "treatment": "clamp", "lower": 1, "upper": 5}
    money = {"type": "decimal", "treatment": "clamp", "lower": 0, "upper": 1000, "scale": 10}
    day = {"type": "date", "treatment": "shift", "lower": "2020-01-01", "upper": "2025-12-31"}
    visits["schema"]["fields"] += [
        *({"name": name, **number} for name in ("bed", "floor", "ground")),
        {"name": "deposit", **money}, {"name": "total", **money, "upper": 3000},
        {"name": "operated_at", **day}, {"name": "seen_at", **day},
    ]  # fmt: skip


def told_of(d: Descriptor, paid: bool) -> Marginals:
    if not paid:
        return NOTHING
    dataset = dataset_of(d, version=1, digest="0" * 64, policy_digest="1" * 64)
    return marginals(replace(dataset, profile=profiles.of_nobody(dataset)))


def wrong(path: Path, table: str, test: str) -> int:
    with duckdb.connect(path, read_only=True) as con:
        ((rows, at_fault),) = con.execute(f"SELECT count(*), count(*) FILTER (WHERE {test}) FROM {table}").fetchall()
    assert rows > 100
    return int(at_fault)


@TOLD
def test_every_row_rule_holds_in_every_row(tmp_path: Path, paid: bool) -> None:
    d = clinic.parsed(_ruled)
    make(d, tmp_path / "twin.duckdb", persons=300, told=told_of(d, paid))
    for fault in (
        "discharged_on < admitted_on", "operated_at <= admitted_on", "operated_at IS NULL", "los_days > 30", "los_days <= 2",
        "deposit::BIGINT * 10 > fee", "bed = floor", "floor <> ground", "dept = 'NEUR'", "seen_at <> admitted_on",
        "abs(total::BIGINT * 10 - (coalesce(fee, 0) + 10 * coalesce(deposit, 0)::BIGINT)) > 9 AND total < 30000",
    ):  # fmt: skip
        assert wrong(tmp_path / "twin.duckdb", "visits", fault) == 0, fault
    assert wrong(tmp_path / "twin.duckdb", "visits", "discharged_on > admitted_on") > 50, "the control: they differ"


@TOLD
def test_columns_of_one_raw_value_say_the_same_of_it(tmp_path: Path, paid: bool) -> None:
    d = parse(SHIPPED.read_bytes())
    make(d, tmp_path / "twin.duckdb", persons=300, told=told_of(d, paid))
    for table, fault in (
        ("visits", "admit_year <> least(2024, greatest(2021, year(admitted_on)))"),
        ("visits", "admit_month <> month(admitted_on) OR (admit_month IS NULL) <> (admitted_on IS NULL)"),
        ("visits", "dx_category = 'I10' AND dx_chapter <> 'IX'"),
        ("visits", "dx_category = 'O80' AND dx_chapter <> 'XV'"),
        ("diagnoses", "is_diabetes <> (left(dx_category::VARCHAR, 3) IN ('E10', 'E11', 'E14'))"),
        ("patients", "age >= 75 AND age_band <> '75+' OR age < 18 AND age_band <> '00-17'"),
    ):
        assert wrong(tmp_path / "twin.duckdb", table, fault) == 0, fault


@TOLD
def test_no_diagnosis_is_one_of_the_other_sex(tmp_path: Path, paid: bool) -> None:
    """The front page's rule, by the data elements: it reaches from the person's row into those of other tables."""
    d = parse(SHIPPED.read_bytes())
    make(d, tmp_path / "twin.duckdb", persons=300, told=told_of(d, paid))
    women, men = (
        "(left(dx_category::VARCHAR, 1) = 'O' AND dx_category <> 'OTHER' OR dx_chapter = 'XV')",
        "dx_category = 'N40'",
    )
    for table in ("visits", "diagnoses"):
        for sex, theirs, others in (("male", men, women), ("female", women, men)):
            joined = f"{table} JOIN patients USING (patient_id)"
            assert wrong(tmp_path / "twin.duckdb", joined, f"sex = '{sex}' AND {others}") == 0
            if not paid:  # invented marginals may have next to none of it
                assert wrong(tmp_path / "twin.duckdb", joined, f"sex = '{sex}' AND {theirs}") > 0, "the control"


def test_a_stay_lasts_as_many_days_as_are_told(tmp_path: Path) -> None:
    def mapped(tree: dict[str, Any]) -> None:
        elements = {"admitted_at": "P22", "discharged_at": "P25", "los_days": "P27"}
        for field in clinic.resource(tree, "visits")["schema"]["fields"]:
            if field["name"] in elements:
                field["element"] = elements[field["name"]]

    make(clinic.parsed(mapped), tmp_path / "twin.duckdb", persons=300)
    fault = "discharged_on - admitted_on <> los_days AND discharged_on < DATE '2025-12-31'"
    assert wrong(tmp_path / "twin.duckdb", "visits", fault) == 0
