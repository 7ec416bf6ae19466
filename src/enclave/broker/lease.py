"""Is this run leased to this worker, in this epoch, now?

The state database is asked, never the worker: a channel serves (run, epoch) and nothing else.
"""

from __future__ import annotations

from sqlalchemy import Engine

from enclave.broker.asking import Asker
from enclave.catalogue import find as find_dataset
from enclave.errors import Refused
from enclave.run import RunState
from enclave.run.job import find as find_run


def bind(db: Engine, run: str, epoch: int, worker: str) -> Asker:
    """Who asks through a channel of this lease; Refused when there is no such lease."""
    job = find_run(db, run)
    if (job.state, job.epoch, job.worker) != (RunState.RUNNING, epoch, worker):
        raise Refused("broker.no_such_lease")
    dataset = find_dataset(db, job.dataset, job.dataset_version)
    return Asker(run=run, epoch=epoch, project=job.project, member=job.member, dataset=dataset)


def still_leased(db: Engine, asker: Asker) -> None:
    """Refused unless the asker's run is still running in the epoch its channel was bound to; NotFound when its dataset is
    gone."""
    job = find_run(db, asker.run)
    if (job.state, job.epoch) != (RunState.RUNNING, asker.epoch):
        raise Refused("broker.run_over")
    find_dataset(db, asker.dataset.name, asker.dataset.version)  # destroyed meanwhile: it answers nobody any more
