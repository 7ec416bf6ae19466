"""What may be done with one raw column?

A treatment is a function of one row, of the person's own key, of the signed policy and of public lists: never of other
people's rows (design §4, soundness U6). So every list, edge and bound is text in the descriptor; none is found in data.

    drop            nothing of it is kept
    pseudonym       HMAC-SHA256 under the register's key, 64 bits
    shift           a date, moved by the person's own number of days, the same in every table
    year, month     part of a date, after the shift, so that no pair of columns reveals the shift
    age, age_band   whole years at the fixed public reference date
    band            a number, by public edges
    clamp           a number held within bounds (top and bottom coded), stored as value * scale
    round           the same, to the nearest multiple of `step`
    keep            a code of a public list, renamed where the list says so; any other becomes `otherwise`
    prefix          the first characters of a code, by a public list
    form            a code without a list, kept as it is where all of it has a public form; any other becomes `otherwise`
    icd10_chapter   the WHO chapter of an ICD-10 code
    flag            whether a code begins with one of the listed prefixes
    redact          free text, each identifier in it replaced by the word for its kind
    surrogate       free text, each identifier replaced by a keyed stand-in; its dates move as the tables' do
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import duckdb
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from enclave.intake.kinds import Kind

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]


def _exact(value: Any) -> Any:
    """A bound as written: YAML floats are read through their text, so 0.1 stays one tenth."""
    return str(value) if isinstance(value, float) else value


Bound = Annotated[Decimal, BeforeValidator(_exact)]


class Text(BaseModel):
    """Base of every part of a descriptor: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(Text):
    en: str = ""
    zh: str = ""


class CodeList(Text):
    """A public list of codes, in the order they are shown. `rename` maps a raw code to the word that is stored."""

    codes: tuple[str, ...] = ()
    rename: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.codes) == bool(self.rename):
            raise ValueError("a code list states either `codes` or `rename`")
        if len(set(self.codes)) != len(self.codes) or "" in self.stored:
            raise ValueError("a code is empty or stands twice")
        return self

    @property
    def stored(self) -> tuple[str, ...]:
        """The words that are stored, each once, in order."""
        return self.codes or tuple(dict.fromkeys(self.rename.values()))


class Output(Text):
    """What every kept column may state."""

    name: Name = ""
    """Empty: the raw column's own name."""
    title: Title = Title()
    measure: str = ""
    finer_than: tuple[Name, ...] = ()
    total_clip: Bound | None = Field(default=None, ge=0)
    """C for sums, in units of the column; absent: not summable."""


class Drop(Text):
    treatment: Literal["drop"]


class Pseudonym(Output):
    treatment: Literal["pseudonym"]
    domain: Name
    """Which kind of identifier this is: the same identifier gets the same pseudonym only within one domain."""


class _Dated(Output):
    lower: date
    upper: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("`lower` lies after `upper`")
        return self


class Shift(_Dated):
    treatment: Literal["shift"]


class _Whole(Output):
    lower: int
    upper: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("`lower` is above `upper`")
        return self


class Year(_Whole):
    treatment: Literal["year"]


class Month(Output):
    treatment: Literal["month"]


class Age(_Whole):
    treatment: Literal["age"]


def _rising(edges: tuple[Any, ...]) -> None:
    if len(edges) < 2 or any(a >= b for a, b in pairwise(edges)):
        raise ValueError("`edges` are two or more rising numbers")


class AgeBand(Output):
    """Bands [e0, e1), [e1, e2) … [en, ∞) in whole years; the first edge is 0."""

    treatment: Literal["age_band"]
    edges: tuple[int, ...]

    @model_validator(mode="after")
    def _edges(self) -> Self:
        _rising(self.edges)
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        closed = (f"{low:02d}-{high - 1:02d}" for low, high in pairwise(self.edges))
        return (*closed, f"{self.edges[-1]}+")


class Band(Output):
    """Bands (-∞, e0), [e0, e1) … [en, ∞) of a number."""

    treatment: Literal["band"]
    edges: tuple[Bound, ...]

    @model_validator(mode="after")
    def _edges(self) -> Self:
        _rising(self.edges)
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        closed = (f"{low}..{high}" for low, high in pairwise(self.edges))
        return (f"<{self.edges[0]}", *closed, f">={self.edges[-1]}")


