"""What does privacy cost in time, memory and error over twelve questions, beside plain DuckDB on the same encrypted file?

    python -m bench.suite [--visits N] [--more] [--only NAME …] [--peaks]

Both sides are warm and take turns in one run, so that a busy neighbour slows both alike. Ours is all that stands between
a durable reservation and a finished body: emitted SQL, noise, post-processing, Arrow; the price (parse, plan, quote) comes
before and has a row of its own. A reply leaves at its class's moment, whatever the computation took.

Error is total: Σ|answered − true| / Σ|true| over all cells, clipping and noise together, one draw; every form takes an
equal share of ONE budget of ε = 1 at the dataset's δ. Memory is the most a process of its own holds that opens the
extract and answers every form once; with --peaks that of each form, opened and answered once in a process of its own
(docs/reference/scale.md was seen so, at a hundred million visits).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa
from bench.hospital import Hospital, opened, shelved
from bench.questions import MORE, SUITE, Form

from enclave.errors import EnclaveError
from enclave.query import Engine, Priced, execute, mechanisms, prepare

ROOT = Path(__file__).resolve().parents[1]
VISITS = (1_000_000, 10_000_000)
GOAL_MEDIAN, GOAL_WORST = 1.0, 3.0
TOTAL_EPSILON = "1"
NAMES = tuple(form.name for form in SUITE)
WARM_UPS = 2
ROUNDS = (5, 25)
PATIENCE_S = 12.0
"""Rounds of one form: at least, at most, and no more once this long has passed."""

Row = dict[str, Any]
Cells = dict[tuple[str, ...], dict[str, float | None]]


@dataclass(frozen=True)
class Measured:
    """One form: seconds of both sides in turns, the price's milliseconds, the reply class, the total error."""

    form: Form
    ours: list[float]
    plain: list[float]
    quote_ms: float
    reply_ms: int
    error: float

    @property
    def ratio(self) -> float:
        return median(o / p for o, p in zip(self.ours, self.plain, strict=True))


# --- asking ---------------------------------------------------------------------------------------------------------


def share_of(dataset_delta: str, forms: int) -> str:
    """The ε, as text, of a question that spends no more than its share of the ρ of the total."""
    return epsilon_within(mechanisms.rho_for(TOTAL_EPSILON, dataset_delta) // forms, dataset_delta)


def epsilon_within(rho: int, delta: str) -> str:
    """The largest ε, in millionths, that costs no more than `rho`."""
    low, high = 0, 10**6
    while high - low > 1:
        middle = (low + high) // 2
        fits = mechanisms.rho_for(f"{middle / 10**6:.6f}", delta) <= rho
        low, high = (middle, high) if fits else (low, middle)
    return f"{low / 10**6:.6f}"


@contextmanager
def plain_on(hospital: Hospital) -> Iterator[duckdb.DuckDBPyConnection]:
    """Plain DuckDB on the same file, as many threads as ours."""
    connection = duckdb.connect(config={"threads": 2})
    written = str(hospital.path).replace("'", "''")
    connection.execute(f"ATTACH '{written}' AS plain (ENCRYPTION_KEY $1, READ_ONLY)", [hospital.key])
    connection.execute("USE plain")
    yield connection
    connection.close()


def answered(form: Form, body: bytes) -> Cells:
    """A reply's numbers by key."""
    return cells(form, pa.ipc.open_stream(body).read_all().to_pylist())


def true(form: Form, connection: duckdb.DuckDBPyConnection) -> Cells:
    """The exact answer, from the rows."""
    found = connection.execute(form.plain)
    names = [d[0] for d in found.description or []]
    return cells(form, [dict(zip(names, row, strict=True)) for row in found.fetchall()])


def cells(form: Form, rows: Sequence[dict[str, Any]]) -> Cells:
    return {
        tuple(str(row[k]) for k in form.keys): {
            name: None if row[name] is None else float(row[name]) for name in form.compared
        }
        for row in rows
    }


def total_error(form: Form, told: Cells, truth: Cells) -> float:
    """Σ|answered − true| / Σ|true|; what is not told counts as 0; an absent group has counts and sums of 0, and no mean."""
    wrong = size = 0.0
    for key in told.keys() | truth.keys():
        for name in form.compared:
            exact = truth.get(key, {}).get(name, None if form.averages else 0.0)
            if exact is not None:
                wrong += abs((told.get(key, {}).get(name) or 0.0) - exact)
                size += abs(exact)
    return wrong / size


def in_turns(
    form: Form, priced: Priced, engine: Engine, plain: duckdb.DuckDBPyConnection
) -> tuple[list[float], list[float], bytes]:
    """Seconds of ours and of plain DuckDB, and our last reply."""
    ours, theirs, body = [], [], b""
    started = time.perf_counter()
    for turn in range(WARM_UPS + ROUNDS[1]):
        start = time.perf_counter()
        plain.execute(form.plain).fetchall()
        middle = time.perf_counter()
        executed = execute(priced, engine)
        end = time.perf_counter()
        engine.settle()  # the catalog check between questions is in neither figure, and disturbs neither
        if executed.incident:
            raise RuntimeError(f"the engine failed: {form.sql}")
        if turn >= WARM_UPS:
            theirs.append(middle - start)
            ours.append(end - middle)
            body = executed.body
        if turn >= WARM_UPS + ROUNDS[0] and end - started > PATIENCE_S:
            break
    return ours, theirs, body


def asked(hospital: Hospital, forms: Sequence[Form]) -> Iterator[Measured]:
    """Every form; what this dataset is too large for is told and passed over."""
    epsilon = share_of(hospital.dataset.delta, len(forms))
    engine = Engine(hospital.path, hospital.key)
    with plain_on(hospital) as plain:
        for form in forms:
            start = time.perf_counter()
            try:
                priced = prepare(form.sql, hospital.dataset, epsilon)
            except EnclaveError as refused:
                print(f"  {form.name}: not asked here ({refused.words('en')})", flush=True)
                continue
            quote_ms = 1000 * (time.perf_counter() - start)
            ours, theirs, body = in_turns(form, priced, engine, plain)
            error = total_error(form, answered(form, body), true(form, plain))
            yield Measured(form, ours, theirs, quote_ms, priced.reply_ms, error)
    engine.close()


# --- memory ---------------------------------------------------------------------------------------------------------


def answer_all(hospital: Hospital, forms: Sequence[Form]) -> float:
    """Answer every form once in this process, but those that are refused at this size; the most MiB it held."""
    engine = Engine(hospital.path, hospital.key)
    for form in forms:
        with suppress(EnclaveError):
            priced = prepare(form.sql, hospital.dataset, "0.1")
            if execute(priced, engine).incident:
                raise RuntimeError(f"the engine failed: {form.sql}")
    engine.close()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_mib(hospital: Hospital, *only: str) -> float:
    """The same in a process of its own, of all forms or of those named."""
    home = hospital.path.parents[3]
    command = [sys.executable, "-m", "bench.suite", "--memory-of", str(home), str(hospital.raw), "--only", *only]
    found = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return float(found.stdout.split()[-1])


# --- rows -----------------------------------------------------------------------------------------------------------


def row_of(name: str, value: float, unit: str, against: str, goal: float | None = None) -> Row:
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "against": against,
        "ratio": round(value, 3) if unit == "×" else None,
        "goal": None if goal is None else f"<= {goal:g}",
        "holds": None if goal is None else value <= goal,
    }


