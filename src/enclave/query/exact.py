"""How long is each person's own vector, where no norm of it is stored?

For joins of two many-row tables, stacked tables and rows made within one person: what the person adds to each cell is
summed, the squares are summed, and the root is taken upwards in whole numbers, as intake does for stored norms. Persons
at or under the clip weigh 65536, others numerator // norm, so w·‖v‖ ≤ C·65536 holds exactly.

The root: from any r₀ ≥ 1, one step r₁ = (r₀ + x // r₀) // 2 is never below ⌊√x⌋, so r₁, or r₁ + 1 where r₁² < x, is never
below √x, whatever the first guess in floating point was. Who adds more than 2⁴⁶ to one cell would leave the width that
is proved here, and weighs nothing.
"""

from __future__ import annotations

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.tally import Norm

MOST = 2**46
BEYOND = f"{2**100}::HUGEINT"
"""A norm so large that its weight is 0."""


def weighed_rows(rows: str, keys: list[str], adds: str, norm: Norm, kept: list[str], *, times: bool) -> str:
    """`rows` (u, keys, values) with the weight of each as w; `adds` is what a group of rows adds to its cell, at most."""
    cell = ", ".join(["u", *keys])
    cells = f"SELECT u, {adds} AS c FROM r GROUP BY {cell}"
    squares = (
        f"SELECT u, max(c) AS c, sum(CAST(least(c, {MOST}) AS HUGEINT) * CAST(least(c, {MOST}) AS HUGEINT)) AS q "
        f"FROM ({cells}) GROUP BY u"
    )
    heavy = f"SELECT u, c, q * {WEIGHT_ONE} AS x FROM ({squares}) WHERE q > {norm.clip}::HUGEINT * {norm.clip} OR c > {MOST}"
    guess = f"SELECT u, c, x, CAST(greatest(floor(sqrt(CAST(x AS DOUBLE))), 1) AS HUGEINT) AS g FROM ({heavy})"
    step = f"SELECT u, c, x, (g + x // g) // 2 AS g FROM ({guess})"
    norms = f"SELECT u, CASE WHEN c > {MOST} THEN {BEYOND} WHEN g * g < x THEN g + 1 ELSE g END AS n FROM ({step})"
    weight = f"CASE WHEN n IS NULL THEN {WEIGHT_ONE} ELSE CAST({norm.numerator} // n AS BIGINT) END"
    weight = f"{weight} * m" if times else weight
    selected = ", ".join([*keys, f"{weight} AS w", *kept])
    return f"(WITH r AS MATERIALIZED ({rows}), n AS ({norms}) SELECT {selected} FROM r LEFT JOIN n ON r.u = n.u)"
