"""Into which classes do the columns that an outsider might know divide the persons?

A class is what persons share who agree on all those columns. In a table with several rows for a person a person is in every
class that one of their rows is in. One pass over the table makes a tally of what differs; everything else is read from it.

k: the least number of persons in a class. l: the least number of different sensitive values in one (distinct l-diversity).
t: the greatest total variation distance of a class's sensitive values from everybody's (t-closeness, equal distances), in
exact integers, rounded up to the next thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from enclave.intake.exposure import SMALLEST, QuasiIdentifiers, Risk

TALLY = "risk_tally_"
"""Keys, sensitive columns, and `n_` persons who have them together."""
_CLASSES = "risk_classes_"
STEPS = (1, 2, 5, 10, 20, 100)
"""Where the picture of class sizes has its steps."""


@dataclass(frozen=True)
class Classes:
    """What was found of one set: counts of classes and persons, and how far the worst class is from what is asked."""

    persons: int
    classes: int
    k: int
    unique: int
    """Persons who are alone in their class."""
    small: int
    """Persons in classes of fewer than the policy's k."""
    diversity: dict[str, int]
    """Sensitive column → the least number of its values in one class."""
    distance: dict[str, Decimal]
    """Sensitive column → the greatest distance of a class from everybody, in thousandths."""
    at_fault: int
    """Persons in classes that miss k, l or t."""
    sizes: tuple[int, ...] = ()
    """Persons in classes of 1, 2–4, 5–9, 10–19, 20–99, 100 and more."""

    def risk(self, policy: Risk) -> Decimal:
        """The share that an attack succeeds (see `exposure`); 0 for nobody."""
        if not self.persons:
            return Decimal(0)
        if self.k < SMALLEST[policy.opening]:
            return Decimal(1)
        share = Decimal(1) / self.k if policy.opening == "public" else Decimal(self.classes) / self.persons
        return share * policy.attempt

    def suffices(self, policy: Risk, asked: QuasiIdentifiers) -> bool:
        """Whether the policy lets an extract be made of this."""
        return self.at_fault <= asked.allowed(self.persons) and self.risk(policy) <= policy.most


def listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    return tuple(int(value or 0) for value in con.execute(sql).fetchall()[0])


def measured(
    con: duckdb.DuckDBPyConnection, place: str, unit: str, asked: QuasiIdentifiers, *, single: bool = False
) -> Classes:
    """The classes of `asked` in `place`, whose persons are told apart by `unit`; `single`: each has one row."""
    _tally(con, place, unit, asked, single=single)
    bad = [_distances(con, asked, column, single=single) for column in asked.sensitive]
    faulty = " OR ".join([f"persons_ < {asked.k}", *(f"class_ IN (SELECT class_ FROM {name})" for name, _, _ in bad)])
    steps = zip(STEPS, (*STEPS[1:], 2**62), strict=True)
    sizes = ", ".join(f"sum(persons_) FILTER (persons_ >= {low} AND persons_ < {high})" for low, high in steps)
    persons = "sum(persons_)" if single else f"(SELECT count(DISTINCT unit_) FROM {TALLY})"
    classes, k, unique, small, at_fault, everybody, *found = _row(
        con,
        "SELECT count(*), min(persons_), sum(persons_) FILTER (persons_ = 1), "
        f"sum(persons_) FILTER (persons_ < {asked.k}), sum(persons_) FILTER ({faulty}), {persons}, {sizes} FROM {_CLASSES}",
    )
    diversity = {column: least for column, (_, least, _) in zip(asked.sensitive, bad, strict=True)}
    distance = {column: Decimal(most) / 1000 for column, (_, _, most) in zip(asked.sensitive, bad, strict=True)}
    return Classes(everybody, classes, k, unique, small, diversity, distance, at_fault, tuple(found))


def _tally(con: duckdb.DuckDBPyConnection, place: str, unit: str, asked: QuasiIdentifiers, *, single: bool) -> None:
    keys, columns = listed(asked.columns), listed((*asked.columns, *asked.sensitive))
    rows = f"{columns}, count(*) AS n_" if single else f'DISTINCT "{unit}" AS unit_, {columns}, 1 AS n_'
    group = "GROUP BY ALL" if single else ""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {TALLY} AS SELECT {rows} FROM {place} {group}")
    persons = "sum(n_)" if single else "count(DISTINCT unit_)"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_CLASSES} AS SELECT row_number() OVER () AS class_, * FROM "
        f"(SELECT {keys}, {persons}::HUGEINT AS persons_ FROM {TALLY} GROUP BY {keys})"
    )


def _distances(
    con: duckdb.DuckDBPyConnection, asked: QuasiIdentifiers, column: str, *, single: bool
) -> tuple[str, int, int]:
    """(table of the classes that miss l or t, least l, greatest t in thousandths, rounded up) of one sensitive column.

    Half of Σ|v/m − q/n| over the values: v persons of the class have the value of m, q of n altogether; a value that the
    class lacks adds q/n, so only its own values need be looked at.
    """
    agrees = " AND ".join(f't."{key}" IS NOT DISTINCT FROM c."{key}"' for key in asked.columns)
    persons = "sum(n_)" if single else "count(DISTINCT unit_)"
    name = f'"risk {column}"'
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        WITH pairs AS (
          SELECT class_, "{column}" AS value_, {persons}::HUGEINT AS v
          FROM {TALLY} t JOIN {_CLASSES} c ON {agrees} GROUP BY ALL
        ), everybody AS (
          SELECT value_, sum(v)::HUGEINT AS q, (SELECT sum(v) FROM pairs)::HUGEINT AS n FROM pairs GROUP BY value_
        ), shares AS (SELECT class_, value_, v, sum(v) OVER (PARTITION BY class_)::HUGEINT AS m FROM pairs)
        SELECT class_, count(*) AS l_,
               sum(abs(v * n - q * m) - q * m) + any_value(n * m) AS far_, 2 * any_value(n * m) AS whole_,
               ((1000 * far_ + whole_ - 1) // whole_)::INTEGER AS t_
        FROM shares s JOIN everybody e ON e.value_ IS NOT DISTINCT FROM s.value_ GROUP BY class_
        """
    )
    least, most = _row(con, f"SELECT min(l_), max(t_) FROM {name}")
    con.execute(f"DELETE FROM {name} WHERE l_ >= {asked.l} AND t_ <= {int(asked.t * 1000)}")
    return name, least, most


def small_places(con: duckdb.DuckDBPyConnection, place: str, unit: str, column: str, least: int) -> Sequence[int]:
    """(values of a column, how many of them have fewer than `least` persons)."""
    each = f'SELECT count(DISTINCT "{unit}") AS n FROM {place} GROUP BY "{column}"'
    return _row(con, f"SELECT count(*), count(*) FILTER (n < {least}) FROM ({each})")
