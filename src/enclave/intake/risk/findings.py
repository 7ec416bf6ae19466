"""What does the report say of the risk that remains?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from enclave.intake.columns import Stored, stored_columns
from enclave.intake.exposure import SMALLEST, QuasiIdentifiers, Risk
from enclave.intake.package import Descriptor
from enclave.intake.report import Bars, Category, Check, Facts, Line, Section
from enclave.intake.resource import Resource
from enclave.intake.risk.classes import STEPS, TALLY, Classes, listed, measured, small_places
from enclave.intake.risk.levels import Level, levels, said
from enclave.intake.risk.remedy import Remedy, Tally, cheapest

_SEARCHED = 1_000_000
"""Rows of a tally above which no remedy is looked for: so fine a set is coarsened by hand first."""
_TRIED = 8
"""Choices that are counted anew in rows, where a person has several, before the search ends."""


@dataclass(frozen=True)
class Found:
    """What one table's sets and small places gave."""

    lines: tuple[Line, ...] = ()
    checks: tuple[Check, ...] = ()
    pictures: tuple[Bars, ...] = ()


def section(found: Iterable[Found]) -> Section:
    """The risk section of the report, stops included."""
    parts = list(found)
    return Section(
        "risk",
        tuple(line for part in parts for line in part.lines),
        tuple(check for part in parts for check in part.checks),
        tuple(picture for part in parts for picture in part.pictures),
    )


def measure(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str) -> Found:
    """The risk of the rows at `place`: a check for each set and place, and for what stops the cheapest remedy."""
    lines: list[Line] = []
    checks: list[Check] = []
    pictures: list[Bars] = []
    for asked in (s for s in d.risk.sets if s.table == table.name):
        found = measured(con, place, table.unit_column, asked, single=_single(table))
        lines += _figures(d.risk, asked, found)
        checks += _checks(d.risk, asked, found)
        pictures.append(_picture(asked, found))
        if not found.suffices(d.risk, asked):
            lines.append(_proposal(con, d, table, place, asked))
    checks += _small_places(con, d.risk, table, place)
    return Found(tuple(lines), tuple(checks), tuple(pictures))


def _single(table: Resource) -> bool:
    return table.key == (table.unit_column,)


def _figures(policy: Risk, asked: QuasiIdentifiers, found: Classes) -> Iterator[Line]:
    facts: dict[str, str | int] = {"set": asked.name, "columns": ", ".join(asked.columns), "persons": found.persons}
    facts |= {"classes": found.classes, "k": found.k, "unique": found.unique, "small": found.small}
    yield Line("risk_classes", facts)
    yield Line("risk_number", {"set": asked.name, "risk": f"{found.risk(policy):.4f}", **_inputs(policy)})
    for column in asked.sensitive:
        distance = f"{found.distance[column]:.3f}"
        yield Line("risk_sensitive", {"set": asked.name, "column": column, "l": found.diversity[column], "t": distance})


def _inputs(policy: Risk) -> Facts:
    return {
        "opening": policy.opening, "control": policy.control, "motive": policy.motive, "security": policy.security,
        "acquaintance": f"{policy.acquaintance:.3f}", "attempt": f"{policy.attempt:.3f}", "most": f"{policy.most:.4f}",
        "least": SMALLEST[policy.opening],
    }  # fmt: skip


def _checks(policy: Risk, asked: QuasiIdentifiers, found: Classes) -> Iterator[Check]:
    allowed, risk = asked.allowed(found.persons), found.risk(policy)
    facts: Facts = {"set": asked.name, "k": asked.k, "l": asked.l, "t": str(asked.t), "allowed": allowed}
    above: Facts = {"set": asked.name, "risk": f"{risk:.4f}", "most": f"{policy.most:.4f}"}
    of, kind = found.persons, Category.RISK
    yield Check("risk_at_fault", facts, kind, asked.table, of=of, failed=found.at_fault, stops=found.at_fault > allowed)
    too_high = risk > policy.most
    yield Check("risk_above", above, kind, asked.table, of=of, failed=of if too_high else 0, stops=too_high)


def _picture(asked: QuasiIdentifiers, found: Classes) -> Bars:
    labels = [str(low) if high == low + 1 else f"{low}–{high - 1}" for low, high in pairwise(STEPS)]
    bars = tuple(zip([*labels, f"{STEPS[-1]}+"], found.sizes, strict=True))
    return Bars("risk_sizes", {"set": asked.name}, bars)


def _small_places(con: duckdb.DuckDBPyConnection, policy: Risk, table: Resource, place: str) -> Iterator[Check]:
    for column, least in policy.small_places.items():
        if column in {o.name for _, o in table.outputs()}:
            of, failed = small_places(con, place, table.unit_column, column, least)
            facts: Facts = {"column": column, "least": least}
            yield Check("risk_small_places", facts, Category.RISK, table.name, column, of=of, failed=failed)


def _proposal(
    con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str, asked: QuasiIdentifiers
) -> Line:
    remedy = _remedy(con, d, table, place, asked)
    if remedy is None:
        return Line("risk_no_remedy", {"set": asked.name, "k": asked.k})
    return Line("risk_remedy", {"set": asked.name, "changes": said(remedy.chosen), "bits": f"{remedy.bits:.2f}"})


def _remedy(
    con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str, asked: QuasiIdentifiers
) -> Remedy | None:
    """The cheapest choice of levels, held against the rows themselves where a person has several."""
    ((rows,),) = con.execute(f"SELECT count(*) FROM {TALLY}").fetchall()
    if not rows or rows > _SEARCHED:
        return None
    stored = {column.name: column for column in stored_columns(d, table)}
    size = max(asked.k, SMALLEST[d.risk.opening])
    steps = [levels(stored[name], _persons(con, stored[name]), size) for name in asked.columns]
    left = iter(range(_TRIED))

    def holds(chosen: Sequence[Level]) -> bool:
        if _single(table):
            return True
        if next(left, None) is None:
            return False
        coarser = ", ".join(f'{level.sql} AS "{level.column}"' for level in chosen)
        others = listed((table.unit_column, *asked.sensitive))
        made = measured(con, f"(SELECT {coarser}, {others} FROM {place})", table.unit_column, asked)
        return made.suffices(d.risk, asked)

    return cheapest(_tally(con, asked, steps), steps, d.risk, asked, holds)


def _persons(con: duckdb.DuckDBPyConnection, column: Stored) -> dict[str | None, int]:
    """Value → persons, of a code column."""
    if column.kind != "code":
        return {}
    found = con.execute(f'SELECT "{column.name}"::VARCHAR, sum(n_) FROM {TALLY} GROUP BY ALL').fetchall()
    return {value: int(n) for value, n in found}


def _tally(con: duckdb.DuckDBPyConnection, asked: QuasiIdentifiers, steps: Sequence[tuple[Level, ...]]) -> Tally:
    columns = [level.sql for chain in steps for level in chain] + [f'"{c}"' for c in asked.sensitive]
    named = ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(columns))
    table = con.execute(f"SELECT {named}, sum(n_)::BIGINT AS n_ FROM {TALLY} GROUP BY ALL").to_arrow_table()
    return Tally.of(table, [len(chain) for chain in steps], len(asked.sensitive))
