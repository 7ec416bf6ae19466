"""Attack 50: mock data made from real data. The twin knows the signed dictionary and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from tests.oracle import clinic

from enclave.twin import make

EVERYTHING = ("SELECT * FROM patients ORDER BY ALL", "SELECT * FROM visits ORDER BY ALL")


def content(path: Path, key: str | None) -> list[Any]:
    with duckdb.connect() as con:
        under = f"ENCRYPTION_KEY '{key}', " if key else ""
        con.execute(f"ATTACH '{path}' AS it ({under}READ_ONLY)")
        con.execute("USE it")
        return [con.execute(sql).fetchall() for sql in EVERYTHING]


def test_the_twin_is_the_same_whatever_the_records_are(tmp_path: Path) -> None:
    """Two hospitals of one dictionary, one with a person more."""
    twins, extracts = [], []
    for name, more in (("with", True), ("without", False)):
        folder = tmp_path / name
        folder.mkdir()
        raw = clinic.rows()
        if more:
            raw["patients"].append(clinic.patient(99))
            raw["visits"].append(clinic.visit(999, 99))
        extracts.append(content(clinic.built(folder, raw).path, clinic.FILE_KEY))
        make(clinic.parsed(), folder / "twin.duckdb", persons=40)
        twins.append(content(folder / "twin.duckdb", None))
    assert extracts[0] != extracts[1], "the control: what is made from the records differs"
    assert twins[0] == twins[1]


def test_no_person_of_the_records_is_in_the_twin(tmp_path: Path) -> None:
    extract = clinic.built(tmp_path, clinic.rows())
    make(clinic.parsed(), tmp_path / "twin.duckdb", persons=40)
    real = {row[0] for row in content(extract.path, clinic.FILE_KEY)[0]}
    assert real and not real & {row[0] for row in content(tmp_path / "twin.duckdb", None)[0]}
