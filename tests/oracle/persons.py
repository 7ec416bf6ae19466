"""The real emitted SQL on the rows of a few people: what vector does each tally get from them?

An in-memory catalog of the engine's name stands in for the file, so that hundreds of persons can be tried in a second.
Rows come back as the engine gives them, keys outside every public list included.
"""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType

import duckdb
from tests.oracle.extracts import Rows, carried_types, stored_type, with_carried, with_norms

from enclave.catalogue.dataset import Dataset
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.plan import Plan
from enclave.query.question import parse
from enclave.query.tally import Tally
from enclave.query.written import CATALOG

Cells = dict[tuple[object, ...], int]


class People:
    """A catalog holding the rows of some people, with their norms as `with_norms` made them."""

    def __init__(self, dataset: Dataset, rows: Rows, *, stored: Rows | None = None) -> None:
        self.dataset = dataset
        self.connection = duckdb.connect()
        self.connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
        for table in dataset.tables:
            mine = (stored or {}).get(table.name) or with_norms(table, rows[table.name])
            mine = with_carried(dataset, table, mine, rows)
            kinds = {c.name: stored_type(c) for c in table.columns}
            norms = [n for f in table.facets for n in (f.norm, f.distinct_norm)]
            norms += ["unit_rows", *(c.total_norm for c in table.columns if c.total_clip is not None)]
            kinds |= dict.fromkeys(norms, "BIGINT") | {f.first: "BOOLEAN" for f in table.facets}
            kinds |= {name: "BOOLEAN" for k in table.keys for name in (k.among, k.vote)}
            kinds |= {"first_unit": "BOOLEAN"} | carried_types(dataset, table)
            declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
            self.connection.execute(f'CREATE TABLE {CATALOG}."{table.name}" ({declared})')
            if mine:
                values = ", ".join(f"({', '.join(_literal(row[name]) for name in kinds)})" for row in mine)
                self.connection.execute(f'INSERT INTO {CATALOG}."{table.name}" VALUES {values}')

    def __enter__(self) -> People:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def vectors(self, plan: Plan, moved: tuple[Tally, ...]) -> list[Cells]:
        """For each tally its cells, by key."""
        found: list[Cells] = [{} for _ in moved]
        for statement in emitted(plan, moved):
            for row in self.connection.execute(statement.sql).fetchall():
                for at, total in zip(statement.tallies, row[statement.keys :], strict=True):
                    found[at][row[: statement.keys]] = total or 0
        return found

    def ratio(self, sql: str, **wrong: object) -> float:
        """The largest l2 length over claimed sensitivity among the tallies of `sql`; `wrong` overrides the planner."""
        plan = parse(sql, self.dataset)
        moved = tuple(replace(t, **wrong) for t in tallies(plan))  # type: ignore[arg-type]  # a control breaks the rule
        lengths = [length_squared(v) for v in self.vectors(plan, moved)]
        return max((n**0.5 / t.sensitivity for n, t in zip(lengths, moved, strict=True)), default=0.0)


def length_squared(cells: Cells) -> int:
    return sum(total * total for total in cells.values())


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value).upper() if isinstance(value, bool | int) else f"'{value}'"
