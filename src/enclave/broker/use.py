"""How is a dataset used?

From grants, runs and the ledger, which know it already; nothing here depends on a record. How many projects, runs and
questions there were is for everybody with an account. Who spent what, and what the registers have left, is for those who
may read budgets (decision 0067).
"""

from __future__ import annotations

from sqlalchemy import Engine

from domicile.wire.known import ProjectUseCard, UseCard
from enclave.access import Standing, held_on
from enclave.broker.standing import standing
from enclave.budget import AccountKind, Charge, charges, population, snapshot
from enclave.catalogue import Dataset
from enclave.query import epsilon_of
from enclave.run import counted_on
from enclave.store import Place


def use(db: Engine, place: Place, dataset: Dataset, *, in_full: bool) -> UseCard:
    """The figures of a dataset, all versions together; `in_full` with ε and by project."""
    held = held_on(db, dataset.name)
    everything = charges(place, "dataset", dataset.name)
    paid = [charge for charge in everything if "run" in charge.what]  # the rest are profiles, which no run bought
    counts = UseCard(
        projects=len(held),
        active=sum(one.state is Standing.ACTIVE for one in held),
        runs=counted_on(db, dataset.name),
        questions=len(paid),
    )
    if not in_full:
        return counts
    by_project = tuple(
        ProjectUseCard(
            project=one.project,
            title=one.title,
            standing=one.state.value,
            questions=sum(_rho(c, AccountKind.PROJECT, one.project) is not None for c in paid),
            epsilon_spent=_epsilon(dataset, sum(_rho(c, AccountKind.PROJECT, one.project) or 0 for c in paid)),
        )
        for one in held
    )
    spent = sum(_rho(c, AccountKind.POPULATION, dataset.register) or 0 for c in everything)
    with snapshot(place) as seen:
        accounts = standing(seen, map(population, dataset.registers), dataset.delta)
    shown = {"by_project": by_project, "epsilon_spent": _epsilon(dataset, spent), "accounts": accounts}
    return counts.model_copy(update=shown)


def _rho(charge: Charge, kind: AccountKind, name: str) -> int | None:
    """What an account paid of a charge; None when it paid none of it."""
    return next((s.amount.nano_rho for s in charge.shares if (s.account.kind, s.account.name) == (kind, name)), None)


def _epsilon(dataset: Dataset, nano_rho: int) -> float:
    return epsilon_of(nano_rho, dataset.delta)
