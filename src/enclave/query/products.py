"""Which SQL of our own adds up the products of columns?

Three levels, so that rows are met once and codes cost nothing there: rows with the levels of their numbers; sums of products
of numbers by the codes that rows have (weighed by `scan` or `exact`); of those the entries, one row for each with its
number, as bins have theirs. A row with an unknown variable is no row. Row by row in BIGINT, sums in HUGEINT.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.query import exact, scan
from enclave.query.groups import Groups
from enclave.query.plan import Plan, Term
from enclave.query.sources import is_dear, times
from enclave.query.sscp import HALF, ONE, Matrix, Slot, Variable
from enclave.query.tally import Norm, Style
from enclave.query.written import key, number, text


@dataclass(frozen=True)
class Levels:
    """Σw, Σw·z or Σw·z·z′ of the levels of numbers."""

    norm: Norm
    factors: tuple[str, ...]

    def plain(self) -> str:
        return f"sum({' * '.join(self.factors)})" if self.factors else "count(*)"

    def weighed(self, weight: str, *, wide: bool = False) -> str:
        kind = "HUGEINT" if wide else "BIGINT"
        return f"sum({' * '.join([f'CAST({weight} AS {kind})', *self.factors])})"


def products_of(plan: Plan, style: Style, norm: Norm, matrix: Matrix, rows: str) -> str:
    """Keys, the number of an entry, its total. `rows` is FROM … WHERE …"""
    keys = [f"k{i}" for i in range(len(plan.keys))]
    codes = [f"c{i}" for i, v in enumerate(matrix.variables) if not v.is_number]
    groups = Groups(tuple(f"t0.{name}" for name in (*keys, *codes)), (), {})
    sums = {name: Levels(norm, factors) for name, factors in _sums(matrix).items()}
    levels = f"({_levels(plan, norm, matrix, rows)}) AS t0 WHERE TRUE"
    if style is Style.EXACT:
        read = exact.Rows(levels, "t0.u", "t0.m" if times(plan.sources) else "")
        added = exact.branches(read, groups, len(keys), sums, norm)
    else:
        added = (scan.once if is_dear(plan) else scan.branches)(levels, groups, sums)
    named = [f"{group} AS {name}" for group, name in zip(groups.names, (*keys, *codes), strict=True)]
    by_code = f"SELECT {', '.join([*named, *sums])} FROM ({added})"
    entries = ", ".join(f"sum({_entry(matrix, a, b)})" for a, b in matrix.entries)
    listed = f"SELECT {', '.join([*keys, f'[{entries}] AS e'])} FROM ({by_code}){_grouped(len(keys))}"
    numbered = ", ".join([*keys, f"unnest(range({matrix.count})) AS b", "unnest(e) AS a0"])
    return f"SELECT {numbered} FROM ({listed})"


def _grouped(columns: int) -> str:
    return f" GROUP BY {', '.join(str(i + 1) for i in range(columns))}" if columns else ""


def _levels(plan: Plan, norm: Norm, matrix: Matrix, rows: str) -> str:
    """Rows: person, keys, norm, how many each stands for, levels of numbers, codes."""
    columns = [f't0."{plan.root.unit}" AS u', *(f"{key(k.term)} AS k{i}" for i, k in enumerate(plan.keys))]
    columns += [_column(i, v) for i, v in enumerate(matrix.variables)]
    if times(plan.sources):
        columns.append(f"{times(plan.sources)} AS m")
    elif norm.column is not None and not plan.exact:
        columns.append(f't0."{norm.column}"')
    known = [f" AND ({number(v.term)} IS NOT NULL)" for v in matrix.variables if v.term.type.nullable]
    return f"SELECT {', '.join(columns)} FROM {rows}{''.join(known)}"


def _column(at: int, variable: Variable) -> str:
    return f"{_level(variable)} AS z{at}" if variable.is_number else f"{_code(variable.term)} AS c{at}"


def _code(term: Term) -> str:
    return key(term)


def _level(variable: Variable) -> str:
    """z in whole levels of 1/HALF, clamped to the bounds (CASE takes a third of the time of LEAST and GREATEST). Where it is
    rounded the dividend is never negative, so `//` rounds down."""
    written, half = number(variable.term), variable.half
    lower, upper = variable.term.type.lower or 0, variable.term.type.upper or 0
    clamped = f"CASE WHEN {written} < {lower} THEN {lower} WHEN {written} > {upper} THEN {upper} ELSE {written} END"
    centre = variable.middle if variable.step else variable.middle - half
    above = f"(({clamped}) - ({centre}))"
    if variable.step:
        return f"CAST({above} * {variable.step} AS BIGINT)"
    return f"CAST(({above} * {2 * HALF} + {half}) // {2 * half} - {HALF} AS BIGINT)"


def _sums(matrix: Matrix) -> dict[str, tuple[str, ...]]:
    """The sums by code: of weights, of each number, of each two, by name and factors."""
    numbers = [i for i, v in enumerate(matrix.variables) if v.is_number]
    sums: dict[str, tuple[str, ...]] = {"s": ()}
    for i in numbers:
        sums[f"s{i}"] = (f"z{i}",)
    for i in numbers:
        for j in numbers:
            if i <= j:
                sums[f"s{i}_{j}"] = (f"z{i}", f"z{j}")
    return sums


def _entry(matrix: Matrix, a: Slot, b: Slot) -> str:
    """One entry of the rows of a group of codes, in whole numbers of which `ONE` is 1."""
    numbers = [s.at for s in (a, b) if s.at >= 0 and s.code is None]
    if a == b and numbers:
        total = f"s{a.at}_{a.at} - s * {ONE // 2}"
    elif len(numbers) == 2:
        total = f"s{numbers[0]}_{numbers[1]}"
    else:
        total = f"s{numbers[0]} * {HALF}" if numbers else f"s * {ONE}"
    codes = [_has(matrix.variables[s.at], s) for s in (a, b) if s.code is not None]
    return f"CASE WHEN {' AND '.join(codes)} THEN {total} END" if codes else total


def _has(variable: Variable, slot: Slot) -> str:
    column = f"c{slot.at}"
    return f"{column} = {text(slot.code or '')}" if variable.term.type.sort.value == "code" else column
