"""Are reply classes long enough: how long does each shape of question take at full load, beside what its price assumes?

    python bench/reply_moments.py            print the table
    python bench/reply_moments.py --write    write docs/reference/reply-moments.md

A made-up extract of a million visits (a hundred thousand persons, a few of them far over every clip), warm; two busy loops
and a second question at the same time on whatever cores there are; the longest of several rounds counts. A class is ten
times what `moment.worst_ms` assumes; the assumption holds when nothing measured is longer, and is of use when it is not
longer than a few times the measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.oracle.extracts import DATASET, KEY, stored_type  # noqa: E402  # the folder above is where tests stand
from tests.oracle.questions import ANSWERED  # noqa: E402

from domicile import Survival  # noqa: E402
from enclave.catalogue.dataset import Table  # noqa: E402
from enclave.errors import EnclaveError  # noqa: E402
from enclave.query import Engine, execute, prepare  # noqa: E402
from enclave.query.bounds import tallies  # noqa: E402
from enclave.query.moment import MARGIN, worst_ms  # noqa: E402
from enclave.query.price import Priced  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "reply-moments.md"
ROWS = 1_000_000
ROUNDS = 3
BUSY = "while True: pass"
BACKGROUND = "SELECT dept, dx, COUNT(*), AVG(los_days) FROM visits GROUP BY dept, dx"

EACH = "SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id"
MORE = (
    "SELECT dept, VAR_SAMP(los_days) FROM visits GROUP BY dept",
    "SELECT dept, MEDIAN(los_days) FROM visits GROUP BY dept",
    "SELECT dept, QUANTILE_CONT(los_days, 0.25), QUANTILE_CONT(los_days, 0.75) FROM visits GROUP BY dept",
    "SELECT CORR(los_days, change) FROM visits",
    "SELECT COUNT(DISTINCT dx) FROM visits",
    "SELECT finding, COUNT(*) FROM visits GROUP BY finding",
    "SELECT finding, COUNT(DISTINCT patient_id) FROM visits WHERE los_days > 0 GROUP BY finding",
    "SELECT SUM(los_days) / COUNT(*) FROM visits",
    "SELECT COUNT(*) FILTER (WHERE urgent) FROM visits",
    "SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS each",
    "SELECT AVG(LEAST(n, 20)) FROM (SELECT patient_id, SUM(los_days) AS n FROM visits GROUP BY patient_id) AS each",
    "SELECT SUM(los_days) FROM (SELECT patient_id, los_days FROM visits WHERE urgent UNION ALL "
    "SELECT patient_id, los_days FROM visits) AS u",
    Survival("days", "back", f"({EACH}) AS r JOIN patients USING (patient_id)", 5, 60, by="sex").sql,
)


KEYS = 20_000
WIDE = replace(
    DATASET, tables=tuple(replace(t, keys=tuple(replace(k, in_all=KEYS) for k in t.keys)) for t in DATASET.tables)
)
"""The same dictionary with as many unlisted keys as a code system has."""


@dataclass(frozen=True)
class Measured:
    sql: str
    longest_ms: float
    assumed_ms: float
    reply_ms: int

    @property
    def ratio(self) -> float:
        return self.assumed_ms / self.longest_ms

    @property
    def margin(self) -> float:
        return self.reply_ms / self.longest_ms


# --- the extract ----------------------------------------------------------------------------------------------------

PERSONS = "CASE WHEN hash(range, 1) % 50 = 0 THEN hash(range, 2) % 200 ELSE hash(range, 3) % {persons} END"
VISITS = """
SELECT range AS visit_id, {person} AS patient_id,
  CASE WHEN hash(range, 4) % 40 > 0 THEN chr(65 + (hash(range, 4) % 6)::INTEGER) END AS dept,
  dept || (1 + hash(range, 5) % 3)::VARCHAR AS ward,
  ['I10', 'E11', 'J18', 'C50', NULL][1 + (hash(range, 6) % 5)::INTEGER] AS dx,
  CASE WHEN hash(range, 7) % 30 > 0 THEN (hash(range, 8) % 61)::INTEGER END AS los_days,
  (hash(range, 9) % 19)::INTEGER - 9 AS change, (hash(range, 10) % 5000001)::INTEGER AS fee,
  DATE '2020-12-31' + (hash(range, 11) % 1400)::INTEGER AS admitted_on, (hash(range, 12) % 1000)::INTEGER AS score,
  hash(range, 13) % 2 = 0 AS urgent, 'F' || (hash(range, 14) % {keys})::VARCHAR AS finding
FROM range({rows})
"""
PATIENTS = """
SELECT range AS patient_id, ['F', 'M', NULL][1 + (hash(range, 1) % 3)::INTEGER] AS sex,
  (hash(range, 2) % 91)::INTEGER AS age, hash(range, 3) % 2 = 0 AS smoker,
  (hash(range, 4) % 70001)::INTEGER - 50000 AS balance
FROM range({persons})
"""
DIAGNOSES = """
SELECT row_number() OVER () AS diagnosis_id, visit_id, patient_id,
  ['I10', 'E11', 'J18', 'C50', NULL][1 + (hash(visit_id, 20) % 5)::INTEGER] AS code,
  1 + (hash(visit_id, 21) % 5)::INTEGER AS rank
