"""Make an invented hospital: what does each command-line choice give?

    python datasets_synthetic/make.py OUT [--persons N] [--seed S] [--tables a,b] [--format csv|parquet]

Writes one file per table (columns: people, visits, diagnoses, labs and notes in this folder), and beside them

    truth_notes      where the notes give somebody away (with table notes)
    truth.json       exact figures of the planted effects, without the dirty rows (truth.py)
    dirty.json       ids of the dirty rows by kind
    generator.json   seed, persons, tables, format and the SHA-256 of every other file; written last

The same arguments give the same bytes. People are drawn in chunks of fixed size, so memory does not grow with their number.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

if __package__ in (None, ""):  # started as a script: the package is this folder
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datasets_synthetic import diagnoses, dirt, files, labs, notes, people, truth, visits
from datasets_synthetic.columns import Ints, numbered
from datasets_synthetic.resident import Register

PARENTS = {"patients": "", "visits": "patients", "diagnoses": "visits", "labs": "visits", "notes": "visits"}
TABLES = tuple(PARENTS)
SIDE_FILES = ("truth.json", "dirty.json", "generator.json")
CHUNK = 100_000
MOST_PERSONS = 20_000_000
"""What the widths of the ids allow."""

Dirty = dict[str, list[str]]


def clear(out: Path) -> None:
    """Remove what an earlier run left, the seal first: a half-made folder never looks finished."""
    out.mkdir(parents=True, exist_ok=True)
    earlier = [f"{name}.{form}" for name in (*TABLES, "truth_notes") for form in files.FORMATS]
    for name in (*reversed(SIDE_FILES), *earlier):
        (out / name).unlink(missing_ok=True)


def write_tables(writers: files.TableFiles, persons: int, seed: int, tables: Sequence[str]) -> Dirty:
    register, rows = Register(), Counter[str]()
    dirty: Dirty = {kind: [] for kind in dirt.KINDS}
    for chunk, first in enumerate(range(1, persons + 1, CHUNK)):
        crowd = people.draw(seed, chunk, first, min(CHUNK, persons + 1 - first), register)
        writers.add("patients", crowd.table)
        dirty[dirt.BAD_ID] += ids("P", crowd.number[crowd.bad_id], 8)
        if "visits" not in tables:
            continue
        seen = visits.draw(seed, chunk, crowd, rows["visits"] + 1)
        made = {"visits": seen.table}
        for kind, numbers in seen.dirty.items():
            dirty[kind] += ids("V", numbers, 9)
        if "diagnoses" in tables:
            made["diagnoses"] = diagnoses.draw(seed, chunk, crowd, seen, rows["diagnoses"] + 1)
        if "labs" in tables:
            made["labs"] = labs.draw(seed, chunk, crowd, seen, rows["labs"] + 1)
        if "notes" in tables:
            made["notes"], made["truth_notes"] = notes.draw(seed, chunk, crowd, seen, rows["notes"] + 1)
        for name, table in made.items():
            writers.add(name, table)
            rows[name] += table.num_rows
    return dirty


def ids(prefix: str, numbers: Ints, width: int) -> list[str]:
    return [str(found) for found in numbered(prefix, numbers, width).to_pylist()]


def make(out: Path, *, persons: int = 20_000, seed: int = 1, tables: Sequence[str] = TABLES, form: str = "csv") -> None:
    """Write the hospital to `out`."""
    clear(out)
    with files.TableFiles(out, form) as writers:
        dirty = write_tables(writers, persons, seed, tables)
    files.write_json(out / "dirty.json", dirty)
    paths = {name: writers.paths[name] for name in tables}
    files.write_json(out / "truth.json", truth.figures(paths, dirty))
    sealed = sorted([*writers.paths.values(), out / "truth.json", out / "dirty.json"])
    seal = {
        "generator": "domicile-synthetic",
        "version": 1,
        "seed": seed,
        "persons": persons,
        "tables": list(tables),
        "format": form,
        "sha256": {path.name: files.sha256(path) for path in sealed},
    }
    files.write_json(out / "generator.json", seal)


def chosen_tables(text: str) -> tuple[str, ...]:
    """In the order of TABLES; every table needs the one its rows belong to."""
    asked = {name.strip() for name in text.split(",")}
    if unknown := asked - set(TABLES):
        raise argparse.ArgumentTypeError(f"no such table: {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    for name in TABLES:
        if name in asked and PARENTS[name] and PARENTS[name] not in asked:
            raise argparse.ArgumentTypeError(f"{name} needs {PARENTS[name]}: add it to --tables")
    return tuple(name for name in TABLES if name in asked)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}")
        return int(text)

    return read


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make.py", description="Make an invented hospital.")
    parser.add_argument("out", type=Path, help="folder to write; files of an earlier run in it are replaced")
    parser.add_argument("--persons", type=whole_number(1, MOST_PERSONS), default=20_000)
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=1)
    parser.add_argument("--tables", type=chosen_tables, default=TABLES, help=f"default: {','.join(TABLES)}")
    parser.add_argument("--format", choices=files.FORMATS, default="csv")
    asked = parser.parse_args(argv)
    make(asked.out, persons=asked.persons, seed=asked.seed, tables=asked.tables, form=asked.format)


if __name__ == "__main__":
    main()
