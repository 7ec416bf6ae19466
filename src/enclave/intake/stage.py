"""Which rows stay, and as what?

One scan of the raw file gives the staged table: treatments applied, the person found, and for each row the number of the
first reason it is left out for (0: it stays). Reasons look at the row or at the same person's other rows, never further:
an orphan is a row whose own person, or whose own person's visit, is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from enclave.errors import BadInput
from enclave.intake import deidentify, identity, prose, raw, treatments
from enclave.intake.choices import BY_CHOICE, stays_out
from enclave.intake.columns import stored_columns
from enclave.intake.graded import special
from enclave.intake.laid import STAY, keep, lay, leave_out, read, staged
from enclave.intake.marks import counted, marked, reach
from enclave.intake.package import Descriptor
from enclave.intake.resource import Identity, Resource
from enclave.intake.standards import Compiled, Tally, compiled, element
from enclave.intake.standards.checks import PERSON, person_columns
from enclave.intake.standards.verdict import NO_PERSON
from enclave.intake.truth import true_of

PERSONS = "persons_"


@dataclass(frozen=True)
class Staged:
    """What one scan found: rows read, left out by reason, at fault by check (for the steward alone)."""

    tally: Tally
    settled: identity.Settled | None = None
    """Of the person table: persons with several rows."""

    @property
    def read(self) -> int:
        return self.tally.read

    @property
    def dropped(self) -> dict[str, int]:
        return dict(self.tally.dropped)


def count(con: duckdb.DuckDBPyConnection, table: Resource) -> int:
    """The rows of a staged table."""
    return int(con.execute(f"SELECT count(*) FROM {staged(table)}").fetchall()[0][0])


def hit(name: str) -> str:
    """The hidden column of a source table that says a row counts for the derived column `name`."""
    return f'"hit {name}"'


def _wanted(d: Descriptor, table: Resource) -> Iterator[tuple[str, str]]:
    """(hidden column, expression) for the person table's derived columns that look at `table`."""
    for derived in d.person_table.derived:
        if derived.any_of.table == table.name:
            test = deidentify.begins(f'r."{derived.any_of.column}"', derived.any_of.prefixes)
            yield hit(derived.name), f"coalesce({test}, false)"


def reasons(d: Descriptor, table: Resource) -> list[tuple[str, str]]:
    """(reason, SQL that is true where the row is left out), in order."""
    key = next(field.name for field, output in table.outputs() if output.name == table.key[0])
    found = [(NO_PERSON, f'r."{table.unit}" IS NULL')]
    own = table.name == d.unit.table
    left = stays_out(d, identity.chooser(table), identity.numbers(table)) if own else "coalesce(r.left_, false)"
    found.append((BY_CHOICE, left))
    if table.name != d.unit.table:
        found.append((f"no such person in {d.unit.table}", "r.unit_ IS NULL"))
        found.append((f"no {table.key[0]}", f'r."{key}" IS NULL'))
    found += [(rule.text, f"NOT ({true_of(rule, d.code_lists)})") for rule in table.row_rules]
    return found + [
        (reason, "false") for reason in identity.reasons(table)
    ]  # found among the person's rows, afterwards


def _located(d: Descriptor, table: Resource, file: raw.Raw) -> str:
    """The raw rows with the person's pseudonym (`unit_`) and shift (`shift_`)."""
    person, view = f'r0."{table.unit}"', special.laid(d, table, file.view)
    if table.name == d.unit.table:
        person = identity.person(d, "r0")
        unit, shift = deidentify.number_of("r1.digest_"), deidentify.shift_of("r1.digest_", d.shift_days)
        digests = f"SELECT r0.*, {deidentify.keyed(d.unit.domain, person)} AS digest_{_chosen(d, table)} FROM {view} r0"
        return f"(SELECT r1.*, {unit} AS unit_, {shift} AS shift_ FROM ({digests}) r1)"
    also = "".join(f", p.{hidden}" for hidden in person_columns(d).values())
    return f"(SELECT r0.*, p.unit_, p.shift_, p.left_{also} FROM {view} r0 LEFT JOIN {PERSONS} p ON p.raw_ = {person})"


def _chosen(d: Descriptor, table: Resource) -> str:
    """Choices are known by the unit's own identifier: where another names the person, its pseudonym is needed beside."""
    if not table.identity.key:
        return ""
    own = f'r0."{table.unit}"'
    return f", {deidentify.pseudonym(d.unit.domain, own)} AS {identity.CHOOSER}"


def _of_the_person(d: Descriptor) -> Iterator[tuple[str, str]]:
    """(hidden column, raw column) of what the person's rows in other tables are held against."""
    for f in d.person_table.fields:
        known = element(f.element)
        if known is not None and known.key in PERSON:
            yield PERSON[known.key], f.name