FROM raw_visits
"""


def extract(path: Path, rows: int) -> Path:
    extension = next(Path(str(files("duckdb_extension_httpfs"))).rglob("httpfs.duckdb_extension"))
    persons = rows // 10
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"ATTACH '{path}' AS made (ENCRYPTION_KEY $1)", [KEY])
        person = PERSONS.format(persons=persons)
        connection.execute(f"CREATE TEMP TABLE raw_patients AS {PATIENTS.format(persons=persons)}")
        connection.execute(f"CREATE TEMP TABLE raw_visits AS {VISITS.format(rows=rows, person=person, keys=KEYS)}")
        connection.execute(f"CREATE TEMP TABLE raw_diagnoses AS {DIAGNOSES}")
        for table in WIDE.tables:
            connection.execute(f"CREATE TABLE made.{table.name} AS {with_norms(table)}")
        connection.execute("CHECKPOINT made")
    return path


def with_norms(table: Table) -> str:
    """Norms as intake stores them, by windows: near enough for time, and never used for an answer."""
    unit, columns = table.unit, [f"CAST({c.name} AS {stored_type(c)}) AS {c.name}" for c in table.columns]
    inner, outer = (
        ["*", f"CAST(256 * count(*) OVER (PARTITION BY {unit}) AS INTEGER) AS unit_rows"],
        ["unit_rows", "first_unit"],
    )
    inner.append(f"row_number() OVER (PARTITION BY {unit}) = 1 AS first_unit")
    for facet in table.facets:
        cell = f"PARTITION BY {unit}, {facet.column}"
        inner.append(f"count(*) OVER ({cell}) AS c_{facet.column}")
        inner.append(f"row_number() OVER ({cell}) = 1 AS {facet.first}")
        person = f"OVER (PARTITION BY {unit})"
        outer.append(f"CAST(ceil(256 * sqrt(sum(c_{facet.column}) {person})) AS INTEGER) AS {facet.norm}")
        outer.append(
            f"CAST(ceil(256 * sqrt(sum({facet.first}::INTEGER) {person})) AS INTEGER) AS {facet.distinct_norm}"
        )
        outer.append(facet.first)
    for column in table.columns:
        if column.total_clip is not None:
            total = f"256 * coalesce(sum(abs({column.name})) OVER (PARTITION BY {unit}), 0)"
            outer.append(f"CAST(greatest(1, {total}) AS BIGINT) AS {column.total_norm}")
    for keys in table.keys:
        value = f"PARTITION BY {unit}, {keys.column}"
        inner.append(f"row_number() OVER ({value}) = 1 AS {keys.vote}")
        outer += [f"true AS {keys.among}", keys.vote]
    rows = f"(SELECT {', '.join([*columns, *outer])} FROM (SELECT {', '.join(inner)} FROM raw_{table.name})) AS n"
    carried = list[str]()
    for at, join in enumerate(table.joins):
        kinds = {c.name: stored_type(c) for t in DATASET.tables if t.name == join.table for c in t.columns}
        carried += [f"CAST(f{at}.{name} AS {kinds[name]}) AS {join.carried(name)}" for name in join.carries]
        rows += f" JOIN raw_{join.table} AS f{at} ON f{at}.{join.to} = n.{join.column}"
    return f"SELECT {', '.join(['n.*', *carried])} FROM {rows} ORDER BY unit_rows"


# --- full load ------------------------------------------------------------------------------------------------------


@contextmanager
def busy(loops: int) -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def asked_beside(engine: Engine, priced: Priced) -> Iterator[None]:
    """A second question, over and over, in the same engine."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            engine.totals(priced.statements, priced.plan.keys, 600_000)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def measured(rows: int, rounds: int) -> list[Measured]:
    dataset = replace(WIDE, size_class=rows)
    found = []
    with tempfile.TemporaryDirectory(prefix="reply-moments-") as folder:
        engine = Engine(extract(Path(folder) / "x.duckdb", rows), KEY)
        with busy(os.cpu_count() or 2), asked_beside(engine, prepare(BACKGROUND, dataset, "1")):
            for sql in (*ANSWERED, *MORE):
                try:
                    priced = prepare(sql, dataset, "1")
                except EnclaveError:
                    continue  # not a shape that is answered today
                found.append(of_one(engine, priced, rows, rounds))
        engine.close()
    return found


def of_one(engine: Engine, priced: Priced, rows: int, rounds: int) -> Measured:
    longest = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        if execute(replace(priced, reply_ms=600_000), engine).incident:
            raise RuntimeError(f"the engine failed: {priced.sql}")
        longest = max(longest, time.perf_counter() - start)
    assumed = worst_ms(priced.plan, tallies(priced.plan), priced.statements, rows)
    return Measured(priced.sql, 1000 * longest, assumed, priced.reply_ms)


def page(found: list[Measured], rows: int) -> str:
    lines = [
        "# Reply moments",
        "",
        f"How long each shape of question takes on {rows:,} rows at full load, beside what its price assumes. Written by",
        "`bench/reply_moments.py --write`; the machine had "
        f"{os.cpu_count()} cores, {os.cpu_count()} busy loops and a second question at the same time.",
        f"A class is at least {MARGIN} times the assumed time. *margin* is the moment of the reply over the longest time",
        "measured.",
        "",
        "| question | longest, ms | assumed, ms | assumed / longest | reply, ms | margin |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for m in sorted(found, key=lambda m: m.ratio):
        figures = (f"{m.longest_ms:.0f}", f"{m.assumed_ms:.0f}", f"{m.ratio:.1f}", m.reply_ms, f"{m.margin:.0f}")
        lines.append(f"| `{m.sql}` | {' | '.join(map(str, figures))} |")
    worst = min(found, key=lambda m: m.ratio)
    lines += [
        "",
        f"Least: {worst.ratio:.1f} times. Under 1 the assumption is wrong and `query.moment` is to be mended.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=ROWS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    made = page(measured(given.rows, given.rounds), given.rows)
    if given.write:
        PAGE.write_text(made, encoding="utf-8")
    sys.stdout.write(made)


if __name__ == "__main__":
    main()
