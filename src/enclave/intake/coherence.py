"""Does a descriptor agree with itself?

Every reference leads somewhere, every table has a person and a unique key, every facet and join can be checked at build,
and no stored name stands twice. Each complaint is a sentence with the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from enclave.intake import rules
from enclave.intake.columns import norm_names, stored_columns
from enclave.intake.package import Descriptor, ReferenceText
from enclave.intake.resource import Identity, Resource
from enclave.intake.standards.dictionary import system
from enclave.intake.treatments import NUMBERS, PROSE, SUMMABLE, Form, Keep, Prefix, Pseudonym, Redact, Surrogate

SMALLEST_DELTA = Decimal("1e-18")

CARRIED = ("integer", "decimal", "code", "date", "boolean")
"""Kinds of columns that may rest beside the rows of another table."""


def complaints(d: Descriptor) -> Iterator[str]:
    """Every complaint, as sentences; none when the descriptor holds together."""
    names = [*(r.name for r in d.resources), *(r.name for r in d.references)]
    if len(set(names)) != len(names):
        yield "a table stands twice"
    if d.unit.table not in [t.name for t in d.tables]:
        yield f"unit.table {d.unit.table} is not among the tables"
        return
    seen: list[str] = []
    for table in d.tables:
        for complaint in _table(d, table, seen):
            yield f"table {table.name}: {complaint}"
        seen.append(table.name)
    person = d.person_table
    if person.key != (person.unit_column,):
        yield f"table {person.name} has one row per person: its key is its unit"
    for one in d.references:
        for complaint in _reference(d, one):
            yield f"reference {one.name}: {complaint}"
    for table in d.tables:
        if table.name != person.name and not any(j.table == person.name for j in table.joins):
            yield f"table {table.name} states no join to {person.name}"
    yield from _identity(d)
    yield from _apart(d)
    yield from _risk(d)


def _apart(d: Descriptor) -> Iterator[str]:
    """Registers are held apart by a text column of the person table."""
    if d.apart is not None:
        field = d.person_table.field(d.apart.by)
        if field is None or field.type != "string":
            yield f"`apart` names {d.apart.by}, which is no text column of {d.person_table.name}"
        if d.register_ in d.apart.from_:
            yield f"`apart` names {d.register_}, its own register"


def _identity(d: Descriptor) -> Iterator[str]:
    """Who is the same person is said of the person table, in terms of its raw columns."""
    for table in d.tables:
        if table.name != d.unit.table and table.identity != Identity():
            yield f"table {table.name}: `identity` stands on the person table, {d.unit.table}"
    person = d.person_table
    fields = {f.name: f.type for f in person.fields}
    wrong = [name for name in person.identity.key if fields.get(name) != "string" or name == person.unit]
    if wrong:
        yield f"table {person.name}: `identity` names {wrong[0]}, which is no text column beside its unit"
    if person.identity.newest and fields.get(person.identity.newest) not in ("date", "datetime"):
        yield f"table {person.name}: `identity` names {person.identity.newest}, which is no date"


def _risk(d: Descriptor) -> Iterator[str]:
    """Sets of quasi-identifiers name stored columns of one table, the person's key not among them."""
    for asked in d.risk.sets:
        table = d.table(asked.table)
        if table is None:
            yield f"risk set {asked.name}: there is no table {asked.table}"
            continue
        names = {o.name for _, o in table.outputs()} | {x.name for x in table.derived}
        unknown = [c for c in (*asked.columns, *asked.sensitive) if c not in names or c == table.unit_column]
        if unknown:
            yield f"risk set {asked.name}: {unknown[0]} is no stored column of {asked.table}"
    if len({asked.name for asked in d.risk.sets}) < len(d.risk.sets):
        yield "a risk set stands twice"


