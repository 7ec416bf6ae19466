"""What does the home know about the run a release comes from?"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Engine

from domicile.wire.words import LANGUAGES, say
from enclave import catalogue
from enclave.broker.given import answers_given, spent_by
from enclave.broker.measure import epsilon
from enclave.budget import ATTO, balances, population
from enclave.budget import project as project_account
from enclave.catalogue.manifest import Manifest, folder_of
from enclave.release.provenance import ONE_USER, BudgetFacts, DatasetFacts, Provenance, RunFacts
from enclave.run.job import find as find_run
from enclave.store import Keyring, Place


def delta_text(delta: str, atto: int) -> str:
    """The δ of the guarantee: that at which ρ is converted, and what finding unlisted keys spent beside it."""
    return str(Decimal(delta) + Decimal(atto) / ATTO) if atto else delta


def gather(
    db: Engine, place: Place, run: str, *, process_wall: str = ONE_USER, not_covered: tuple[str, ...] = ()
) -> Provenance:
    """What the home knows about `run`; Tampered when the manifest of its extract is not this home's."""
    job = find_run(db, run)
    dataset = catalogue.find(db, job.dataset, job.dataset_version)
    newly, head = spent_by(db, place, run)
    spent = BudgetFacts(
        epsilon_spent=format(epsilon(newly, dataset.delta), ".6g"),
        delta="0" if newly.is_pure else delta_text(dataset.delta, newly.atto_delta),
        rho_spent=newly.nano_rho,
        answers=tuple(answers_given(db, run)),
        ledger_head=head,
    )
    manifest = Manifest.read_from(folder_of(place, dataset.name, dataset.version), Keyring(place))
    asked = DatasetFacts(
        name=dataset.name,
        version=dataset.version,
        digest=dataset.digest,
        file_digest=manifest.file_digest,
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
    found = incidents(place, dataset.registers, job.project)
    if found:
        spoken = " / ".join(say("release.incidents", lang, count=found) for lang in LANGUAGES)
        not_covered = (*not_covered, spoken)
    return Provenance(about, asked, spent, process_wall, not_covered)


def incidents(place: Place, registers: tuple[str, ...], project: str) -> int:
    """Charged questions that failed on our side, of these persons or in this project: ε says nothing of them."""
    concerned = (*map(population, registers), project_account(project))
    return max((balance.incidents for balance in balances(place) if balance.account in concerned), default=0)
