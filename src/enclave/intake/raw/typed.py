"""As what is a column read that has a type of its own (Parquet, DuckDB, PostgreSQL) or states its own form (CSV)?

Every source form of the same content must give the same stored value, so each column becomes the declared type by a
function of its value alone. A value that cannot is flagged, not failed on: the complaint names its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.errors import BadInput
from enclave.intake.columns import literal
from enclave.intake.field import RawField
from enclave.intake.resource import Resource

NUMBER = "DECIMAL(18,6)"
_WHOLE = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT",
)  # fmt: skip
_MOMENTS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
ZONED = "TIMESTAMP WITH TIME ZONE"
_TAKES: dict[str, tuple[str, ...]] = {
    "string": ("VARCHAR", "ENUM", "UUID", *_WHOLE),  # a whole number has one spelling
    "integer": _WHOLE,
    "decimal": ("DECIMAL", "FLOAT", "DOUBLE", *_WHOLE),
    "date": ("DATE", *_MOMENTS, ZONED),
    "datetime": ("DATE", *_MOMENTS, ZONED),
}
"""Declared type → the engine's types (up to a bracket) that may stand for it."""

_SERVERS_WORDS = (
    (r"^(character varying|text|name|citext|json|jsonb|inet|macaddr|xml)\b", "VARCHAR"), (r"^(character|bpchar)\b", "CHAR"),
    (r'^"char"', "VARCHAR"), (r"^smallint", "SMALLINT"), (r"^integer", "INTEGER"), (r"^bigint", "BIGINT"),
    (r"^numeric", "DECIMAL"), (r"^real", "FLOAT"), (r"^double", "DOUBLE"), (r"^uuid", "UUID"), (r"^date", "DATE"),
    (r"^timestamp.* with time zone", ZONED), (r"^timestamp", "TIMESTAMP"),
)  # fmt: skip


def engine_type(word: str) -> str:
    """A PostgreSQL type in the engine's word; the word itself when there is none (it will be refused)."""
    return next((kind for pattern, kind in _SERVERS_WORDS if re.match(pattern, word)), word)


def unread(name: str) -> str:
    """The view's flag: a value stands there but is not of the declared type."""
    return f"unread {name}"


def as_text(table: Resource, field: RawField) -> bool:
    """Identifiers are text whatever they look like, and dropped columns are not interpreted unless a rule compares them."""
    return not table.compares(field) and all(o.treatment in ("drop", "pseudonym") for o in field.yields)


def select(table: Resource, place: str, columns: list[tuple[str, str]], scan: str, zone: str) -> str:
    """The select list over `scan`, each column with its declared type and, where it may fail, its flag."""
    found_parts: list[str] = []
    for name, found in columns:
        field = table.field(name)
        assert field is not None
        found_parts += parts(table, field, place, found, zone)
    return f"SELECT {', '.join(found_parts)} FROM {scan}"


def parts(table: Resource, field: RawField, place: str, found: str, zone: str) -> Iterator[str]:
    kind = found.split("(")[0]
    column = _folded(field, _spelt(f'"{field.name}"', kind)) if kind in _TEXTS else f'"{field.name}"'
    if as_text(table, field):
        yield f'{_spelt(column, kind) if kind not in _TEXTS else column} AS "{field.name}"'
        return
    if not _fits(field, kind):
        raise BadInput(
            "intake.wrong_type", place=f"{place} {field.name}", column=field.name, expected=field.type, found=found
        )
    read = _read(field, column, kind, zone, place)
    if may_fail(field, kind):
        yield f'{column} IS NOT NULL AND {read} IS NULL AS "{unread(field.name)}"'
    yield f'{read} AS "{field.name}"'


_TEXTS = ("VARCHAR", "CHAR")


def _fits(field: RawField, kind: str) -> bool:
    """Text may stand for a date whose form is stated, and for a number that is to be folded first."""
    spelt = field.type == "string" or field.format or (field.fold and field.type in ("integer", "decimal"))
    return kind in _TAKES[field.type] or (kind in _TEXTS and bool(spelt))


def may_fail(field: RawField, kind: str) -> bool:
    """Whether a value of the column may turn out not to be of the declared type."""
    return field.type in ("integer", "decimal") or (kind in _TEXTS and field.type in ("date", "datetime"))


def _spelt(column: str, kind: str) -> str:
    """The value as text; CHAR(n) without the blanks that fill it. Empty text is no value, as in a CSV file."""
    if kind == "CHAR":
        return f"nullif(rtrim({column}, ' '), '')"
    return f"nullif({column}, '')" if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"


_WIDE = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
_NARROW = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "


def _folded(field: RawField, column: str) -> str:
    """Full-width letters, digits and signs as the plain ones, blanks around dropped (if the field says so)."""
    if not field.fold:
        return column
    return f"nullif(trim(translate({column}, {literal(_WIDE)}, {literal(_NARROW)})), '')"


def _read(field: RawField, column: str, kind: str, zone: str, place: str) -> str:
    if field.type == "string":
        return column if kind in _TEXTS else _spelt(column, kind)
    if field.type in ("integer", "decimal"):
        return f"TRY_CAST({column} AS {NUMBER})"
    target = "DATE" if field.type == "date" else "TIMESTAMP"
    if kind in _TEXTS:
        forms = ", ".join(literal(form) for form in field.format)
        return f"CAST(try_strptime({column}, [{forms}]) AS {target})"
    if kind == ZONED:
        if not zone:
            raise BadInput("intake.no_time_zone", place=f"{place} {field.name}", column=field.name)
        column = f"timezone({literal(zone)}, {column})"
    return f"CAST({column} AS {target})"
