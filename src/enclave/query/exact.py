"""How long is each person's own vector, where no norm of it is stored?

For joins of two many-row tables, stacked tables and rows made within one person. Rows fall together by person and group
first; what a person adds to each cell is summed, the squares are summed, and the root is taken upwards in whole numbers,
as intake does for stored norms. Persons at or under the clip weigh 65536, others lose 65536 − numerator // norm, so
w·‖v‖ ≤ C·65536 holds exactly. In pure ε ‖v‖ is what all cells come to together, and nothing is squared.

The root: from any r₀ ≥ 1, one step r₁ = (r₀ + x // r₀) // 2 is never below ⌊√x⌋, so r₁, or r₁ + 1 where r₁² < x, is never
below √x, whatever the first guess in floating point was. Who adds more than 2⁴⁶ to one cell would leave the width that
is proved here, and weighs nothing. At most 2²⁴ joined rows are held (`held`), each for at most 2⁴⁶ + 1 (`sources.times`),
each adding at most 2³⁹ where three sides or more meet (`bounds.check_width`): times 65536 that is below 2¹²⁵. Of two sides
the rows are no more than 2⁴⁸ in all, and each may add 2⁶⁰.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enclave.catalogue.dataset import NORM_STEP, WEIGHT_ONE
from enclave.query.groups import Groups
from enclave.query.plan import Term
from enclave.query.sources import MOST_TIMES
from enclave.query.sums import Sum, Summed
from enclave.query.tally import Norm
from enclave.query.written import number

MOST = MOST_TIMES
BEYOND = f"{2**100}::HUGEINT"
"""A norm so large that its weight is 0."""


@dataclass(frozen=True)
class Rows:
    """What is read: FROM … WHERE …, the person's key, how many rows one row stands for (where it may be several), and
    whether all rows of a group count once."""

    sql: str
    person: str
    times: str = ""
    once: bool = False

    def added(self, wanted: Summed) -> str:
        if self.once:
            return "1"
        return wanted.weighed(self.times, wide=True) if self.times else wanted.plain()

    def moved(self, of_value: Term | None) -> str:
        """What the rows of a group add to their cell, at most: themselves, or their values."""
        if of_value is not None:
            return f"coalesce(sum(abs({number(of_value)}){f' * {self.times}' if self.times else ''}), 0)"
        return "1" if self.once else f"sum({self.times})" if self.times else "count(*)"


def branches(
    rows: Rows, groups: Groups, keys: int, named: Mapping[str, Summed], norm: Norm, of_value: Term | None = None
) -> str:
    """Rows of groups (group_0, …) with sums under their names, to be added up. The first `keys` of the groups are the cells
    of the vector, of rows or of what `of_value` adds."""
    cells = _cells(rows, groups, named, of_value)
    vector = "c"  # every group is a cell
    if len(groups.columns) > keys:
        cell = ", ".join(["u", *groups.names[:keys]])
        vector = f"(SELECT u, sum(c) AS c FROM c GROUP BY {cell})"
    with_ = f"WITH c AS MATERIALIZED ({cells}), h AS ({_heavy(vector, norm)})"
    whole = [f"CAST(sum({n}) AS HUGEINT) * {WEIGHT_ONE} AS {n}" for n in named]
    lost = [f"-sum(l * {n}) AS {n}" for n in named]
    grouped = f" GROUP BY {', '.join(groups.names)}" if groups.columns else ""
    within = f"WHERE c <= {MOST}{grouped}"
    everybody = f"SELECT {', '.join([*groups.names, *whole])} FROM c {within}"
    heavy = f"SELECT {', '.join([*groups.names, *lost])} FROM c JOIN h USING (u) {within}"
    return f"{with_} {everybody} UNION ALL {heavy}"


def by_rows(rows: Rows, groups: Groups, named: Mapping[str, Sum]) -> str:
    """One row for each group, added up already, weighed by the number of all rows of a person: an l1 norm, with no root to
    take, so several clips of it cost one pass. Each sum under its own. A hash of persons and groups costs more than the scan
    behind a narrow filter, so rows are kept as they pass, and meet only persons above the least clip. Rows that stand for
    several fall together first."""
    if rows.times:
        kept, of_person = _cells(rows, groups, named), "sum(c)"
        added = {name: name for name in named}
    else:
        of_row = {name: s.of_row() for name, s in named.items()}
        added = {name: name if value else "" for name, value in of_row.items()}
        columns = [f"{rows.person} AS u", *groups.selected, *(f"{v} AS {name}" for name, v in of_row.items() if v)]
        kept, of_person = f"SELECT {', '.join(columns)} FROM {rows.sql}", "count(*)"
    least = min(s.norm.clip for s in named.values())
    heavy = f"SELECT u, {of_person} AS n FROM c GROUP BY u HAVING {of_person} > {least}"
    sums = [f"sum({_weighed(named[name].norm, column)}) AS {name}" for name, column in added.items()]
    grouped = f" GROUP BY {', '.join(groups.names)}" if groups.columns else ""
    selected = f"SELECT {', '.join([*groups.names, *sums])} FROM c LEFT JOIN h USING (u){grouped}"
    return f"WITH c AS MATERIALIZED ({kept}), h AS ({heavy}) {selected}"


def _weighed(norm: Norm, column: str) -> str:
    """A column, or a row itself, by the weight of its person, who has n rows where that is above the least clip. A weight
    fits int64, a product need not."""
    weight = f"CASE WHEN n > {norm.clip} THEN {norm.reach * WEIGHT_ONE} // n ELSE {WEIGHT_ONE} END"
    return f"({weight})::HUGEINT * {column}" if column else weight


def _cells(rows: Rows, groups: Groups, named: Mapping[str, Summed], of_value: Term | None = None) -> str:
    """One row for each person and group."""
    columns = [f"{rows.person} AS u", *groups.selected, *(f"{rows.added(s)} AS {name}" for name, s in named.items())]
    by = ", ".join(str(i + 1) for i in range(1 + len(groups.columns)))
    return f"SELECT {', '.join([*columns, f'{rows.moved(of_value)} AS c'])} FROM {rows.sql} GROUP BY {by}"


def _heavy(cells: str, norm: Norm) -> str:
    """Persons above the clip (u) and what their rows lose (l, HUGEINT)."""
    least = f"CAST(least(c, {MOST}) AS HUGEINT)"
    lost = f"{WEIGHT_ONE}::HUGEINT - {norm.numerator} // n AS l"
    if norm.together:
        added = f"SELECT u, max(c) AS c, sum({least}) AS q FROM {cells} GROUP BY u"
        length = f"CASE WHEN c > {MOST} THEN {BEYOND} ELSE q * {NORM_STEP} END AS n"
        return f"SELECT u, {lost} FROM (SELECT u, {length} FROM ({added}) WHERE q > {norm.clip} OR c > {MOST})"
    squares = f"SELECT u, max(c) AS c, sum({least} * {least}) AS q FROM {cells} GROUP BY u"
    heavy = f"SELECT u, c, q * {WEIGHT_ONE} AS x FROM ({squares}) WHERE q > {norm.clip}::HUGEINT * {norm.clip} OR c > {MOST}"
    guess = f"SELECT u, c, x, CAST(greatest(floor(sqrt(CAST(x AS DOUBLE))), 1) AS HUGEINT) AS g FROM ({heavy})"
    step = f"SELECT u, c, x, (g + x // g) // 2 AS g FROM ({guess})"
    norms = f"SELECT u, CASE WHEN c > {MOST} THEN {BEYOND} WHEN g * g < x THEN g + 1 ELSE g END AS n FROM ({step})"
    return f"SELECT u, {lost} FROM ({norms})"
