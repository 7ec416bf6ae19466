"""Is this run leased to this worker, in this epoch, now?

The state database is asked, never the worker: a channel serves (run, epoch) and nothing else.
"""

from __future__ import annotations

from sqlalchemy import Engine

from enclave.broker.asking import Allowance, Asker
from enclave.budget import AccountKind, charges
from enclave.catalogue import find as find_dataset
from enclave.errors import Refused
from enclave.run import RunState
from enclave.run.job import Job
from enclave.run.job import find as find_run
from enclave.store import Place


def bind(db: Engine, place: Place, run: str, epoch: int, worker: str) -> Asker:
    """Who asks through a channel of this lease, and what its plan leaves it to spend; Refused without such a lease."""
    job = find_run(db, run)
    if (job.state, job.epoch, job.worker) != (RunState.RUNNING, epoch, worker):
        raise Refused("broker.no_such_lease")
    dataset = find_dataset(db, job.dataset, job.dataset_version)
    allowance = None if job.rho_cap is None else Allowance(job.rho_cap - _charged(place, job))
    return Asker(run, epoch, job.project, job.member, dataset, allowance)


def _charged(place: Place, job: Job) -> int:
    """Nano-rho that earlier epochs of the run were charged, settled or not."""
    shares = [share for charge in charges(place, "run", job.run) for share in charge.shares]
    return sum(share.amount.nano_rho for share in shares if share.account.kind is AccountKind.PROJECT)


def still_leased(db: Engine, asker: Asker) -> None:
    """Refused unless the asker's run is still running in the epoch its channel was bound to; NotFound when its dataset is
    gone."""
    job = find_run(db, asker.run)
    if (job.state, job.epoch) != (RunState.RUNNING, asker.epoch):
        raise Refused("broker.run_over")
    find_dataset(db, asker.dataset.name, asker.dataset.version)  # destroyed meanwhile: it answers nobody any more
