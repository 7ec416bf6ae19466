"""What do the signed rules let stand beside each other in a row?

Row rules and stated checks compare raw columns; here they hold of the columns that are kept of them, as far as both are
kept as what is compared. The front page adds two by data elements: a stay lasts from admission to discharge, and no
diagnosis is one of the other sex. All of it is text: no record is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from enclave.intake import rules
from enclave.intake.columns import Stored
from enclave.intake.field import RawField
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.standards import element
from enclave.intake.standards.crossings import sex_of
from enclave.intake.standards.sexes import sexes

_WHOLE = ("shift", "clamp", "round")


def bounded(column: Stored, number: str) -> str:
    """The number within the column's bounds, where values beyond rest in the extract too."""
    return f"greatest({column.lower}, least({column.upper}, {number}))"


@dataclass(frozen=True)
class Ruled:
    """The rules of one table, over its stored columns."""

    d: Descriptor
    table: Resource
    columns: Sequence[Stored]

    @cached_property
    def _rules(self) -> tuple[rules.Rule, ...]:
        return (*self.table.row_rules, *(check.rule for check in self.table.checks))

    def _kept(self, raw: str, treatments: Sequence[str] = _WHOLE) -> Stored | None:
        """The column in which the raw value stands as what it is."""
        return next((c for c in self.columns if c.source == raw and c.treatment in treatments), None)

    def _of(self, key: str) -> Stored | None:
        return next((self._kept(f.name) for f in self.table.fields if _is(f, key)), None)

    def present(self, sources: set[str]) -> bool:
        """Whether a value must stand in one of these raw columns."""
        return any(rule.operator == "present" and rule.left in sources for rule in self._rules)

    def listed(self, column: Stored) -> list[int]:
        """Place in the list → place of a word that the rules let stand there; [] when all may."""
        asked = [r for r in self._rules if r.operator == "in" and r.left == column.source]
        own = next((getattr(o, "list", "") for _, o in self.table.outputs() if o.name == column.name), "")
        if not asked or not own or column.treatment != "keep":
            return []
        may = set(column.codes)
        for rule in asked:
            raw, rename = self.d.code_lists[str(rule.right)], self.d.code_lists[own].rename
            may &= {rename.get(code, code) for code in (raw.codes or tuple(raw.rename))}
        return _replaced(column, [code in may for code in column.codes])

    def held(self, column: Stored, number: str) -> str:
        """The number by the rules that compare the column with a constant, and low enough for those that stand above it."""
        found = number
        for rule in self._rules:
            if isinstance(rule.right, Decimal) and rule.left == column.source and column.treatment in _WHOLE[1:]:
                found = _by_constant(rule.operator, rule.right * column.scale, column, found)
        for other, operator in self._waiting(column):
            highest = math.floor(Decimal(other.upper or 0) * column.scale / other.scale) - int(operator == ">")
            found = f"least({found}, {highest})"
        return found if found == number else bounded(column, found)

    def against(self, column: Stored) -> Iterator[tuple[Stored, str]]:
        """(other, operator) of what must hold between `column` and a column that is drawn before it."""
        return ((low, operator) for low, high, operator in self._pairs if high.name == column.name)

    def _waiting(self, column: Stored) -> Iterator[tuple[Stored, str]]:
        """Likewise, of the columns that are drawn after this one."""
        return ((high, operator) for low, high, operator in self._pairs if low.name == column.name and operator != "!=")

    @cached_property
    def _pairs(self) -> tuple[tuple[Stored, Stored, str], ...]:
        """(drawn first, drawn after it, operator between the latter and the former: one of = != >= >)."""
        found = []
        for rule in self._rules:
            left, right = self._compared(rule)
            if (
                left is None
                or right is None
                or left.name == right.name
                or (left.kind == "date") != (right.kind == "date")
            ):
                continue
            turned = rule.operator in ("<", "<=")
            first, then = (left, right) if turned else (right, left)
            operator = rule.operator.replace("<", ">")
            whole = left.treatment == "year" and operator in (">", "!=")  # in one year both may be
            if not whole or operator == ">":
                found.append((first, then, ">=" if whole else operator))
        admitted, discharged = self._of("admitted_at"), self._of("discharged_at")
        if admitted and discharged and not any({admitted, discharged} == {low, high} for low, high, _ in found):
            found.append((admitted, discharged, ">="))
        return tuple(dict.fromkeys(found))

    def _compared(self, rule: rules.Rule) -> tuple[Stored | None, Stored | None]:
        """What is kept of both sides: the values, else of both the year."""
        if not isinstance(rule.right, str) or rule.operator == "in":
            return None, None
        both = self._kept(rule.left), self._kept(rule.right)
        return both if all(both) else (self._kept(rule.left, ("year",)), self._kept(rule.right, ("year",)))

    def stay(self, later: Stored, earlier: Stored) -> Stored | None:
        """The days between two dates, where the table keeps them."""
        days = self._of("los_days")
        ends = later == self._of("discharged_at") and earlier == self._of("admitted_at")
        return days if ends and days is not None and days.scale == 1 else None

    def parts(self, column: Stored) -> tuple[list[tuple[Stored, int]], int]:
        """([(part, factor)], divisor) of what the column is the sum of; none when some part is not kept."""
        for rule in self._rules:
            if isinstance(rule.right, tuple) and self._kept(rule.left) == column:
                kept = [c for name in rule.right if (c := self._kept(name)) is not None]
                if len(kept) == len(rule.right):
                    finest = math.lcm(column.scale, *(c.scale for c in kept))
                    return [(c, finest // c.scale) for c in kept], finest // column.scale
        return [], 1


def _is(field: RawField, key: str) -> bool:
    known = element(field.element)
    return known is not None and known.key == key


def steps_of(column: Stored, other: Stored, number: str) -> str:
    """A stored number of `column` in steps of `other`, rounded up."""
    if column.scale == other.scale:
        return number
    return f"ceil({number} * {other.scale} / {column.scale}::DECIMAL(18,6))::BIGINT"


def _by_constant(operator: str, constant: Decimal, column: Stored, number: str) -> str:
    match operator:
        case "<=":
            return f"least({number}, {math.floor(constant)})"
        case "<":
            return f"least({number}, {math.ceil(constant) - 1})"
        case ">=":
            return f"greatest({number}, {math.ceil(constant)})"
        case ">":
            return f"greatest({number}, {math.floor(constant) + 1})"
        case "=":
            return f"{number} * 0 + {math.floor(constant)}"
        case _:
            step = 1 if column.upper is None or constant < column.upper else -1
            return f"CASE WHEN {number} = {constant} THEN {math.floor(constant) + step} ELSE {number} END"


def _replaced(column: Stored, may: Sequence[bool]) -> list[int]:
    """Each place, or in its stead one of those that may be; [] when all may, or none."""
    places = [n + 1 for n, fits in enumerate(may) if fits]
    if len(places) in (0, len(may)):
        return []
    return [n + 1 if fits else places[n % len(places)] for n, fits in enumerate(may)]


@dataclass(frozen=True)
class Sexed:
    """What the places of a list become by the sex of the person, which stands in `column` of the person table."""

    column: str
    by_sex: Mapping[int, Sequence[int]]
    """Place of the sex in its own list → what each place becomes."""

    def places(self, sex: str, words: int) -> str:
        """SQL of what each of so many places becomes for the sex whose place in its list is `sex`."""
        steps = " ".join(f"WHEN {at} THEN {list(places)}" for at, places in self.by_sex.items())
        return f"(CASE {sex} {steps} ELSE {list(range(1, words + 1))} END)"


def sexed(d: Descriptor, table: Resource, column: Stored) -> Sexed | None:
    """Of a column of diagnoses: which of its words persons of either sex do not have; None when it is no such column."""
    field = table.field(column.source)
    sex = next((f for f in d.person_table.fields if _is(f, "sex")), None)
    if field is None or sex is None or not _is(field, "main_dx"):
        return None
    own = {o.name: d.codes(o) for o in sex.outputs if d.codes(o)}
    if not own:
        return None
    (name, words), found = next(iter(own.items())), {}
    for which, stored in sexes(d, table).items():
        other = "female" if which == "male" else "male"
        replaced = _replaced(column, [sex_of(code) != other for code in column.codes])
        for n, word in enumerate(words, 1):
            if word in stored and replaced:
                found[n] = replaced
    return Sexed(name, found) if found else None
