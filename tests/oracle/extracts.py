"""A small extract made by brute force, independent of intake: the oracle that query's tests measure against.

Rows are Python dicts, norms are computed person by person with Python's exact integers, the file is an encrypted DuckDB
file as intake's are. Slow on purpose: nothing here is shared with what it checks.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa

from enclave.catalogue.dataset import Column, Dataset, Facet, Join, Keys, Kind, Lookup, Reference, Table

KEY = "5e" * 32
DEPTS = tuple("ABCDEF")
WARDS = tuple(f"{d}{i}" for d in DEPTS for i in (1, 2, 3))
DX = ("I10", "E11", "J18", "C50")
FINDINGS = tuple(f"{code}.{n}00" for code in DX for n in range(1, 5))
"""What the dictionary does not list."""

Row = dict[str, object]
Rows = dict[str, list[Row]]

PATIENTS = Table(
    name="patients",
    unit="patient_id",
    key=("patient_id",),
    row_clip=1,
    columns=(
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("sex", Kind.CODE, codes=("F", "M")),
        Column("age", Kind.INTEGER, 0, 90, total_clip=90),
        Column("smoker", Kind.BOOLEAN, nullable=False),
        Column("balance", Kind.DECIMAL, -50_000, 20_000, scale=100),
    ),
)
VISITS = Table(
    name="visits",
    unit="patient_id",
    key=("visit_id",),
    row_clip=8,
    facets=(Facet("dept", 5, 2), Facet("dx", 4, 2)),
    keys=(Keys("finding", 3, 40),),
    joins=(Join("patient_id", "patients", "patient_id", ("sex", "age")),),
    columns=(
        Column("visit_id", Kind.TEXT, nullable=False),
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("dept", Kind.CODE, codes=DEPTS),
        Column("ward", Kind.CODE, codes=WARDS, finer_than=("dept",)),
        Column("dx", Kind.CODE, codes=DX),
        Column("los_days", Kind.INTEGER, 0, 60, total_clip=40),
        Column("change", Kind.INTEGER, -9, 9, total_clip=12),
        Column("fee", Kind.DECIMAL, 0, 5_000_000, scale=100, total_clip=2_000_000),
        Column("admitted_on", Kind.DATE, 18_628, 20_088),
        Column("score", Kind.INTEGER),
        Column("urgent", Kind.BOOLEAN),
        Column("finding", Kind.KEY),
    ),
)
DIAGNOSES = Table(
    name="diagnoses",
    unit="patient_id",
    key=("diagnosis_id",),
    row_clip=12,
    facets=(Facet("code", 6, 2),),
    joins=(
        Join("visit_id", "visits", "visit_id", ("dept", "los_days", "urgent")),
        Join("patient_id", "patients", "patient_id", ("sex",)),
    ),
    columns=(
        Column("diagnosis_id", Kind.TEXT, nullable=False),
        Column("visit_id", Kind.TEXT, nullable=False),
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("code", Kind.CODE, codes=DX),
        Column("rank", Kind.INTEGER, 1, 5),
    ),
)
REFERENCES = (
    Reference(
        "departments",
        "dept",
        DEPTS[:5],
        (
            Lookup("division", (("medical", ("A", "B")), ("surgical", ("C", "D")))),
            Lookup("beds", ((10, ("A", "C")), (25, ("B",)), (40, ("D", "E")))),
        ),
    ),
    Reference(
        "divisions", "division", ("medical", "surgical"), (Lookup("floor", ((1, ("medical",)), (2, ("surgical",)))),)
    ),
)
"""One department has no row, one no division."""

DATASET = Dataset(
    name="small",
    version=1,
    register="home",
    grade=2,
    domain="hospital",
    delta="1e-6",
    size_class=100_000,
    tables=(PATIENTS, VISITS, DIAGNOSES),
    digest="0" * 64,
    policy_digest="1" * 64,
    demo=True,
    keys_delta="1e-9",
    references=REFERENCES,
)


def random_rows(persons: int, seed: int) -> Rows:
    """Persons of every temper: none to many visits, spread or piled up, with NULLs and extremes."""
    draw = random.Random(seed)
    rows: Rows = {"patients": [], "visits": [], "diagnoses": []}
    for person in range(persons):
        rows["patients"].append(random_patient(draw, person))
        heavy = draw.random() < 0.3
        for _ in range(draw.randrange(40) if heavy else draw.randrange(4)):
            visit = random_visit(draw, person, len(rows["visits"]), narrow=draw.random() < 0.5)
            rows["visits"].append(visit)
            for _ in range(draw.randrange(4)):
                rows["diagnoses"].append(
                    {
                        "diagnosis_id": len(rows["diagnoses"]),
                        "visit_id": visit["visit_id"],
                        "patient_id": person,
                        "code": draw.choice((*DX, None)),
                        "rank": draw.choice((1, 2, 5, None)),
                    }
                )
    return rows


def random_patient(draw: random.Random, person: int) -> Row:
    return {
        "patient_id": person,
        "sex": draw.choice(("F", "M", None)),
        "age": draw.choice((0, 30, 90, None)),
        "smoker": draw.random() < 0.5,
        "balance": draw.choice((-50_000, 0, 20_000, None)),
    }


def random_visit(draw: random.Random, person: int, at: int, *, narrow: bool) -> Row:
    dept = "A" if narrow else draw.choice((*DEPTS, None))
    return {
        "visit_id": at,
        "patient_id": person,
        "dept": dept,
        "ward": draw.choice([w for w in WARDS if w[0] == dept]) if dept else None,
        "dx": draw.choice((*DX, None)),
        "los_days": draw.choice((0, 1, 7, 60, None)),
        "change": draw.choice((-9, -1, 0, 1, 9, None)),
        "fee": draw.choice((0, 1, 12_345, 5_000_000, None)),
        "admitted_on": draw.choice((dt.date(2021, 1, 1), dt.date(2023, 6, 30), dt.date(2024, 12, 31), None)),
        "score": draw.choice((0, 10**9, -(10**9), None)),
        "urgent": draw.choice((True, False, None)),
        "finding": random.Random(at).choice((*FINDINGS, None)),
    }


def with_norms(table: Table, rows: Iterable[Mapping[str, object]]) -> list[Row]:
    """The rows with their stored norms and flags, person by person; an unlisted key that is not said is missing."""
    by_person: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        by_person[row[table.unit]].append({**dict.fromkeys(k.column for k in table.keys), **row})
    finished = [row for mine in by_person.values() for row in _of_person(table, mine)]
    return sorted(finished, key=lambda row: int(str(row["unit_rows"])))


def with_carried(dataset: Dataset, table: Table, mine: Iterable[Row], rows: Mapping[str, list[Row]]) -> list[Row]:
    """The rows with what their joins carry."""
    finished = list(mine)
    for join in table.joins:
        far = {row[join.to]: row for row in rows[join.table]}
        for row in finished:
            met = far.get(row[join.column], {})
            row |= {f"{join.table}_{name}": met.get(name) for name in join.carries}
    return finished


def carried_types(dataset: Dataset, table: Table) -> dict[str, str]:
    """The SQL type of every carried column."""
    types: dict[str, str] = {}
    for join in table.joins:
        far = {c.name: c for t in dataset.tables if t.name == join.table for c in t.columns}
        types |= {f"{join.table}_{name}": stored_type(far[name]) for name in join.carries}
    return types


def _of_person(table: Table, mine: list[Row]) -> list[Row]:
    shared: Row = {"unit_rows": 256 * len(mine)}
    for facet in table.facets:
        cells = Counter(row[facet.column] for row in mine)
        shared[facet.norm] = rounded_up_root(65_536 * sum(n * n for n in cells.values()))
        shared[facet.distinct_norm] = rounded_up_root(65_536 * len(cells))
    for column in table.columns:
        if column.total_clip is not None:
            shared[column.total_norm] = max(1, 256 * sum(abs(int(str(row[column.name] or 0))) for row in mine))
    held = {k.column: set(_held(k, mine)) for k in table.keys}
    seen: set[tuple[str, object]] = set()
    finished: list[Row] = []
    for row in mine:
        flags: Row = {}
        for facet in table.facets:
            cell = (facet.column, row[facet.column])
            flags[facet.first] = cell not in seen
            seen.add(cell)
        for keys in table.keys:
            cell = (keys.among, row[keys.column])
            flags[keys.among] = row[keys.column] in held[keys.column]
            flags[keys.vote] = flags[keys.among] and cell not in seen
            seen.add(cell)
        finished.append({**row, **shared, **flags, "first_unit": not finished})
    return finished


def _held(keys: Keys, mine: list[Row]) -> list[object]:
    """K of the person's values: intake chooses by keyed hash, any function of the person's rows keeps what is proved."""
    return sorted({row[keys.column] for row in mine}, key=str)[: keys.per_person]


def rounded_up_root(square: int) -> int:
    root = math.isqrt(square)
    return root if root * root == square else root + 1


def build(path: Path, dataset: Dataset, rows: Mapping[str, list[Row]], key: str = KEY) -> Path:
    """An encrypted extract with stored norms, as the engine opens it."""
    extension = next(Path(str(files("duckdb_extension_httpfs"))).rglob("httpfs.duckdb_extension"))
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"ATTACH '{path}' AS made (ENCRYPTION_KEY $1)", [key])
        for table in dataset.tables:
            mine = with_carried(dataset, table, with_norms(table, rows[table.name]), rows)
            _write(connection, table, mine, carried_types(dataset, table))
        connection.execute("CHECKPOINT made")
    return path


def _write(connection: duckdb.DuckDBPyConnection, table: Table, rows: list[Row], carried: Mapping[str, str]) -> None:
    columns = {c.name: stored_type(c) for c in table.columns} | {"unit_rows": "INTEGER NOT NULL"}
    columns |= {"first_unit": "BOOLEAN NOT NULL", **carried}
    for facet in table.facets:
        columns |= {facet.norm: "INTEGER NOT NULL", facet.distinct_norm: "INTEGER NOT NULL", facet.first: "BOOLEAN"}
    columns |= {c.total_norm: "BIGINT NOT NULL" for c in table.columns if c.total_clip is not None}
    columns |= {name: "BOOLEAN NOT NULL" for k in table.keys for name in (k.among, k.vote)}
    declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(f'CREATE TABLE made."{table.name}" ({declared})')
    if rows:
        arrays = pa.table({name: [row[name] for row in rows] for name in columns})
        connection.register("rows_to_write", arrays)
        connection.execute(f'INSERT INTO made."{table.name}" SELECT * FROM rows_to_write')
        connection.unregister("rows_to_write")


def stored_type(column: Column) -> str:
    if column.kind is Kind.CODE:
        listed = ", ".join(f"'{c}'" for c in column.codes)
        return f"ENUM ({listed})"
    fixed = {Kind.TEXT: "BIGINT", Kind.KEY: "VARCHAR", Kind.DATE: "DATE", Kind.BOOLEAN: "BOOLEAN"}
    if column.kind in fixed:
        return fixed[column.kind]
    reach = max(abs(column.lower or 0), abs(column.upper or 0)) if column.lower is not None else 2**40
    return next(
        (name for name, most in (("TINYINT", 127), ("SMALLINT", 32_767), ("INTEGER", 2**31 - 1)) if reach <= most),
        "BIGINT",
    )


def without_limits(dataset: Dataset) -> Dataset:
    """The same dictionary with clips nobody reaches: answers are then near the truth."""
    tables = []
    for table in dataset.tables:
        facets = tuple(replace(f, clip=10_000, distinct_clip=10_000) for f in table.facets)
        columns = tuple(replace(c, total_clip=10**10) if c.total_clip else c for c in table.columns)
        clip = table.row_clip if table.one_row_per_person else 10_000
        tables.append(replace(table, facets=facets, columns=columns, row_clip=clip))
    return replace(dataset, tables=tuple(tables))
