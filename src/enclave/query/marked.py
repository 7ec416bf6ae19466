"""Which rows count where values of an unlisted key are found, and which SQL counts their persons?

Only rows that are marked for the person (`Keys.among`), whatever the question filters or joins. Where it does neither, one
row of each person and value carries the vote: a plain GROUP BY over those.
"""

from __future__ import annotations

from enclave.catalogue.dataset import WEIGHT_ONE, Keys
from enclave.query.plan import Plan, Term
from enclave.query.sources import left_over, rows_of
from enclave.query.written import key, truth


def persons_by_value(plan: Plan) -> str:
    """Distinct persons by the unlisted key alone: the value, then the total."""
    term, flags, _ = _sought(plan)
    value, total = f"{key(term)} AS k0", f"count(*) * {WEIGHT_ONE} AS a0"
    if plan.where is None and len(plan.sources) == 1:
        return f'SELECT {value}, {total} FROM {rows_of(plan.sources, plan)} WHERE t0."{flags.vote}" GROUP BY 1'
    kept = " AND ".join([*(f"({truth(c)})" for c in left_over(plan)), marked(plan)])
    persons = f'SELECT DISTINCT t0."{plan.root.unit}" AS u, {value} FROM {rows_of(plan.sources, plan)} WHERE {kept}'
    return f"SELECT k0, {total} FROM ({persons}) GROUP BY 1"


def marked(plan: Plan) -> str:
    """The row's value is one of those the person is counted in."""
    _, flags, at = _sought(plan)
    return f't{at}."{flags.among}"'


def _sought(plan: Plan) -> tuple[Term, Keys, int]:
    """The unlisted key, its flags, and which source carries them."""
    sought = plan.unlisted
    if sought is None or sought.unlisted is None or sought.term.ref is None:
        raise ValueError("values are found of an unlisted key")
    return sought.term, sought.unlisted, sought.term.ref.source
