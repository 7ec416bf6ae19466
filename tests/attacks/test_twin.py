"""Attack 50: mock data made from real data. The twin knows the signed dictionary, and of what was bought the noisy numbers,
and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.attacks.asked import Door
from tests.attacks.test_profile import bought
from tests.oracle import clinic

from enclave.catalogue import find
from enclave.errors import Tampered
from enclave.query import prepare
from enclave.twin import Twins, described, make, path_of

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


def test_a_drawn_twin_is_a_function_of_the_dictionary_and_the_paid_numbers(door: Door) -> None:
    """With every extract gone it is made anew, row for row: no way leads from it to a record."""
    place, keyring = door.living.place, door.living.keyring
    free = find(door.living.db, "hospital")
    bought(door)
    dataset = find(door.living.db, "hospital")
    sql = "SELECT * FROM visits ORDER BY ALL"
    twins, made = Twins(place, keyring), []
    for gone in (False, True):
        if gone:
            shutil.rmtree(place.extracts)
            path_of(place, dataset).unlink()
        assert not twins.ask(prepare("SELECT COUNT(*) AS n FROM visits", dataset, "1")).incident
        twins.close()
        with duckdb.connect(path_of(place, dataset), read_only=True) as con:
            made.append(con.execute(sql).fetchall())
    assert made[0] == made[1]
    make(described(place, keyring, free), path_of(place, free))
    with duckdb.connect(path_of(place, free), read_only=True) as con:
        assert con.execute(sql).fetchall() != made[0], "the control: what was bought is in it"


def test_a_profile_nobody_signed_draws_no_twin(door: Door) -> None:
    bought(door)
    dataset = find(door.living.db, "hospital")
    assert dataset.profile is not None
    forged = replace(dataset, profile=replace(dataset.profile, epsilon="9"))
    twins = Twins(door.living.place, door.living.keyring)
    with pytest.raises(Tampered):
        twins.ask(prepare("SELECT COUNT(*) AS n FROM visits", forged, "1"))
