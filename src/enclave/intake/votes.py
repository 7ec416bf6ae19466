"""In which of their distinct keys is each person counted?

A column of unlisted keys (`keys` in the descriptor) may be grouped by only because a person moves a bounded number of its
groups: K of the policy. Who has at most K distinct values is counted in all of them, NULL being one. Who has more is counted
in the K whose lots lie nearest to the person's pseudonym; a value's lot is its HMAC under the register's key, nearness the
exclusive or of the two 64-bit numbers. The choice is a function of that person's rows and the key alone: nothing is drawn,
nobody else's rows matter, and no public hash can be aimed at (attack 26).

    among_COLUMN   the row's value is one of those K
    vote_COLUMN    one such row for each of them: the one with the least table key
"""

from __future__ import annotations

import duckdb

from enclave.intake import firsts
from enclave.intake.columns import among, vote
from enclave.intake.deidentify import pads, pseudonym
from enclave.intake.laid import staged
from enclave.intake.resource import KeysText, Resource


def _counted(table: Resource, keys: KeysText) -> str:
    """The name of the table of (person, value, first row)."""
    return f'"counted_{table.name}_{keys.column}"'


def passed(table: Resource, keys: KeysText) -> str:
    """The name of the table of (person, value) that a person has beyond K."""
    return f'"passed_{table.name}_{keys.column}"'


def measure(con: duckdb.DuckDBPyConnection, table: Resource, pseudonym_key: bytes) -> None:
    """Find first rows and what is passed over, for each column of unlisted keys of a staged table."""
    for keys in table.keys:
        con.execute(
            f'CREATE OR REPLACE TABLE {_counted(table, keys)} AS SELECT "{table.unit_column}" AS unit_, '
            f'"{keys.column}" AS value_, {firsts.first(table)} FROM {staged(table)} GROUP BY unit_, value_'
        )
        many = f"SELECT unit_ FROM {_counted(table, keys)} GROUP BY unit_ HAVING count(*) > {keys.per_person}"
        lot = pseudonym(f"{table.name}.{keys.column}", "coalesce(value_, chr(31))")
        ranked = (
            "SELECT unit_, c.value_, row_number() OVER (PARTITION BY unit_ ORDER BY xor(unit_, lot_), c.value_) AS rank_ "
            "FROM crowded c JOIN lots ON lots.value_ IS NOT DISTINCT FROM c.value_"
        )
        con.execute(
            f"CREATE OR REPLACE TABLE {passed(table, keys)} AS "
            f"WITH crowded AS MATERIALIZED (SELECT unit_, value_ FROM {_counted(table, keys)} WHERE unit_ IN ({many})), "
            f"lots AS MATERIALIZED (SELECT value_, {lot} AS lot_ FROM (SELECT DISTINCT value_ FROM crowded)) "
            f"SELECT unit_, value_ FROM ({ranked}) WHERE rank_ > {keys.per_person}",
            pads(pseudonym_key),
        )
        firsts.keep(con, table, keys.column, _counted(table, keys))


def columns(table: Resource) -> list[str]:
    """The flags, as CREATE TABLE states them."""
    return [f'"{name}" BOOLEAN NOT NULL' for keys in table.keys for name in (among(keys.column), vote(keys.column))]


def selected(table: Resource) -> list[str]:
    """The flags of a staged row s; `joined` brings what was passed over."""
    kept = []
    for n, keys in enumerate(table.keys):
        kept += [f"p{n}.unit_ IS NULL", f"p{n}.unit_ IS NULL AND {firsts.is_first(keys.column)}"]
    return kept


def joined(table: Resource) -> str:
    """At most one row each: (person, value) stands once in what was passed over."""
    return "".join(
        f' LEFT JOIN {passed(table, keys)} p{n} ON p{n}.unit_ = s."{table.unit_column}" '
        f'AND p{n}.value_ IS NOT DISTINCT FROM s."{keys.column}"'
        for n, keys in enumerate(table.keys)
    )


def distinct(keys: KeysText, place: str) -> str:
    """SQL that counts the distinct values of the column, NULL being one."""
    return f'SELECT count(*) FROM (SELECT DISTINCT "{keys.column}" FROM {place})'
