"""Which SQL of our own adds up the products of columns?

Three levels, so that rows are met once and codes cost nothing there: rows with their weight and the levels of their
numbers; sums of products of numbers by the codes that rows have; of those the entries, one row for each with its number, as
bins have theirs. A row with an unknown variable is no row. Arithmetic is in BIGINT until weighed, sums are in HUGEINT, each
entry is saturated to int64.
"""

from __future__ import annotations

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.exact import weighed_rows
from enclave.query.plan import Plan, Term
from enclave.query.sources import condition, multiplicity, rows_of
from enclave.query.sscp import HALF, ONE, Matrix, Slot, Variable
from enclave.query.tally import Norm, Style
from enclave.query.written import centred, key, number, saturated, text


def products_of(plan: Plan, style: Style, norm: Norm, matrix: Matrix) -> str:
    """Keys, the number of an entry, its total."""
    keys = [f"k{i}" for i in range(len(plan.keys))]
    weighed = _weighed(plan, style, norm, matrix, f"{condition(plan, norm)}{_known(matrix)}")
    codes = [f"c{i}" for i, v in enumerate(matrix.variables) if not v.is_number]
    sums = [f"sum({' * '.join(['w', *factors])}) AS {name}" for name, factors in _sums(matrix).items()]
    by_code = f"SELECT {', '.join([*keys, *codes, *sums])} FROM {weighed}{_grouped(len(keys) + len(codes))}"
    entries = ", ".join(saturated(f"sum({_entry(matrix, a, b)})") for a, b in matrix.entries)
    listed = f"SELECT {', '.join([*keys, f'[{entries}] AS e'])} FROM ({by_code}){_grouped(len(keys))}"
    numbered = ", ".join([*keys, f"unnest(range({matrix.count})) AS b", "unnest(e) AS a0"])
    return f"SELECT {numbered} FROM ({listed})"


def _grouped(columns: int) -> str:
    return f" GROUP BY {', '.join(str(i + 1) for i in range(columns))}" if columns else ""


def _known(matrix: Matrix) -> str:
    return "".join(f" AND ({number(v.term)} IS NOT NULL)" for v in matrix.variables if v.term.type.nullable)


def _weighed(plan: Plan, style: Style, norm: Norm, matrix: Matrix, condition: str) -> str:
    """Rows: keys, weight w, levels of numbers, codes."""
    keys = [f"{key(k.term)} AS k{i}" for i, k in enumerate(plan.keys)]
    columns = [_column(i, v) for i, v in enumerate(matrix.variables)]
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition}"
    if style is Style.EXACT:
        times = any(s.many for s in plan.sources)
        multiplied = [f"{multiplicity(plan.sources)} AS m"] if times else []
        selected = ", ".join([f't0."{plan.root.unit}" AS u', *keys, *multiplied, *columns])
        names = [c.rsplit(" AS ", 1)[1] for c in columns]
        adds = "sum(m)" if times else "count(*)"
        key_names = [f"k{i}" for i in range(len(keys))]
        return weighed_rows(f"SELECT {selected} FROM {rows}", key_names, adds, norm, names, times=times)
    return f"(SELECT {', '.join([*keys, f'{_weight(norm)} AS w', *columns])} FROM {rows})"


def _weight(norm: Norm) -> str:
    """A NULL norm weighs nothing."""
    if norm.column is None:
        return f"{WEIGHT_ONE}::BIGINT"
    stored = f't0."{norm.column}"'
    above = f"WHEN {stored} > {norm.clipped_from} THEN {norm.numerator} // {stored}"
    return f"CASE WHEN {stored} <= {norm.clipped_from} THEN {WEIGHT_ONE} {above} ELSE 0 END"


def _column(at: int, variable: Variable) -> str:
    return f"{_level(variable)} AS z{at}" if variable.is_number else f"{_code(variable.term)} AS c{at}"


def _code(term: Term) -> str:
    return key(term)


def _level(variable: Variable) -> str:
    """z in whole levels of 1/HALF, rounded; the dividend is never negative, so `//` rounds down."""
    half, clamp = variable.half, (variable.term.type.lower or 0, variable.term.type.upper or 0)
    above = centred(variable.term, clamp, variable.middle - half)
    return f"CAST((({above}) * {2 * HALF} + {half}) // {2 * half} - {HALF} AS BIGINT)"


def _sums(matrix: Matrix) -> dict[str, list[str]]:
    """The sums by code: of weights, of each number, of each two, by name and factors."""
    numbers = [i for i, v in enumerate(matrix.variables) if v.is_number]
    sums: dict[str, list[str]] = {"s": []}
    for i in numbers:
        sums[f"s{i}"] = [f"z{i}"]
    for i in numbers:
        for j in numbers:
            if i <= j:
                sums[f"s{i}_{j}"] = [f"z{i}", f"z{j}"]
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