def timed(prefix: str, made: Measured, goal: float | None = GOAL_WORST) -> Row:
    """Of one form: milliseconds, the ratio to plain DuckDB, and in words the rest."""
    against = (
        f"plain DuckDB on the same encrypted file, {1000 * median(made.plain):.1f} ms; total error {made.error:.2%}; "
        f"reply after {made.reply_ms:,} ms"
    )
    return {
        "name": f"{prefix}.{made.form.name}",
        "value": round(1000 * median(made.ours), 2),
        "unit": "ms",
        "against": against,
        "ratio": round(made.ratio, 3),
        "goal": None if goal is None else f"<= {goal:g}",
        "holds": None if goal is None else made.ratio <= goal,
    }


def measure_at(visits: int) -> list[Row]:
    """The rows at one size. Goals are set at the largest."""
    largest = visits == max(VISITS)
    prefix = "query.suite" if largest else f"query.suite_{visits // 10**6}m"
    worst = GOAL_WORST if largest else None
    with shelved(visits) as hospital:
        suite, more = list(asked(hospital, SUITE)), list(asked(hospital, MORE))
        memory = peak_mib(hospital)
    worst_of: dict[str, float] = {}
    for made in suite:
        worst_of[made.form.question] = max(made.ratio, worst_of.get(made.form.question, 0.0))
    what = f"plain DuckDB, over {len(worst_of)} questions at {visits:,} visits, each as its worst form"
    error = 100 * median(made.error for made in suite)
    return [
        row_of(f"{prefix}.median", median(worst_of.values()), "×", what, GOAL_MEDIAN if largest else None),
        row_of(f"{prefix}.worst", max(worst_of.values()), "×", what, worst),
        row_of(f"{prefix}.error", error, "%", f"the true answers, median of all forms under one ε = {TOTAL_EPSILON}"),
        row_of(f"{prefix}.quote", median(m.quote_ms for m in suite), "ms", "first quote of each form, median"),
        row_of(f"{prefix}.peak_mib", memory, "MiB", "one process that opens the extract and answers every form"),
        *(timed(prefix.replace("suite", "form"), made, worst) for made in suite),  # one of them is called median
        *(timed(prefix.replace("suite", "more"), made, worst) for made in more),
    ]


def measure() -> list[Row]:
    return [row for visits in VISITS for row in measure_at(visits)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visits", type=int, default=VISITS[0])
    options.add_argument("--more", action="store_true", help="the other shapes instead of the twelve")
    options.add_argument("--only", nargs="*", default=[], help="names of questions")
    options.add_argument("--peaks", action="store_true", help="the memory of each form, in a process of its own")
    options.add_argument("--memory-of", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.memory_of:
        print(answer_all(opened(*given.memory_of), [f for f in (*SUITE, *MORE) if f.name in (given.only or NAMES)]))
        return
    chosen = [f for f in (MORE if given.more else SUITE) if not given.only or f.question in given.only]
    with shelved(given.visits) as hospital:
        for made in asked(hospital, chosen):
            row = timed("query.form", made)
            if given.peaks:
                row["peak_mib"] = round(peak_mib(hospital, made.form.name))
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
