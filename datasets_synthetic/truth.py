"""What are the exact figures that a private answer should come near?

Counted by DuckDB from the files as written, without the dirty rows: a dirty visit goes with its diagnoses, labs and
notes. Each figure is given twice, as intakes differ in what they do with a person whose resident id fails its checksum:

    figures               such a person is removed with every row of theirs
    figures_bad_id_kept   such a person stays (the number itself is dropped in de-identification anyway)

Ages are in full years at 2025-01-01. Sums are exact; means are rounded to six decimals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from datasets_synthetic.dirt import BAD_ID

AGE_DATE = "2025-01-01"
DIABETES = "similar to 'E1[0-4].*'"

# CSV carries no types; everything not named here is text.
CSV_TYPES = {
    "birth_date": "DATE", "admitted_at": "TIMESTAMP", "discharged_at": "TIMESTAMP", "los_days": "INTEGER",
    "total_fee": "DECIMAL(12,2)", "rank": "INTEGER", "value": "DECIMAL(10,2)", "taken_at": "TIMESTAMP",
}  # fmt: skip

# The youngest age of the band: 0, 10, … 90, and 100 for everybody older.
BAND = f"least(date_sub('year', birth_date, DATE '{AGE_DATE}') // 10 * 10, 100)"


def _read(name: str, path: Path) -> str:
    quoted = str(path).replace("'", "''")
    if path.suffix == ".parquet":
        return f"read_parquet('{quoted}')"
    with path.open(encoding="utf-8") as source:
        header = [column.strip('"') for column in source.readline().rstrip("\n").split(",")]
    types = ", ".join(f"'{c}': '{CSV_TYPES.get(c, 'VARCHAR')}'" for c in header)
    return f"read_csv('{quoted}', header = true, quote = '\"', escape = '\"', columns = {{{types}}})"


def _open(paths: Mapping[str, Path], dirty: Mapping[str, Collection[str]]) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(config={"memory_limit": "1500MB", "threads": 2})
    bad_visits = [v for kind, ids in dirty.items() if kind != BAD_ID for v in ids]
    for name, ids in (("dirty_visits", bad_visits), ("dirty_patients", list(dirty[BAD_ID]))):
        listed = pa.table({"id": pa.array(ids, pa.string())})
        db.register(f"{name}_listed", listed)
        db.execute(f"CREATE TABLE {name} AS SELECT id FROM {name}_listed")
    for name, path in paths.items():
        db.execute(f"CREATE VIEW raw_{name} AS SELECT * FROM {_read(name, path)}")
    return db


def _clean(db: duckdb.DuckDBPyConnection, tables: Collection[str], keep_bad_id: bool) -> None:
    """Views without dirty rows, under the tables' own names."""
    for name in tables:
        wanted = []
        if not keep_bad_id:
            wanted.append("patient_id NOT IN (SELECT id FROM dirty_patients)")
        if name != "patients":
            wanted.append("visit_id NOT IN (SELECT id FROM dirty_visits)")
        db.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM raw_{name} WHERE {' AND '.join(wanted) or 'true'}")


def _rows(db: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = db.execute(sql)
    columns = [c[0] for c in found.description or ()]
    return [
        {c: v if isinstance(v, int | float | str) else str(v) for c, v in zip(columns, row, strict=True)}
        for row in found.fetchall()
    ]


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(_rows(db, f"SELECT count(*) AS n FROM {table}")[0]["n"])


def _prevalence(db: duckdb.DuckDBPyConnection, group: str, source: str, dx: str) -> list[dict[str, Any]]:
    """Of all persons, with visits or without, who has a code of E10 to E14 in `source`.`dx`?"""
    return _rows(
        db,
        f"""SELECT {group}, count(*) AS persons, count(d.patient_id) AS diabetic,
                   round(count(d.patient_id) / count(*), 6) AS prevalence
            FROM patients LEFT JOIN (SELECT DISTINCT patient_id FROM {source} WHERE {dx} {DIABETES}) d USING (patient_id)
            GROUP BY 1 ORDER BY 1""",
    )


def _diabetes(db: duckdb.DuckDBPyConnection, source: str, dx: str) -> dict[str, Any]:
    return {
        "by_province": _prevalence(db, "region_code[:2] AS province", source, dx),
        "by_region_code": _prevalence(db, "region_code", source, dx),
        "by_age_band": _prevalence(db, f"{BAND} AS age_from", source, dx),
    }


STAYS = "count(*) AS visits, sum(los_days)::BIGINT AS los_sum, round(avg(los_days), 6) AS los_mean"


def _figures(db: duckdb.DuckDBPyConnection, tables: Collection[str]) -> dict[str, Any]:
    figures: dict[str, Any] = {"rows": {name: _count(db, name) for name in tables}}
    figures["persons"] = figures["rows"]["patients"]
    if "visits" in tables:
        figures["persons_with_visits"] = _count(db, "(SELECT DISTINCT patient_id FROM visits)")
        figures["by_dept"] = _rows(
            db,
            f"""SELECT dept, {STAYS}, count(DISTINCT patient_id) AS persons, sum(total_fee) AS fee_sum,
                       round(avg(total_fee::DOUBLE), 4) AS fee_mean FROM visits GROUP BY 1 ORDER BY 1""",
        )
        figures["by_dept_and_age_band"] = _rows(
            db,
            f"""SELECT dept, {BAND} AS age_from, {STAYS}
                FROM visits JOIN patients USING (patient_id) GROUP BY 1, 2 ORDER BY 1, 2""",
        )
        figures["diabetes_by_main_dx"] = _diabetes(db, "visits", "main_dx")
    if "diagnoses" in tables:
        figures["diabetes_by_any_dx"] = _diabetes(db, "diagnoses", "dx")
    if "labs" in tables:
        figures["by_lab_item"] = _rows(
            db,
            """SELECT item, count(*) AS n, sum(value) AS value_sum, round(avg(value::DOUBLE), 4) AS value_mean
               FROM labs GROUP BY 1 ORDER BY 1""",
        )
    return figures


def figures(paths: Mapping[str, Path], dirty: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """`paths` names the tables as written, patients among them."""
    with _open(paths, dirty) as db:
        found: dict[str, Any] = {"ages_at": AGE_DATE}
        for name, keep in (("figures", False), ("figures_bad_id_kept", True)):
            _clean(db, paths, keep)
            found[name] = _figures(db, paths)
    return found
