"""What may a descriptor say, part by part?

`datapackage.yaml` has the shape of a Frictionless Data Package (resources with a schema of fields: `resource`, `field`) and
our privacy fields beside it. It is read strictly: an unknown field, a missing bound or list, a reference to nothing is
refused with its place. What stands in these three modules is all that is ever known of the data before a question is
paid for.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from enclave.intake import treatments
from enclave.intake.exposure import Risk
from enclave.intake.field import RawName
from enclave.intake.resource import Quality, Resource
from enclave.intake.treatments import CodeList, Kept, Name, Text, Title

Delta = Annotated[str, StringConstraints(pattern=r"^[1-9](\.\d{1,6})?e-\d{1,2}$")]


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

    def rows_of(self, table: str) -> int:
        """How many rows a table may have."""
        own = next((r.size_class for r in self.tables if r.name == table), None)
        return min(own or self.size_class, self.size_class)

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
