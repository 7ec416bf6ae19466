"""How do stored norms weigh the rows of one scan?

Every row weighs 65536 at first, whatever its norm, as in the plain question; then what rows above the clip have too much is
taken away: for each norm, rows with a norm above the clip lose 65536 − numerator // norm, and rows whose norm is NULL lose
all. The difference is exact, Σ65536·x − Σ(65536 − w)·x = Σw·x in whole numbers. Rows rest in the order in which persons
exceed their clips, so the second scan skips nearly all blocks, and a NULL is met nowhere.

Where rows must first be joined or made, that is the dear part: they are read once, each with its own weight.
"""

from __future__ import annotations

from collections.abc import Mapping

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.groups import Groups
from enclave.query.sums import Summed


def once(rows: str, groups: Groups, named: Mapping[str, Summed]) -> str:
    """The same in one pass."""
    sums = dict[str, str]()
    for name, wanted in named.items():
        norm = wanted.norm
        if norm.column is None:
            sums[name] = f"CAST({wanted.plain()} AS HUGEINT) * {WEIGHT_ONE}"
            continue
        stored = f't0."{norm.column}"'
        above = f"WHEN {stored} > {norm.clipped_from} THEN {norm.numerator} // {stored}"
        weight = f"CASE WHEN {stored} <= {norm.clipped_from} THEN {WEIGHT_ONE} {above} ELSE 0 END"
        sums[name] = f"CAST({wanted.weighed(weight)} AS HUGEINT)"
    return _branch(rows, groups, sums)


def branches(rows: str, groups: Groups, named: Mapping[str, Summed]) -> str:
    """Rows of groups (group_0, …) with sums under their names, several of each group, to be added up. `rows` is what
    stands after FROM, with its WHERE."""
    whole = {name: f"CAST({s.plain()} AS HUGEINT) * {WEIGHT_ONE}" for name, s in named.items()}
    made = [_branch(rows, groups, whole)]
    for norm in dict.fromkeys(s.norm for s in named.values()):
        if norm.column is None:
            continue
        mine = {name: s for name, s in named.items() if s.norm == norm}
        nothing = dict.fromkeys(named, "0::HUGEINT")
        stored = f't0."{norm.column}"'
        lost = f"({WEIGHT_ONE} - {norm.numerator} // {stored})"
        above = nothing | {name: f"-{s.weighed(lost)}" for name, s in mine.items()}
        made.append(_branch(f"{rows} AND {stored} > {norm.clipped_from}", groups, above))
        unknown = nothing | {name: f"-({whole[name]})" for name in mine}
        made.append(_branch(f"{rows} AND {stored} IS NULL", groups, unknown))
    return " UNION ALL ".join(made)


def _branch(rows: str, groups: Groups, sums: Mapping[str, str]) -> str:
    columns = [*groups.selected, *(f"{sql} AS {name}" for name, sql in sums.items())]
    by = f" GROUP BY {', '.join(str(i + 1) for i in range(len(groups.columns)))}" if groups.columns else ""
    return f"SELECT {', '.join(columns)} FROM {rows}{by}"
