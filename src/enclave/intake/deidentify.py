"""By which expression does a raw column become a stored one?

Every expression reads one row, the person's own pseudonym and shift, and text of the policy. None reads another row: that
is what makes neighbouring extracts differ in one person's rows only (design §4; soundness U6).

Pseudonym: HMAC-SHA256 (RFC 2104) over `domain 0x1F identifier`, first 64 bits, big-endian, minus 2^63. A person's shift is
drawn from bits 128 to 159 of the same digest: no pseudonym tells a bit of it. The two padded keys are bound as parameters
`inner` and `outer`; they never stand in SQL text.
"""

from __future__ import annotations

from datetime import date
from functools import singledispatch

from enclave.intake import treatments as t
from enclave.intake.columns import Stored, literal
from enclave.intake.package import Descriptor

_SIGN = 2**63


def pads(key: bytes) -> dict[str, bytes]:
    """The padded keys of HMAC for a key of at most 64 bytes."""
    block = key.ljust(64, b"\0")
    return {"inner": bytes(b ^ 0x36 for b in block), "outer": bytes(b ^ 0x5C for b in block)}


def keyed(domain: str, identifier: str) -> str:
    """HMAC of an SQL text expression, in hex; NULL for NULL."""
    begun = f"$inner::BLOB || encode({literal(domain)} || chr(31))"  # one constant to the engine
    return f"sha256($outer::BLOB || unhex(sha256({begun} || encode({identifier}))))"


def number_of(digest: str) -> str:
    """The pseudonym in a hex digest: its first 64 bits."""
    bits = f"('0x' || left({digest}, 16))::UBIGINT"
    below = f"{bits}::BIGINT - {_SIGN - 1} - 1"  # no wider number on the way: those are slow
    return f"CASE WHEN {bits} >= {_SIGN} THEN ({bits} - {_SIGN})::BIGINT ELSE {below} END"


def pseudonym(domain: str, identifier: str) -> str:
    """The 64-bit pseudonym of an SQL text expression; NULL for NULL."""
    return number_of(keyed(domain, identifier))


def shift_of(digest: str, reach: int) -> str:
    """The person's own shift, -reach..reach days, from bits of the digest that the pseudonym does not show."""
    return f"(('0x' || substr({digest}, 33, 8))::UBIGINT % {2 * reach + 1})::INTEGER - {reach}" if reach else "0"


def _within(expression: str, lower: object, upper: object) -> str:
    """Held within bounds; NULL stays NULL (DuckDB's least and greatest skip NULL)."""
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE greatest({lower}, least({upper}, {expression})) END"


def _shifted(raw: str) -> str:
    return f"(CAST({raw} AS DATE) + r.shift_)"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


@singledispatch
def expression(output: t.Output, raw: str, stored: Stored, d: Descriptor) -> str:
    """SQL of the stored value of `output`, from the raw column `raw`."""
    raise AssertionError(f"no expression for {type(output)}")


@expression.register
def _(output: t.Pseudonym, raw: str, stored: Stored, d: Descriptor) -> str:
    return pseudonym(output.domain, raw)


@expression.register
def _(output: t.Shift, raw: str, stored: Stored, d: Descriptor) -> str:
    return _within(_shifted(raw), _day(output.lower), _day(output.upper))


@expression.register
def _(output: t.Year, raw: str, stored: Stored, d: Descriptor) -> str:
    return _within(f"year{_shifted(raw)}", output.lower, output.upper)


@expression.register
def _(output: t.Month, raw: str, stored: Stored, d: Descriptor) -> str:
    return f"month{_shifted(raw)}"


def _age(raw: str, d: Descriptor) -> str:
    return f"date_sub('year', CAST({raw} AS DATE), {_day(d.reference_date)})"


@expression.register
def _(output: t.Age, raw: str, stored: Stored, d: Descriptor) -> str:
    return _within(_age(raw, d), output.lower, output.upper)


