"""Persons are checked as they pass: wherever a batch is cut, however many rows they have, wherever their rows stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.oracle import clinic

from enclave.intake import promises
from enclave.intake.reverify import reverify

PLACE = 'extract.main."visits"'


def rows() -> clinic.Rows:
    found = clinic.rows()
    found["patients"] += [clinic.patient(n) for n in range(4, 20)]
    found["visits"] += [clinic.visit(100 + n, 4 + n % 9, dept=("NEUR", "CARD")[n % 2]) for n in range(60)]
    return found


def broken(folder: Path, *statements: str) -> dict[str, int]:
    made = clinic.built(folder, rows())
    with clinic.opened(made.path, writable=True) as con:
        for sql in statements:
            con.execute(sql)
        d = clinic.parsed()
        table = next(t for t in d.tables if t.name == "visits")
        return {name: count for name, count in promises.breaches(con, d, table, PLACE).items() if count}


@pytest.mark.parametrize("batch", [1, 2, 7, 10_000])
def test_it_is_the_same_wherever_a_batch_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(promises, "_BATCH", batch)
    assert broken(tmp_path / "whole") == {}, "the control: as built it holds"
    bent = f"UPDATE {PLACE} SET norm_dept = norm_dept + 1 WHERE unit_rows > 5 * 256"
    told = f"UPDATE {PLACE} SET first_dept = NOT first_dept WHERE unit_rows > 5 * 256"
    assert broken(tmp_path / "bent", bent, told) == {"norms of dept": 9}


def test_a_person_in_two_places_is_found_though_each_would_do(tmp_path: Path) -> None:
    """Each half is made to look like a person of its own: only that they are two tells."""
    unit = clinic.pseudonym("person", "P1")
    norms = ("unit_rows", "norm_dept", "distinct_dept", "norm_dx_category", "distinct_dx_category")
    flags = ("first_unit", "first_dept", "first_dx_category", "among_dx_code", "vote_dx_code")
    totals = {"total_los_days": "los_days", "total_fee": "fee"}
    alone = ", ".join(
        [f"{name} = 256" for name in norms]
        + [f"{name} = true" for name in flags]
        + [f"{name} = greatest(1, 256 * abs(coalesce({of}, 0)))" for name, of in totals.items()]
    )
    apart = [
        f"CREATE TABLE extract.main.kept AS SELECT * FROM {PLACE} WHERE patient_id = {unit} LIMIT 2",
        f"DELETE FROM {PLACE} WHERE patient_id = {unit}",
        f"INSERT INTO {PLACE} SELECT * FROM extract.main.kept LIMIT 1",
        f"INSERT INTO {PLACE} SELECT * REPLACE (7 AS patient_id) FROM extract.main.kept LIMIT 1",
        f"INSERT INTO {PLACE} SELECT * FROM extract.main.kept OFFSET 1",
        f"UPDATE {PLACE} SET {alone} WHERE patient_id IN ({unit}, 7)",
    ]
    found = broken(tmp_path, *apart)
    assert found == {"rows of a person together": 1}


@pytest.mark.parametrize("clip", [1, 40, 4096, 2**20])
def test_few_and_many_rows_are_judged_by_the_same_integers(clip: int) -> None:
    """Around 2^30 squares, where 64 bits end to be enough: as Python's own integers have it."""
    squares = [1, 2, 1600, 2**30 - 1, 2**30, 2**30 + 1, 2**34, 2**40 - 1]
    for square in squares:
        root = next(n for n in range(max(1, int((65536 * square) ** 0.5) - 2), 2**62) if n * n >= 65536 * square)
        for norm in (root - 1, root, root + 1):
            weight = min(65536, clip * 65536 * 256 // norm)
            wrong = norm != root or weight * weight * square > (clip * 65536) ** 2
            found = promises._false_norm(np.array([norm]), np.array([square]), clip)
            assert bool(found[0]) == wrong, (square, norm)


def test_a_build_reads_it_back(tmp_path: Path) -> None:
    made = clinic.built(tmp_path, rows())
    with clinic.opened(made.path) as con:
        reverify(con, clinic.parsed(), "extract")
