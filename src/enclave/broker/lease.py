"""Is this run leased to this worker, in this epoch, now?

The state database is asked, never the worker: a channel serves (run, epoch) and nothing else.
"""

from __future__ import annotations

from sqlalchemy import Engine

from enclave.broker.asking import Allowance, Asker
from enclave.budget import AccountKind, Amount, Ledger, charges
from enclave.catalogue import find as find_dataset
from enclave.errors import Refused
from enclave.run import RunState
from enclave.run.job import find as find_run
from enclave.store import Place


def bind(db: Engine, place: Place, ledger: Ledger, run: str, epoch: int, worker: str) -> Asker:
    """Who asks through a channel of this lease, and what its plan leaves it to spend; Refused without such a lease."""
    job = find_run(db, run)
    if (job.state, job.epoch, job.worker) != (RunState.RUNNING, epoch, worker):
        raise Refused("broker.no_such_lease")
    dataset = find_dataset(db, job.dataset, job.dataset_version)
    allowance = (
        None if job.rho_cap is None else left_of(place, ledger, job.run, Amount(job.rho_cap, 0, job.epsilon_cap))
    )
    return Asker(run, epoch, job.project, job.member, dataset, allowance)


def left_of(place: Place, ledger: Ledger, run: str, declared: Amount) -> Allowance:
    """What is left of what a run declared, after all that its earlier epochs were charged, settled or not."""
    allowance = Allowance(declared)
    ledger.head()  # behind what was handed in before: an earlier epoch may have asked while it still had the lease
    for charge in charges(place, "run", run):
        for share in charge.shares:
            if share.account.kind is AccountKind.PROJECT:
                allowance.take(share.amount)
    return allowance


def still_leased(db: Engine, asker: Asker) -> None:
    """Refused unless the asker's run is still running in the epoch its channel was bound to; NotFound when its dataset is
    gone."""
    job = find_run(db, asker.run)
    if (job.state, job.epoch) != (RunState.RUNNING, asker.epoch):
        raise Refused("broker.run_over")
    find_dataset(db, asker.dataset.name, asker.dataset.version)  # destroyed meanwhile: it answers nobody any more
