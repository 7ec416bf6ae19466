"""In which order and form do rows rest in the extract?

One table each, columns typed by the policy, norms NOT NULL with CHECK (>= 1). Rows rest in the order of how far their person
is over the clips, whichever is exceeded most, then by person and key: whatever norm a question weighs by, the rows it must
take something away from stand together at the end (zone maps then skip the rest), and the same content always comes in the
same order. What a join carries rests beside each row.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from enclave.intake import firsts, votes
from enclave.intake.columns import carried_columns, stored_columns
from enclave.intake.contributions import norm_columns, norms
from enclave.intake.laid import ROW, drop, staged
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.stage import hit


def _declaration(d: Descriptor, table: Resource) -> str:
    """Columns as CREATE TABLE states them."""
    lines = [f'"{c.name}" {c.sql_type}{"" if c.nullable else " NOT NULL"}' for c in stored_columns(d, table)]
    lines += [f'"{name}" {kind} NOT NULL CHECK ("{name}" >= 1)' for name, kind in norm_columns(table)]
    lines += [f'"first_{name}" BOOLEAN NOT NULL' for name in ("unit", *(f.column for f in table.facets))]
    lines += votes.columns(table)
    lines += [f'"{name}" {c.sql_type}{"" if c.nullable else " NOT NULL"}' for _, name, c in carried_columns(d, table)]
    return ", ".join(lines)


def hits(name: str) -> str:
    """The table of persons for whom the derived column `name` is true."""
    return f'"persons {name}"'


def keep_hits(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource) -> None:
    """Note which persons have a row in `table` that counts for a derived column."""
    for derived in d.person_table.derived:
        if derived.any_of.table == table.name:
            con.execute(
                f'CREATE OR REPLACE TABLE {hits(derived.name)} AS SELECT DISTINCT "{table.unit_column}" AS unit_ '
                f"FROM {staged(table)} WHERE {hit(derived.name)}"
            )


def kept(table: Resource) -> str:
    """A staged table with its derived columns, as a relation: what would be written, but for norms and order."""
    unit = f's."{table.unit_column}"'
    derived = "".join(f', {unit} IN (SELECT unit_ FROM {hits(x.name)}) AS "{x.name}"' for x in table.derived)
    return f"(SELECT s.*{derived} FROM {staged(table)} s)"


def _select(d: Descriptor, table: Resource, far: Mapping[str, str]) -> str:
    unit, key = f's."{table.unit_column}"', f's."{table.key[0]}"'
    derived = {x.name for x in table.derived}
    kept = [
        f"{unit} IN (SELECT unit_ FROM {hits(c.name)})" if c.name in derived else f's."{c.name}"'
        for c in stored_columns(d, table)
    ]
    kept += [f'n."{name}"' for name, _ in norm_columns(table)]
    kept.append(f"s.{ROW} = n.first_")
    kept += [firsts.is_first(f.column) for f in table.facets]
    kept += votes.selected(table)
    kept += [f'far_{table.joins.index(join)}."{there.name}"' for join, _, there in carried_columns(d, table)]
    rows = f"{staged(table)} s JOIN {norms(table)} n ON n.unit_ = {unit}"
    for at, join in enumerate(table.joins):
        if join.carries:
            rows += f' JOIN {far[join.table]} far_{at} ON far_{at}."{join.to}" = s."{join.column}"'
    rows += firsts.joined(table) + votes.joined(table)
    return f"SELECT {', '.join(kept)} FROM {rows} ORDER BY n.excess_, {unit}, {key}"


def write(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, catalog: str, far: Mapping[str, str]) -> int:
    """Write a staged and measured table into the attached `catalog`; the number of rows. `far` says where each table it
    joins is now."""
    con.execute(f'CREATE TABLE {catalog}.main."{table.name}" ({_declaration(d, table)})')
    firsts.gather(con, table)
    (count,) = con.execute(f'INSERT INTO {catalog}.main."{table.name}" {_select(d, table, far)}').fetchall()[0]
    return int(count)


def copy(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str, catalog: str) -> int:
    """Write the stored rows at `place` into the attached `catalog` as they stand; the number of rows."""
    con.execute(f'CREATE TABLE {catalog}.main."{table.name}" ({_declaration(d, table)})')
    (count,) = con.execute(f'INSERT INTO {catalog}.main."{table.name}" SELECT * FROM {place}').fetchall()[0]
    return int(count)


def clear(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """Drop what the table needed while it was worked on."""
    drop(con, table)
    for name in (norms(table), *(votes.passed(table, k) for k in table.keys)):
        con.execute(f"DROP TABLE IF EXISTS {name}")
    firsts.forget(con, table)
