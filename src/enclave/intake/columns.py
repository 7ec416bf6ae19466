"""As what is each kept column stored?

One description of a stored column serves the builder (type, bounds) and the dictionary. Whole numbers take the narrowest
integer that holds their bounds; decimals are stored as value * scale; codes are an ENUM made from the policy's list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from enclave.intake import treatments as t
from enclave.intake.package import Descriptor
from enclave.intake.resource import JoinText, Resource

Kind = Literal["integer", "decimal", "code", "key", "date", "text", "boolean", "prose"]
_EPOCH = date(1970, 1, 1)
_UNTITLED = t.Title()
_INTEGERS = (("TINYINT", 2**7), ("SMALLINT", 2**15), ("INTEGER", 2**31), ("BIGINT", 2**63))


@dataclass(frozen=True)
class Stored:
    """A stored column. `lower`, `upper` and `total_clip` are stored integers; days since 1970-01-01 for dates."""

    name: str
    kind: Kind
    source: str
    """The raw column (or, for derived ones, `table.column`) it comes from: the lineage."""
    treatment: str
    lower: int | None = None
    upper: int | None = None
    scale: int = 1
    codes: tuple[str, ...] = ()
    nullable: bool = True
    total_clip: int | None = None
    title: t.Title = _UNTITLED
    measure: str = ""
    finer_than: tuple[str, ...] = ()

    @property
    def sql_type(self) -> str:
        """The DuckDB type."""
        match self.kind:
            case "code":
                return f"ENUM({', '.join(literal(code) for code in self.codes)})"
            case "integer" | "decimal":
                reach = max(abs(self.lower or 0), abs(self.upper or 0))
                return next(name for name, limit in _INTEGERS if reach < limit)
            case "date" | "boolean":
                return self.kind.upper()
            case "key" | "prose":
                return "VARCHAR"
            case "text":
                return "BIGINT"  # the only text without a list is a pseudonym


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def days(day: date) -> int:
    return (day - _EPOCH).days


def _bounds(output: t.Kept) -> tuple[Kind, int | None, int | None, int]:
    match output:
        case t.Pseudonym():
            return "text", None, None, 1
        case t.Shift():
            return "date", days(output.lower), days(output.upper), 1
        case t.Year() | t.Age():
            return "integer", output.lower, output.upper, 1
        case t.Month():
            return "integer", 1, 12, 1
        case t.Clamp() | t.Round():
            kind: Kind = "decimal" if output.scale > 1 else "integer"
            return kind, int(output.lower * output.scale), int(output.upper * output.scale), output.scale
        case t.Flag():
            return "boolean", 0, 1, 1
        case t.Redact() | t.Surrogate():
            return "prose", None, None, 1
        case t.Form():
            return "key", None, None, 1
        case t.AgeBand() | t.Band() | t.Keep() | t.Prefix() | t.Icd10Chapter():
            return "code", None, None, 1


def _stored(d: Descriptor, table: Resource, source: str, output: t.Kept) -> Stored:
    kind, lower, upper, scale = _bounds(output)
    key = output.name in (*table.key, table.unit_column) or output.name in [j.column for j in table.joins]
    total = None if output.total_clip is None else int(output.total_clip * scale)
    return Stored(
        output.name, kind, source, output.treatment, lower, upper, scale, d.codes(output), not key, total,
        output.title, output.measure, output.finer_than,
    )  # fmt: skip


def stored_columns(d: Descriptor, table: Resource) -> tuple[Stored, ...]:
    """The stored columns of a table, in order; the norms are not among them."""
    kept = [_stored(d, table, field.name, output) for field, output in table.outputs()]
    for x in table.derived:
        source = f"{x.any_of.table}.{x.any_of.column}"
        kept.append(Stored(x.name, "boolean", source, "any_of", 0, 1, nullable=False, title=x.title))
    return tuple(kept)


def carried_columns(d: Descriptor, table: Resource) -> Iterator[tuple[JoinText, str, Stored]]:
    """(join, stored name, the column there) of what rests beside the rows of a table."""
    for join in table.joins:
        far = d.table(join.table)
        there = {c.name: c for c in stored_columns(d, far)} if far else {}
        for name in join.carries:
            yield join, f"{join.table}_{name}", there[name]


def norm_names(table: Resource) -> Iterator[str]:
    """The names of the stored norms and flags of a table (conventions of `catalogue.dataset`)."""
    yield from ("unit_rows", "first_unit")
    for facet in table.facets:
        yield from (f"norm_{facet.column}", f"distinct_{facet.column}", f"first_{facet.column}")
    for column in summed(table):
        yield f"total_{column}"
    for keys in table.keys:
        yield from (among(keys.column), vote(keys.column))


def among(column: str) -> str:
    """The stored flag: the row's value is one of those the person is counted in."""
    return f"among_{column}"


def vote(column: str) -> str:
    """The stored flag: true on exactly one row of the person for each such value."""
    return f"vote_{column}"


def summed(table: Resource) -> tuple[str, ...]:
    """The columns whose totals are stored: those with a `total_clip`."""
    return tuple(output.name for _, output in table.outputs() if output.total_clip is not None)