class _Held(Output):
    """A number within bounds."""

    lower: Bound
    upper: Bound
    scale: int = Field(default=1, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("`lower` is above `upper`")
        for bound in (self.lower, self.upper, self.total_clip or Decimal(0)):
            if bound * self.scale != int(bound * self.scale) or abs(bound * self.scale) >= 2**46:
                raise ValueError("a bound times `scale` is not a whole number below 2^46")
        return self


class Clamp(_Held):
    treatment: Literal["clamp"]


class Round(_Held):
    """To the nearest multiple of `step`, halves up; both bounds are multiples."""

    treatment: Literal["round"]
    step: Bound = Field(gt=0)

    @model_validator(mode="after")
    def _step(self) -> Self:
        if self.step * self.scale != int(self.step * self.scale) or self.lower % self.step or self.upper % self.step:
            raise ValueError("`step` times `scale` is a whole number, and both bounds are multiples of `step`")
        return self


class Keep(Output):
    treatment: Literal["keep"]
    list: Name
    otherwise: str | None = None
    """The word for codes that are not on the list; absent: NULL. A missing code stays NULL."""


class Prefix(Output):
    treatment: Literal["prefix"]
    length: int = Field(ge=1, le=16)
    list: Name
    otherwise: str | None = None


class Form(Output):
    """A code of a public form whose values nobody lists. Whatever else stands there, a name for instance, is not kept."""

    treatment: Literal["form"]
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """RE2; the whole value must match."""
    longest: int = Field(default=32, ge=1, le=64)
    otherwise: str | None = None

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            duckdb.execute("SELECT regexp_full_match('', $1)", [self.pattern])
        except duckdb.Error:
            raise ValueError("`pattern` is no RE2 pattern") from None
        return self


class Icd10Chapter(Output):
    treatment: Literal["icd10_chapter"]


class Flag(Output):
    treatment: Literal["flag"]
    prefixes: tuple[str, ...] = Field(min_length=1)


class _Prose(Output):
    """Free text. It is kept for the reviewed lane alone: no question of the others may name it."""

    own: dict[str, Kind] = Field(default_factory=dict)
    """Raw columns of the person table → what they hold: where the person's own value stands in the text, it goes."""
    beside: dict[str, Kind] = Field(default_factory=dict)
    """Raw columns of this very row → what they hold of somebody else (who wrote it, a mother): likewise."""


class Redact(_Prose):
    treatment: Literal["redact"]


class Surrogate(_Prose):
    treatment: Literal["surrogate"]


Kept = Annotated[
    Pseudonym
    | Shift
    | Year
    | Month
    | Age
    | AgeBand
    | Band
    | Clamp
    | Round
    | Keep
    | Prefix
    | Form
    | Icd10Chapter
    | Flag
    | Redact
    | Surrogate,
    Field(discriminator="treatment"),
]

SUMMABLE = (Clamp, Round, Age)
NUMBERS = (Clamp, Round)
PROSE = (Redact, Surrogate)

# WHO ICD-10, 2019: first and last category of each chapter.
ICD10_CHAPTERS = (
    ("I", "A00", "B99"), ("II", "C00", "D48"), ("III", "D50", "D89"), ("IV", "E00", "E90"), ("V", "F00", "F99"),
    ("VI", "G00", "G99"), ("VII", "H00", "H59"), ("VIII", "H60", "H95"), ("IX", "I00", "I99"), ("X", "J00", "J99"),
    ("XI", "K00", "K93"), ("XII", "L00", "L99"), ("XIII", "M00", "M99"), ("XIV", "N00", "N99"), ("XV", "O00", "O99"),
    ("XVI", "P00", "P96"), ("XVII", "Q00", "Q99"), ("XVIII", "R00", "R99"), ("XIX", "S00", "T98"), ("XX", "V01", "Y98"),
    ("XXI", "Z00", "Z99"), ("XXII", "U00", "U99"),
)  # fmt: skip