def _select(d: Descriptor, table: Resource, file: raw.Raw) -> str:
    columns = {c.name: c for c in stored_columns(d, table)}
    kept = []
    for field, output in table.outputs():
        if output.name == table.unit_column:
            kept.append(f'r.unit_ AS "{output.name}"')
            continue
        if isinstance(output, treatments.PROSE):
            text = special.without(f'CAST(r."{field.name}" AS VARCHAR)', d)
            kept.append(f"{text} AS {prose.hidden(output.name)}")
            continue
        sql = deidentify.expression(output, special.read(field, d), columns[output.name], d)
        kept.append(f'CAST({sql} AS {columns[output.name].sql_type}) AS "{output.name}"')
    kept += [f"{sql} AS {name}" for name, sql in _wanted(d, table)]
    kept += [f'CAST(r."{name}" AS VARCHAR) AS {prose.near(name)}' for name in prose.neighbours(table)]
    if table.name == d.unit.table:
        kept += [f'r."{table.unit}" AS raw_', "r.shift_ AS shift_", *_own(d)]
        kept += [f'r."{raw_name}" AS {hidden}' for hidden, raw_name in _of_the_person(d)]
        kept += identity.hidden(table)
    left_out = "".join(f" WHEN {sql} THEN {n}" for n, (_, sql) in enumerate(reasons(d, table), 1))
    wrong = "".join(f" WHEN {fault.sql} THEN {n}" for n, fault in enumerate(raw.faults(file), 1))
    kept += marked([special.test_of(check) for check in _checks(d, table)])
    kept.append(f"CAST(CASE{left_out} ELSE 0 END AS USMALLINT) AS dropped_")
    kept.append(f"CAST(CASE{wrong} ELSE 0 END AS USMALLINT) AS wrong_" if wrong else "0::USMALLINT AS wrong_")
    return f"SELECT {', '.join(kept)} FROM {_located(d, table, file)} r"


def _own(d: Descriptor) -> Iterator[str]:
    """Raw values of the person that free text is searched for."""
    return (f'CAST(r."{name}" AS VARCHAR) AS {prose.own(name)}' for name in prose.owned(d))