def _table(d: Descriptor, t: Resource, seen: list[str]) -> Iterator[str]:
    if not t.fields or not t.path:
        yield "states no `schema` or no `path`"
        return
    raw = [f.name for f in t.fields]
    if len(set(raw)) != len(raw):
        yield "a raw column stands twice"
    unit = t.field(t.unit)
    pseudonyms = [o for o in unit.outputs if isinstance(o, Pseudonym)] if unit else []
    if len(pseudonyms) != 1 or pseudonyms[0].domain != d.unit.domain:
        yield f"its unit is a raw column with the one treatment pseudonym of domain {d.unit.domain}"
        return
    yield from _raw_columns(d, t)
    if len({d.register_, *t.registers}) != 1 + len(t.registers):
        yield "`registers` names one twice, or the dataset's own"
    yield from _columns(d, t)
    yield from _facets(t)
    yield from _keys(d, t)
    yield from _joins(d, t, seen)
    yield from _rules(d, t)
    yield from _derived(d, t)


_OURS = re.compile(
    r"(unit|shift|raw|digest|sex|birth|dropped|wrong|left|newest|chooser|n)_|marks_\d+|(unread|hit) .*", re.IGNORECASE
)
"""Names that columns of our own have while a table is worked on."""


def _raw_columns(d: Descriptor, t: Resource) -> Iterator[str]:
    for f in t.fields:
        if _OURS.fullmatch(f.name):
            yield f"a raw column may not be called {f.name}: rename it in the export"
        if f.system and f.system not in d.code_lists and system(f.system) is None:
            yield f"column {f.name}: there is no code system or list {f.system}"
        if f.plausible and type(f.plausible[0]) is not type(f.plausible[1]):
            yield f"column {f.name}: `plausible` states two numbers or two dates"


def _columns(d: Descriptor, t: Resource) -> Iterator[str]:
    stored = [o.name for _, o in t.outputs()] + [x.name for x in t.derived] + list(norm_names(t))
    stored += [f"{j.table}_{name}" for j in t.joins for name in j.carries]
    twice = sorted({name for name in stored if stored.count(name) > 1})
    if twice:
        yield f"the stored name {twice[0]} stands twice (norms and carried columns have names of their own)"
    pseudonyms = {o.name for _, o in t.outputs() if isinstance(o, Pseudonym)}
    if not t.key or not set(t.key) <= pseudonyms or len(t.key) != 1:
        yield "its `key` is one stored pseudonym"
    for field, output in t.outputs():
        if isinstance(output, Keep | Prefix) and output.list not in d.code_lists:
            yield f"column {field.name}: there is no code list {output.list}"
            return
        if output.total_clip is not None and not isinstance(output, SUMMABLE):
            yield f"column {output.name}: only numbers may be summed"
        if (
            output.total_clip is not None
            and output.total_clip * (output.scale if isinstance(output, NUMBERS) else 1) < 1
        ):
            yield f"column {output.name}: `total_clip` is below one stored step"
        if isinstance(output, Pseudonym) and output.domain == d.unit.domain and field.name != t.unit:
            yield (
                f"column {field.name} names a second person: drop it, or describe the table a second time, under a name of "
                "its own, with that column as its unit"
            )
        if isinstance(output, PROSE):
            yield from _prose(d, t, field.name, output)
        for facet in output.finer_than:
            if facet not in [f.column for f in t.facets]:
                yield f"column {output.name}: finer_than names {facet}, which is no facet"


def _prose(d: Descriptor, t: Resource, column: str, output: Redact | Surrogate) -> Iterator[str]:
    for said, names, table in (("own", output.own, d.person_table), ("beside", output.beside, t)):
        for name in names:
            field = table.field(name)
            if field is None or field.type != "string" or (table is t and name == column):
                yield f"column {column}: `{said}` names {name}, which is no other text column of {table.name}"


LONGEST_REFERENCE = 2_000
"""Codes of a list that a reference table explains: it is written out in every question that reads it."""


def _reference(d: Descriptor, one: ReferenceText) -> Iterator[str]:
    listed = d.code_lists.get(one.list)
    if listed is None:
        yield f"there is no code list {one.list}"
        return
    if len(listed.stored) > LONGEST_REFERENCE:
        yield f"its list has more than {LONGEST_REFERENCE} codes"
    for name, column in one.columns.items():
        codes = [code for of in column.values.values() for code in of]
        if name == one.key:
            yield f"column {name} is its key"
        if len({type(value) for value in column.values}) > 1:
            yield f"column {name}: its values are all words or all whole numbers"
        if stray := next((c for c in codes if c not in listed.stored), None):
            yield f"column {name}: {stray} is not in the list {one.list}"
        if len(set(codes)) != len(codes):
            yield f"column {name}: a code stands under two values"
        if any(isinstance(value, int) and abs(value) > LARGEST_VALUE for value in column.values):
            yield f"column {name}: a number is beyond {LARGEST_VALUE}"


