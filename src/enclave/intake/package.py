"""What may a descriptor say, part by part?

`datapackage.yaml` has the shape of a Frictionless Data Package (resources with a schema of fields) and our privacy fields
beside it. It is read strictly: an unknown field, a missing bound or list, a reference to nothing is refused with its
place. What stands here is all that is ever known of the data before a question is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from enclave.intake import treatments
from enclave.intake.exposure import Risk
from enclave.intake.rules import Rule
from enclave.intake.rules import parse as parse_rule
from enclave.intake.treatments import Bound, CodeList, Drop, Kept, Name, Pseudonym, Text, Title

RawName = Annotated[str, StringConstraints(pattern=r"^[^\W\d_][^\"\x00-\x1f]{0,62}[^\"\x00-\x20]$|^[^\W\d_]$")]
"""A column as its source calls it, in any script: it begins with a letter and holds no quote."""
Delta = Annotated[str, StringConstraints(pattern=r"^[1-9](\.\d{1,6})?e-\d{1,2}$")]
_STRINGS, _DATES, _NUMBERS = ("string",), ("date", "datetime"), ("integer", "decimal")
_STORED_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
Form = Annotated[str, StringConstraints(pattern=r"^[^'\x00-\x1f]{2,40}$")]
TAKES: dict[str, tuple[str, ...]] = {
    "pseudonym": ("string", "integer"), "shift": _DATES, "year": _DATES, "month": _DATES, "age": _DATES, "age_band": _DATES,
    "band": _NUMBERS, "clamp": _NUMBERS, "keep": _STRINGS, "prefix": _STRINGS, "form": _STRINGS, "icd10_chapter": _STRINGS,
    "flag": _STRINGS, "round": _NUMBERS, "redact": _STRINGS, "surrogate": _STRINGS,
}  # fmt: skip
"""Treatment → the raw types it takes."""


_OF_THE_RAW_COLUMN = (
    "name", "type", "format", "fold", "settled", "element", "system", "required", "may_be_empty", "plausible",
)  # fmt: skip


def _spread(field: Any) -> Any:
    """One treatment may stand in the field itself; several stand under `yields`."""
    if not isinstance(field, dict) or "yields" in field:
        return field
    own = {k: v for k, v in field.items() if k in _OF_THE_RAW_COLUMN}
    only = {k: v for k, v in field.items() if k not in _OF_THE_RAW_COLUMN}
    return {**own, "yields": [only]}


class RawField(Text):
    """One raw column and what becomes of it."""

    name: RawName
    type: Literal["string", "integer", "decimal", "date", "datetime"]
    format: tuple[Form, ...] = Field(default=(), max_length=4)
    """How dates are written (strptime), tried in this order; absent: 2024-01-31, with 08:00:00 for moments."""
    fold: bool = False
    """Read full-width letters and digits as the plain ones, and leave blanks around off."""
    settled: str = Field(default="", max_length=200)
    """Why this is no identifier of the person, though discovery takes it for one: the steward's word, signed."""
    element: Annotated[str, StringConstraints(pattern=r"^(DE\d{2}\.\d{2}\.\d{3}\.\d{2}|P\d{1,4}|[a-z][a-z_]*|)$")] = ""
    """The data element it holds: a WS/T 363 id, an HQMS code, or our own name (`intake/standards/elements.toml`)."""
    system: str = ""
    """The code system its values are held against; absent: that of the element, or the list it is kept by."""
    required: bool = False
    """Counted where it is missing (mapped columns always are)."""
    may_be_empty: bool = False
    """Whether a column without one value is no mistake."""
    plausible: tuple[Bound | date, Bound | date] | None = None
    """The least and the greatest value that is possible at all; beyond them it is counted, not clamped."""
    yields: tuple[Annotated[Kept | Drop, Field(discriminator="treatment")], ...] = Field(min_length=1)

    @property
    def outputs(self) -> tuple[Kept, ...]:
        """What is kept of it, each with its name."""
        named = (o for o in self.yields if not isinstance(o, Drop))
        return tuple(o if o.name else o.model_copy(update={"name": self.name}) for o in named)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(isinstance(o, Drop) for o in self.yields) and len(self.yields) > 1:
            raise ValueError("a column that is dropped yields nothing else")
        if self.format and self.type not in _DATES:
            raise ValueError("`format` is for dates")
        if any(not o.name and not _STORED_NAME.fullmatch(self.name) for o in self.yields if not isinstance(o, Drop)):
            raise ValueError("what is kept of this column needs a `name` of its own: small Latin letters, digits and _")
        for output in self.outputs:
            if self.type not in TAKES[output.treatment]:
                raise ValueError(f"treatment {output.treatment} takes {' or '.join(TAKES[output.treatment])}")
        return self


