"""What does the home know about the run a release comes from?"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine

from enclave import catalogue
from enclave.broker.given import answers_given, spent_by
from enclave.query import epsilon_of
from enclave.release.provenance import ONE_USER, BudgetFacts, DatasetFacts, Provenance, RunFacts
from enclave.run.job import find as find_run
from enclave.store import Place


def gather(
    db: Engine, place: Place, run: str, *, process_wall: str = ONE_USER, not_covered: tuple[str, ...] = ()
) -> Provenance:
    """What the home knows about `run`."""
    job = find_run(db, run)
    dataset = catalogue.find(db, job.dataset, job.dataset_version)
    rho, head = spent_by(db, run)
    spent = BudgetFacts(
        epsilon_spent=format(epsilon_of(rho, dataset.delta), ".6g"),
        delta=dataset.delta,
        rho_spent=rho,
        answers=tuple(answers_given(db, run)),
        ledger_head=head,
    )
    manifest = json.loads((place.extracts / dataset.name / f"v{dataset.version}" / "manifest.json").read_bytes())
    asked = DatasetFacts(
        name=dataset.name,
        version=dataset.version,
        digest=dataset.digest,
        file_digest=file_digest_in(manifest),
        policy_digest=dataset.policy_digest,
        demo=dataset.demo,
        unit=dataset.unit,
    )
    about = RunFacts(
        run=job.run,
        owner=job.member,
        project=job.project,
        lane=job.lane,
        notebook_name=job.name,
        notebook_sha256=job.notebook_sha256,
        parameters=job.parameters,
        environment=job.environment,
        executed=job.executed or b"",
    )
    return Provenance(about, asked, spent, process_wall, not_covered)


def file_digest_in(manifest: dict[str, Any]) -> str:
    """The file digest a manifest states."""
    said = manifest.get("manifest", manifest)
    return str(said.get("file_digest", ""))
