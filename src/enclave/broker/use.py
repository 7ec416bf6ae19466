"""How is a dataset used?

From grants, runs and the ledger, which know it already; nothing here depends on a record. How many projects, runs and
questions there were is for everybody with an account. Who spent what, and what the registers have left, is for those who
may read budgets (decision 0067).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from domicile.wire.known import ProjectUseCard, UseCard
from enclave.access import Standing, held_on
from enclave.broker.measure import epsilon
from enclave.broker.standing import standing
from enclave.budget import NOTHING, AccountKind, Amount, Charge, charges, population, snapshot
from enclave.catalogue import Dataset
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
            questions=sum(_share(c, AccountKind.PROJECT, one.project) is not None for c in paid),
            epsilon_spent=epsilon(_paid(paid, AccountKind.PROJECT, one.project), dataset.delta),
        )
        for one in held
    )
    spent = _paid(everything, AccountKind.POPULATION, dataset.register)
    with snapshot(place) as seen:
        accounts = standing(seen, map(population, dataset.registers), dataset.delta)
    shown = {"by_project": by_project, "epsilon_spent": epsilon(spent, dataset.delta), "accounts": accounts}
    return counts.model_copy(update=shown)


def _share(charge: Charge, kind: AccountKind, name: str) -> Amount | None:
    """What an account paid of a charge; None when it paid none of it."""
    return next((s.amount for s in charge.shares if (s.account.kind, s.account.name) == (kind, name)), None)


def _paid(paid: Sequence[Charge], kind: AccountKind, name: str) -> Amount:
    """What an account paid of all of these."""
    return sum((_share(charge, kind, name) or NOTHING for charge in paid), NOTHING)
