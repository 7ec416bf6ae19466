"""Which hospital is asked: how many persons, which tables, and where does its extract stand?

An invented hospital goes through the whole of `catalogue.shelve` in a process of its own, so that what is measured later
is what intake makes. `DOMICILE_BENCH_DATA=FOLDER` keeps the homes, by size, for the next run; without it they are made in
a temporary folder and removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enclave.catalogue import find, open_key
from enclave.catalogue.dataset import Dataset
from enclave.store import Keyring, Place, open_state

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("patients", "visits", "diagnoses")
KEPT = "DOMICILE_BENCH_DATA"
VISITS_PER_PERSON = 5


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


@contextmanager
def shelved(visits: int) -> Iterator[Hospital]:
    """The hospital with about so many visits."""
    kept = os.environ.get(KEPT)
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as passing:
        folder = Path(kept or passing) / f"hospital-{visits}"
        home, raw = folder / "home", folder / "raw"
        if not (folder / "made").exists():
            make_raw(raw, visits // VISITS_PER_PERSON)
            size = 1_000_000 * -(-visits * 5 // 2 // 1_000_000)
            shelve = [sys.executable, "-m", "bench.intake", str(home), str(raw), ",".join(TABLES), str(size)]
            subprocess.run(shelve, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            (folder / "made").touch()
        yield opened(home, raw)


def opened(home: Path, raw: Path) -> Hospital:
    place = Place(home)
    dataset = find(open_state(place), "hospital")
    path, key = open_key(place, Keyring(place), dataset)
    return Hospital(raw, path, key, dataset)
