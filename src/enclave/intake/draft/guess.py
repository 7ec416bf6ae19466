"""What should become of one raw column?

The guess that keeps least wins: what looks like an identifier, or like nothing known, is dropped, and the reason says what
the steward may write instead. Codes are kept by public lists only, numbers within public bounds: neither a list nor a bound
is ever taken from the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from enclave.intake.discover.headers import announced_by
from enclave.intake.draft.facts import USUAL, Facts
from enclave.intake.draft.known import Known, known_by, stored_column
from enclave.intake.kinds import Kind

_FEW = 200
"""So many distinct short values at most are likely words of a list."""
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
ZONED = "TIMESTAMP WITH TIME ZONE"
_LIKELY_ONLY = (Kind.NAME, Kind.ADDRESS, Kind.PASSPORT, Kind.OLD_RESIDENT_ID, Kind.LANDLINE)
"""Kinds without a checksum or a form of their own: a public list that fits tells more."""


@dataclass(frozen=True)
class Guess:
    """What is proposed for a raw column. `why` is a code of `draft.toml`; "" when a standard settles it."""

    yields: tuple[dict[str, Any], ...]
    why: str
    type: str = "string"
    format: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    element: str = ""
    """The data element the column holds, where what is proposed of it rests on that."""


STAFF = "staff"
"""The domain in which those who work there have their pseudonyms."""

DROP: tuple[dict[str, Any], ...] = ({"treatment": "drop"},)


def guess(facts: Facts, n: int, own: dict[str, str], beside: dict[str, str], today: date) -> Guess:
    """The guess for column number `n`; `own` maps raw columns of the person table to the kind each holds, `beside` those of
    this table that name somebody else."""
    announced = announced_by(facts.column)
    if announced.second:
        return Guess(DROP, "second_person")
    if not facts.values:
        return Guess(DROP, "empty")
    if facts.prose:
        return _prose(facts, n, own, beside)
    if announced.staff:
        pseudonym = {"name": stored_column(facts.column, n), "treatment": "pseudonym", "domain": STAFF}
        return Guess((pseudonym,), "staff")
    known = _believed(facts)
    kind = facts.identifiers.kind
    if kind and not (known and kind in _LIKELY_ONLY):
        return Guess(DROP, f"looks_{kind}")
    if known:
        return _known(known, facts, n)
    if announced.kind:
        return Guess(DROP, f"named_{announced.kind}")
    return _by_values(facts, n, today)


def others_in(facts: Sequence[Facts]) -> dict[str, str]:
    """The columns of a table that name somebody who is not its person, and what each holds of them."""
    found: dict[str, str] = {}
    for f in facts:
        announced = announced_by(f.column)
        if (announced.second or announced.staff) and f.values and not f.prose and not f.dates:
            kind = f.identifiers.kind or announced.kind
            if kind is None and announced.staff and not f.fits("number"):
                kind = Kind.NAME
            if kind not in (None, Kind.MRN):
                found[f.column] = str(kind)
    return found


def names_staff(facts: Facts) -> bool:
    """Whether the column holds names of those who work there, as far as its name and its values tell."""
    announced = announced_by(facts.column)
    if not facts.values or announced.second:
        return False
    named = announced.kind is Kind.NAME
    return (announced.staff and named) or ((announced.staff or named) and facts.identifiers.kind is Kind.NAME)


def identifying(facts: Facts) -> Kind | None:
    """The kind of identifier the column holds, by its values or its name."""
    return facts.identifiers.kind or announced_by(facts.column).kind


def day_type(facts: Facts) -> tuple[str, tuple[str, ...]] | None:
    """(type, stated forms) of a column of dates; None when it is none."""
    if facts.kind in ("DATE", ZONED) or facts.kind.startswith("TIMESTAMP"):
        return ("date" if facts.kind == "DATE" else "datetime"), ()
    forms = facts.dates
    if not forms or facts.kind not in ("", "VARCHAR", "CHAR", *_WHOLE_TYPES):
        return None
    kind = "datetime" if any("%H" in form for form in forms) else "date"
    stated = () if facts.kind == "" and len(forms) == 1 and forms[0] in USUAL else forms
    return (kind, stated) if not stated or facts.kind not in _WHOLE_TYPES else None


def _number_type(facts: Facts) -> str | None:
    if facts.kind in _WHOLE_TYPES:
        return "integer"
    if facts.kind in ("DECIMAL", "FLOAT", "DOUBLE"):
        return "decimal"
    if facts.kind:
        return None  # text that looks like numbers is no number there
    return "integer" if facts.fits("whole") else "decimal" if facts.fits("number") else None


def _believed(facts: Facts) -> Known | None:
    """What the name says, where the values look it."""
    known = known_by(facts.column)
    if known is None:
        return None
    match known.fits:
        case "list":
            fits = facts.shapes.get(f"list {known.list}", 0) * 2 >= facts.values
        case "number":
            fits = _number_type(facts) is not None
        case "day":
            fits = day_type(facts) is not None
        case shape:
            fits = facts.fits(shape)
    return known if fits else None


def _known(known: Known, facts: Facts, n: int) -> Guess:
    yields = tuple({"name": stored_column(facts.column, n)} | output for output in known.yields)
    if known.fits == "number":
        return Guess(yields, f"known_{known.fits}", _number_type(facts) or "decimal")
    if known.fits == "day":
        kind, forms = day_type(facts) or ("date", ())
        return Guess(yields, f"known_{known.fits}", kind, forms)
    return Guess(yields, f"known_{known.fits}")


def _prose(facts: Facts, n: int, own: dict[str, str], beside: dict[str, str]) -> Guess:
    output: dict[str, Any] = {"name": stored_column(facts.column, n), "treatment": "redact"}
    known = {"own": own, "beside": beside}
    return Guess((output | {what: columns for what, columns in known.items() if columns},), "prose")


def _by_values(facts: Facts, n: int, today: date) -> Guess:
    name = stored_column(facts.column, n)
    if found := day_type(facts):
        shift = {"name": name, "treatment": "shift", "lower": date(1990, 1, 1), "upper": date(today.year, 12, 31)}
        return Guess((shift,), "day", *found)
    if facts.fits("icd10"):
        return Guess(({"name": f"{name[:40]}_chapter", "treatment": "icd10_chapter"},), "icd10")
    if _number_type(facts):
        return Guess(DROP, "number")
    return Guess(DROP, "few_words" if facts.values <= _FEW else "nothing_known")
