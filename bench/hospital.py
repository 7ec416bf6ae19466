"""Which hospital is asked: how many persons, which tables, and where does its extract stand?

An invented hospital goes through the whole of `catalogue.shelve` in a process of its own, so that what is measured later
is what intake makes. `DOMICILE_BENCH_DATA=FOLDER` keeps the homes, by size, for the next run; without it they are made in
a temporary folder and removed. Beyond ten million visits only patients and visits are made, and they are copies of two
million persons under ids of their own: drawing each would take an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from datasets_synthetic.files import sha256, write_json

from enclave.catalogue import find, open_key
from enclave.catalogue.dataset import Dataset
from enclave.store import Keyring, Place, open_state

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("patients", "visits", "diagnoses")
KEPT = "DOMICILE_BENCH_DATA"
VISITS_PER_PERSON = 5
MOST_DRAWN = 2_000_000
"""Persons, each drawn."""


@dataclass(frozen=True)
class Hospital:
    """A shelved extract, and the raw tables (Parquet) it was made of."""

    raw: Path
    path: Path
    key: str
    dataset: Dataset


def make_raw(folder: Path, persons: int, tables: Sequence[str] = TABLES) -> None:
    """Invented tables as Parquet: about five visits a person, ten diagnoses."""
    make = [sys.executable, str(ROOT / "datasets_synthetic" / "make.py"), str(folder), "--persons", str(persons)]
    subprocess.run([*make, "--tables", ",".join(tables), "--format", "parquet"], check=True, cwd=ROOT)


def make_copies(folder: Path, persons: int, tables: Sequence[str]) -> None:
    """The same of many persons: copies of those that are drawn."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as passing:
        drawn, times = Path(passing), -(-persons // MOST_DRAWN)
        make_raw(drawn, MOST_DRAWN, tables)
        folder.mkdir(parents=True)
        seal = json.loads((drawn / "generator.json").read_text())
        with duckdb.connect(config={"memory_limit": "2GB", "threads": 2, "preserve_insertion_order": False}) as copying:
            visits = copying.execute(f"SELECT count(*) FROM '{drawn}/visits.parquet'").fetchall()[0][0]
            own = {"patients": [("patient_id", "P", 8, MOST_DRAWN)]}
            own["visits"] = [*own["patients"], ("visit_id", "V", 9, visits)]
            for table in tables:
                ids = [
                    f"'{p}' || lpad((substr({c}, 2)::BIGINT + k * {n})::VARCHAR, {w}, '0') AS {c}"
                    for c, p, w, n in own[table]
                ]
                rows = f"'{drawn}/{table}.parquet' CROSS JOIN range({times}) AS copies(k)"
                to = f"'{folder}/{table}.parquet' (COMPRESSION zstd)"
                copying.execute(f"COPY (SELECT * EXCLUDE k REPLACE ({', '.join(ids)}) FROM {rows}) TO {to}")
    seal |= {"persons": persons, "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.parquet"))}}
    write_json(folder / "generator.json", seal)


def classes(visits: int) -> dict[str, int]:
    """How many rows each table says it has: what is there, and a tenth more; of diagnoses, two and a half to a visit."""
    return {
        "patients": visits // VISITS_PER_PERSON * 11 // 10,
        "visits": visits * 11 // 10,
        "diagnoses": visits * 5 // 2,
    }


@contextmanager
def shelved(visits: int) -> Iterator[Hospital]:
    """The hospital with about so many visits."""
    kept = os.environ.get(KEPT)
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as passing:
        folder = Path(kept or passing) / f"hospital-{visits}"
        home, raw = folder / "home", folder / "raw"
        if not (folder / "made").exists():
            persons = visits // VISITS_PER_PERSON
            tables = TABLES if persons <= MOST_DRAWN else TABLES[:2]
            (make_raw if persons <= MOST_DRAWN else make_copies)(raw, persons, tables)
            stated = {name: rows for name, rows in classes(visits).items() if name in tables}
            shelve = [sys.executable, "-m", "bench.intake", str(home), str(raw), json.dumps(stated)]
            subprocess.run(shelve, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            (folder / "made").touch()
        yield opened(home, raw)


def opened(home: Path, raw: Path) -> Hospital:
    place = Place(home)
    dataset = find(open_state(place), "hospital")
    path, key = open_key(place, Keyring(place), dataset)
    return Hospital(raw, path, key, dataset)
