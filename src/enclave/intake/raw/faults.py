"""Which values are not what the descriptor says they are, and where do they stand?

Two readers complain: the CSV reader of lines and casts (its reject tables), and our own flags (`faults`) of what it lets
through. Either way the intake stops with table, column and line, and no value is repeated: the engine's own words may
quote a row, so they are never passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from enclave.errors import BadInput, EnclaveError
from enclave.intake.columns import literal
from enclave.intake.field import RawField
from enclave.intake.raw import typed
from enclave.intake.raw.encoded import blocks
from enclave.intake.raw.opened import Raw
from enclave.intake.report import SHOWN_ROWS

_FORMS = {
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}.*", "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}.*", "%Y.%m.%d": r"\d{4}\.\d{1,2}\.\d{1,2}.*",
    "%Y%m%d": r"\d{8}(?:\d{6})?", "%Y年%m月%d日": r"\d{4}年\d{1,2}月\d{1,2}日.*", "%d/%m/%Y": r"\d{1,2}/\d{1,2}/\d{4}.*",
    "%d-%m-%Y": r"\d{1,2}-\d{1,2}-\d{4}.*",
}  # fmt: skip
"""Forms of dates that are told apart by shape alone (whether 3/4 is March or April nobody can tell by shape)."""


@dataclass(frozen=True)
class Fault:
    """A kind of wrong value: `sql` is true in the rows `r` of the view that have it."""

    column: str
    code: str
    sql: str


def faults(raw: Raw) -> list[Fault]:
    """Everything a value can be wrong by that the reader of the file does not see."""
    return [fault for field in raw.table.fields for fault in _faults_of(raw, field)]


def _faults_of(raw: Raw, field: RawField) -> Iterator[Fault]:
    column = f'r."{field.name}"'
    if any(o.treatment == "pseudonym" for o in field.yields):
        # spreadsheets turn long numbers into 4.4052E+17: the digits are gone, and many persons become one
        shape = r"^\d(?:\.\d+)?[Ee]\+\d{1,3}$"
        yield Fault(
            field.name, "intake.mangled_number",
            f"contains({column}, '+') AND regexp_matches({column}, {literal(shape)})",
        )  # fmt: skip
        wide = "[０-９Ａ-Ｚａ-ｚ]"
        yield Fault(
            field.name, "intake.full_width",
            f"strlen({column}) <> length({column}) AND regexp_matches({column}, {literal(wide)})",
        )  # fmt: skip
        return
    if typed.as_text(raw.table, field):
        return
    if (flag := raw.flag(field)) is not None:
        yield Fault(field.name, "intake.wrong_value", f'r."{flag}"')
    if field.type == "integer":
        yield Fault(field.name, "intake.wrong_value", f"{column} <> trunc({column})")


def fault_of(con: duckdb.DuckDBPyConnection, raw: Raw, fault: Fault, count: int) -> BadInput:
    """The complaint about `fault`, with the first rows it stands in."""
    (rows,) = first_rows(con, raw, [fault.sql])
    place = f"{raw.place} {_word(raw)} {rows[0]}" if rows else f"{raw.place} {fault.column}"
    lines = shown(rows, count)
    return BadInput(fault.code, place=place, table=raw.table.name, column=fault.column, count=count, lines=lines)


def _word(raw: Raw) -> str:
    return "line" if raw.form == "csv" else "row"


def first_rows(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    tests: Sequence[str],
    *,
    within: int | None = None,
    also: str = "",
    join: str = "",
) -> list[tuple[int, ...]]:
    """For each test the numbers of the first rows `r` of the view it is true of, looked for among the first `within`.

    This is another scan: for complaints, and as short a one as is known to suffice. `join` and `also` bring further columns
    to each row `r0` of the view.
    """
    if not raw.numbered_from:
        return [()] * len(tests)
    some = raw.view if within is None else f"(SELECT * FROM {raw.view} LIMIT {within})"
    numbered = f"SELECT row_number() OVER () - 1 + {raw.numbered_from} AS n_, * FROM {some}"
    with raw.reading():
        firsts = ", ".join(f"min(n_, {SHOWN_ROWS}) FILTER (WHERE {test})" for test in tests)
        found = con.execute(f"SELECT {firsts} FROM (SELECT r0.*{also} FROM ({numbered}) r0 {join}) r").fetchall()[0]
    return [tuple(map(int, rows or ())) for rows in found]


def shown(rows: tuple[int, ...] | list[int], count: int) -> str:
    """Row numbers in words."""
    return ", ".join(map(str, rows)) + (", …" if count > len(rows) else "") if rows else "–"


def check_read(con: duckdb.DuckDBPyConnection, raw: Raw) -> None:
    """After the one scan of a CSV file: BadInput when any line was malformed or held a value of another type."""
    if raw.form != "csv" or raw.path is None:
        return
    for kind, code in (("<>", "intake.malformed_line"), ("=", "intake.wrong_value")):
        rows = con.execute(
            f'SELECT line_byte_position, min(column_name), min(error_type::VARCHAR) FROM "{raw.rejects}" '
            f"WHERE error_type::VARCHAR {kind} 'CAST' GROUP BY line_byte_position ORDER BY ALL"
        ).fetchall()
        if not rows:
            continue
        lines = _line_numbers(raw, [int(row[0]) for row in rows[:SHOWN_ROWS]])
        column = "" if kind == "<>" else str(rows[0][1])
        _check_forms(con, raw, column, lines, len(rows))
        where, place = shown(lines, len(rows)), f"{raw.path.name} line {lines[0]}"
        raise BadInput(code, place=place, table=raw.table.name, count=len(rows), lines=where, column=column)


def _check_forms(con: duckdb.DuckDBPyConnection, raw: Raw, column: str, lines: list[int], count: int) -> None:
    """A column of dates that holds several forms of them is told by its forms: which one is meant is for people to say."""
    field = raw.table.field(column)
    if field is None or field.type not in ("date", "datetime"):
        return
    text = f"WHERE \"column_name\" = {literal(column)} AND error_type::VARCHAR = 'CAST'"
    tests = ", ".join(
        f"count(*) FILTER (WHERE regexp_full_match(value_, {literal(shape)}))" for shape in _FORMS.values()
    )
    value = 'regexp_extract(error_message, \'Could not convert string "([^"]*)"\', 1)'
    found = con.execute(f'SELECT {tests} FROM (SELECT {value} AS value_ FROM "{raw.rejects}" {text})').fetchall()[0]
    forms = [f"{form}: {n}" for form, n in zip(_FORMS, found, strict=True) if n]
    if not any(found[1:]):
        return  # of the usual form, and so no such day
    place = f"{raw.place} line {lines[0]}"
    known = {"table": raw.table.name, "column": column, "count": count, "lines": shown(lines, count)}
    raise BadInput("intake.date_forms", place=place, forms=", ".join(forms), **known)


def _line_numbers(raw: Raw, positions: list[int]) -> list[int]:
    """Byte positions (ascending) as line numbers: the reader counts records, people count lines."""
    assert raw.path is not None
    numbers_, line, at = [], 1, 0
    stream = blocks(raw.path, raw.table.encoding) if raw.pipe else _plain(raw.path)
    block = b""
    for position in positions:
        while at + len(block) <= position:
            line, at = line + block.count(b"\n"), at + len(block)
            if not (block := next(stream, b"")):
                break
        numbers_.append(line + block[: position - at].count(b"\n"))
    return numbers_


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(2**20):
            yield block


def unreadable(raw: Raw) -> EnclaveError:
    """The engine's own words may quote a row: they are not passed on."""
    return BadInput("intake.unreadable_file", place=raw.place)