def _banded(value: str, edges: tuple[object, ...], labels: tuple[str, ...]) -> str:
    """`labels` has one more than `edges`: below the first, between, from the last on."""
    steps = "".join(f" WHEN {value} < {edge} THEN {literal(label)}" for edge, label in zip(edges, labels, strict=False))
    return f"CASE WHEN {value} IS NULL THEN NULL{steps} ELSE {literal(labels[-1])} END"


@expression.register
def _(output: t.AgeBand, raw: str, stored: Stored, d: Descriptor) -> str:
    return _banded(_age(raw, d), output.edges[1:], output.labels)


@expression.register
def _(output: t.Band, raw: str, stored: Stored, d: Descriptor) -> str:
    return _banded(raw, output.edges, output.labels)


@expression.register
def _(output: t.Clamp, raw: str, stored: Stored, d: Descriptor) -> str:
    lower, upper = (f"{bound}::DECIMAL(18,6)" for bound in (output.lower, output.upper))
    return f"CAST({_within(raw, lower, upper)} * {output.scale} AS {stored.sql_type})"


_MICRO = 1_000_000


@expression.register
def _(output: t.Round, raw: str, stored: Stored, d: Descriptor) -> str:
    """In millionths, whole numbers throughout: no quotient is ever rounded twice."""
    lower, upper = (f"{bound}::DECIMAL(18,6)" for bound in (output.lower, output.upper))
    step = int(output.step * _MICRO)
    value = f"CAST({_within(raw, lower, upper)} * {_MICRO} AS HUGEINT)"
    over = f"(({value} % {step} + {step}) % {step})"
    nearest = f"({value} - {over} + CASE WHEN 2 * {over} >= {step} THEN {step} ELSE 0 END)"
    return f"CAST({nearest} * {output.scale} // {_MICRO} AS {stored.sql_type})"


def _listed(code: str, raw: str, codes: t.CodeList, otherwise: str | None, stored: Stored) -> str:
    other = literal(otherwise) if otherwise is not None else "NULL"
    if codes.rename:
        steps = "".join(f" WHEN {literal(old)} THEN {literal(new)}" for old, new in codes.rename.items())
        return f"CASE WHEN {raw} IS NULL THEN NULL ELSE CASE {code}{steps} ELSE {other} END END"
    known = f"TRY_CAST({code} AS {stored.sql_type})"
    if otherwise is None:
        return known
    # what is unlisted becomes the one code beside the list; a value that reads so already is that code
    return f"CASE WHEN {raw} IS NULL THEN NULL ELSE coalesce({known}, {other}::{stored.sql_type}) END"


@expression.register
def _(output: t.Keep, raw: str, stored: Stored, d: Descriptor) -> str:
    return _listed(raw, raw, d.code_lists[output.list], output.otherwise, stored)


@expression.register
def _(output: t.Prefix, raw: str, stored: Stored, d: Descriptor) -> str:
    return _listed(f"left({raw}, {output.length})", raw, d.code_lists[output.list], output.otherwise, stored)


@expression.register
def _(output: t.Form, raw: str, stored: Stored, d: Descriptor) -> str:
    other = literal(output.otherwise) if output.otherwise is not None else "NULL"
    fits = f"length({raw}) <= {output.longest} AND regexp_full_match({raw}, {literal(output.pattern)})"
    return f"CASE WHEN {raw} IS NULL THEN NULL WHEN {fits} THEN {raw} ELSE {other} END"


@expression.register
def _(output: t.Icd10Chapter, raw: str, stored: Stored, d: Descriptor) -> str:
    steps = "".join(
        f" WHEN left({raw}, 3) BETWEEN '{first}' AND '{last}' THEN '{name}'" for name, first, last in t.ICD10_CHAPTERS
    )
    return f"CASE{steps} ELSE NULL END"


@expression.register
def _(output: t.Flag, raw: str, stored: Stored, d: Descriptor) -> str:
    return begins(raw, output.prefixes)


def begins(raw: str, prefixes: tuple[str, ...]) -> str:
    """Whether `raw` begins with one of the public prefixes."""
    return "(" + " OR ".join(f"starts_with({raw}, {literal(prefix)})" for prefix in prefixes) + ")"