class Schema(Text):
    fields: tuple[Annotated[RawField, BeforeValidator(_spread)], ...] = Field(min_length=1)


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


class Openness(Text):
    """To whom the dataset may be opened at all, and by which law or decision."""

    level: Literal["closed", "conditional", "unconditional"] = Field(alias="class")
    basis: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=400)]


class Covers(Text):
    """Which days the records are of, and how often they are to be renewed: stated, never read from them."""

    from_: date = Field(alias="from")
    to: date
    renewed: Literal["daily", "weekly", "monthly", "quarterly", "yearly", "irregularly", "never"] = "irregularly"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to < self.from_:
            raise ValueError("`to` lies before `from`")
        return self


class LookupText(Text):
    """What is told of the codes of a list: each value with its codes."""

    title: Title = Title()
    values: dict[Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,64}$")] | int, tuple[str, ...]] = Field(
        min_length=1
    )


class ReferenceText(Text):
    """A public table over the codes of a list: text, as the list is. Nobody's rows, and no extract holds them."""

    name: Name
    title: Title = Title()
    key: Name
    list: Name
    columns: dict[Name, LookupText] = Field(min_length=1)


class StaffText(Text):
    """A raw table of those who work there: nothing of it is kept, and their names are looked for in every note."""

    path: Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,99}$")]
    """As a resource's."""
    column: RawName
    """The raw column of their names."""


class Unit(Text):
    name: str
    table: Name
    """The table with one row per person."""
    domain: Name


class Apart(Text):
    """Why this register shares no person with others: one account each is only for registers that do not overlap."""

    by: RawName
    """The raw column of the person table that names a person in every system."""
    from_: dict[Name, Annotated[str, StringConstraints(min_length=10, max_length=400)]] = Field(
        alias="from", min_length=1
    )
    """Another register → the rule that keeps its persons apart from these, in words that somebody signs."""


class Descriptor(Text):
    """A dataset as signed. `policy_version` counts the descriptor itself, not the extracts made under it."""

    profile: Literal["domicile-data-package"]
    name: Name
    policy_version: int = Field(ge=1)
    title: Title = Title()
    grade: int = Field(ge=1, le=5)
    domain: str
    openness: Openness | None = None
    """Absent: nobody has said; presets may demand it."""
    covers: Covers | None = None
    """Public: it tells how fresh the data are before anybody asks them."""
    presets: tuple[Literal["cn-39725", "hipaa-safe-harbor", "hipaa-limited"], ...] = ()
    """The rules the whole descriptor is held against (`intake.graded`)."""
    special: tuple[Literal["hiv", "std"], ...] = ()
    """Groups of diseases of level 5 that are kept; what is not named is held back."""
    consent: Literal["required"] | None = None
    """`required`: who has not consented is left out of every build."""
    demo: bool
    register_: Name = Field(alias="register")
    apart: Apart | None = None
    unit: Unit
    delta: Delta
    keys_delta: Delta | Literal[""] = ""
    """The δ of one draw of unlisted keys, charged in full to every account each time."""
    size_class: int = Field(ge=1, le=10**11)
    reference_date: date
    timezone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{0,40}$")] = ""
    """The zone (such as Asia/Shanghai) in which moments that carry one are read; needed only for those."""
    shift_days: int = Field(default=0, ge=0, le=366)
    quality: Quality = Quality()
    risk: Risk = Risk()
    code_lists: dict[Name, CodeList] = Field(default_factory=dict)
    references: tuple[ReferenceText, ...] = ()
    staff: tuple[StaffText, ...] = ()
    resources: tuple[Resource, ...] = Field(min_length=1)

    @property
    def tables(self) -> tuple[Resource, ...]:
        """The resources that are kept."""
        return tuple(r for r in self.resources if r.kept)

    def table(self, name: str) -> Resource | None:
        return next((r for r in self.tables if r.name == name), None)

    @property
    def person_table(self) -> Resource:
        return next(r for r in self.tables if r.name == self.unit.table)

    def codes(self, output: Kept) -> tuple[str, ...]:
        """The public list of words an output may hold; () when it has none."""
        match output:
            case treatments.AgeBand() | treatments.Band():
                return output.labels
            case treatments.Icd10Chapter():
                return tuple(name for name, _, _ in treatments.ICD10_CHAPTERS)
            case treatments.Keep() | treatments.Prefix():
                stored = self.code_lists[output.list].stored
                extra = output.otherwise is not None and output.otherwise not in stored
                return (*stored, str(output.otherwise)) if extra else stored
            case _:
                return ()
