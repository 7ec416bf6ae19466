"""The command: the same bytes from the same arguments, a seal over every file, refusals in words."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

Make = Callable[..., subprocess.CompletedProcess[str]]
SMALL = ("--persons", "300", "--seed", "5")


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_same_arguments_give_the_same_bytes(make: Make, tmp_path: Path, form: str) -> None:
    for name in ("one", "two"):
        assert make(tmp_path / name, *SMALL, "--format", form).returncode == 0
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")


def test_another_seed_gives_other_people(make: Make, hospital: Path, tmp_path: Path) -> None:
    make(tmp_path, "--persons", "2000", "--seed", "2", "--format", "parquet", "--tables", "patients")
    assert (tmp_path / "patients.parquet").read_bytes() != (hospital / "patients.parquet").read_bytes()


def test_a_table_does_not_depend_on_which_others_were_asked_for(make: Make, hospital: Path, tmp_path: Path) -> None:
    make(tmp_path, "--persons", "2000", "--format", "parquet", "--tables", "visits,patients")
    assert {p.name for p in tmp_path.glob("*.parquet")} == {"patients.parquet", "visits.parquet"}
    for name in ("patients.parquet", "visits.parquet"):
        assert (tmp_path / name).read_bytes() == (hospital / name).read_bytes()


def test_csv_and_parquet_hold_the_same_rows(make: Make, tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        make(tmp_path / form, *SMALL, "--format", form)
    for parquet in (tmp_path / "parquet").glob("*.parquet"):
        csv = tmp_path / "csv" / f"{parquet.stem}.csv"
        typed = duckdb.sql(f"SELECT * FROM '{parquet}'")
        said = ", ".join(f"'{name}': '{kind}'" for name, kind in zip(typed.columns, typed.types, strict=True))
        read = duckdb.sql(f"SELECT * FROM read_csv('{csv}', columns = {{{said}}})")
        assert read.fetchall() == typed.fetchall()


def test_the_seal_names_every_other_file_with_its_digest(hospital: Path) -> None:
    seal = json.loads((hospital / "generator.json").read_text())
    assert (seal["generator"], seal["version"], seal["seed"], seal["persons"]) == ("domicile-synthetic", 1, 1, 2000)
    assert seal["tables"] == ["patients", "visits", "diagnoses", "labs", "notes"]
    written = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in hospital.iterdir() if p.name != "generator.json"
    }
    assert seal["sha256"] == written


def test_files_of_an_earlier_run_do_not_stay(make: Make, tmp_path: Path) -> None:
    make(tmp_path, *SMALL)
    make(tmp_path, *SMALL, "--tables", "patients", "--format", "parquet")
    assert {p.name for p in tmp_path.iterdir()} == {"patients.parquet", "truth.json", "dirty.json", "generator.json"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_hospital_of_one_person_can_be_made(make: Make, tmp_path: Path, form: str) -> None:
    done = make(tmp_path, "--persons", "1", "--seed", "3", "--format", form)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "truth.json").read_text())["figures"]["rows"]["patients"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tables", "visits"), "visits needs patients"),
        (("--tables", "patients,bills"), "no such table: bills"),
        (("--persons", "0"), "expected a whole number from 1"),
        (("--persons", "1e6"), "expected a whole number from 1"),
        (("--seed", "-1"), "expected a whole number from 0"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(
    make: Make, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = make(tmp_path / "out", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
