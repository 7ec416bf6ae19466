"""Which checks does a table's mapping ask for, as SQL?

Kahn's categories, as OHDSI's data quality checks have them: *conformance* (a value is of its code system or list),
*completeness* (it is there), *plausibility* (it lies within what is possible and at peace with the row's other columns).
Each check is SQL over one raw row `r`, true where the row is at fault; a missing value fails completeness only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from enclave.intake.columns import literal
from enclave.intake.field import RawField
from enclave.intake.package import Descriptor
from enclave.intake.report import Category, Facts
from enclave.intake.resource import Resource
from enclave.intake.standards import resident
from enclave.intake.standards.crossings import CROSSINGS
from enclave.intake.standards.dictionary import element, system
from enclave.intake.standards.sexes import coded
from enclave.intake.treatments import Keep
from enclave.intake.truth import true_of

PERSON = {"sex": "sex_", "birth_date": "birth_"}
"""Elements of the person that reach the person's rows in other tables, and the hidden columns they come by."""


@dataclass(frozen=True)
class Compiled:
    """A check of one row; `most` is the share (per cent) that may fail before the intake stops."""

    code: str
    category: Category
    column: str
    sql: str
    facts: Facts = field(default_factory=dict)
    most: float | None = None


def compiled(d: Descriptor, table: Resource) -> list[Compiled]:
    """Every check of a table, in order."""
    found = [check for f in table.fields for check in _of_field(d, f)]
    found += _crossed(d, table)
    found += _against_person(d, table)
    for stated in table.checks:
        category, where = Category.PLAUSIBILITY, stated.rule.left
        sql = f"NOT ({true_of(stated.rule, d.code_lists)})"
        most = None if stated.most is None else float(stated.most)
        found.append(Compiled("rule_fails", category, where, sql, {"rule": stated.that}, most))
    return found


def _of_field(d: Descriptor, f: RawField) -> Iterator[Compiled]:
    column, known = f'r."{f.name}"', element(f.element)
    named = f.system or (known.system if known else "")
    listed = [o.list for o in f.outputs if isinstance(o, Keep)]
    if named in d.code_lists or (listed and not f.system):
        name = named if named in d.code_lists else listed[0]
        yield Compiled("not_listed", Category.CONFORMANCE, f.name, _unlisted(d, name, column), {"system": name})
    elif (found := system(named)) is not None and f.type == "string":
        # the costly half first: only what stands first in a disjunction shares its parts with other checks
        bad = f"NOT ({_belongs(found.codes, found.form, column)} OR {column} IS NULL)"
        yield Compiled("not_in_system", Category.CONFORMANCE, f.name, bad, {"system": found.title})
    if f.required or f.element:
        yield Compiled("missing", Category.COMPLETENESS, f.name, f"{column} IS NULL")
    if f.plausible:
        low, high = (str(bound) for bound in f.plausible)
        cast = "DATE" if f.type in ("date", "datetime") else "DECIMAL(18,6)"
        bounds = f"{literal(low)}::{cast} AND {literal(high)}::{cast}"
        yield Compiled(
            "implausible", Category.PLAUSIBILITY, f.name, f"CAST({column} AS {cast}) NOT BETWEEN {bounds}",
            {"low": low, "high": high},
        )  # fmt: skip


def _unlisted(d: Descriptor, name: str, column: str) -> str:
    listed = d.code_lists[name]
    if listed.codes:  # the same words as the treatment uses: evaluated once
        known = f"TRY_CAST({column} AS ENUM({', '.join(literal(c) for c in listed.codes)}))"
        return f"{column} IS NOT NULL AND {known} IS NULL"
    codes = ", ".join(literal(code) for code in listed.rename)
    return f"{column} NOT IN ({codes})"


def _belongs(codes: tuple[str, ...], form: str, column: str) -> str:
    if codes:
        return f"({column} IN ({', '.join(literal(code) for code in codes)}))"
    return f"regexp_full_match({column}, {literal(form)})" if form else resident.is_valid(column)


def _columns(d: Descriptor, table: Resource) -> tuple[dict[str, str], Mapping[str, str]]:
    """Element → SQL of its column in this table, and element → the raw column to name at a fault."""
    found: dict[str, str] = {}
    shown: dict[str, str] = {}
    items: list[str] = []
    for f in table.fields:
        known = element(f.element)
        if known is None:
            continue
        if known.key == "fee_item":
            items.append(f'coalesce(r."{f.name}", 0)')
        found.setdefault(known.key, f'r."{f.name}"')
        shown.setdefault(known.key, f.name)
    if items:
        found["fee_item"] = " + ".join(items)
    if table.name != d.unit.table:
        for key, hidden in person_columns(d).items():
            found.setdefault(key, f"r.{hidden}")
    if "sex" in found:
        found |= _sexes(d, table, found["sex"])
    return found, shown


def person_columns(d: Descriptor) -> dict[str, str]:
    """Elements of the person table that reach other tables → hidden column."""
    keys = {known.key for f in d.person_table.fields if (known := element(f.element))}
    return {key: hidden for key, hidden in PERSON.items() if key in keys}


def _sexes(d: Descriptor, table: Resource, column: str) -> dict[str, str]:
    """The tests for male and female."""
    return {key: f"{column} IN ({', '.join(map(literal, codes))})" for key, codes in coded(d, table).items()}


def _against_person(d: Descriptor, table: Resource) -> Iterator[Compiled]:
    """Whether a row that states sex or birth date states those of its person."""
    hidden = person_columns(d) if table.name != d.unit.table else {}
    for f in table.fields:
        known = element(f.element)
        if known is not None and known.key in hidden:
            own, theirs = f'r."{f.name}"', f"r.{hidden[known.key]}"
            if known.key == "birth_date":
                own, theirs = f"CAST({own} AS DATE)", f"CAST({theirs} AS DATE)"
            yield Compiled("differs_from_person", Category.IDENTITY, f.name, f"{own} <> {theirs}")


def _crossed(d: Descriptor, table: Resource) -> Iterator[Compiled]:
    columns, shown = _columns(d, table)
    for crossing in CROSSINGS:
        if all(need in columns for need in crossing.needs):
            where = shown.get(crossing.needs[0], "")
            yield Compiled(crossing.code, Category.PLAUSIBILITY, where, crossing.sql(columns))
