"""`make bench`: measure everything in one run, beside what it is compared with, and write it down.

    bench/results.json                   [{"name", "value", "unit", "against", "ratio", "goal", "holds"}]
    docs/reference/benchmarks.md         the same as a table

`python bench/run_all.py ledger run` measures only those and keeps the other rows as they stand.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RESULTS = ROOT / "bench" / "results.json"
TABLE = ROOT / "docs" / "reference" / "benchmarks.md"
Row = dict[str, Any]

HEAD = """# Benchmarks

Written by `make bench`; every row was measured beside what it is compared with, in the same run, in turns. Ratios travel
between machines, seconds do not. Compute time and reply time are two figures: a reply leaves at a moment fixed at
reservation, whatever the computation took.

| what | value | against | ratio | goal | holds |
| --- | --- | --- | --- | --- | --- |
"""


def _ledger() -> list[Row]:
    from bench.ledger import measure

    return measure()


def _quote() -> list[Row]:
    """Prices and refusals, by the broker's own parts."""
    from bench.quote import measure

    return measure()


def _run() -> list[Row]:
    from bench.run import measure

    return measure()


def _neighbours() -> list[Row]:
    """A run beside a fork bomb, a memory bomb, an output bomb and a busy loop."""
    from bench.neighbours import measure

    return measure()


def _queue() -> list[Row]:
    """Forty runs, two workers, one of them killed every few seconds."""
    from bench.exactly_once import measure

    return measure()


def _data() -> list[Row]:
    """Intake of 2,000,000 persons, then questions on the extract it made."""
    from bench.intake import measure

    return measure()


def _suite() -> list[Row]:
    """Twelve questions at two sizes, beside plain DuckDB."""
    from bench.suite import measure

    return measure()


def _standards() -> list[Row]:
    """What the checks of standards add to a build."""
    from bench.standards import measure

    return measure()


def _discover() -> list[Row]:
    """Identifiers in notes and columns: speed, recall by kind, precision."""
    from bench.discover import measure

    return measure()


def _models() -> list[Row]:
    """A regression, a survival curve and a cross-table, beside the plain sums; how near the curve is."""
    from bench.models import measure

    return measure()


PARTS: dict[str, Callable[[], list[Row]]] = {
    "ledger": _ledger,
    "quote": _quote,
    "run": _run,
    "neighbours": _neighbours,
    "queue": _queue,
    "data": _data,
    "standards": _standards,
    "discover": _discover,
    "suite": _suite,
    "models": _models,
}


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:,.4g}" if isinstance(value, float) else str("–" if value is None else value)


def written(rows: Sequence[Row]) -> None:
    """Put the rows on disk, both ways."""
    RESULTS.write_text(json.dumps(list(rows), indent=1) + "\n")
    lines = [
        f"| `{r['name']}` | {shown(r['value'])} {r['unit']} | {r['against']} | {shown(r['ratio'])} | {shown(r['goal'])} "
        f"| {shown(r['holds'])} |"
        for r in rows
    ]
    where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    machine = f"\nMeasured on {os.cpu_count()} cores, {where}.\n"
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(HEAD + "\n".join(lines) + "\n" + machine)


def told_apart(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows of one part; ValueError where two have one name, as the second would stand for both."""
    names = [row["name"] for row in rows]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two rows are called {', '.join(sorted(twice))}")
    return rows


def main(wanted: Sequence[str]) -> None:
    kept = {r["name"]: r for r in json.loads(RESULTS.read_text())} if RESULTS.exists() and wanted else {}
    for part in wanted or PARTS:
        print(f"measuring {part} …", flush=True)
        for row in told_apart(PARTS[part]()):
            kept[row["name"]] = row
            print(f"  {row['name']}: {shown(row['value'])} {row['unit']}, ratio {shown(row['ratio'])}", flush=True)
    written(sorted(kept.values(), key=lambda row: str(row["name"])))
    failed = [name for name, row in kept.items() if row["holds"] is False]
    print("goals missed: " + ", ".join(failed) if failed else "all goals hold")


if __name__ == "__main__":
    main(sys.argv[1:])
