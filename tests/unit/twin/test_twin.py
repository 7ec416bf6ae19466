"""A twin has the shape of its extract: tables, columns, types, keys, joins, norms, and the same questions run on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.oracle import clinic

from enclave.catalogue.dictionary import dataset_of
from enclave.intake.descriptor import parse
from enclave.query import Engine, execute, prepare
from enclave.twin import make

SHIPPED = Path(__file__).parents[3] / "policies" / "datasets" / "hospital" / "datapackage.yaml"
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = ? ORDER BY ALL"
)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("twin") / "hospital.duckdb"
    make(parse(SHIPPED.read_bytes()), path, persons=300)
    return path


def shape(path: Path, key: str | None) -> list[Any]:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{path}' AS it ({f'ENCRYPTION_KEY {chr(39)}{key}{chr(39)}, ' if key else ''}READ_ONLY)")
        return con.execute(COLUMNS, ["it"]).fetchall()


def read(path: Path, sql: str) -> list[Any]:
    with duckdb.connect(path, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_it_has_the_tables_columns_and_types_of_an_extract(tmp_path: Path) -> None:
    extract = clinic.built(tmp_path, clinic.rows())
    make(clinic.parsed(), tmp_path / "twin.duckdb", persons=50)
    assert shape(tmp_path / "twin.duckdb", None) == shape(extract.path, clinic.FILE_KEY)


def test_the_same_dictionary_gives_the_same_rows(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(clinic.parsed(), tmp_path / f"{name}.duckdb", persons=50)
    everything = "SELECT * FROM visits ORDER BY ALL"
    assert read(tmp_path / "a.duckdb", everything) == read(tmp_path / "b.duckdb", everything)


def test_values_come_from_the_code_lists_and_bounds_and_some_are_missing(hospital: Path) -> None:
    ((lowest, highest, missing),) = read(
        hospital, "SELECT min(los_days), max(los_days), count(*) - count(los_days) FROM visits"
    )
    assert 0 <= lowest < highest <= 60 and missing > 0
    assert read(
        hospital, "SELECT count(*) FROM visits WHERE ward IS NOT NULL AND NOT starts_with(ward::VARCHAR, dept::VARCHAR)"
    ) == [(0,)]
    assert read(
        hospital,
        "SELECT count(*) FROM visits WHERE dx_code IS DISTINCT FROM (dx_category::VARCHAR || right(dx_code, 4))",
    ) == [(0,)]
    ((persons, most),) = read(
        hospital, "SELECT count(*), max(n) FROM (SELECT count(*) AS n FROM visits GROUP BY patient_id)"
    )
    assert persons == 300 and 8 < most <= 40, "most people few visits, some many"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits GROUP BY dept",
        "SELECT sex, age_band, COUNT(DISTINCT patient_id) AS n FROM patients GROUP BY sex, age_band",
        "SELECT COUNT(*) AS n FROM diagnoses JOIN visits USING (visit_id) WHERE dept = 'CARD' AND is_diabetes",
        "SELECT AVG(n) AS n FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
        "SELECT dept, MEDIAN(los_days) AS middle FROM visits GROUP BY dept",
        "SELECT item, AVG(value) AS v FROM labs GROUP BY item",
        "SELECT SSCP(los_days, age, sex, dept) AS total FROM visits JOIN patients USING (patient_id)",
        "SELECT dx_code, COUNT(*) AS n FROM visits GROUP BY dx_code",
        "SELECT division, AVG(los_days) AS los FROM visits LEFT JOIN departments USING (dept) GROUP BY division",
        "SELECT QUARTER(admitted_on) AS q, COUNT_IF(dx_category LIKE 'E1%') AS n, COUNT(DISTINCT patient_id) FILTER (WHERE "
        "dx_code LIKE 'I%') AS p FROM visits GROUP BY q",
        "SELECT COUNT(*) AS again FROM (SELECT patient_id, DATE_DIFF('day', LAG(admitted_on) OVER (PARTITION BY patient_id "
        "ORDER BY admitted_on), admitted_on) AS gap FROM visits) WHERE gap <= 30",
        "WITH per AS (SELECT patient_id, AVG(los_days) AS los, LEAST(COUNT(*), 50) AS n FROM visits GROUP BY patient_id) "
        "SELECT FLOOR(age / 10) AS decade, AVG(los) AS los, AVG(n) AS n FROM per JOIN patients USING (patient_id) "
        "GROUP BY decade",
    ],
)
def test_questions_run_on_it_as_on_an_extract(hospital: Path, sql: str) -> None:
    dataset = dataset_of(parse(SHIPPED.read_bytes()), version=1, digest="0" * 64, policy_digest="1" * 64)
    engine = Engine(hospital, None)
    try:
        assert not execute(prepare(sql, dataset, "5"), engine).incident
    finally:
        engine.close()


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.twin.twin.select", lambda *_: "SELECT error('broken')")
    with pytest.raises(duckdb.Error):
        make(clinic.parsed(), tmp_path / "twin.duckdb")
    assert list(tmp_path.iterdir()) == []
