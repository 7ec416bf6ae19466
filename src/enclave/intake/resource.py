"""What may a descriptor say of a raw table?

Whose rows it holds, which of them count, what they must satisfy, by what they may be grouped and joined. Statistics of its
columns are not among it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from enclave.intake.field import RawField, RawName, Schema
from enclave.intake.rules import Rule
from enclave.intake.rules import parse as parse_rule
from enclave.intake.treatments import Bound, Kept, Name, Pseudonym, Text, Title


class AnyOf(Text):
    """True when the person has a row in `table` whose raw `column` begins with one of `prefixes`."""

    table: Name
    column: RawName
    prefixes: tuple[str, ...] = Field(min_length=1)


class Derived(Text):
    """A BOOLEAN made from one person's rows in another table; never NULL."""

    name: Name
    any_of: AnyOf
    title: Title = Title()


class FacetText(Text):
    column: Name
    clip: int = Field(ge=1, le=2**20)
    distinct_clip: int = Field(ge=1, le=2**20)


class KeysText(Text):
    """A column of a public form that may be a group key though nobody lists its values."""

    column: Name
    per_person: int = Field(ge=1, le=1024)
    """K: of how many distinct values a person is counted in; who has more is counted in K chosen by keyed hash."""
    in_all: int = Field(ge=1, le=1_000_000)
    """At most so many distinct values the whole column has; it fixes when replies leave. Checked at build."""


class JoinText(Text):
    """`column` of this table meets at most one row of `table`, the same person's; a row that meets none is left out.

    What is in `carries` rests beside every row of this table too: a question that joins for it alone joins nothing."""

    column: Name
    table: Name
    to: Name
    carries: tuple[Name, ...] = ()


class CheckText(Text):
    """A stated check, in the form of a row rule; `most` is the per cent of rows that may fail before the intake stops."""

    that: str
    most: Bound | None = Field(default=None, ge=0, le=100)

    @property
    def rule(self) -> Rule:
        return parse_rule(self.that)


def _stated(check: Any) -> Any:
    return {"that": check} if isinstance(check, str) else check


class Quality(Text):
    """What records must be for an extract to be made of them; all in per cent."""

    score: Bound = Field(default=Decimal(0), ge=0, le=100)
    """The least score of a table."""
    no_person: Bound = Field(default=Decimal(10), ge=0, le=100)
    """The most rows of a table that name nobody."""
    left_out: Bound = Field(default=Decimal(100), ge=0, le=100)
    """The most rows of a table that row rules and lost parents may leave out."""


class Identity(Text):
    """Which rows of the person table are of one person, and which of them counts. Each looks at that person's rows alone."""

    key: tuple[RawName, ...] = ()
    """Raw columns that name a person in every system, in this order; the unit's own column comes last of itself."""
    duplicates: Literal["refuse", "merge"] = "refuse"
    """What becomes of several rows of one person."""
    newest: RawName | Literal[""] = ""
    """The raw date by which the row that counts is chosen; absent: the first by its values."""
    conflicts: Literal["keep", "leave_out"] = "keep"
    """What becomes of a person whose rows disagree on sex or birth date."""

    @model_validator(mode="after")
    def _has_use(self) -> Self:
        if self.duplicates == "refuse" and (self.newest or self.conflicts == "leave_out"):
            raise ValueError("`newest` and `conflicts` say what becomes of several rows: they need `duplicates: merge`")
        return self


class Resource(Text):
    """One raw table."""

    name: Name
    title: Title = Title()
    treatment: Literal["drop"] | None = None
    """`drop`: the whole table is left where it is; it is not even opened."""
    path: Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,99}$")] = ""
    """File name in the source folder, without its ending, in any script; in a database `table` or `schema.table`."""
    formats: tuple[Literal["csv", "parquet"], ...] = ("csv", "parquet")
    encoding: Literal["utf-8", "gb18030", "gbk"] = "utf-8"
    delimiter: Literal[",", "\t", ";", "|"] = ","
    missing: tuple[str, ...] = ()
    """Words of a CSV file that stand for no value, beside the empty one."""
    may_be_empty: bool = False
    """Whether a table without a row is no mistake."""
    unit: RawName = ""
    """The raw column that names the person."""
    registers: tuple[Name, ...] = ()
    """Person registers its rows draw on beside the dataset's own: a question that reads it is charged to each, in full."""
    key: tuple[Name, ...] = ()
    size_class: int | None = Field(default=None, ge=1, le=10**11)
    """Its rows, rounded up; absent: those of the dataset's largest table."""
    row_clip: int = Field(default=1, ge=1, le=2**20)
    facets: tuple[FacetText, ...] = ()
    keys: tuple[KeysText, ...] = ()
    joins: tuple[JoinText, ...] = ()
    rules: tuple[str, ...] = ()
    checks: tuple[Annotated[CheckText, BeforeValidator(_stated)], ...] = ()
    quality: Quality | None = None
    """This table's own; absent: the dataset's."""
    identity: Identity = Identity()
    """Of the person table alone."""
    derived: tuple[Derived, ...] = ()
    table_schema: Schema | None = Field(default=None, alias="schema")

    @property
    def kept(self) -> bool:
        return self.treatment is None

    @property
    def fields(self) -> tuple[RawField, ...]:
        return self.table_schema.fields if self.table_schema else ()

    def field(self, name: str) -> RawField | None:
        return next((f for f in self.fields if f.name == name), None)

    def outputs(self) -> Iterator[tuple[RawField, Kept]]:
        """Every kept column with the raw column it comes from, in order."""
        for field in self.fields:
            for output in field.outputs:
                yield field, output

    @property
    def unit_column(self) -> str:
        """The stored name of the person's pseudonym."""
        field = self.field(self.unit)
        return next(o.name for o in field.outputs if isinstance(o, Pseudonym)) if field else ""

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        return tuple(parse_rule(text) for text in self.rules)

    def compares(self, field: RawField) -> bool:
        """Whether a rule or check reads the column as what it is declared to be, though nothing may be kept of it."""
        rules = (*self.row_rules, *(check.rule for check in self.checks))
        dated = field.name == self.identity.newest
        return bool(field.element or field.plausible or dated) or any(field.name in rule.columns for rule in rules)