LARGEST_VALUE = 10**9


def _facets(t: Resource) -> Iterator[str]:
    groupable = {o.name for _, o in t.outputs() if not isinstance(o, Pseudonym | Redact | Surrogate)}
    columns = [f.column for f in t.facets]
    if len(set(columns)) != len(columns) or not set(columns) <= groupable:
        yield "a facet names no stored column, or one stands twice"


def _keys(d: Descriptor, t: Resource) -> Iterator[str]:
    forms = {o.name for _, o in t.outputs() if isinstance(o, Form)}
    columns = [k.column for k in t.keys]
    if len(set(columns)) != len(columns) or not set(columns) <= forms:
        yield "`keys` names no column with the treatment form, or one twice"
    if columns and not d.keys_delta:
        yield "`keys` need `keys_delta` beside `delta`: the δ of one draw of them"
    elif columns and Decimal(d.keys_delta) > Decimal(d.delta):
        yield "`keys_delta` is above `delta`"
    elif columns and Decimal(d.keys_delta) < SMALLEST_DELTA:
        yield "`keys_delta` is below the smallest unit of the ledger, 1e-18"


def _joins(d: Descriptor, t: Resource, seen: list[str]) -> Iterator[str]:
    own = {o.name: o for _, o in t.outputs() if isinstance(o, Pseudonym)}
    for join in t.joins:
        far = d.table(join.table)
        if far is None or join.table not in seen:
            yield f"joins {join.table}, which does not stand before it"
        elif far.key != (join.to,):
            yield f"joins {join.table} on {join.to}, which is not its key"
        elif join.column not in own:
            yield f"joins by {join.column}, which is not a stored pseudonym"
        else:
            there = next(o for _, o in far.outputs() if o.name == join.to)
            if not isinstance(there, Pseudonym) or there.domain != own[join.column].domain:
                yield f"joins {join.table} by a pseudonym of another domain"
            fit = {c.name for c in stored_columns(d, far) if c.kind in CARRIED} - {x.name for x in far.derived}
            if strange := [name for name in join.carries if name not in fit]:
                yield f"carries {strange[0]}: of {join.table} only numbers, dates and listed codes that are not derived"


def _rules(d: Descriptor, t: Resource) -> Iterator[str]:
    for text in (*t.rules, *(check.that for check in t.checks)):
        try:
            rule = rules.parse(text)
        except ValueError as malformed:
            yield str(malformed)
            return
        fields = [t.field(name) for name in rule.columns]
        if any(f is None for f in fields):
            yield f"the rule `{text}` names a raw column that is not there"
            return
        types = [f.type for f in fields if f is not None]
        if rule.operator == "in" and (rule.right not in d.code_lists or types != ["string"]):
            yield f"the rule `{text}` needs a code list and a text column"
        if rule.operator not in ("in", "present") and not _comparable(types):
            yield f"the rule `{text}` compares two dates or two numbers"


def _comparable(types: Sequence[str]) -> bool:
    numbers = all(t in ("integer", "decimal") for t in types)
    return numbers or (len(types) == 2 and all(t in ("date", "datetime") for t in types))


def _derived(d: Descriptor, t: Resource) -> Iterator[str]:
    if t.derived and t.name != d.unit.table:
        yield f"`derived` columns stand in {d.unit.table}"
    for derived in t.derived:
        source = d.table(derived.any_of.table)
        if source is None:
            yield f"column {derived.name} needs table {derived.any_of.table}: name it too, or leave the column out"
        elif (field := source.field(derived.any_of.column)) is None or field.type != "string":
            yield f"column {derived.name}: {source.name}.{derived.any_of.column} is no text column of it"
