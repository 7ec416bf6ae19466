"""How a dataset is used, and who sees how much of it."""

from __future__ import annotations

from tests.conftest import Cast

from enclave.broker.use import use
from enclave.budget import NANO, Account, Amount, Charge, Ledger, Share, population, project, researcher
from enclave.query import epsilon_of


def spend(ledger: Ledger, project_: str, rho: int, dataset: str, *, run: bool = True) -> None:
    what: dict[str, str | int] = {"member": "researcher", "dataset": dataset, "question": f"{project_}{rho}"}
    what |= {"run": "run_1"} if run else {}
    payers = (
        (project(project_), researcher(project_, "researcher"), population("city")) if run else (population("city"),)
    )
    ledger.reserve(Charge(tuple(Share(account, Amount(rho)) for account in payers), what))


def test_counts_are_for_everybody_and_money_for_who_reads_budgets(cast: Cast) -> None:
    mine, other = (cast.project(cast.granted(title=title)) for title in ("Length of stay", "Falls"))
    with Ledger.of(cast.place) as ledger:
        for account in (population("city"), *(f(p) for p in (mine, other) for f in (project, _share))):
            ledger.open_account(account, Amount(NANO), actor="officer")
        for rho, of in ((1_000, "hospital"), (2_000, "hospital"), (4_000, "another")):
            spend(ledger, mine, rho, of)
        spend(ledger, mine, 8_000, "hospital", run=False)  # a profile: the register's own
        plain = use(cast.db, cast.place, cast.dataset(), in_full=False)
        full = use(cast.db, cast.place, cast.dataset(), in_full=True)
    assert (plain.projects, plain.active, plain.runs, plain.questions) == (2, 2, 0, 2)
    assert plain.epsilon_spent is None and plain.by_project == () and plain.accounts == ()
    assert [(one.title, one.questions, one.epsilon_spent) for one in full.by_project] == [
        ("Length of stay", 2, epsilon_of(3_000, "1e-6")),
        ("Falls", 0, 0.0),
    ]
    assert full.epsilon_spent == epsilon_of(11_000, "1e-6")
    assert [a.name for a in full.accounts] == ["city"] and full.accounts[0].rho_spent == 15_000


def _share(project_: str) -> Account:
    return researcher(project_, "researcher")