def stage(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, file: raw.Raw, key: bytes) -> Staged:
    """Read `file` once into its staged table; BadInput for a line, value or key that is not as declared."""
    sql = _select(d, table, file)
    pads = {name: pad for name, pad in deidentify.pads(key).items() if f"${name}" in sql}
    try:
        with file.reading():
            lay(con, table, sql, pads)
    except duckdb.Error as broken:
        if isinstance(broken, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
            raise  # ours, not the file's
        raise raw.unreadable(file) from None
    raw.check_read(con, file)
    settled = _settled(con, d, table)
    counts = con.execute(f"SELECT dropped_, wrong_, count(*) FROM {staged(table)} GROUP BY ALL ORDER BY ALL").fetchall()
    _check_values(con, file, counts)
    if not counts and not table.may_be_empty:
        raise BadInput("intake.empty_table", place=file.place, table=table.name)
    names = [reason for reason, _ in reasons(d, table)]
    dropped = {names[n - 1]: sum(c for r, _, c in counts if r == n) for n in range(1, len(names) + 1)}
    if table.name == d.unit.table:
        _check_persons(con, table)
        _keep_persons(con, d, table)
    if not dropped[BY_CHOICE]:
        del dropped[BY_CHOICE]
    else:  # whoever wants to be left out is left out of every count of faults too
        keep(con, table, f"dropped_ <> {_number_of_choice(d, table)}")
    failed, empty = _failed(con, d, table, file), _empty(con, table, file)
    if any(dropped.values()):
        keep(con, table, STAY)
    dropped |= _drop_orphans(con, d, table)
    return Staged(Tally(sum(c for _, _, c in counts), failed, empty, dropped), settled)


def _settled(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource) -> identity.Settled | None:
    """Settle which row of a person counts, where the policy says how."""
    if table.name != d.unit.table or table.identity == Identity():
        return None
    first = 1 + len(reasons(d, table)) - len(list(identity.reasons(table)))
    return identity.settle(con, d, table, read(table), first, _number_of_choice(d, table))


def _number_of_choice(d: Descriptor, table: Resource) -> int:
    return [reason for reason, _ in reasons(d, table)].index(BY_CHOICE) + 1


def _keep_persons(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource) -> None:
    """The persons who stay, by every raw identifier of theirs, with what rows of other tables need of them; and beside them,
    without pseudonym, who is left out by choice: so rows of theirs are known.
    """
    columns = [*(prose.own(name) for name in prose.owned(d)), *person_columns(d).values()]
    also = "".join(f", {name}" for name in columns)
    persons = (
        f'SELECT raw_, CASE WHEN dropped_ = 0 THEN "{table.unit_column}" END AS unit_, shift_, dropped_ <> 0 AS left_{also} '
        f"FROM {staged(table)} WHERE dropped_ IN (0, {_number_of_choice(d, table)})"
    )
    named = identity.with_aliases(con, table, staged(table), persons, ["shift_", "left_", *columns])
    con.execute(f"CREATE OR REPLACE TABLE {PERSONS} AS {named}")


def _checks(d: Descriptor, table: Resource) -> list[Compiled]:
    return [*compiled(d, table), *special.held(d, table)]


def _failed(
    con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, file: raw.Raw
) -> tuple[tuple[Compiled, int, tuple[int, ...]], ...]:
    """Each check with its count of rows at fault and the numbers of the first."""
    checks = _checks(d, table)
    counts = counted(con, staged(table), len(checks))
    rows = _rows_at_fault(con, d, table, file, {n: check.sql for n, check in enumerate(checks) if counts[n]})
    return tuple((check, counts[n], rows.get(n, ())) for n, check in enumerate(checks))


def _empty(con: duckdb.DuckDBPyConnection, table: Resource, file: raw.Raw) -> tuple[str, ...]:
    """The raw columns of which something is to be kept, and that hold no value at all. Free text is not looked at yet."""
    prosaic = {f.name for f, output in table.outputs() if isinstance(output, treatments.PROSE)}
    fields = [f for f in table.fields if f.outputs and not f.may_be_empty and f.name not in prosaic]
    if not fields:
        return ()
    counts = [" + ".join(f'count("{o.name}")' for o in f.outputs) for f in fields]
    found = con.execute(f"SELECT {', '.join(counts)} FROM {staged(table)}").fetchall()[0]
    bare = [f.name for f, values in zip(fields, found, strict=True) if not values]
    if not bare:
        return ()
    with file.reading():  # nothing is kept of these: were there values, and none of them on its list?
        counts = [f'count("{name}")' for name in bare]
        values = con.execute(f"SELECT {', '.join(counts)} FROM {file.view}").fetchall()[0]
    return tuple(name for name, count in zip(bare, values, strict=True) if not count)


def _rows_at_fault(
    con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, file: raw.Raw, tests: dict[int, str]
) -> dict[int, tuple[int, ...]]:
    """The numbers of the first raw rows at fault by each test: one scan, no further into the file than it must."""
    if not file.numbered_from:
        return {}
    also = "" if table.name == d.unit.table else "".join(f", p.{hidden}" for hidden in person_columns(d).values())
    join = f'LEFT JOIN {PERSONS} p ON p.raw_ = r0."{table.unit}"' if also else ""
    if not tests:
        return {}
    far = max(reach(con, staged(table), list(tests)).values())
    return dict(
        zip(tests, raw.first_rows(con, file, list(tests.values()), within=far, also=also, join=join), strict=True)
    )


def _check_values(con: duckdb.DuckDBPyConnection, file: raw.Raw, counts: list[tuple[int, int, int]]) -> None:
    """What the reader let through but is not of the declared type: fractions among integers, numbers out of range."""
    for n, fault in enumerate(raw.faults(file), 1):
        if count := sum(c for _, w, c in counts if w == n):
            raise raw.fault_of(con, file, fault, count)


def _check_persons(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """One row per person, before any row is left out: which of two rows is the person is not ours to guess."""
    if table.identity.duplicates == "merge":
        return
    unit = table.unit_column
    (count,) = con.execute(
        f'SELECT count(*) - count(DISTINCT "{unit}") FROM {staged(table)} WHERE raw_ IS NOT NULL'
    ).fetchall()[0]
    if count:
        raise BadInput("intake.duplicate_person", place=f"{table.name}.{table.unit}", table=table.name, count=count)


def _drop_orphans(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource) -> dict[str, int]:
    """Leave out rows whose own person has no such row in a joined table; both sides agree on the person by this."""
    dropped = {}
    for join in table.joins:
        far = d.table(join.table)
        assert far is not None
        if far.name == d.unit.table:
            continue
        meets = f'f."{join.to}" = s."{join.column}" AND f."{far.unit_column}" = s."{table.unit_column}"'
        alone = f"NOT EXISTS (SELECT 1 FROM {parents(far)} f WHERE {meets})"
        dropped[f"no such row of the person in {far.name}"] = leave_out(con, table, alone)
    return dropped


def parents(table: Resource) -> str:
    """The keys of a staged table with their persons, kept for the tables that join it."""
    return f'"parents_{table.name}"'


def keep_parents(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str = "") -> None:
    """Keep them, from the staged table or from `place`, where some table joins it."""
    if table.name != d.unit.table and any(j.table == table.name for t in d.tables for j in t.joins):
        columns = ", ".join(f'"{name}"' for name in (*table.key, table.unit_column))
        con.execute(f"CREATE OR REPLACE TABLE {parents(table)} AS SELECT {columns} FROM {place or staged(table)}")


def check_key(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """BadInput when the key stands twice. A rehearsal asks this here; a build asks it of the finished file."""
    (count,) = con.execute(f'SELECT count(*) - count(DISTINCT "{table.key[0]}") FROM {staged(table)}').fetchall()[0]
    if count:
        raise BadInput("intake.duplicate_key", place=f"{table.name}.{table.key[0]}", table=table.name, count=count)
