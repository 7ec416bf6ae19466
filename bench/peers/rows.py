"""Which rows are a peer handed? The very rows of the extract, as plain columns.

One folder: `visits.parquet` (with the person's sex, the bin of the stay, the day and the fee in yuan beside the stored
columns), `patients.parquet`, `diagnoses_alone.parquet`, `diagnoses.parquet` (joined with the visit's department, for
engines that cannot join), and `rows.duckdb` with the same tables for engines that run SQL. Making them is not timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from bench.hospital import Hospital

MADE = {
    "visits": (
        "SELECT v.visit_id, v.patient_id, v.dept::VARCHAR AS dept, v.dx_category::VARCHAR AS dx_category, "
        "v.payment::VARCHAR AS payment, p.sex::VARCHAR AS sex, v.admitted_on, "
        "(v.admitted_on - DATE '1970-01-01')::INTEGER AS on_day, v.admit_year::INTEGER AS admit_year, "
        "v.los_days::INTEGER AS los_days, (v.los_days // 5)::INTEGER AS los_bin, v.total_fee / 100 AS fee, "
        "v.total_fee AS fee_cents FROM stored.visits v JOIN stored.patients p USING (patient_id) ORDER BY v.visit_id"
    ),
    "patients": "SELECT patient_id, sex::VARCHAR AS sex FROM stored.patients ORDER BY patient_id",
    "diagnoses_alone": "SELECT diagnosis_id, visit_id, patient_id FROM stored.diagnoses ORDER BY diagnosis_id",
    "diagnoses": (
        "SELECT d.diagnosis_id, d.visit_id, d.patient_id, v.dept::VARCHAR AS dept FROM stored.diagnoses d "
        "JOIN stored.visits v USING (visit_id) ORDER BY d.diagnosis_id"
    ),
}


def handed(hospital: Hospital, folder: Path) -> None:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(folder / "rows.duckdb") as made:
        stored = str(hospital.path).replace("'", "''")
        made.execute(f"ATTACH '{stored}' AS stored (ENCRYPTION_KEY $1, READ_ONLY)", [hospital.key])
        for name, select in MADE.items():
            made.execute(f"CREATE TABLE {name} AS {select}")
            written = str(folder / f"{name}.parquet").replace("'", "''")
            made.execute(f"COPY {name} TO '{written}' (FORMAT parquet, COMPRESSION zstd)")


@contextmanager
def read(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The handed rows, to look at with an oracle's eyes."""
    with duckdb.connect(folder / "rows.duckdb", read_only=True, config={"threads": 2}) as connection:
        yield connection
