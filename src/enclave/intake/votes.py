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

from enclave.intake.columns import among, vote
from enclave.intake.deidentify import pads, pseudonym
from enclave.intake.package import KeysText, Resource


def voters(table: Resource, keys: KeysText) -> str:
    """The name of the table of (person, value, first key)."""
    return f'"votes_{table.name}_{keys.column}"'


def passed(table: Resource, keys: KeysText) -> str:
    """The name of the table of (person, value) that a person has beyond K."""
    return f'"passed_{table.name}_{keys.column}"'


def measure(con: duckdb.DuckDBPyConnection, table: Resource, rows: str, pseudonym_key: bytes) -> None:
    """Find first rows and what is passed over, for each column of unlisted keys; `rows` are those of the staged table."""
    for keys in table.keys:
        con.execute(
            f'CREATE OR REPLACE TABLE {voters(table, keys)} AS SELECT "{table.unit_column}" AS unit_, '
            f'"{keys.column}" AS value_, min("{table.key[0]}") AS first_ FROM {rows} GROUP BY unit_, value_'
        )
        crowded = f"SELECT unit_ FROM {voters(table, keys)} GROUP BY unit_ HAVING count(*) > {keys.per_person}"
        lot = pseudonym(f"{table.name}.{keys.column}", "coalesce(value_, chr(31))")
        lots = f"SELECT value_, {lot} AS lot_ FROM (SELECT DISTINCT value_ FROM {voters(table, keys)})"
        ranked = (
            "SELECT unit_, v.value_, row_number() OVER (PARTITION BY unit_ ORDER BY xor(unit_, lot_), v.value_) AS rank_ "
            f"FROM {voters(table, keys)} v JOIN lots ON lots.value_ IS NOT DISTINCT FROM v.value_ "
            f"WHERE unit_ IN ({crowded})"
        )
        con.execute(
            f"CREATE OR REPLACE TABLE {passed(table, keys)} AS WITH lots AS MATERIALIZED ({lots}) "
            f"SELECT unit_, value_ FROM ({ranked}) WHERE rank_ > {keys.per_person}",
            pads(pseudonym_key),
        )


def columns(table: Resource) -> list[str]:
    """The flags, as CREATE TABLE states them."""
    return [f'"{name}" BOOLEAN NOT NULL' for keys in table.keys for name in (among(keys.column), vote(keys.column))]


def selected(table: Resource) -> list[str]:
    """The flags of a staged row s; `joined` brings what was passed over."""
    kept = []
    for n, keys in enumerate(table.keys):
        first = f's."{table.key[0]}" IN (SELECT first_ FROM {voters(table, keys)})'
        kept += [f"p{n}.unit_ IS NULL", f"p{n}.unit_ IS NULL AND {first}"]
    return kept


def joined(table: Resource) -> str:
    """At most one row each: (person, value) stands once in what was passed over."""
    return "".join(
        f' LEFT JOIN {passed(table, keys)} p{n} ON p{n}.unit_ = s."{table.unit_column}" '
        f'AND p{n}.value_ IS NOT DISTINCT FROM s."{keys.column}"'
        for n, keys in enumerate(table.keys)
    )


def breaches(keys: KeysText, unit: str, place: str) -> str:
    """SQL that counts persons who are counted in another number of values than K allows, or by other rows than one each."""
    held, told = f'"{among(keys.column)}"', f'"{vote(keys.column)}"'
    values = (
        f'SELECT "{unit}" AS unit_, count(*) AS rows_, count(*) FILTER ({held}) AS held, '
        f'count(*) FILTER ({told}) AS votes FROM {place} GROUP BY unit_, "{keys.column}"'
    )
    strays = "held NOT IN (0, rows_) OR votes <> (held > 0)::INTEGER"
    persons = (
        f"SELECT count(*) AS values_, count(*) FILTER (held > 0) AS held, count(*) FILTER ({strays}) AS strays "
        f"FROM ({values}) GROUP BY unit_"
    )
    return f"SELECT count(*) FROM ({persons}) WHERE strays <> 0 OR held <> least(values_, {keys.per_person})"


def distinct(keys: KeysText, place: str) -> str:
    """SQL that counts the distinct values of the column, NULL being one."""
    return f'SELECT count(*) FROM (SELECT DISTINCT "{keys.column}" FROM {place})'
