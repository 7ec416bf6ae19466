"""May rows made within one person be read as they stand?

One branch of plain rows (`WITH v AS (SELECT patient_id, dept FROM visits WHERE urgent) SELECT … FROM v`) is another way to
write its own FROM and WHERE: the plan is read through, and the stored norms of the table hold by the same four rules.
"""

from __future__ import annotations

from dataclasses import replace

from enclave.query import terms
from enclave.query.plan import Branch, Made, Op, Plan, Ref, Source, Stacked, Term


def flattened(plan: Plan) -> Plan:
    """The same question without a root that only renames; every term keeps its type."""
    root = plan.sources[0].made
    if not isinstance(root, Stacked) or len(root.branches) != 1 or root.windows:
        return plan
    branch = root.branches[0]
    shift = len(branch.sources) - 1

    def through(term: Term) -> Term:
        if term.ref is not None:
            if term.ref.source:
                return replace(term, ref=Ref(term.ref.source + shift, term.ref.column))
            column = term.ref.column
            return branch.columns[column.at] if isinstance(column, Made) else term
        return terms.shallow(replace(term, args=tuple(through(a) for a in term.args))) if term.args else term

    def maybe(term: Term | None) -> Term | None:
        return through(term) if term is not None else None

    flat = replace(
        plan,
        sources=(*branch.sources, *(_shifted(s, shift) for s in plan.sources[1:])),
        where=_both(branch, maybe(plan.where)),
        keys=tuple(replace(k, term=through(k.term)) for k in plan.keys),
        aggregates=tuple(
            replace(a, term=maybe(a.term), other=maybe(a.other), columns=tuple(map(through, a.columns)))
            for a in plan.aggregates
        ),
    )
    return flattened(flat)


def _shifted(source: Source, shift: int) -> Source:
    return replace(source, near=source.near + shift if source.near else 0)


def _both(branch: Branch, outer: Term | None) -> Term | None:
    if branch.where is None or outer is None:
        return branch.where or outer
    return terms.joined(Op.AND, (branch.where, outer))
